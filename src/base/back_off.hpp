// How long to wait before the next try: 2 s, doubling to 60 s, each 20 % more or less so that many do not come at once.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/bytes.hpp"

namespace syncline {

class BackOff {
 public:
  [[nodiscard]] std::int64_t next_ms() {
    const std::int64_t spread = wait_ms_ * 2 / 5;
    const auto random = static_cast<std::int64_t>(random_number() % static_cast<std::uint64_t>(spread + 1));
    const std::int64_t chosen = wait_ms_ - spread / 2 + random;
    wait_ms_ = std::min(wait_ms_ * 2, kMaxMs);
    return chosen;
  }
  /// It worked.
  void reset() { wait_ms_ = kMinMs; }

 private:
  static constexpr std::int64_t kMinMs = 2000;
  static constexpr std::int64_t kMaxMs = 60'000;
  std::int64_t wait_ms_ = kMinMs;
};

}  // namespace syncline
