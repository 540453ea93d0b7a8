// What housekeeping removes of the versions of records. A version became history when the one that names it as
// `previous` was committed, and the commit stamps of a space rise with its seqs: so the newer versions are read in the
// order of their places up to the first that is too recent, and each gives up the one before it. How far that went is
// kept in the space: nothing is read twice.
#pragma once

#include <map>
#include <vector>

#include "store/sqlite/connection.hpp"
#include "store/sqlite/superseded_rows.hpp"
#include "store/store.hpp"

namespace syncline::sqlite {

class HistoryPurge {
 public:
  HistoryPurge(SupersededRows& superseded, const PurgeCutoffs& cutoffs) : superseded_(superseded), cutoffs_(cutoffs) {}

  /// One transaction, short enough that writes may wait for it. True if there is more to do.
  [[nodiscard]] Result<bool> run(Connection& on);

 private:
  struct Space {
    std::int64_t number = 0;
    Seq history_through, aged_through, purged_through;
    std::int64_t purged_bytes = 0;  // in this transaction
    bool has_purged_history = false;
  };
  [[nodiscard]] Result<> list_spaces(Connection& on);
  /// True if the space is done, false if the rows of this transaction are used up.
  [[nodiscard]] Result<bool> purge_history(Connection& on, Space& space);
  [[nodiscard]] Result<bool> purge_tombstones(Connection& on, Space& space);
  /// `places` are in order.
  [[nodiscard]] Result<> remove(Connection& on, Space& space, const std::vector<std::int64_t>& places);
  [[nodiscard]] Result<> store(Connection& on, Space& space);

  SupersededRows& superseded_;
  const PurgeCutoffs cutoffs_;
  bool is_listed_ = false;
  std::vector<Space> spaces_;  // that are not done yet
  std::int64_t rows_left_ = 0;
  std::map<std::int64_t, std::int64_t> gone_;  // rows by chunk, in this transaction
};

}  // namespace syncline::sqlite
