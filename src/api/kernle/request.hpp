// What requests of Kernle's clients name, at a hub and at a node.
#pragma once

#include "api/call.hpp"

namespace syncline::kernle {

/// The agent that a body or query names, as agent_id or stack_id. invalid_argument if it names none, or two.
[[nodiscard]] Result<std::string> agent_in(JsonView body);
[[nodiscard]] Result<std::string> agent_in_query(const api::Call& call);

/// The positive `limit` of a body; nothing if it has none.
[[nodiscard]] Result<std::optional<std::int64_t>> limit_in(JsonView body);

}  // namespace syncline::kernle
