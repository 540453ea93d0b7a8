#include "app/table.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "app/output.hpp"
#include "base/text.hpp"

namespace syncline::app {
namespace {

constexpr std::string_view kEllipsis = "\xE2\x80\xA6";  // U+2026
constexpr std::size_t kColumnGap = 2;
/// A column is not made narrower than this: what is left of its cells would say nothing.
constexpr std::size_t kColumnMin = 12;
/// No character takes more bytes: of a long value no more than this is looked at.
constexpr std::size_t kCellBytesMax = 4 * (kCellCharactersMax + 1);

std::size_t characters_in(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;  // not one that continues a character
  }));
}

/// At most `most` characters, the last of them the ellipsis if some are left out.
std::string cut_cell(const std::string& text, std::size_t most) {
  if (characters_in(text) <= most) return text;
  std::size_t bytes = 0;
  for (std::size_t kept = 0; kept + 1 < most; ++kept) {
    bytes += std::max<std::size_t>(character_length(std::string_view(text).substr(bytes)).value_or(1), 1);
  }
  return text.substr(0, bytes) + std::string(kEllipsis);
}

struct TableColumn {
  std::string name;
  std::size_t width = 0;
  bool is_whole = false;  // never cut
};

bool is_id_column(std::string_view name) { return name == "id" || name.ends_with("_id"); }

std::size_t total_table_width(const std::vector<TableColumn>& columns, std::size_t widest) {
  std::size_t total = 0;
  for (const TableColumn& column : columns) {
    total += kColumnGap + (column.is_whole ? column.width : std::min(column.width, widest));
  }
  return total - kColumnGap;
}

/// Makes the widest columns narrower, until the line fits or nothing is left to take.
void fit_columns(std::vector<TableColumn>& columns, std::size_t line) {
  std::size_t widest = kCellCharactersMax;
  while (widest > kColumnMin && total_table_width(columns, widest) > line) --widest;
  for (TableColumn& column : columns) {
    if (!column.is_whole) column.width = std::min(column.width, widest);
  }
}

void append_table_line(std::string& out, const std::vector<std::string>& cells,
                       const std::vector<TableColumn>& columns) {
  const std::size_t count = std::min(cells.size(), columns.size());
  for (std::size_t i = 0; i < count; ++i) {
    const std::string cell = cut_cell(cells[i], columns[i].width);
    out += cell;
    if (i + 1 < count) out.append(columns[i].width - characters_in(cell) + kColumnGap, ' ');
  }
  out += '\n';
}

}  // namespace

std::optional<std::size_t> terminal_columns() {
  winsize size{};
  if (::isatty(STDOUT_FILENO) == 0 || ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return std::nullopt;
  return size.ws_col == 0 ? std::nullopt : std::optional<std::size_t>(size.ws_col);
}

std::string to_cell(JsonView value) {
  if (value.kind() == JsonKind::null) return "-";
  if (value.is_string()) {
    std::string escaped;
    append_json_string(escaped, value.as_string().value_or(""));
    return to_terminal_text(escaped.substr(1, escaped.size() - 2));
  }
  if (!value.is_array()) return to_terminal_text(value.raw());
  std::string joined;
  value.for_each_element([&](JsonView element) { joined += (joined.empty() ? "" : ",") + to_cell(element); });
  return joined;
}

std::string format_table(JsonView rows, std::optional<std::size_t> columns) {
  std::vector<TableColumn> head;
  std::vector<std::vector<std::string>> lines;
  rows.for_each_element([&](JsonView row) {
    std::vector<std::string> line;
    row.for_each_member([&](std::string_view name, JsonView value) {
      if (value.is_object()) return;  // `show` has them
      if (lines.empty()) {
        head.push_back({.name = to_terminal_text(name),
                        .width = characters_in(to_terminal_text(name)),
                        .is_whole = is_id_column(name)});
      }
      const bool is_whole = line.size() < head.size() && head[line.size()].is_whole;
      std::string cell = to_cell(value);
      if (!is_whole && cell.size() > kCellBytesMax) cell = std::string(cut_utf8(cell, kCellBytesMax));
      line.push_back(std::move(cell));
    });
    lines.push_back(std::move(line));
  });
  if (lines.empty()) return {};
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size() && i < head.size(); ++i) {
      head[i].width = std::max(head[i].width, characters_in(line[i]));
    }
  }
  fit_columns(head, columns.value_or(SIZE_MAX));
  std::string out;
  std::vector<std::string> names;
  names.reserve(head.size());
  for (const TableColumn& column : head) names.push_back(column.name);
  append_table_line(out, names, head);
  for (const auto& line : lines) append_table_line(out, line, head);
  return out;
}

}  // namespace syncline::app
