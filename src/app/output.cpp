#include "app/output.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "api/problem.hpp"
#include "app/table.hpp"
#include "base/bytes.hpp"
#include "base/json_object.hpp"
#include "base/text.hpp"

namespace syncline::app {
void print_result(const std::string& json, OutputForm form) {
  if (form == OutputForm::json) {
    std::puts(json.c_str());
    return;
  }
  const JsonView view(json);
  std::size_t members = 0;
  view.for_each_member([&](std::string_view, JsonView) { ++members; });
  view.for_each_member([&](std::string_view name, JsonView value) {
    std::size_t rows = 0;
    std::size_t others = 0;  // than rows of a table
    if (value.is_array()) value.for_each_element([&](JsonView element) { ++(element.is_object() ? rows : others); });
    const bool is_empty = value.is_array() && rows + others == 0;
    if (value.is_array() && others == 0 && (members == 1 || rows > 0)) {
      const std::string table = format_table(value, terminal_columns());
      std::fputs(table.empty() ? "none\n" : table.c_str(), stdout);
    } else if (is_empty) {
      std::printf("%s: none\n", to_terminal_text(name).c_str());
    } else {
      std::printf("%s: %s\n", to_terminal_text(name).c_str(), to_cell(value).c_str());
    }
  });
}

std::string to_terminal_text(std::string_view text) {
  std::string shown;
  for (std::size_t i = 0; i < text.size();) {
    const std::string_view character =
        text.substr(i, std::max<std::size_t>(character_length(text.substr(i)).value_or(1), 1));
    const char32_t code_point = first_code_point(character);
    i += character.size();
    if (character.size() == 1 && static_cast<unsigned char>(character.front()) >= 0x80) {
      shown += kReplacementCharacter;  // a byte that is no character: some terminals take it for a control
    } else if (!is_control_or_bidi(code_point) || code_point == '\n' || code_point == '\t') {
      shown += character;
    } else if (code_point < 0x80) {
      shown += '^';
      shown += static_cast<char>(code_point ^ 0x40U);
    } else if (code_point < 0xA0) {
      shown += "\\x" + to_hex(character.substr(1));
    } else {
      char digits[8];
      const auto end = std::to_chars(digits, digits + sizeof digits, static_cast<std::uint32_t>(code_point), 16).ptr;
      const auto count = static_cast<std::size_t>(end - digits);
      shown.append("\\u").append(4 - std::min<std::size_t>(count, 4), '0').append(digits, count);
    }
  }
  return shown;
}

std::string to_terminal_line(std::string_view text) {
  std::string shown;
  for (const char c : to_terminal_text(text)) {
    if (c == '\n' || c == '\t') {
      shown += '^';
      shown += static_cast<char>(c ^ 0x40);
    } else {
      shown += c;
    }
  }
  return shown;
}

void print_error(const Error& error, OutputForm form) {
  if (form == OutputForm::text) {
    std::fprintf(stderr, "syncline: %s\n", to_terminal_text(error.text).c_str());
    return;
  }
  std::string body;
  JsonWriter(body)
      .begin_object()
      .string("type", "/problems/" + std::string(api::code_of(error.code).text()))
      .string("title", api::code_of(error.code))
      .string("code", api::code_of(error.code))
      .string("detail", error.text)
      .end_object();
  std::fprintf(stderr, "%s\n", body.c_str());
}

}  // namespace syncline::app
