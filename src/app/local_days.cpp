#include "app/local_days.hpp"

#include <time.h>

#include <cstdlib>
#include <filesystem>

#include "base/text.hpp"

namespace syncline::app {
namespace {

tm wall_time_of(Timestamp time) {
  const time_t seconds = time.micros / kMicrosPerSecond;
  tm parts{};
  ::localtime_r(&seconds, &parts);
  return parts;
}

/// The moment when the clocks on the wall show this; days and months may be too many.
Timestamp moment_of(tm parts) {
  parts.tm_isdst = -1;
  return {static_cast<std::int64_t>(::mktime(&parts)) * kMicrosPerSecond};
}

bool is_zone(const std::string& name) {
  const char* directory = std::getenv("TZDIR");
  const std::filesystem::path root = directory != nullptr ? directory : "/usr/share/zoneinfo";
  std::error_code error;
  const bool leaves = name.starts_with('/') || name.find("..") != std::string::npos;
  return !leaves && std::filesystem::is_regular_file(root / name, error);
}

}  // namespace

Result<> use_zone(const std::string& name) {
  if (name.empty()) return {};
  if (name != "UTC" && !is_zone(name)) {
    return fail(ErrorCode::invalid_argument, "unknown zone '" + name + "'; use a name like Europe/Berlin or UTC");
  }
  ::setenv("TZ", name.c_str(), 1);
  ::tzset();
  return {};
}

std::optional<DayRange> days_of_period(std::string_view period, Timestamp now) {
  tm first = wall_time_of(now);
  first.tm_hour = first.tm_min = first.tm_sec = 0;
  tm next = first;
  if (period == "today") {
    next.tm_mday += 1;
  } else if (period == "week") {
    constexpr int kDays = 7;
    first.tm_mday -= (first.tm_wday + kDays - 1) % kDays;  // Sunday is 0
    next = first;
    next.tm_mday += kDays;
  } else if (period == "month") {
    first.tm_mday = 1;
    next = first;
    next.tm_mon += 1;
  } else if (period == "year") {
    first.tm_mday = 1;
    first.tm_mon = 0;
    next = first;
    next.tm_year += 1;
  } else {
    return std::nullopt;
  }
  return DayRange{moment_of(first), moment_of(next).plus_micros(-1)};
}

std::optional<Timestamp> noon_of_day(std::string_view date) {
  const auto day = parse_time(std::string(date) + "T12:00:00Z");
  if (!day) return std::nullopt;
  const time_t seconds = day->micros / kMicrosPerSecond;
  tm parts{};
  ::gmtime_r(&seconds, &parts);
  return moment_of(parts);
}

}  // namespace syncline::app
