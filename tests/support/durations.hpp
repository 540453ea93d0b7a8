// Lengths of time in microseconds, for tests that move clocks.
#pragma once

#include "base/time.hpp"

namespace syncline::test {

inline constexpr std::int64_t kMinuteMicros = 60 * kMicrosPerSecond;
inline constexpr std::int64_t kHourMicros = 60 * kMinuteMicros;
inline constexpr std::int64_t kDayMicros = 24 * kHourMicros;
inline constexpr std::int64_t kYearMicros = 365 * kDayMicros;

}  // namespace syncline::test
