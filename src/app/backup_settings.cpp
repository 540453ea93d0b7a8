#include "app/backup_settings.hpp"

#include <algorithm>

namespace syncline::app {

BackupWatch::Terms read_backup_terms(const Settings& settings) {
  constexpr std::int64_t kHourSeconds = 3600;
  constexpr std::int64_t kHoursMax = 100L * 366 * 24;
  const auto seconds = [&](std::string_view key) { return std::min(settings.integer(key), kHoursMax) * kHourSeconds; };
  return {.every_s = seconds("backup.every_hours"), .tolerance_s = seconds("backup.tolerance_hours")};
}

}  // namespace syncline::app
