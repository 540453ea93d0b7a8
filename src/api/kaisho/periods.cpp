#include "api/kaisho/periods.hpp"

#include <chrono>

namespace syncline::kaisho {
namespace {

constexpr std::int64_t kMicrosPerDay = 86'400 * kMicrosPerSecond;

/// "today", "week" (from Monday), "month" or "year".
std::optional<Period> named_period(std::string_view name, Timestamp now) {
  using namespace std::chrono;
  const sys_days today = floor<days>(sys_time<microseconds>(microseconds(now.micros)));
  const year_month_day date{today};
  const auto at = [](sys_days day) { return Timestamp{duration_cast<microseconds>(day.time_since_epoch()).count()}; };
  if (name == "today") return Period{at(today), at(today + days(1))};
  if (name == "week") {
    const sys_days monday = today - (weekday{today} - Monday);
    return Period{at(monday), at(monday + days(7))};
  }
  if (name == "month") {
    const year_month_day first = date.year() / date.month() / 1;
    return Period{at(first), at(first + months(1))};
  }
  if (name == "year") return Period{at(date.year() / January / 1), at((date.year() + years(1)) / January / 1)};
  return std::nullopt;
}

}  // namespace

std::optional<Period> parse_period(std::string_view text) {
  if (const auto day = parse_time(std::string(text) + "T00:00:00Z"))
    return Period{*day, day->plus_micros(kMicrosPerDay)};
  if (const auto time = parse_time(text)) return Period{*time, time->plus_micros(1)};
  return std::nullopt;
}

Result<Period> period_in_query(const api::Call& call, Timestamp now) {
  const auto from = call.query("from");
  const auto to = call.query("to");
  if (!from && !to) {
    const auto period = named_period(call.query("period").value_or("today"), now);
    if (!period) return fail(ErrorCode::invalid_argument, "period must be today, week, month or year");
    return *period;
  }
  Period period{kTimestampMin, kTimestampMax};
  if (from) {
    const auto day = parse_period(*from);
    if (!day) return fail(ErrorCode::invalid_argument, "from must be a day like 2026-11-22");
    period.from = day->from;
  }
  if (to) {
    const auto day = parse_period(*to);
    if (!day) return fail(ErrorCode::invalid_argument, "to must be a day like 2026-11-22");
    period.until = day->until;
  }
  return period;
}

Timestamp noon_of(Timestamp time) {
  using namespace std::chrono;
  const auto day = floor<days>(sys_time<microseconds>(microseconds(time.micros)));
  return {duration_cast<microseconds>(day.time_since_epoch()).count() + kMicrosPerDay / 2};
}

}  // namespace syncline::kaisho
