#include "store/sqlite/history_purge.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "store/sqlite/layout.hpp"
#include "store/sqlite/record_row.hpp"

namespace syncline::sqlite {
namespace {

/// Rows that one transaction reads. A space costs as much as a few.
constexpr std::int64_t kRowsEach = 10'000;
constexpr std::int64_t kRowsForSpace = 4;

/// As bytes_of() had counted the version.
std::int64_t counted_bytes(std::string_view row) {
  const auto parsed = parse_row(row);
  return parsed ? bytes_of(parsed->version) : static_cast<std::int64_t>(row.size());
}

}  // namespace

Result<> HistoryPurge::list_spaces(Connection& on) {
  TRY(Statement rows, on.prepare("SELECT number, history_through, aged_through, purged_through FROM space "
                                 "WHERE history_through < head OR aged_through < head ORDER BY number DESC"));
  for (;;) {
    TRY(const bool more, rows.step());
    if (!more) break;
    spaces_.push_back({.number = rows.integer(0),
                       .history_through = {rows.integer(1)},
                       .aged_through = {rows.integer(2)},
                       .purged_through = {rows.integer(3)}});
  }
  is_listed_ = true;
  return {};
}

Result<> HistoryPurge::remove(Connection& on, Space& space, const std::vector<std::int64_t>& places) {
  TRY(Statement in_place, on.prepare("DELETE FROM record WHERE pos = ? RETURNING row"));
  TRY(Statement moved, on.prepare("DELETE FROM history WHERE pos = ? RETURNING row"));
  for (const std::int64_t pos : places) {
    // A record that is not history is left alone, whatever names it.
    if (superseded_.contains(pos, kAnySeq)) {
      const StatementScope scope(in_place);
      in_place.bind(1, pos);
      TRY(const bool was_there, in_place.step());
      if (was_there) {
        gone_[chunk_of(pos)] += 1;
        space.purged_bytes += counted_bytes(in_place.bytes(0));
      }
    }
    const StatementScope scope(moved);
    moved.bind(1, pos);
    TRY(const bool was_moved, moved.step());
    if (was_moved) space.purged_bytes += counted_bytes(moved.bytes(0));
  }
  return {};
}

Result<bool> HistoryPurge::purge_history(Connection& on, Space& space) {
  std::vector<std::int64_t> old;
  bool is_done = true;
  {
    TRY(Statement rows, on.prepare("SELECT pos, row FROM record WHERE pos > ?1 AND pos < ?2 "
                                   "UNION ALL SELECT pos, row FROM history WHERE pos > ?1 AND pos < ?2 ORDER BY pos"));
    rows.bind(1, pack_pos(space.number, space.history_through));
    rows.bind(2, pack_pos(space.number + 1, {}));
    for (;;) {
      if (rows_left_ <= 0) {
        is_done = false;
        break;
      }
      TRY(const bool more, rows.step());
      if (!more) break;
      --rows_left_;
      const std::int64_t pos = rows.integer(0);
      // What a damaged row says is not believed: the version before it stays.
      const auto row = is_as_written(pos, rows.bytes(1)) ? parse_row(rows.bytes(1)) : std::nullopt;
      if (row && row->version.committed_at >= cutoffs_.history) break;
      space.history_through = seq_of(pos);
      if (row && row->version.previous > 0) old.push_back(pack_pos(space.number, Seq{row->version.previous}));
    }
  }
  std::ranges::sort(old);
  CHECK_OK(remove(on, space, old));
  return is_done;
}

Result<bool> HistoryPurge::purge_tombstones(Connection& on, Space& space) {
  TRY(Statement rows, on.prepare("SELECT pos, row FROM record WHERE pos > ? AND pos < ? ORDER BY pos"));
  rows.bind(1, pack_pos(space.number, space.aged_through));
  rows.bind(2, pack_pos(space.number + 1, {}));
  for (;;) {
    if (rows_left_ <= 0) return false;
    TRY(const bool more, rows.step());
    if (!more) return true;
    --rows_left_;
    const std::int64_t pos = rows.integer(0);
    const auto row = parse_row(rows.bytes(1));
    const bool is_old = row && row->version.committed_at < cutoffs_.tombstones;
    // A damaged row may say any time: it ends nothing.
    if (!is_old && is_as_written(pos, rows.bytes(1))) return true;
    space.aged_through = seq_of(pos);
    if (is_old && row->version.deleted && !superseded_.contains(pos, kAnySeq))
      space.purged_through = space.aged_through;
  }
}

Result<> HistoryPurge::store(Connection& on, Space& space) {
  TRY(Statement update, on.prepare("UPDATE space SET history_through = ?2, aged_through = ?3, "
                                   "purged_through = max(purged_through, ?4), "
                                   "history_bytes = max(0, history_bytes - ?5) WHERE number = ?1"));
  update.bind(1, space.number);
  update.bind(2, space.history_through.value);
  update.bind(3, space.aged_through.value);
  update.bind(4, space.purged_through.value);
  update.bind(5, std::exchange(space.purged_bytes, 0));
  return update.run();
}

Result<bool> HistoryPurge::run(Connection& on) {
  if (!is_listed_) CHECK_OK(list_spaces(on));
  rows_left_ = kRowsEach;
  gone_.clear();
  TRY(Transaction transaction, Transaction::begin(on));
  while (!spaces_.empty() && rows_left_ > 0) {
    Space& space = spaces_.back();
    const Space before = space;
    rows_left_ -= kRowsForSpace;
    Result<bool> done = true;
    if (!space.has_purged_history) {
      done = purge_history(on, space);
      space.has_purged_history = done && *done;
    }
    if (done && *done) done = purge_tombstones(on, space);
    // One row that makes no sense must not end the process each hour.
    if (!done && !on.is_corrupt()) return std::unexpected(done.error());
    if (!done) log(LogLevel::error, "history_not_purged", {{"space", space.number}, {"error", done.error().text}});
    const bool has_moved = space.history_through != before.history_through || space.aged_through != before.aged_through;
    if (done && has_moved) CHECK_OK(store(on, space));
    if (!done || *done) spaces_.pop_back();
  }
  CHECK_OK(transaction.commit());
  for (const auto& [chunk, count] : gone_) superseded_.note_gone(chunk, count);
  return !spaces_.empty();
}

}  // namespace syncline::sqlite
