#include "wire/kernle_tables.hpp"

#include <algorithm>
#include <array>

namespace syncline::kernle {
namespace {

using Names = std::string_view;

constexpr auto kEpisodeUnions =
    std::to_array<Names>({"lessons", "tags", "emotional_tags", "source_episodes", "derived_from", "context_tags"});
constexpr auto kNoteUnions = std::to_array<Names>({"tags", "source_episodes", "derived_from", "context_tags"});
constexpr auto kDriveUnions = std::to_array<Names>({"focus_areas", "source_episodes", "derived_from", "context_tags"});
constexpr auto kSourceUnions = std::to_array<Names>({"source_episodes", "derived_from", "context_tags"});
constexpr auto kPlaybookUnions =
    std::to_array<Names>({"trigger_conditions", "failure_modes", "recovery_steps", "source_episodes", "tags"});

constexpr auto kEpisodeTitles = std::to_array<Names>({"objective", "outcome"});
constexpr auto kContentTitle = std::to_array<Names>({"content"});
constexpr auto kStatementTitle = std::to_array<Names>({"statement"});
constexpr auto kValueTitles = std::to_array<Names>({"name", "statement"});
constexpr auto kGoalTitles = std::to_array<Names>({"title", "description"});
constexpr auto kDriveTitles = std::to_array<Names>({"drive_type"});
constexpr auto kRelationshipTitles = std::to_array<Names>({"entity_name", "relationship_type", "notes"});
constexpr auto kPlaybookTitles = std::to_array<Names>({"name", "description"});
constexpr auto kRawTitles = std::to_array<Names>({"content", "blob"});
constexpr auto kCheckpointTitles = std::to_array<Names>({"current_task", "context"});

constexpr std::array<Table, 11> kTables = {{
    {"episodes", "", "episode", kEpisodeUnions, kEpisodeTitles},
    {"notes", "", "note", kNoteUnions, kContentTitle},
    {"beliefs", "", "belief", kSourceUnions, kStatementTitle},
    {"values", "agent_values", "value", kSourceUnions, kValueTitles},
    {"goals", "", "goal", kSourceUnions, kGoalTitles},
    {"drives", "", "drive", kDriveUnions, kDriveTitles},
    {"relationships", "", "relationship", kSourceUnions, kRelationshipTitles},
    {"playbooks", "", "playbook", kPlaybookUnions, kPlaybookTitles},
    {"raw_captures", "raw_entries", "raw", {}, kRawTitles},
    {"checkpoints", "", "checkpoint", {}, kCheckpointTitles},
    {"emotional_memories", "", "emotional_memory", {}, {}},
}};

}  // namespace

std::string space_name_of(std::string_view agent) { return std::string(kSpacePrefix) + std::string(agent); }

std::optional<std::string_view> agent_of(std::string_view space_name) {
  if (!space_name.starts_with(kSpacePrefix)) return std::nullopt;
  return space_name.substr(kSpacePrefix.size());
}

std::span<const Table> tables() { return kTables; }

const Table* find_table(std::string_view name) {
  const auto found = std::ranges::find_if(
      kTables, [&](const Table& table) { return name == table.name || (!table.alias.empty() && name == table.alias); });
  return found == kTables.end() ? nullptr : &*found;
}

MergePolicy merge_policy_of(const Table& table) {
  MergePolicy policy;
  policy.tie = MergePolicy::Tie::smaller_hash;
  policy.ahead = MergePolicy::Ahead::kept;
  policy.union_fields.assign(table.union_fields.begin(), table.union_fields.end());
  policy.earliest_fields = {"created_at"};
  // A client that takes a record over from a pull keeps some of its fields, gives the others these, and dates it now.
  policy.unset_values = {{"confidence", "0.8"},
                         {"strength", "1.0"},
                         {"source_type", R"("direct_experience")"},
                         {"outcome_type", R"("unknown")"}};
  return policy;
}

}  // namespace syncline::kernle
