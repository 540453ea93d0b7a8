#include "http/content_coding.hpp"

#include <optional>

#include "base/text.hpp"

namespace syncline::http {
namespace {

/// "q=0", "q=0.000"
bool is_zero_weight(std::string_view weight) {
  if (!weight.starts_with("q=0") && !weight.starts_with("Q=0")) return false;
  return weight.find_first_not_of("0.", 2) == std::string_view::npos;
}

}  // namespace

bool accepts_coding(std::string_view accept_encoding, std::string_view coding) {
  bool by_star = false;
  for (const std::string_view part : split(accept_encoding, ',')) {
    const auto pieces = split(part, ';');
    const std::string_view name = trim(pieces[0]);
    const bool is_allowed = pieces.size() < 2 || !is_zero_weight(trim(pieces[1]));
    if (equal_ignoring_case(name, coding)) return is_allowed;
    if (name == "*") by_star = is_allowed;
  }
  return by_star;
}

}  // namespace syncline::http
