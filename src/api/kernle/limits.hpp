// Limits of the Kernle face. docs/limits.md lists them for users.
#pragma once

#include <cstddef>
#include <cstdint>

namespace syncline::limits {

inline constexpr std::size_t kAgentNameCharactersMax = 100;
inline constexpr std::size_t kKernleOpsMax = 100'000;  // of one push; its body is limited anyway
/// A bare key may stand for several devices, whose clocks may be wrong: a pull by time begins so much earlier.
inline constexpr std::int64_t kPullMarginMicros = 10LL * 60 * 1'000'000;
inline constexpr std::int64_t kSearchResultsMax = 100;
inline constexpr std::int64_t kSearchResultsDefault = 10;

}  // namespace syncline::limits
