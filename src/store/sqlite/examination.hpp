// Everything that can be checked of a database: the structure of the file, the numbering, the links between tables, and
// the hash of each row.
#pragma once

#include <string>
#include <vector>

#include "store/damage_list.hpp"
#include "store/sqlite/connection.hpp"

namespace syncline::sqlite {

struct Findings {
  /// Of the file as a whole, one text each: only a backup helps.
  std::vector<std::string> problems;
  /// Of indexes, which can be made again of the rows.
  std::vector<std::string> index_problems;
  /// A check met a page that makes no sense, which may be one of an index.
  bool has_ended_early = false;
  std::vector<Damage> damaged;

  [[nodiscard]] bool has_damaged_records() const;
  /// All of it, one text each; of many damaged rows the first.
  [[nodiscard]] std::vector<std::string> to_texts() const;
};

[[nodiscard]] Result<Findings> examine(Connection connection);

}  // namespace syncline::sqlite
