#include "store/sqlite/reclaimer.hpp"

#include <utility>

#include "store/sqlite/layout.hpp"

namespace syncline::sqlite {
namespace {

/// Rows to look at for each that is superseded: in a chunk of which half is, two give one back.
constexpr std::int64_t kLookedAtForEach = 3;

}  // namespace

Result<> Reclaimer::prepare(Connection& connection) {
  TRY(rows_, connection.prepare("SELECT pos, row FROM record WHERE pos >= ? AND pos < ? ORDER BY pos"));
  TRY(insert_, connection.prepare("INSERT OR REPLACE INTO history (pos, row) VALUES (?,?)"));
  TRY(delete_, connection.prepare("DELETE FROM record WHERE pos = ?"));
  return {};
}

void Reclaimer::note_superseded(std::size_t count) {
  if (count == 0) return;
  owed_ += static_cast<std::int64_t>(count) * kLookedAtForEach;
  may_have_idle_work_ = true;
}

bool Reclaimer::take_chunk(int percent) {
  if (chunk_) return true;
  // Twice, for the search begins in the middle.
  for (int turn = 0; turn < 2 && !chunk_; ++turn) {
    chunk_ = superseded_.find_sparse_chunk(next_chunk_, percent);
    while (chunk_ && damaged_chunks_.contains(*chunk_)) {
      chunk_ = superseded_.find_sparse_chunk(*chunk_ + 1, percent);
    }
    if (!chunk_) next_chunk_ = 0;
  }
  if (!chunk_) return false;
  next_chunk_ = *chunk_ + 1;
  at_ = *chunk_ << kChunkBits;
  return true;
}

bool Reclaimer::is_due() {
  if (owed_ < options_.rows_each) return false;
  if (take_chunk(options_.busy_percent)) return true;
  owed_ = 0;
  return false;
}

bool Reclaimer::has_idle_work() {
  may_have_idle_work_ = may_have_idle_work_ && take_chunk(options_.idle_percent);
  return may_have_idle_work_;
}

Result<> Reclaimer::move_some() {
  struct Row {
    std::int64_t pos;
    std::string bytes;
  };
  std::vector<Row> rows;
  const std::int64_t end = (*chunk_ + 1) << kChunkBits;
  moved_to_ = std::min(end, at_ + options_.rows_each);
  moved_ = 0;
  {
    SupersededRows::View superseded;
    superseded_.look(*chunk_, kAnySeq, superseded);
    const StatementScope scope(rows_);
    rows_.bind(1, at_);
    rows_.bind(2, moved_to_);
    for (;;) {
      TRY(const bool more, rows_.step());
      if (!more) break;
      if (superseded.contains(rows_.integer(0))) rows.push_back({rows_.integer(0), std::string(rows_.bytes(1))});
    }
  }
  for (const Row& row : rows) {
    const StatementScope insert_scope(insert_);
    insert_.bind(1, row.pos);
    insert_.bind_bytes(2, row.bytes);
    CHECK_OK(insert_.run());
    const StatementScope delete_scope(delete_);
    delete_.bind(1, row.pos);
    CHECK_OK(delete_.run());
  }
  moved_ = static_cast<std::int64_t>(rows.size());
  return {};
}

void Reclaimer::note_committed() {
  owed_ = std::max<std::int64_t>(0, owed_ - (moved_to_ - at_));
  superseded_.note_gone(*chunk_, moved_);
  at_ = moved_to_;
  if (at_ == (*chunk_ + 1) << kChunkBits) chunk_.reset();
}

void Reclaimer::note_rolled_back(bool is_damaged) {
  if (is_damaged) damaged_chunks_.insert(*chunk_);
  chunk_.reset();
  owed_ = 0;
}

}  // namespace syncline::sqlite
