// The published form of a state that a client uploads. Pure functions.
#pragma once

#include "base/json.hpp"

namespace syncline::kiro {

/// Refuses a state that does not have the form, naming the field.
[[nodiscard]] Result<> check_state(JsonView state);

}  // namespace syncline::kiro
