// The cursor of the Kaisho wire: a change number in the clothing of a time. Number 123 is 1970-01-01T00:00:00.000123Z.
// Desktops compare it as text with times of their own edits and push only what sorts above it, so it must sort below
// every real time. In a store that was restored from a backup three more digits tell its history: a cursor of another
// history, whose numbers meant other changes, is not mistaken for one of this.
#pragma once

#include <string>
#include <string_view>

#include "base/ids.hpp"

namespace syncline::kaisho {

[[nodiscard]] std::string format_change_cursor(Seq seq, std::string_view epoch);

/// Whatever is no cursor of this history means "from the beginning": rows are idempotent.
[[nodiscard]] Seq parse_change_cursor(std::string_view text, std::string_view epoch, Seq head);

}  // namespace syncline::kaisho
