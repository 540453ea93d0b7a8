// How long the requests of a load program took.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <vector>

namespace bench {

class Latencies {
 public:
  using Clock = std::chrono::steady_clock;

  /// A request that is answered now.
  void add(Clock::time_point started) {
    us_.push_back(static_cast<std::uint32_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - started).count()));
  }
  [[nodiscard]] long requests() const { return static_cast<long>(us_.size()); }

  /// The members of a JSON object that every load program reports, without braces.
  void print(double seconds, long batch, std::uint64_t next_number) {
    std::ranges::sort(us_);
    const auto at = [&](double share) {
      if (us_.empty()) return 0.0;
      return us_[static_cast<std::size_t>(share * static_cast<double>(us_.size() - 1))] / 1000.0;
    };
    const auto count = static_cast<double>(requests());
    std::printf(
        "\"requests_per_s\":%.0f,\"records_per_s\":%.0f,\"requests\":%.0f,\"p50_ms\":%.2f,\"p99_ms\":%.2f,"
        "\"max_ms\":%.2f,\"seconds\":%.2f,\"next\":%llu",
        count / seconds, count * static_cast<double>(batch) / seconds, count, at(0.5), at(0.99), at(1.0), seconds,
        static_cast<unsigned long long>(next_number));
  }

 private:
  std::vector<std::uint32_t> us_;
};

}  // namespace bench
