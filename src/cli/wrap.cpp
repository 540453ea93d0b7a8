#include "cli/wrap.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"

namespace syncline::cli {
namespace {

/// The parts of a command line between which a line may end.
std::vector<std::string> parts_of(std::string_view command_line) {
  std::vector<std::string> parts;
  bool is_quoted = false;
  std::string_view before;
  for (const std::string_view word : split(command_line, ' ')) {
    const bool is_value = before.starts_with('-') && !word.starts_with('-');
    if (is_quoted || is_value) {
      parts.back().append(" ").append(word);
    } else {
      parts.emplace_back(word);
    }
    is_quoted = is_quoted != (std::ranges::count(word, '\'') % 2 == 1);
    before = word;
  }
  return parts;
}

}  // namespace

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
  std::vector<std::string> lines;
  std::string line;
  for (const std::string& part : parts_of(command_line)) {
    if (!line.empty() && line.size() + 1 + part.size() + kGoesOn.size() > columns) {
      lines.push_back(line.append(kGoesOn));
      line = kFurther;
      line += part;
    } else {
      line += (line.empty() ? "" : " ") + part;
    }
  }
  lines.push_back(line);
  return lines;
}

}  // namespace syncline::cli
