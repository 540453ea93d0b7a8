// The terminal that standard output or standard error may be: its width, and whether it gets colours. Colour never says
// anything that the text does not say, too.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace syncline::app {

/// Columns of the terminal that standard output is, as the terminal or else COLUMNS says; nothing if it is none.
[[nodiscard]] std::optional<std::size_t> terminal_columns();

/// True for a descriptor that is a terminal, unless NO_COLOR is set (as --no-color does) or TERM is "dumb".
[[nodiscard]] bool takes_colour(int descriptor);

enum class Paint : std::uint8_t { none, bold, green, yellow, red };
/// The same text, between the orders that switch the colour on and off.
[[nodiscard]] std::string painted(const std::string& text, Paint paint);
/// Green for what is well, yellow for what waits or needs a look, red for what failed; none for other words.
[[nodiscard]] Paint paint_of_state(std::string_view state);

}  // namespace syncline::app
