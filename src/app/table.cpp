#include "app/table.hpp"

#include <algorithm>
#include <utility>

#include "app/output.hpp"
#include "app/plain_words.hpp"
#include "app/terminal.hpp"
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
  std::string member;
  std::string head;
  std::size_t width = 0;
  bool is_whole = false;  // never cut
  bool is_state = false;
  std::vector<std::string> cells;

  /// Less makes it unreadable.
  [[nodiscard]] std::size_t narrowest() const { return is_whole ? width : std::min(width, kColumnMin); }
};

bool is_id_column(std::string_view name) { return name == "id" || name.ends_with("_id"); }
bool is_state_column(std::string_view name) { return name == "state" || name == "status" || name == "verdict"; }

std::string capitals(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

TableColumn make_column(std::string_view member, std::string_view heading) {
  return {.member = std::string(member),
          .head = capitals(to_terminal_text(to_words(heading))),
          .width = 0,
          .is_whole = is_id_column(member),
          .is_state = is_state_column(member),
          .cells = {}};
}

std::vector<TableColumn> choose_columns(JsonView rows, const TableLayout& layout) {
  std::vector<TableColumn> columns;
  for (const std::string_view text : layout.members) {
    const std::size_t equals = text.find('=');
    const std::string_view member = text.substr(0, equals);
    columns.push_back(make_column(member, equals == std::string_view::npos ? member : text.substr(equals + 1)));
  }
  if (!columns.empty()) return columns;
  bool is_first = true;
  rows.for_each_element([&](JsonView row) {
    if (!std::exchange(is_first, false)) return;
    row.for_each_member([&](std::string_view name, JsonView value) {
      if (!value.is_object()) columns.push_back(make_column(name, name));  // `show` has objects
    });
  });
  return columns;
}

/// A column with times alone has them in the zone that its head or an earlier one names. Among other texts a time stays
/// as it is.
void fill_column(TableColumn& column, JsonView rows, bool& has_named_zone) {
  bool has_times = false;
  bool has_others = false;
  rows.for_each_element([&](JsonView row) {
    const auto value = row.find_set(column.member);
    if (value) (find_time(*value) ? has_times : has_others) = true;
  });
  has_times = has_times && !has_others;
  rows.for_each_element([&](JsonView row) {
    const auto value = row.find_set(column.member);
    const bool is_kept = value && !has_times && find_time(*value);
    std::string cell = is_kept ? value->as_string().value_or("") : value ? to_cell(column.member, *value) : "-";
    if (!column.is_whole && cell.size() > kCellBytesMax) cell = std::string(cut_utf8(cell, kCellBytesMax));
    column.cells.push_back(std::move(cell));
  });
  if (has_times && !std::exchange(has_named_zone, true)) column.head += " (" + local_zone() + ')';
  column.width = characters_in(column.head);
  for (const std::string& cell : column.cells) column.width = std::max(column.width, characters_in(cell));
}

/// Leaves columns out on the right until the others can be read within the line, but never the first.
std::size_t drop_columns(std::vector<TableColumn>& columns, std::size_t line) {
  std::size_t needed = 0;
  std::size_t kept = 0;
  for (const TableColumn& column : columns) {
    needed += column.narrowest() + (kept > 0 ? kColumnGap : 0);
    if (kept > 0 && needed > line) break;
    ++kept;
  }
  const std::size_t dropped = columns.size() - kept;
  columns.resize(kept);
  return dropped;
}

/// Makes the widest columns narrower, until the line fits or nothing is left to take.
void fit_columns(std::vector<TableColumn>& columns, std::size_t line) {
  const auto total = [&](std::size_t widest) {
    std::size_t sum = 0;
    for (const TableColumn& column : columns) {
      sum += kColumnGap + (column.is_whole ? column.width : std::min(column.width, widest));
    }
    return sum - kColumnGap;
  };
  std::size_t widest = kCellCharactersMax;
  while (widest > kColumnMin && total(widest) > line) --widest;
  for (TableColumn& column : columns) {
    if (!column.is_whole) column.width = std::min(column.width, widest);
  }
}

void append_padded(std::string& out, const std::string& text, const TableColumn& column, bool is_last, Paint paint) {
  const std::string cell = cut_cell(text, column.width);
  out += painted(cell, paint);
  if (!is_last) out.append(column.width - characters_in(cell) + kColumnGap, ' ');
}

}  // namespace

std::string format_table(JsonView rows, const TableLayout& layout) {
  std::vector<TableColumn> columns = choose_columns(rows, layout);
  if (columns.empty()) return {};
  bool has_named_zone = false;
  for (TableColumn& column : columns) fill_column(column, rows, has_named_zone);
  const std::size_t lines = columns.front().cells.size();
  if (lines == 0) return {};
  const std::size_t dropped = layout.width ? drop_columns(columns, *layout.width) : 0;
  fit_columns(columns, layout.width.value_or(SIZE_MAX));
  std::string out;
  const auto append_line = [&](const auto& text_of, const auto& paint_of) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      append_padded(out, text_of(columns[i]), columns[i], i + 1 == columns.size(),
                    layout.is_coloured ? paint_of(columns[i]) : Paint::none);
    }
    out += '\n';
  };
  append_line([](const TableColumn& column) { return column.head; }, [](const TableColumn&) { return Paint::bold; });
  for (std::size_t line = 0; line < lines; ++line) {
    append_line(
        [&](const TableColumn& column) { return column.cells[line]; },
        [&](const TableColumn& column) { return column.is_state ? paint_of_state(column.cells[line]) : Paint::none; });
  }
  if (dropped > 0) {
    out += "(" + std::to_string(dropped) + (dropped == 1 ? " more column" : " more columns") + "; --json has all)\n";
  }
  return out;
}

}  // namespace syncline::app
