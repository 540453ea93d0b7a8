#include "api/kaisho/duration.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/text.hpp"

namespace syncline::kaisho {
namespace {

constexpr std::int64_t kSecondsMax = 366LL * 86'400;

struct Unit {
  std::string_view name;
  double seconds;
};
constexpr std::array<Unit, 10> kUnits = {{{"h", 3600},
                                          {"hr", 3600},
                                          {"hrs", 3600},
                                          {"hour", 3600},
                                          {"hours", 3600},
                                          {"m", 60},
                                          {"min", 60},
                                          {"mins", 60},
                                          {"minute", 60},
                                          {"minutes", 60}}};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::string_view without_leading_spaces(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  return text;
}

}  // namespace

std::optional<std::int64_t> parse_duration(std::string_view text) {
  double seconds = 0;
  std::string_view rest = trim(text);
  if (rest.empty()) return std::nullopt;
  while (!rest.empty()) {
    double count = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), count, std::chars_format::fixed);
    if (error != std::errc{} || count < 0 || !std::isfinite(count)) return std::nullopt;
    rest = without_leading_spaces(rest.substr(static_cast<std::size_t>(end - rest.data())));
    const auto letters = static_cast<std::size_t>(std::ranges::find_if_not(rest, is_letter) - rest.begin());
    const auto unit = std::ranges::find_if(
        kUnits, [&](const Unit& one) { return equal_ignoring_case(one.name, rest.substr(0, letters)); });
    if (unit == kUnits.end()) return std::nullopt;
    seconds += count * unit->seconds;
    rest = without_leading_spaces(rest.substr(letters));
  }
  if (!(seconds >= 1) || seconds > static_cast<double>(kSecondsMax)) return std::nullopt;
  return std::llround(seconds);
}

}  // namespace syncline::kaisho
