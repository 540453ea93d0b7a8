// Looks at a write-ahead log before SQLite does. SQLite believes it up to the first frame whose checksum is wrong, and
// takes that for the end: right for the frames that a power cut tore, fatal for a bit that flipped in the middle, for
// everything after it vanishes without a word. What tells the two apart is what follows. A commit is synced before the
// next one begins, so a torn end has at most one commit after it.
#pragma once

#include <cstdint>
#include <string>

namespace syncline::sqlite {

struct LogScan {
  /// Frames that SQLite will believe, and whole commits of the same log after the first one that it will not.
  std::int64_t good_frames = 0;
  std::int64_t commits_past_damage = 0;

  [[nodiscard]] bool is_damaged() const { return commits_past_damage >= 2; }
};

/// `database`: the path of the store. A log that is missing or empty is in order. Nobody may have the store open.
[[nodiscard]] LogScan scan_log(const std::string& database);

}  // namespace syncline::sqlite
