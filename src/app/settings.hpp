// Settings: one table of keys, each with its default; a value comes from a flag, else the environment, else the file,
// else what was said at setup, else the default, and remembers which.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"

namespace syncline::app {

enum class SettingKind { text, integer, boolean, list };

struct SettingInfo {
  std::string_view key;  // "tls.certificate"; in the environment SYNCLINE_TLS_CERTIFICATE
  SettingKind kind;
  std::string_view default_value;
  std::string_view description;
};
/// "SYNCLINE_TLS_CERTIFICATE" for "tls.certificate"
[[nodiscard]] std::string environment_name(std::string_view key);
/// Those of a hub.
[[nodiscard]] const std::vector<SettingInfo>& all_settings();
/// Those of a node that are not a profile's.
[[nodiscard]] const std::vector<SettingInfo>& node_settings();

struct SettingValue {
  std::string text;
  std::string origin;  // "default", "file /etc/...:3", "environment SYNCLINE_...", "flag"
};

/// What the hub was told at setup, a file of the data directory, whether it is there or not.
[[nodiscard]] std::string setup_file_in(const std::string& data);

/// hub.yaml in the data directory; empty if there is none.
[[nodiscard]] std::string find_settings_file(const std::string& data);

/// What `--set KEY=VALUE` says, by key.
[[nodiscard]] Result<std::map<std::string, std::string>> read_assignments(const std::vector<std::string>& assignments);

class Settings {
 public:
  /// `flags`: key -> value. `file`: read if not empty; must exist. `setup_file`: read before it, if it exists. Fails
  /// naming the key and where it was set.
  [[nodiscard]] static Result<Settings> load(const std::map<std::string, std::string>& flags, const std::string& file,
                                             const std::vector<SettingInfo>& known = all_settings(),
                                             const std::string& setup_file = {});
  /// The settings of a hub for a command that is given none: the file in the data directory, and the environment.
  [[nodiscard]] static Result<Settings> load_beside(const std::string& data);
  /// What is set if nobody sets anything; the environment counts for nothing.
  [[nodiscard]] static Settings defaults(const std::vector<SettingInfo>& known = all_settings());

  [[nodiscard]] const std::map<std::string, SettingValue>& values() const { return values_; }
  /// {"settings": {"listen": {"value": "127.0.0.1:8080", "origin": "default"}, ...}}
  [[nodiscard]] std::string to_json() const;
  /// What to_json() of another process gave. Keys that this version does not know are left out.
  [[nodiscard]] static std::optional<Settings> from_json(JsonView json);
  /// A value that has changed since the settings were loaded.
  void replace(const std::string& key, SettingValue value) { values_.at(key) = std::move(value); }
  [[nodiscard]] const std::string& text(std::string_view key) const;
  [[nodiscard]] std::int64_t integer(std::string_view key) const;
  [[nodiscard]] bool boolean(std::string_view key) const;
  [[nodiscard]] std::vector<std::string> list(std::string_view key) const;
  /// The error of a value that the key cannot have: `what` is wrong with it. Names the key and where it was set.
  [[nodiscard]] std::unexpected<Error> wrong(std::string_view key, std::string_view what) const;

 private:
  [[nodiscard]] Result<> load_file(const std::string& file);
  [[nodiscard]] Result<> set(const std::string& key, std::string value, std::string origin);

  std::map<std::string, SettingValue> values_;
};

}  // namespace syncline::app
