// The spaces of the Kernle face: one for each agent of an account, "kernle/<name>", with a collection for each table.
#pragma once

#include "api/kernle/limits.hpp"
#include "service/events.hpp"
#include "service/space_writer.hpp"
#include "wire/kernle_tables.hpp"

namespace syncline::kernle {

// What webhooks can subscribe to.
inline constexpr EventType kSyncCompleted{"sync.completed"};  // a push of a client was stored
inline constexpr EventType kMemoryCreated{"memory.created"};  // a record that was not there before

/// Letters and digits of any script, '-', '_' and '.', at most 100; of a name with a '/' the part behind the last one,
/// for clients show names as OWNER/NAME.
[[nodiscard]] Result<std::string> check_agent_name(std::string_view name);

[[nodiscard]] SpaceRules make_space_rules();

}  // namespace syncline::kernle
