#include "app/device_zone.hpp"

#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "base/time_zone.hpp"

namespace syncline::app {

Result<std::string> device_zone(const std::string& localtime) {
  const auto named = [](std::string_view name, const std::string& origin) -> Result<std::string> {
    const auto zone = TimeZone::find(name);
    if (zone) return zone->name();
    return fail(ErrorCode::invalid_argument, origin + " '" + std::string(name) +
                                                 "' is not the name of a time zone; use --zone with a name like "
                                                 "Europe/Berlin or UTC");
  };
  if (const char* set = std::getenv("TZ"); set != nullptr) {
    std::string_view name(set);
    if (name.starts_with(':')) name.remove_prefix(1);
    const std::string directory = zone_directory() + '/';
    if (name.starts_with(directory)) name.remove_prefix(directory.size());
    return name.empty() ? std::string("UTC") : named(name, "TZ");
  }
  std::error_code error;
  const std::string target = std::filesystem::read_symlink(localtime, error).string();
  constexpr std::string_view kDatabase = "zoneinfo/";
  const std::size_t at = target.find(kDatabase);
  if (error || at == std::string::npos) return std::string("UTC");
  return named(std::string_view(target).substr(at + kDatabase.size()), localtime);
}

}  // namespace syncline::app
