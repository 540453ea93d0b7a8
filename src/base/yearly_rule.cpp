#include "base/yearly_rule.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace syncline {
namespace {

using std::chrono::days;
using std::chrono::local_days;
using std::chrono::year_month_day;

constexpr std::int64_t kHour = 3600;

std::int64_t midnight_of(local_days day) { return std::chrono::seconds(day.time_since_epoch()).count(); }

/// Reads "CET-1CEST,M3.5.0,M10.5.0/3" from the left.
class RuleReader {
 public:
  explicit RuleReader(std::string_view text) : left_(text) {}

  std::optional<YearlyRule> read() {
    YearlyRule rule;
    const auto standard = skip_name() ? read_offset() : std::nullopt;
    if (!standard) return std::nullopt;
    rule.standard_s = -*standard;  // POSIX counts to the west
    if (left_.empty()) return rule;
    if (!skip_name()) return std::nullopt;
    YearlyRule::Saving saving{.offset_s = rule.standard_s + kHour, .begins = {}, .ends = {}};
    if (!left_.starts_with(',')) {
      const auto offset = read_offset();
      if (!offset) return std::nullopt;
      saving.offset_s = -*offset;
    }
    const auto begins = take(',') ? read_date() : std::nullopt;
    const auto ends = begins && take(',') ? read_date() : std::nullopt;
    if (!ends || !left_.empty()) return std::nullopt;
    saving.begins = *begins;
    saving.ends = *ends;
    rule.saving = saving;
    return rule;
  }

 private:
  bool take(char c) {
    if (!left_.starts_with(c)) return false;
    left_.remove_prefix(1);
    return true;
  }
  bool skip_name() {
    if (left_.starts_with('<')) {
      const std::size_t end = left_.find('>');
      if (end == std::string_view::npos) return false;
      left_.remove_prefix(end + 1);
      return true;
    }
    const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    const auto end = std::ranges::find_if_not(left_, is_letter);
    const auto length = static_cast<std::size_t>(end - left_.begin());
    left_.remove_prefix(length);
    return length >= 3;
  }
  /// Digits, up to that number.
  std::optional<std::int64_t> read_number(std::int64_t max) {
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    const auto length = static_cast<std::size_t>(std::ranges::find_if_not(left_, is_digit) - left_.begin());
    const auto number = parse_integer(left_.substr(0, length));
    if (length == 0 || !number || *number > max) return std::nullopt;
    left_.remove_prefix(length);
    return number;
  }
  /// [+-]h[:m[:s]] in seconds.
  std::optional<std::int64_t> read_offset() {
    constexpr std::int64_t kHoursMax = 167;
    const std::int64_t sign = take('-') ? -1 : 1;
    if (sign > 0) take('+');
    const auto hours = read_number(kHoursMax);
    if (!hours) return std::nullopt;
    std::int64_t seconds = *hours * kHour;
    for (const std::int64_t unit : {std::int64_t{60}, std::int64_t{1}}) {
      if (!take(':')) break;
      const auto part = read_number(59);
      if (!part) return std::nullopt;
      seconds += *part * unit;
    }
    return sign * seconds;
  }
  std::optional<YearlyDate> read_date() {
    YearlyDate date;
    const auto in = [&](std::int64_t min, std::int64_t max, unsigned& number) {
      const auto read = read_number(max);
      if (!read || *read < min) return false;
      number = static_cast<unsigned>(*read);
      return true;
    };
    if (take('M')) {
      const bool is_good = in(1, 12, date.month) && take('.') && in(1, 5, date.week) && take('.') && in(0, 6, date.day);
      if (!is_good) return std::nullopt;
    } else if (take('J')) {
      date.kind = YearlyDate::Kind::day_without_leap_day;
      if (!in(1, 365, date.day)) return std::nullopt;
    } else {
      date.kind = YearlyDate::Kind::day_of_year;
      if (!in(0, 365, date.day)) return std::nullopt;
    }
    if (!take('/')) return date;
    const auto wall = read_offset();
    if (!wall) return std::nullopt;
    date.wall_s = *wall;
    return date;
  }

  std::string_view left_;
};

}  // namespace

std::int64_t YearlyDate::seconds_in(std::chrono::year of) const {
  const local_days first(of / std::chrono::January / 1);
  switch (kind) {
    case Kind::day_of_year: return midnight_of(first + days(day)) + wall_s;
    case Kind::day_without_leap_day: {
      constexpr unsigned kFirstOfMarch = 60;
      const bool is_behind_leap_day = of.is_leap() && day >= kFirstOfMarch;
      return midnight_of(first + days(day - 1 + (is_behind_leap_day ? 1 : 0))) + wall_s;
    }
    case Kind::month_week_day: break;
  }
  const std::chrono::weekday weekday(day);
  const auto of_month = of / std::chrono::month(month);
  constexpr unsigned kLastWeek = 5;
  if (week == kLastWeek) {
    const local_days last(of_month / std::chrono::last);
    return midnight_of(last - (std::chrono::weekday(last) - weekday)) + wall_s;
  }
  const local_days first_of_month(of_month / 1);
  const local_days at = first_of_month + (weekday - std::chrono::weekday(first_of_month)) + days(7 * (week - 1));
  return midnight_of(at) + wall_s;
}

std::int64_t YearlyRule::offset_at(std::int64_t utc_s) const {
  if (!saving) return standard_s;
  const local_days day(std::chrono::floor<days>(std::chrono::seconds(utc_s + standard_s)));
  const std::chrono::year year = year_month_day(day).year();
  const std::int64_t begins = saving->begins.seconds_in(year) - standard_s;
  const std::int64_t ends = saving->ends.seconds_in(year) - saving->offset_s;
  const bool saves = begins < ends ? utc_s >= begins && utc_s < ends : utc_s >= begins || utc_s < ends;
  return saves ? saving->offset_s : standard_s;
}

std::optional<YearlyRule> parse_yearly_rule(std::string_view text) { return RuleReader(text).read(); }

}  // namespace syncline
