// What the command line says: JSON as it is, or the same for people.
#pragma once

#include <string>

#include "base/json.hpp"

namespace syncline::app {

enum class OutputForm { text, json };

/// One document on standard output. As text: a list as a table, anything else as "name: value" lines.
void print_result(const std::string& json, OutputForm form);
/// What a terminal may be sent: control characters are shown as ^X or \\x9B, what turns the direction of writing as
/// \\u202E; line ends and tabs stay.
[[nodiscard]] std::string to_terminal_text(std::string_view text);
/// The same for a stranger's text within a line: a line end would begin one that looks like ours.
[[nodiscard]] std::string to_terminal_line(std::string_view text);

/// On standard error; with json as a problem body.
void print_error(const Error& error, OutputForm form);

}  // namespace syncline::app
