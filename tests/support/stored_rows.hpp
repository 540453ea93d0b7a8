// The rows of the tables `record` and `history`, for tests that alter them behind the store's back.
#pragma once

#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "store/sqlite/connection.hpp"
#include "store/sqlite/layout.hpp"
#include "store/sqlite/record_row.hpp"

namespace syncline::test {

struct StoredRow {
  std::int64_t pos = 0;
  std::string bytes;
  std::int64_t collection = 0;
  Record version;
};

inline std::vector<StoredRow> read_rows(sqlite::Connection& file, const std::string& table) {
  std::vector<StoredRow> found;
  auto rows = *file.prepare("SELECT pos, row FROM " + table + " ORDER BY pos");
  while (*rows.step()) {
    StoredRow row{.pos = rows.integer(0), .bytes = std::string(rows.bytes(1)), .version = {}};
    if (const auto parsed = sqlite::parse_row(row.bytes)) {
      row.collection = parsed->collection;
      row.version = parsed->version.to_record();
      row.version.seq = sqlite::seq_of(row.pos);
    }
    found.push_back(std::move(row));
  }
  return found;
}

/// Lets `alter` change the newest version of the table `record` that `is_meant` names, if there is one. The hash of the
/// row stays what it was.
inline void alter_newest(sqlite::Connection& file, const std::function<bool(const StoredRow&)>& is_meant,
                         const std::function<void(Record&)>& alter) {
  StoredRow newest;
  for (StoredRow& row : read_rows(file, "record")) {
    if (is_meant(row)) newest = std::move(row);
  }
  if (newest.pos == 0) return;
  const std::string hash = newest.bytes.substr(0, sizeof(std::uint64_t));
  alter(newest.version);
  sqlite::write_row(newest.bytes, newest.pos, newest.version, newest.collection);
  newest.bytes.replace(0, hash.size(), hash);
  auto update = *file.prepare("UPDATE record SET row = ? WHERE pos = ?");
  update.bind_bytes(1, newest.bytes);
  update.bind(2, newest.pos);
  if (!update.run()) std::abort();
}

}  // namespace syncline::test
