#include "base/csv.hpp"

namespace syncline {
namespace {

void append_cell(std::string& out, std::string_view text) {
  constexpr std::string_view kBeginsFormula = "=+-@\t\r\n";
  const bool is_formula = !text.empty() && kBeginsFormula.find(text.front()) != std::string_view::npos;
  const bool is_quoted = text.find_first_of("\",\r\n") != std::string_view::npos;
  if (is_quoted) out += '"';
  if (is_formula) out += '\'';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  if (is_quoted) out += '"';
}

}  // namespace

void append_csv_row(std::string& out, std::span<const std::string_view> cells) {
  bool is_first = true;
  for (const std::string_view cell : cells) {
    if (!is_first) out += ',';
    is_first = false;
    append_cell(out, cell);
  }
  out += "\r\n";
}

}  // namespace syncline
