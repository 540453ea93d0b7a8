// Keeps the feed dense. A superseded row stays where it was written, so feeds read pages that have fewer and fewer
// records in use. Chunk by chunk, in the order of their places, the reclaimer moves such rows as they are to the table
// `history`. With nothing else to do it begins when a quarter of a chunk is superseded; under load, when half of it is:
// then each page that is written again gives up several rows.
#pragma once

#include <set>

#include "store/sqlite/connection.hpp"
#include "store/sqlite/superseded_rows.hpp"

namespace syncline::sqlite {

/// One thread, the one that writes.
class Reclaimer {
 public:
  struct Options {
    int idle_percent = 25;
    int busy_percent = 50;
    /// Rows that are looked at in one transaction: other writes wait so long.
    std::int64_t rows_each = 1024;
  };
  Reclaimer(SupersededRows& superseded, Options options) : superseded_(superseded), options_(options) {}

  [[nodiscard]] Result<> prepare(Connection& connection);

  /// So many rows were superseded by a commit.
  void note_superseded(std::size_t count);
  /// A share of the work is due although others wait.
  [[nodiscard]] bool is_due();
  /// There is work for a time when nothing else is to be done.
  [[nodiscard]] bool has_idle_work();

  /// Moves rows of the chunk at hand, in the open transaction.
  [[nodiscard]] Result<> move_some();
  void note_committed();
  /// `is_damaged`: the rows cannot be read, so their chunk is left alone.
  void note_rolled_back(bool is_damaged);

 private:
  /// True if there is a chunk at hand.
  bool take_chunk(int percent);

  SupersededRows& superseded_;
  const Options options_;
  Statement rows_, insert_, delete_;
  std::int64_t owed_ = 0;  // rows to look at
  bool may_have_idle_work_ = true;
  std::int64_t next_chunk_ = 0;  // where the search goes on
  std::optional<std::int64_t> chunk_;
  std::int64_t at_ = 0;  // the first place that was not looked at yet
  // In this transaction.
  std::int64_t moved_to_ = 0;
  std::int64_t moved_ = 0;
  std::set<std::int64_t> damaged_chunks_;
};

}  // namespace syncline::sqlite
