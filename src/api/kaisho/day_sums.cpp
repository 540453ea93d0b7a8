#include "api/kaisho/day_sums.hpp"

#include <algorithm>

#include "base/json_object.hpp"

namespace syncline::kaisho {

Result<DaySums> DaySums::make(const TimeZone& zone, const Period& period) {
  constexpr std::int64_t kMicrosPerDay = 86'400 * kMicrosPerSecond;
  // A day may have an hour more.
  if (period.until.micros - period.from.micros > (kDaysMax + 1) * kMicrosPerDay) {
    return fail(ErrorCode::invalid_argument,
                "the period must be at most " + std::to_string(kDaysMax) + " days; set from and to");
  }
  DaySums sums(zone.name(), period);
  for (Day day = zone.day_at(period.from); zone.moment_of(day) < period.until; day += std::chrono::days(1)) {
    sums.sums_.push_back({.day = day, .begins = zone.moment_of(day)});
  }
  return sums;
}

void DaySums::add(Timestamp start, Timestamp end) {
  start = std::max(start, period_.from);
  end = std::min(end, period_.until);
  if (start >= end) return;
  for (auto day = std::prev(std::ranges::upper_bound(sums_, start, {}, &Sum::begins)); start < end; ++day) {
    const auto next = std::next(day);
    const Timestamp until = next == sums_.end() ? end : std::min(end, next->begins);
    if (until > start) {
      day->micros += until.micros - start.micros;
      day->entries += 1;
    }
    start = until;
  }
}

std::string DaySums::to_json() const {
  std::int64_t micros = 0;
  for (const Sum& sum : sums_) micros += sum.micros;
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().string("zone", zone_).integer("seconds", micros / kMicrosPerSecond);
  writer.name("days").begin_array();
  for (const Sum& sum : sums_) {
    if (sum.entries == 0) continue;
    writer.begin_object()
        .string("date", format_day(sum.day))
        .integer("seconds", sum.micros / kMicrosPerSecond)
        .integer("entries", sum.entries)
        .end_object();
  }
  writer.end_array().end_object();
  return out;
}

}  // namespace syncline::kaisho
