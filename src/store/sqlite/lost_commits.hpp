// What a store does when it is opened and finds that it has lost commits: it begins a new history, so that every device
// sends its data again, and it keeps the reason for the operator.
#pragma once

#include <string>
#include <string_view>

#include "base/time.hpp"
#include "store/sqlite/commit_mark.hpp"
#include "store/sqlite/log_scan.hpp"

namespace syncline::sqlite {

struct LostCommits {
  std::string reason;  // empty: none were lost
  Timestamp found_at;
  bool is_new = false;  // found at this opening
};

/// Compares the store with its mark and its log, and gives it `new_epoch` if it is behind them. Then the mark follows
/// the store. Returns the last loss that was ever found.
[[nodiscard]] Result<LostCommits> check_lost_commits(Connection& connection, const LogScan& log, CommitMark& mark,
                                                     std::string_view new_epoch, Timestamp now);

}  // namespace syncline::sqlite
