// The cursor of the Kaisho wire: a change number in the clothing of a time. Number 123 is 1970-01-01T00:00:00.000123Z.
// Desktops compare it as text with times of their own edits and push only what sorts above it, so it must sort below
// every real time. Three more digits tell the history and the opening of the store that made the change: a cursor of
// another history, whose numbers meant other changes, is mistaken for one of this in one of a thousand cases.
#pragma once

#include <string>
#include <string_view>

#include "core/cursor.hpp"

namespace syncline::kaisho {

[[nodiscard]] std::string format_change_cursor(const Cursor& cursor);

/// Whatever is no cursor of this history means "from the beginning": rows are idempotent. A cursor of an older store
/// has no such digits, and is believed.
[[nodiscard]] Seq parse_change_cursor(std::string_view text, std::string_view epoch, const Lineage& lineage, Seq head);

}  // namespace syncline::kaisho
