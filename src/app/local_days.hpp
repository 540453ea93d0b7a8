// Days as the people at this device count them: in its zone, or in one that a command names. For the command line
// alone: the zone is one of the whole process, and is set before there is a second thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"

namespace syncline::app {

/// The zone that counts from now on, by its IANA name ("Europe/Berlin"); the device's if it is empty. invalid_argument
/// if this machine knows no such zone.
[[nodiscard]] Result<> use_zone(const std::string& name);

/// From the first to the last microsecond.
struct DayRange {
  Timestamp first;
  Timestamp last;
};
/// "today", "week" (from Monday), "month" or "year" around `now`; nothing for another word.
[[nodiscard]] std::optional<DayRange> days_of_period(std::string_view period, Timestamp now);

/// Noon of a day like 2026-11-22; nothing for other text.
[[nodiscard]] std::optional<Timestamp> noon_of_day(std::string_view date);

}  // namespace syncline::app
