#include "cli/wrap.hpp"

#include <utility>

#include "base/text.hpp"

namespace syncline::cli {

std::vector<std::string> wrap(std::string_view text, std::size_t columns) {
  std::vector<std::string> lines;
  for (const std::string_view paragraph : split(text, '\n')) {
    std::string line;
    for (const std::string_view word : split(paragraph, ' ')) {
      if (!line.empty() && line.size() + 1 + word.size() > columns) lines.push_back(std::exchange(line, {}));
      if (!line.empty()) line += ' ';
      line += word;
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

std::string indented(std::string_view text, std::size_t indent, std::size_t columns) {
  std::string out;
  for (const std::string& line : wrap(text, columns - indent)) out += std::string(indent, ' ') + line + '\n';
  return out;
}

std::string labelled(std::string_view label, std::string_view text, std::size_t indent, std::size_t column,
                     std::size_t columns) {
  std::string out = std::string(indent, ' ') + std::string(label);
  const std::string body = indented(text, column, columns);
  if (out.size() + 2 > column) return out + '\n' + body;
  return out + body.substr(out.size());
}

std::vector<std::string> continued(std::string_view command_line, std::size_t columns) {
  constexpr std::string_view kFurther = "    ";
  constexpr std::string_view kGoesOn = " \\";
  if (command_line.size() <= columns) return {std::string(command_line)};
  std::vector<std::string> lines = wrap(command_line, columns - kFurther.size() - kGoesOn.size());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) lines[i].insert(0, kFurther);
    if (i + 1 < lines.size()) lines[i] += kGoesOn;
  }
  return lines;
}

}  // namespace syncline::cli
