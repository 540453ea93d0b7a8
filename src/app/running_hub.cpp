#include "app/running_hub.hpp"

#include "app/control.hpp"

namespace syncline::app {
namespace {

bool comes_with_the_process(const SettingValue& value) {
  return value.origin == "flag" || value.origin.starts_with("environment");
}

}  // namespace

std::optional<RunningHub> find_running_hub(const std::string& data) {
  JsonObject request;
  request.set_text("command", kSettingsCommand);
  const auto answer = call_control(data + "/control", request);
  if (answer) return RunningHub{Settings::from_json(JsonView(*answer))};
  if (answer.error().code == ErrorCode::unavailable) return std::nullopt;
  return RunningHub{};
}

const std::string& after_restart(const Settings& now, const Settings& files, std::string_view key) {
  const SettingValue& running = now.values().at(std::string(key));
  const SettingValue& stored = files.values().at(std::string(key));
  return comes_with_the_process(running) && stored.origin != "flag" ? running.text : stored.text;
}

std::vector<std::string_view> changed_by_restart(const Settings& now, const Settings& files) {
  std::vector<std::string_view> keys;
  for (const auto& [key, value] : now.values()) {
    if (after_restart(now, files, key) != value.text) keys.emplace_back(key);
  }
  return keys;
}

}  // namespace syncline::app
