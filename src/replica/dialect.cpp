#include "replica/dialect.hpp"

#include <array>

#include "wire/kaisho_rows.hpp"
#include "wire/kernle_tables.hpp"

namespace syncline::replica {
namespace {

constexpr auto kKaishoLimits = std::to_array<std::string_view>(
    {"it keeps time tracking only (entries, inbox, tasks, notes, projects); everything else stays on this device",
     "customers and contracts stay on this device", "changes of other devices come with the next poll, not at once",
     "it does not say which of two versions it kept: edits of one record on two devices between two polls may differ "
     "until the next edit"});
constexpr auto kKernleLimits = std::to_array<std::string_view>(
    {"it keeps the memory of agents only (spaces kernle/<agent>); everything else stays on this device",
     "changes of other devices come with the next poll, not at once",
     "the published backend keeps one agent for a key: with another agent take another key and another profile",
     "it keeps what was pushed last: this device merges before it pushes, other programs may put an older version over "
     "a newer one until this device pulls",
     "deletions by other devices arrive only if it delivers them"});

}  // namespace

std::string_view to_text(Dialect dialect) {
  switch (dialect) {
    case Dialect::native: return "native";
    case Dialect::kaisho: return "kaisho";
    case Dialect::kernle: return "kernle";
  }
  return "native";
}

bool carries_space(Dialect dialect, std::string_view space) {
  switch (dialect) {
    case Dialect::native: return true;
    case Dialect::kaisho: return space == kaisho::kSpace;
    case Dialect::kernle: return kernle::agent_of(space).has_value();
  }
  return false;
}

std::span<const std::string_view> limits_of(Dialect dialect) {
  switch (dialect) {
    case Dialect::native: return {};
    case Dialect::kaisho: return kKaishoLimits;
    case Dialect::kernle: return kKernleLimits;
  }
  return {};
}

}  // namespace syncline::replica
