// What a store says of itself, for those who operate it: sizes, and what keeps it from working. A value, as of one
// moment.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/time.hpp"

namespace syncline {

/// What a read was to find: who may enter, the records of a space, or what belongs to no one space.
enum class ReadKind : std::uint8_t { accounts, spaces, tables };
inline constexpr std::size_t kReadKinds = 3;
/// How many reads have failed because what is stored is damaged, by kind.
using FailedReads = std::array<std::int64_t, kReadKinds>;

/// So long an operator is told of a loss that was noticed.
inline constexpr std::int64_t kLossShownMicros = 7LL * 86'400 * kMicrosPerSecond;

struct StoreStatus {
  std::int64_t file_bytes = 0;
  std::int64_t wal_bytes = 0;
  std::int64_t queued_writes = 0;
  std::int64_t commits = 0;
  /// Why the last write failed; empty when the last one succeeded.
  std::string failing;
  /// See Store::damage().
  std::int64_t damaged_rows = 0;
  /// Why a read failed within the last minute (read_health.hpp); empty when none did.
  std::string unreadable;
  FailedReads failed_reads{};

  /// Why nothing should rely on the store at this moment; empty when something may.
  [[nodiscard]] const std::string& trouble() const { return failing.empty() ? unreadable : failing; }
  /// What the operator should know although everything works; empty if there is nothing.
  std::string warning;
};

}  // namespace syncline
