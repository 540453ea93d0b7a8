// POST /sync: an uploaded state is merged into the space record by record, so nobody's messages are lost whatever the
// two lastUpdate say. docs/api/kiro.md has the rules.
#pragma once

#include "api/kiro/command_queue.hpp"

namespace syncline::kiro {

/// A part of an upload that was left out, and why.
struct Ignored {
  std::string_view part;
  std::string id;
  std::string reason;
};

/// Refuses a state that does not have the published form, naming the field.
[[nodiscard]] Result<> check_state(JsonView state);

/// In a transaction: takes over what the key may write of a checked state. Returns what was left out.
[[nodiscard]] Result<std::vector<Ignored>> merge_state(SpaceWriter& writer, CommandQueue& commands, JsonView state,
                                                       const Principal& principal);

}  // namespace syncline::kiro
