// The cursor: "I have everything of this history up to here". Text `<epoch>-<incarnation>.<seq>`; "0" means from the
// beginning. Without the incarnation, as older stores wrote it, the opening that made the change is not known.
//
// More numbers may follow:
// - Who reads from the beginning in pages needs no deletions that were purged before it began: until it is past them
//   its cursors say so, `<epoch>-<incarnation>.<seq>.<purged>`.
// - Between two pages a reader has heard of more than it has read: what moved on in the feed waits for it further up.
//   `<epoch>-<incarnation>.<seq>.<purged>.<known>` says how far that history goes.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "core/lineage.hpp"

namespace syncline {

/// Epochs of stores that were restored from a backup, or have found themselves gone back, begin with this.
inline constexpr std::string_view kRestoredEpochPrefix = "r";
[[nodiscard]] inline bool is_restored_epoch(std::string_view epoch) { return epoch.starts_with(kRestoredEpochPrefix); }

struct Cursor {
  /// Empty for "from the beginning", which belongs to every history.
  std::string epoch;
  Seq seq;
  /// Deletions up to here are of no account to the reader; 0 if all are.
  Seq needs_no_deletions_through = {};
  /// The opening of the store that made the newest change that the reader has heard of; 0: not known.
  IncarnationId incarnation = {};
  /// The newest change that the reader has heard of, if that is after `seq`.
  Seq heard_through = {};

  [[nodiscard]] Seq knows_through() const { return std::max(seq, heard_through); }
  /// Names the history: `<epoch>-<incarnation>`, or `<epoch>`.
  [[nodiscard]] std::string history() const;
  [[nodiscard]] std::string to_text() const;
};

/// Fails with invalid_argument for anything that is not a cursor.
[[nodiscard]] Result<Cursor> parse_cursor(std::string_view text);
/// The epoch and the incarnation of a history's name.
[[nodiscard]] Result<Cursor> parse_history(std::string_view text);

/// Whether what the cursor knows is part of this history, whose newest change is `head`: epoch_changed or cursor_ahead
/// (advice: resync) if not. A cursor without an incarnation can only be told by its epoch and seq.
[[nodiscard]] Result<> check_history(const Cursor& cursor, std::string_view epoch, const Lineage& lineage, Seq head);

/// Where reading continues for `cursor`: its seq, or an error of check_history(), or cursor_expired (advice: resync).
/// Tombstones up to `purged_through` are gone.
[[nodiscard]] Result<Seq> resume_at(const Cursor& cursor, std::string_view epoch, const Lineage& lineage, Seq head,
                                    Seq purged_through);

}  // namespace syncline
