// The tables of a Kernle memory: under which names clients send them, how two versions of a record merge, and which
// fields people look for.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/merge.hpp"

namespace syncline::kernle {

/// The spaces of an account's agents are called so: "kernle/<name>".
inline constexpr std::string_view kSpacePrefix = "kernle/";
[[nodiscard]] std::string space_name_of(std::string_view agent);
/// The agent whose space it is; nothing for other spaces.
[[nodiscard]] std::optional<std::string_view> agent_of(std::string_view space_name);

struct Table {
  /// What it is stored and delivered as.
  std::string_view name;
  /// Another name that clients send it under; empty for none.
  std::string_view alias;
  /// One record of it, as search filters may say.
  std::string_view singular;
  std::span<const std::string_view> union_fields;
  /// What a record is recognised by: the text of a search result.
  std::span<const std::string_view> title_fields;
};

[[nodiscard]] std::span<const Table> tables();
/// By its name or its alias; null for a table that is not synced.
[[nodiscard]] const Table* find_table(std::string_view name);

[[nodiscard]] MergePolicy merge_policy_of(const Table& table);

}  // namespace syncline::kernle
