#include "api/operations/literal.hpp"

namespace syncline::operations {
namespace {

/// What is no longer than this stays on its line.
constexpr std::size_t kLineBytesMax = 64;
constexpr std::size_t kStep = 2;

std::string_view scalar(JsonView value, LiteralOf language) {
  if (language == LiteralOf::python) {
    if (value.raw() == "null") return "None";
    if (value.raw() == "true") return "True";
    if (value.raw() == "false") return "False";
  }
  return value.raw();
}

/// On one line.
void append_short(std::string& out, JsonView value, LiteralOf language) {
  std::string_view comma;
  if (value.is_object()) {
    out += '{';
    value.for_each_member([&](std::string_view name, JsonView member) {
      out += comma;
      append_json_string(out, name);
      out += ": ";
      append_short(out, member, language);
      comma = ", ";
    });
    out += '}';
  } else if (value.is_array()) {
    out += '[';
    value.for_each_element([&](JsonView element) {
      out += comma;
      append_short(out, element, language);
      comma = ", ";
    });
    out += ']';
  } else {
    out += scalar(value, language);
  }
}

}  // namespace

void append_literal(std::string& out, JsonView value, LiteralOf language, std::size_t indent) {
  std::string line;
  append_short(line, value, language);
  if (line.size() <= kLineBytesMax || !(value.is_object() || value.is_array())) {
    out += line;
    return;
  }
  const std::size_t inner = indent + kStep;
  std::string_view comma;
  const auto begin_line = [&] {
    out.append(comma).append("\n").append(inner, ' ');
    comma = ",";
  };
  if (value.is_object()) {
    out += '{';
    value.for_each_member([&](std::string_view name, JsonView member) {
      begin_line();
      append_json_string(out, name);
      out += ": ";
      append_literal(out, member, language, inner);
    });
  } else {
    out += '[';
    value.for_each_element([&](JsonView element) {
      begin_line();
      append_literal(out, element, language, inner);
    });
  }
  out.append("\n").append(indent, ' ').append(value.is_object() ? "}" : "]");
}

}  // namespace syncline::operations
