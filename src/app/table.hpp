// Rows of JSON as a table for people: one line a row, aligned, no wider than the terminal, and never wider than a
// person reads.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"

namespace syncline::app {

/// What a table shows of its rows, and how.
struct TableLayout {
  /// Columns of the terminal; nothing without one: then all of each row is shown.
  std::optional<std::size_t> width;
  /// Members in the order of their columns, each perhaps with the words of its heading: "bytes_max=limit". Columns on
  /// the right are the first to be left out. Empty: all members of the first row that are no objects.
  std::vector<std::string_view> members;
  bool is_coloured = false;
};

/// The lines of a table of `rows`, a list of objects, with a head; empty if there is no row. The first column of times
/// names their zone. Long cells are cut, and end in "…": in any case those of more than kCellCharactersMax, and as many
/// as needed for the width. Ids stay whole, for they are what people copy. If that is not enough, columns are left out,
/// and a last line counts them.
[[nodiscard]] std::string format_table(JsonView rows, const TableLayout& layout);

inline constexpr std::size_t kCellCharactersMax = 200;

}  // namespace syncline::app
