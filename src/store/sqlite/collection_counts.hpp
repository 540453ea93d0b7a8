// How many live records each collection has, and their bytes: columns of the table `collection`, which the writer keeps
// with each commit, so that nobody reads a space to show them.
//
// The counts of a space add up to its own. Where they do not, an earlier version of the program has written the store,
// and the records are counted when it is opened.
#pragma once

#include <vector>

#include "store/buffered_txn.hpp"
#include "store/sqlite/connection.hpp"
#include "store/sqlite/superseded_rows.hpp"

namespace syncline::sqlite {

/// What a space has, by the numbers of its collections.
struct LiveCounts {
  std::vector<LiveDelta> collections;
  /// Some rows cannot be read, and are not counted.
  bool is_partial = false;

  void add(std::int64_t collection, const LiveDelta& delta);
};

/// Adds the columns to a table that has none; the counts are 0 then.
[[nodiscard]] Result<> add_count_columns(Connection& connection);
/// False for a file of a version without them.
[[nodiscard]] Result<bool> has_count_columns(Connection& connection);

/// Reads all records of a space.
[[nodiscard]] Result<LiveCounts> count_live(Connection& connection, const SupersededRows& superseded,
                                            std::int64_t space);
/// Replaces the counts of a space. For the caller's transaction.
[[nodiscard]] Result<> put_counts(Connection& connection, std::int64_t space, const LiveCounts& counts);

enum class CountAgain { where_wrong, everywhere };
/// Counts the records of the spaces whose collections do not add up, or of all.
[[nodiscard]] Result<> count_collections(Connection& connection, const SupersededRows& superseded, CountAgain which);

/// By name; none for a space that was never written.
[[nodiscard]] Result<std::vector<CollectionInfo>> read_collections(Connection& connection, const SpaceName& space);

}  // namespace syncline::sqlite
