// Counts failures, or other things of a kind, for each name (an address, an account) and says when there were too many
// in a while. Bounded in memory: when it is full, it forgets. The empty name is nobody's and never counted. Safe from
// any thread.
#pragma once

#include <string>
#include <unordered_map>
#include <unordered_set>

#include "base/mutex.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

namespace syncline {

/// Whom to count for: an IPv6 network of one customer is one peer. Nothing for this machine itself: a proxy on it that
/// is not trusted speaks for many.
[[nodiscard]] std::string counted_peer(const std::string& peer);

class Throttle {
 public:
  Throttle(std::int64_t failures_max, std::int64_t window_s) : failures_max_(failures_max), window_s_(window_s) {}

  /// too_many while the name has used up its failures.
  [[nodiscard]] Result<> check(const std::string& name, Timestamp now);
  void note_failure(const std::string& name, Timestamp now);
  void forget(const std::string& name);

 private:
  struct Counted {
    std::int64_t failures = 0;
    Timestamp since;
  };
  [[nodiscard]] bool is_over(const Counted& counted, Timestamp now) const {
    return now.micros - counted.since.micros > window_s_ * kMicrosPerSecond;
  }

  const std::int64_t failures_max_;
  const std::int64_t window_s_;
  Mutex mutex_;
  std::unordered_map<std::string, Counted> counted_ GUARDED_BY(mutex_);
};

/// Names that have proved who they are, and need not suffer from the failures of others. Bounded in memory: when it is
/// full, it forgets. Safe from any thread.
class KnownNames {
 public:
  void add(const std::string& name);
  [[nodiscard]] bool has(const std::string& name);

 private:
  Mutex mutex_;
  std::unordered_set<std::string> names_ GUARDED_BY(mutex_);
};

}  // namespace syncline
