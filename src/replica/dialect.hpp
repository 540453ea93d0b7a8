// What hubs speak. A node prefers /v1; the services that Kaisho and Kernle publish have only their own.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace syncline::replica {

enum class Dialect : std::uint8_t {
  native,  // /v1: every space, at once
  kaisho,  // /sync of Kaisho's cloud: time tracking
  kernle,  // /sync/push and /sync/pull of Kernle's: memory
};
[[nodiscard]] std::string_view to_text(Dialect dialect);

/// True if such a hub can keep the space.
[[nodiscard]] bool carries_space(Dialect dialect, std::string_view space);

/// What a hub of that dialect cannot do, each in a sentence for people. docs/api/node.md explains them.
[[nodiscard]] std::span<const std::string_view> limits_of(Dialect dialect);

}  // namespace syncline::replica
