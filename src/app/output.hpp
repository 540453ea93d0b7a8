// What the command line says: JSON as it is, or the same for people.
#pragma once

#include <string>

#include "base/json.hpp"

namespace syncline::app {

enum class OutputForm { text, json };

/// One document on standard output. As text: a list as a table, anything else as "name: value" lines.
void print_result(const std::string& json, OutputForm form);
/// What a terminal may be sent: control characters are shown as ^X or \\x9B, but for line ends and tabs.
[[nodiscard]] std::string to_terminal_text(std::string_view text);

/// On standard error; with json as a problem body.
void print_error(const Error& error, OutputForm form);

}  // namespace syncline::app
