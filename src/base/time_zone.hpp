// Time zones by their IANA names, as the system's tz database describes them (TZif files, RFC 9636). A zone is a value
// that never changes: several threads may use several zones at once, which the C library's one zone of a process does
// not allow.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"

namespace syncline {

/// A day of a calendar, wherever that hangs.
using Day = std::chrono::local_days;

/// "2026-11-22"; nothing for other text and for days that there are not.
[[nodiscard]] std::optional<Day> parse_day(std::string_view text);
[[nodiscard]] std::string format_day(Day day);

class TimeZone {
 public:
  /// "UTC" needs no database. invalid_argument, with the name, if this machine's database has no such zone.
  [[nodiscard]] static Result<TimeZone> find(std::string_view name);
  /// From the content of a TZif file of version 2 or later. invalid_argument if it is none, or counts leap seconds.
  [[nodiscard]] static Result<TimeZone> parse(std::string_view name, std::string_view file);
  [[nodiscard]] static TimeZone utc();

  [[nodiscard]] const std::string& name() const { return name_; }
  /// Seconds that clocks of the zone are ahead of UTC.
  [[nodiscard]] std::int64_t offset_at(Timestamp time) const;
  [[nodiscard]] Day day_at(Timestamp time) const;
  /// When clocks of the zone show that day and so many seconds after midnight: the first time if they do so twice. If
  /// they skip it, when they skip it.
  [[nodiscard]] Timestamp moment_of(Day day, std::int64_t wall_s = 0) const;
  /// "2026-11-22T10:05:00+01:00": without fractions of a second, and with Z for UTC itself.
  [[nodiscard]] std::string format(Timestamp time) const;

 private:
  struct Data;
  TimeZone(std::string_view name, std::shared_ptr<const Data> data) : name_(name), data_(std::move(data)) {}

  std::string name_;
  std::shared_ptr<const Data> data_;  // null: UTC
};

/// Where the tz database is: $TZDIR, else /usr/share/zoneinfo.
[[nodiscard]] std::string zone_directory();

}  // namespace syncline
