// Rows of JSON as a table for people: one line a row, aligned, no wider than the terminal where that can be, and never
// wider than a person reads.
#pragma once

#include <string>

#include "base/json.hpp"

namespace syncline::app {

/// Columns of the terminal that standard output is; nothing if it is none.
[[nodiscard]] std::optional<std::size_t> terminal_columns();

/// The lines of a table of `rows`, a list of objects, with a head; empty if there is no row. Members that are objects
/// are left out. Long cells are cut, and end in "…": in any case those of more than kCellCharactersMax, and as many as
/// needed for `columns`. Ids stay whole, for they are what people copy.
[[nodiscard]] std::string format_table(JsonView rows, std::optional<std::size_t> columns);

/// A value within a line: strings without quotes, and nothing that a terminal would take for an order.
[[nodiscard]] std::string to_cell(JsonView value);

inline constexpr std::size_t kCellCharactersMax = 200;

}  // namespace syncline::app
