// What the command line says: JSON as it is, or the same for people.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "app/list_view.hpp"
#include "base/json.hpp"

namespace syncline::app {

enum class OutputForm : std::uint8_t { text, json };

/// One document on standard output. As text: a list as a table, anything else as "name: value" lines, objects within it
/// indented. Times are in the zone of this machine, which the first one names.
void print_result(const std::string& json, OutputForm form, const ListView& view = {});
/// What a terminal may be sent: control characters are shown as ^X or \\x9B, what turns the direction of writing as
/// \\u202E; line ends and tabs stay.
[[nodiscard]] std::string to_terminal_text(std::string_view text);
/// The same for a stranger's text within a line: a line end would begin one that looks like ours.
[[nodiscard]] std::string to_terminal_line(std::string_view text);

/// On standard error, behind the name by which the program was called; with json as a problem body. `exit_code`: with
/// which the process will end.
void print_error(const Error& error, OutputForm form, int exit_code, std::string_view program = "syncline");
/// Something that people should know, on standard error; with json nothing: the document says it, or it does not
/// matter to a program.
void print_note(std::string_view text, OutputForm form, std::string_view program = "syncline");

}  // namespace syncline::app
