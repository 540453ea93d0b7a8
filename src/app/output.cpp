#include "app/output.hpp"

#include <algorithm>
#include <cstdio>

#include "api/problem.hpp"
#include "base/bytes.hpp"
#include "base/json_object.hpp"

namespace syncline::app {
namespace {

/// A value in a line: strings without quotes and with control characters escaped, so nothing reaches a terminal raw.
std::string shown(JsonView value) {
  if (value.kind() == JsonKind::null) return "-";
  if (value.is_string()) {
    std::string escaped;
    append_json_string(escaped, value.as_string().value_or(""));
    return escaped.substr(1, escaped.size() - 2);
  }
  if (!value.is_array()) return std::string(value.raw());
  std::string joined;
  value.for_each_element([&](JsonView element) { joined += (joined.empty() ? "" : ",") + shown(element); });
  return joined;
}

void print_table(JsonView rows) {
  std::vector<std::string> head;
  std::vector<std::vector<std::string>> lines;
  rows.for_each_element([&](JsonView row) {
    std::vector<std::string> line;
    row.for_each_member([&](std::string_view name, JsonView value) {
      if (value.is_object()) return;  // `show` has them
      if (lines.empty()) head.emplace_back(name);
      line.push_back(shown(value));
    });
    lines.push_back(std::move(line));
  });
  if (lines.empty()) {
    std::puts("none");
    return;
  }
  lines.insert(lines.begin(), head);
  std::vector<std::size_t> widths(head.size());
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size() && i < widths.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  }
  for (const auto& line : lines) {
    std::string text;
    for (std::size_t i = 0; i < line.size(); ++i) {
      text += line[i];
      if (i + 1 < line.size()) text.append(widths[std::min(i, widths.size() - 1)] - line[i].size() + 2, ' ');
    }
    std::puts(text.c_str());
  }
}

}  // namespace

void print_result(const std::string& json, OutputForm form) {
  if (form == OutputForm::json) {
    std::puts(json.c_str());
    return;
  }
  const JsonView view(json);
  std::size_t members = 0;
  bool is_table = false;
  view.for_each_member([&](std::string_view, JsonView value) {
    ++members;
    value.is_array() ? value.for_each_element([&](JsonView element) { is_table = is_table || element.is_object(); })
                     : void();
  });
  view.for_each_member([&](std::string_view name, JsonView value) {
    if (value.is_array() && (members == 1 || is_table)) {
      print_table(value);
    } else {
      std::printf("%.*s: %s\n", static_cast<int>(name.size()), name.data(), shown(value).c_str());
    }
  });
}

std::string to_terminal_text(std::string_view text) {
  std::string shown;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : 0);
    if ((byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7F) {
      shown += '^';
      shown += static_cast<char>(byte ^ 0x40U);
    } else if (byte == 0xC2 && next >= 0x80 && next < 0xA0) {  // the control characters above ASCII
      shown += "\\x" + to_hex(text.substr(++i, 1));
    } else {
      shown += text[i];
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
      .string("type", "/problems/" + std::string(api::code_of(error.code)))
      .string("title", api::code_of(error.code))
      .string("code", api::code_of(error.code))
      .string("detail", error.text)
      .end_object();
  std::fprintf(stderr, "%s\n", body.c_str());
}

}  // namespace syncline::app
