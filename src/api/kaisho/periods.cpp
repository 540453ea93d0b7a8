#include "api/kaisho/periods.hpp"

namespace syncline::kaisho {
namespace {

/// "today", "week" (from Monday), "month" or "year".
std::optional<Period> named_period(std::string_view name, const TimeZone& zone, Timestamp now) {
  using namespace std::chrono;
  const Day today = zone.day_at(now);
  const year_month_day date{today};
  const auto between = [&](Day first, Day next) { return Period{zone.moment_of(first), zone.moment_of(next)}; };
  if (name == "today") return between(today, today + days(1));
  if (name == "week") {
    const Day monday = today - (weekday{today} - Monday);
    return between(monday, monday + days(7));
  }
  if (name == "month") {
    const year_month_day first = date.year() / date.month() / 1;
    return between(Day(first), Day(first + months(1)));
  }
  if (name == "year") return between(Day(date.year() / January / 1), Day((date.year() + years(1)) / January / 1));
  return std::nullopt;
}

/// A day (YYYY-MM-DD) or a moment. Nothing for other text.
std::optional<Period> parse_period(std::string_view text, const TimeZone& zone) {
  if (const auto day = parse_day(text)) {
    return Period{zone.moment_of(*day), zone.moment_of(*day + std::chrono::days(1))};
  }
  if (const auto time = parse_time(text)) return Period{*time, time->plus_micros(1)};
  return std::nullopt;
}

}  // namespace

Result<TimeZone> zone_in_query(const api::Call& call) {
  const auto name = call.query("zone");
  return name ? TimeZone::find(*name) : TimeZone::utc();
}

Result<Period> period_in_query(const api::Call& call, const TimeZone& zone, Timestamp now) {
  const auto from = call.query("from");
  const auto to = call.query("to");
  if (!from && !to) {
    const auto period = named_period(call.query("period").value_or("today"), zone, now);
    if (!period) return fail(ErrorCode::invalid_argument, "period must be today, week, month or year");
    return *period;
  }
  Period period{kTimestampMin, kTimestampMax};
  if (from) {
    const auto day = parse_period(*from, zone);
    if (!day) return fail(ErrorCode::invalid_argument, "from must be a day like 2026-11-22");
    period.from = day->from;
  }
  if (to) {
    const auto day = parse_period(*to, zone);
    if (!day) return fail(ErrorCode::invalid_argument, "to must be a day like 2026-11-22");
    period.until = day->until;
  }
  return period;
}

}  // namespace syncline::kaisho
