// settings.yaml of a profile: the keys that docs/api/node.md lists, in a file that its owner also edits. A file that
// cannot be read is refused with line and column, and what was read last stays in force. For one thread at a time.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace syncline::node {

struct ProfileSettings {
  bool enabled = false;           // cloud_sync.enabled
  std::string url;                // cloud_sync.url
  std::string api_key;            // cloud_sync.api_key
  std::string ca_file;            // cloud_sync.ca_file
  std::int64_t interval_s = 300;  // cloud_sync.interval
  std::string advisor_model;      // ai.advisor_model
  std::string cron_model;         // ai.cron_model

  /// Sync is on, and there is a hub to reach.
  [[nodiscard]] bool is_on() const { return enabled && !url.empty() && !api_key.empty(); }

  friend bool operator==(const ProfileSettings&, const ProfileSettings&) = default;
};

class SettingsFile {
 public:
  explicit SettingsFile(std::string path) : path_(std::move(path)) {}

  /// Reads the file if it has changed. On an error the last good values stay; error() tells until it is mended.
  void refresh();
  [[nodiscard]] const ProfileSettings& values() const { return values_; }
  /// "settings.yaml:3:7: ..."; empty if the file is as it should be.
  [[nodiscard]] const std::string& error() const { return error_; }

  struct Change {
    std::string section;
    std::string key;
    std::string yaml;  // the value
  };
  /// Changes values and nothing else in the file, all or none.
  [[nodiscard]] Result<> set(const std::vector<Change>& changes);

 private:
  struct Stamp {
    std::int64_t size = -1;
    std::int64_t modified_ns = 0;
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  [[nodiscard]] Stamp stamp() const;

  const std::string path_;
  ProfileSettings values_;
  std::string error_;
  std::optional<Stamp> read_;
};

/// The whole file, or an empty text if there is none.
[[nodiscard]] Result<std::string> read_file(const std::string& path);
/// Puts a new file in the place of the old one, on disk before it returns. Only the owner may read it.
[[nodiscard]] Result<> replace_file(const std::string& path, const std::string& text);

}  // namespace syncline::node
