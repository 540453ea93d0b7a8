// The account that a profile is connected with, and the session that stands for its key where the hub gives one:
// whether it has grown old, or the hub does not know it any more. Safe from any thread.
#pragma once

#include <chrono>

#include "base/mutex.hpp"
#include "replica/dialect.hpp"

namespace syncline::node {

class HubSession {
 public:
  explicit HubSession(const Clock& clock) : clock_(clock) {}

  /// Connected with that account from now on.
  void begin(const replica::HubAccount& account);
  /// As it was then; without a dialect before the first time.
  [[nodiscard]] replica::HubAccount account();
  /// True if another session is to be asked for. `is_refused`: the hub does not accept the one there is. If new ones
  /// are refused too, it becomes true less and less often.
  [[nodiscard]] bool needs_renewal(bool is_refused);

 private:
  static constexpr std::chrono::seconds kWaitMin{5};
  static constexpr std::chrono::seconds kWaitMax{600};

  const Clock& clock_;
  Mutex mutex_;
  replica::HubAccount account_ GUARDED_BY(mutex_);
  std::chrono::steady_clock::time_point since_ GUARDED_BY(mutex_);
  /// A session that is younger is not renewed.
  std::chrono::seconds wait_ GUARDED_BY(mutex_) = kWaitMin;
};

}  // namespace syncline::node
