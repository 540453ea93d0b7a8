// The rule by which clocks of a time zone change each year, as POSIX writes it and RFC 9636 extends it:
// "CET-1CEST,M3.5.0,M10.5.0/3". A value; pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace syncline {

/// When clocks change, on one day of each year.
struct YearlyDate {
  enum class Kind : std::uint8_t { month_week_day, day_without_leap_day, day_of_year };
  Kind kind = Kind::month_week_day;
  unsigned month = 1;
  unsigned week = 1;  // 5: the last one
  unsigned day = 0;   // of the week, Sunday is 0; of the year for the other kinds
  std::int64_t wall_s = std::int64_t{2} * 3600;

  /// Seconds since 1970, as if clocks of UTC showed it.
  [[nodiscard]] std::int64_t seconds_in(std::chrono::year of) const;
};

struct YearlyRule {
  struct Saving {
    std::int64_t offset_s = 0;
    YearlyDate begins;
    YearlyDate ends;
  };
  std::int64_t standard_s = 0;
  std::optional<Saving> saving;

  /// Seconds that clocks are ahead of UTC at that second since 1970.
  [[nodiscard]] std::int64_t offset_at(std::int64_t utc_s) const;
};

/// Nothing for a text that is no rule.
[[nodiscard]] std::optional<YearlyRule> parse_yearly_rule(std::string_view text);

}  // namespace syncline
