#include "app/output.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <utility>

#include "api/problem.hpp"
#include "app/plain_words.hpp"
#include "app/table.hpp"
#include "app/terminal.hpp"
#include "base/bytes.hpp"
#include "base/json_object.hpp"
#include "base/text.hpp"

namespace syncline::app {
namespace {

/// Objects that are deeper are shown as JSON.
constexpr int kShownDepth = 3;
constexpr std::size_t kIndent = 2;

/// "name: value" lines of an object.
class LinePrinter {
 public:
  explicit LinePrinter(const ListView& view) : view_(view) {}

  void print_members(JsonView object, std::size_t indent, int depth) {
    std::size_t members = 0;
    object.for_each_member([&](std::string_view, JsonView) { ++members; });
    object.for_each_member([&](std::string_view name, JsonView value) {
      if (value.is_array()) return print_list(name, value, indent, members == 1 && depth == 0);
      print_member(name, value, indent, depth);
    });
  }

 private:
  static void begin_line(std::string_view name, std::size_t indent) {
    std::printf("%s%s:", std::string(indent, ' ').c_str(), to_terminal_line(to_words(name)).c_str());
  }

  void print_member(std::string_view name, JsonView value, std::size_t indent, int depth) {
    begin_line(name, indent);
    if (value.is_object() && depth < kShownDepth && value.raw() != "{}") {
      std::putchar('\n');
      return print_members(value, indent + kIndent, depth + 1);
    }
    const std::string text = value.is_string() ? value.as_string().value_or("") : "";
    if (text.find('\n') < text.size() - 1) return print_block(text, indent + kIndent);
    std::string shown = to_cell(name, value);
    if (find_time(value) && !std::exchange(has_named_zone_, true)) shown += ' ' + local_zone();
    if (takes_colour(STDOUT_FILENO) && value.is_string()) shown = painted(shown, paint_of_state(text));
    std::printf(" %s\n", shown.c_str());
  }

  /// Text of several lines, further in than any line of ours.
  static void print_block(const std::string& text, std::size_t indent) {
    std::putchar('\n');
    for (const std::string_view line : split(text.ends_with('\n') ? text.substr(0, text.size() - 1) : text, '\n')) {
      std::printf("%s%s\n", std::string(indent, ' ').c_str(), to_terminal_line(line).c_str());
    }
  }

  void print_list(std::string_view name, JsonView list, std::size_t indent, bool is_alone) {
    std::size_t rows = 0;
    std::size_t others = 0;  // than rows of a table
    list.for_each_element([&](JsonView element) { ++(element.is_object() ? rows : others); });
    if (others == 0 && rows > 0 && indent == 0) {
      const TableLayout layout{
          .width = terminal_columns(), .members = view_.members, .is_coloured = takes_colour(STDOUT_FILENO)};
      std::fputs(format_table(list, layout).c_str(), stdout);
      return;
    }
    if (rows + others == 0 && is_alone) {
      const std::string empty = "no " + to_terminal_line(to_words(name));
      return (void)std::printf("%s\n", view_.empty.empty() ? empty.c_str() : std::string(view_.empty).c_str());
    }
    begin_line(name, indent);
    std::printf(" %s\n", rows + others == 0 ? "none" : to_cell(name, list).c_str());
  }

  const ListView& view_;
  bool has_named_zone_ = false;
};

}  // namespace

void print_result(const std::string& json, OutputForm form, const ListView& view) {
  if (form == OutputForm::json) {
    std::puts(json.c_str());
    return;
  }
  LinePrinter(view).print_members(JsonView(json), 0, 0);
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

void print_error(const Error& error, OutputForm form, int exit_code, std::string_view program) {
  if (form == OutputForm::text) {
    std::string name = std::string(program) + ':';
    if (takes_colour(STDERR_FILENO)) name = painted(name, Paint::red);
    std::fprintf(stderr, "%s %s\n", name.c_str(), to_terminal_text(error.text).c_str());
    return;
  }
  std::string body;
  JsonWriter(body)
      .begin_object()
      .string("type", "/problems/" + std::string(api::code_of(error.code).text()))
      .string("title", api::problem_of(error).title)
      .string("code", api::code_of(error.code))
      .string("detail", error.text)
      .integer("exit_code", exit_code)
      .end_object();
  std::fprintf(stderr, "%s\n", body.c_str());
}

void print_note(std::string_view text, OutputForm form, std::string_view program) {
  if (form == OutputForm::json) return;
  std::fprintf(stderr, "%.*s: %s\n", static_cast<int>(program.size()), program.data(), to_terminal_text(text).c_str());
}

}  // namespace syncline::app
