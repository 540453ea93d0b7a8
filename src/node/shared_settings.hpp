// settings.yaml for all threads of a profile. Each call looks whether the file has changed, and reads it then. Safe
// from any thread: one mutex, held while the file is read or written and for nothing else.
#pragma once

#include <functional>

#include "base/mutex.hpp"
#include "node/settings_file.hpp"

namespace syncline::node {

class SharedSettings {
 public:
  explicit SharedSettings(std::string path) : file_(std::move(path)) {}

  [[nodiscard]] ProfileSettings values();
  /// What is wrong with the file; empty if nothing is.
  [[nodiscard]] std::string error();

  using Choose = std::function<std::vector<SettingsFile::Change>(const ProfileSettings& now)>;
  /// Makes the changes that `choose` returns for the values of now, all or none, and nobody else's between. Returns the
  /// values after them.
  [[nodiscard]] Result<ProfileSettings> change(const Choose& choose);

 private:
  Mutex mutex_;
  SettingsFile file_ GUARDED_BY(mutex_);
};

}  // namespace syncline::node
