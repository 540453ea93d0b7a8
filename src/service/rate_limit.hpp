// A token bucket for each key, or each account: so many requests a minute, refilled continuously. Safe from any thread.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "base/mutex.hpp"
#include "base/time.hpp"

namespace syncline {

class RateLimit {
 public:
  /// 0 switches it off.
  explicit RateLimit(std::int64_t requests_per_minute) : per_minute_(requests_per_minute) {}

  struct Verdict {
    bool allowed = true;
    std::int64_t remaining = 0;
    /// Seconds until the bucket is full again, or, when refused, until the next request is allowed; at least 1.
    std::int64_t reset_s = 0;
  };
  [[nodiscard]] bool is_on() const { return per_minute_ > 0; }
  [[nodiscard]] std::int64_t per_minute() const { return per_minute_; }
  /// `who`: the number of a key or an account.
  [[nodiscard]] Verdict take(std::int64_t who, Timestamp now);

 private:
  struct Bucket {
    double tokens = 0;
    Timestamp filled_at;
  };
  const std::int64_t per_minute_;
  Mutex mutex_;
  std::unordered_map<std::int64_t, Bucket> buckets_ GUARDED_BY(mutex_);
};

}  // namespace syncline
