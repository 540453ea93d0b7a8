// When the commands that wait for a runner expire. Only a reminder: whether a command has expired says its record, and
// an entry may stand for a command that waits no more. Safe from any thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.hpp"
#include "core/record.hpp"

namespace syncline::kiro {

class Deadlines {
 public:
  using Key = std::pair<SpaceName, std::string>;  // id of the command

  /// Replaces the deadline that the command had.
  void set(const SpaceName& space, std::string_view id, std::int64_t at_ms);
  void remove(const SpaceName& space, std::string_view id);
  /// Takes out the earliest that are over, at most `max`, by space.
  [[nodiscard]] std::map<SpaceName, std::vector<std::string>> take_due(std::int64_t now_ms, std::size_t max);

 private:
  Mutex mutex_;
  std::map<Key, std::int64_t> at_ms_ GUARDED_BY(mutex_);
  std::set<std::pair<std::int64_t, Key>> in_order_ GUARDED_BY(mutex_);
};

}  // namespace syncline::kiro
