#include "service/rate_limit.hpp"

#include <algorithm>
#include <cmath>

namespace syncline {

RateLimit::Verdict RateLimit::take(std::int64_t who, Timestamp now) {
  const auto capacity = static_cast<double>(per_minute_);
  const double per_second = capacity / 60;
  const MutexLock lock(mutex_);
  const auto [entry, is_new] = buckets_.try_emplace(who, Bucket{capacity, now});
  Bucket& bucket = entry->second;
  const auto elapsed_s = static_cast<double>(std::max<std::int64_t>(0, now.micros - bucket.filled_at.micros)) / 1e6;
  bucket.tokens = std::min(capacity, bucket.tokens + elapsed_s * per_second);
  bucket.filled_at = now;
  const auto seconds_until = [&](double missing) {
    return std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(missing / per_second)));
  };
  if (bucket.tokens < 1) return {false, 0, seconds_until(1 - bucket.tokens)};
  bucket.tokens -= 1;
  return {true, static_cast<std::int64_t>(bucket.tokens), seconds_until(capacity - bucket.tokens)};
}

}  // namespace syncline
