// The cursor: "I have everything of this history up to here". Text `<epoch>.<seq>`; "0" means from the beginning.
// Who reads from the beginning in pages needs no deletions that were purged before it began: until it is past them its
// cursors say so, `<epoch>.<seq>.<purged>`.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/ids.hpp"
#include "base/result.hpp"

namespace syncline {

/// Epochs of stores that were restored from a backup begin with this.
inline constexpr std::string_view kRestoredEpochPrefix = "r";
[[nodiscard]] inline bool is_restored_epoch(std::string_view epoch) { return epoch.starts_with(kRestoredEpochPrefix); }

struct Cursor {
  /// Empty for "from the beginning", which belongs to every history.
  std::string epoch;
  Seq seq;
  /// Deletions up to here are of no account to the reader; 0 if all are.
  Seq needs_no_deletions_through;

  [[nodiscard]] std::string to_text() const;
};

/// Fails with invalid_argument for anything that is not a cursor.
[[nodiscard]] Result<Cursor> parse_cursor(std::string_view text);

/// Where reading continues for `cursor`: its seq, or epoch_changed, cursor_ahead or cursor_expired (advice: resync).
/// Tombstones up to `purged_through` are gone; `head` is the newest seq.
[[nodiscard]] Result<Seq> resume_at(const Cursor& cursor, std::string_view epoch, Seq head, Seq purged_through);

}  // namespace syncline
