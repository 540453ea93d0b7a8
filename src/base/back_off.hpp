// How long to wait before the next try: 2 s, doubling to 60 s, each 20 % more or less so that many do not come at once.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/bytes.hpp"

namespace syncline {

/// `wait_ms`, up to 20 % more or less, as `random` says. It has 32 bits so that clients whose numbers are doubles can
/// compute the same.
[[nodiscard]] constexpr std::int64_t add_jitter(std::int64_t wait_ms, std::uint32_t random) {
  const std::int64_t width = wait_ms * 2 / 5;
  return wait_ms - width / 2 + static_cast<std::int64_t>(random) % (width + 1);
}

class BackOff {
 public:
  [[nodiscard]] std::int64_t next_ms() {
    const std::int64_t chosen = add_jitter(wait_ms_, static_cast<std::uint32_t>(random_number()));
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
