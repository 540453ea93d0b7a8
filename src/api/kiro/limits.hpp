// Limits of the Kiro face. docs/limits.md lists them for users.
#pragma once

#include <cstddef>
#include <cstdint>

namespace syncline::limits {

inline constexpr std::int64_t kClaimLeaseMs = 60'000;
inline constexpr std::int64_t kPatchLeaseMs = 15LL * 60'000;
inline constexpr std::int64_t kCommandTtlMs = 15LL * 60'000;  // an order that nobody took is not meant any more
inline constexpr std::int64_t kCommandKeepDays = 30;
inline constexpr std::int64_t kApprovalWaitHours = 24;  // a command that nobody approves fails
inline constexpr std::int64_t kCommandsListedMax = 1000;
inline constexpr std::size_t kIgnoredListedMax = 1000;      // parts of an upload that are named; the rest is counted
inline constexpr std::size_t kOutputBytesMax = 1UL << 20U;  // live output kept per command
/// Views of spaces kept in memory for reading; the least recently used are evicted first.
inline constexpr std::size_t kViewBytesMax = 256UL << 20U;

}  // namespace syncline::limits
