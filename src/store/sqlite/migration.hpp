// From the formats before 5 to format 5: versions become blobs in new tables, the keys get a table of their own, and
// each row its hash. The move goes forward in the order of the rows, in transactions of some thousand rows each; the
// file says how far it is. So it needs little memory and log, and a process that ends in the middle costs nothing but
// the rows of one transaction. The file grows by as much as it has; the old tables are dropped at the end.
#pragma once

#include <cstddef>
#include <functional>

#include "store/sqlite/connection.hpp"

namespace syncline::sqlite {

struct MoveOptions {
  std::size_t rows_each = 20'000;  // of a transaction
  /// Called after each transaction; a failure ends the move there. For tests.
  std::function<Result<>()> after_each = nullptr;
};

/// In the transaction that makes the store one of format 5: from here on it is to be moved.
[[nodiscard]] Result<> begin_move(Connection& connection);
/// Moves what is left to be moved, if anything is.
[[nodiscard]] Result<> finish_move(Connection& connection, const MoveOptions& options);

}  // namespace syncline::sqlite
