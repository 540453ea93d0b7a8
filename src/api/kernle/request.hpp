// What requests of Kernle's clients name, and what answers to them have in common, at a hub and at a node.
#pragma once

#include "api/call.hpp"

namespace syncline::kernle {

/// The agent that a body or query names, as agent_id or stack_id. invalid_argument if it names none, or two.
[[nodiscard]] Result<std::string> agent_in(JsonView body);
[[nodiscard]] Result<std::string> agent_in_query(const api::Call& call);

/// The positive `limit` of a body; nothing if it has none.
[[nodiscard]] Result<std::optional<std::int64_t>> limit_in(JsonView body);

/// Sessions are devices; a bare key may stand for several.
[[nodiscard]] inline bool is_session(const Principal& principal) { return principal.expires_at.has_value(); }

/// "2026-11-22T00:10:07.004670+00:00", as clients write it: some cannot read a Z.
[[nodiscard]] std::string client_time(Timestamp time);

/// `"meta":{...}`, which every answer may carry.
void append_meta(JsonWriter& writer, std::string_view request_id, Timestamp now);

}  // namespace syncline::kernle
