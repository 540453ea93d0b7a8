// Rows of CSV as RFC 4180 writes them, for spreadsheets to open.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace syncline {

/// Appends the row with its line end. A cell with a comma, a quote or a line end is quoted. A text that a spreadsheet
/// would run as a formula, for it begins with = + - @ or a tab or carriage return, gets an apostrophe in front.
void append_csv_row(std::string& out, std::span<const std::string_view> cells);

}  // namespace syncline
