// Codes that people read from one screen and type into another: eight digits of Crockford's base 32, 40 random bits.
#pragma once

#include <string>
#include <string_view>

namespace syncline {

/// "ABCDEFGH".
[[nodiscard]] std::string make_short_code();
/// "ABCD-EFGH", as it is shown.
[[nodiscard]] std::string group_short_code(std::string_view code);
/// As the digits that are meant, without dashes: people add dashes and spaces, and read O for 0. Whatever was typed, at
/// most four times as long as a code.
[[nodiscard]] std::string read_short_code(std::string_view typed);

}  // namespace syncline
