// What a hub that runs says of its own settings, over the control socket: the files may say something else since it
// started.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/settings.hpp"

namespace syncline::app {

/// The command that a hub answers with Settings::to_json().
inline constexpr std::string_view kSettingsCommand = "config show";

struct RunningHub {
  /// Nothing if the hub is of a version that does not tell.
  std::optional<Settings> settings;
};

/// The hub that owns the data directory; nothing if none answers.
[[nodiscard]] std::optional<RunningHub> find_running_hub(const std::string& data);

/// The value that a hub has after a restart, if it runs with `now` and the files and the environment here say `files`.
/// What it got by a flag or from its own environment it gets again.
[[nodiscard]] const std::string& after_restart(const Settings& now, const Settings& files, std::string_view key);
/// The keys whose values a restart changes, in their order.
[[nodiscard]] std::vector<std::string_view> changed_by_restart(const Settings& now, const Settings& files);

}  // namespace syncline::app
