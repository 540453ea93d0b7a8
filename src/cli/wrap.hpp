// Breaks text into lines. Knows no terminal: who calls it says how wide lines are. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace syncline::cli {

/// The lines of a paragraph, broken at spaces so that none has more than `columns` bytes. A word that is longer has a
/// line of its own. Line ends within the text stay.
[[nodiscard]] std::vector<std::string> wrap(std::string_view text, std::size_t columns);

/// The lines of a paragraph, each indented by `indent` spaces and ended, at most `columns` bytes wide.
[[nodiscard]] std::string indented(std::string_view text, std::size_t indent, std::size_t columns);

/// Two columns: `label` behind `indent` spaces, `text` from `column` on, in the line below if the label reaches there.
[[nodiscard]] std::string labelled(std::string_view label, std::string_view text, std::size_t indent,
                                   std::size_t column, std::size_t columns);

/// A command line as one or more lines of at most `columns` bytes: each but the last ends with a backslash, each but
/// the first is indented. An option stays with its value, and what stands in single quotes stays whole.
[[nodiscard]] std::vector<std::string> continued(std::string_view command_line, std::size_t columns);

}  // namespace syncline::cli
