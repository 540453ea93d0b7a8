// Files of earlier formats, made of a closed store of this version.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>

#include "store/sqlite/row_hash.hpp"
#include "support/stored_rows.hpp"

namespace syncline::test {

/// The tables `record` and `history` as formats up to 4 had them: a column for each part of a version, and each history
/// row a number of its own, in the order of replacement.
class OldVersionTables {
 public:
  explicit OldVersionTables(sqlite::Connection& file) : file_(file) {}

  void make() {
    std::map<std::int64_t, StoredRow> versions;  // by place
    for (const char* table : {"record", "history"}) {
      for (StoredRow& row : read_rows(file_, table)) versions.emplace(row.pos, std::move(row));
    }
    // A version is history if another one names it.
    std::map<std::int64_t, std::pair<std::int64_t, std::int64_t>> replaced;  // by place: number, replaced_at
    std::int64_t number = 0;
    for (const auto& [pos, row] : versions) {
      if (row.version.previous == 0) continue;
      replaced[place_before(row)] = {++number, row.version.committed_at.micros};
    }
    run("DROP TABLE record; DROP TABLE history");
    run("CREATE TABLE record (pos INTEGER PRIMARY KEY, " + std::string(kColumns) +
        ", hash INTEGER);"
        "CREATE UNIQUE INDEX record_key ON record (scope, id);"
        "CREATE TABLE history (number INTEGER PRIMARY KEY, pos INTEGER NOT NULL, " +
        std::string(kColumns) + ", replaced_at INTEGER NOT NULL, hash INTEGER)");
    for (const auto& [pos, row] : versions) {
      const auto before = row.version.previous == 0 ? replaced.end() : replaced.find(place_before(row));
      const std::int64_t previous = before == replaced.end() ? 0 : before->second.first;
      const auto own = replaced.find(pos);
      const bool is_history = own != replaced.end();
      sqlite::Statement insert = *file_.prepare(is_history ? "INSERT INTO history (" + std::string(kHistory.columns) +
                                                                 ", hash) VALUES "
                                                                 "(?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
                                                           : "INSERT INTO record (" + std::string(kRecord.columns) +
                                                                 ", hash) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)");
      sqlite::Columns to(is_history ? kHistory : kRecord, insert);
      const Record& version = row.version;
      to.add(pos);
      to.add(sqlite::pack_scope(sqlite::space_of_pos(pos), row.collection));
      to.add(version.id);
      to.add(version.updated_at.micros);
      to.add(version.effective_at.micros - version.updated_at.micros);
      to.add(version.claimed_at.micros);
      to.add(version.committed_at.micros);
      to.add(version.origin.value);
      to.add(sqlite::pack_flags(version.rule, version.deleted));
      to.add(previous);
      to.add(version.doc);
      if (is_history) {
        to.add(own->second.first);
        to.add(own->second.second);
      }
      to.finish();
      ASSERT_TRUE(insert.run());
    }
  }

 private:
  static constexpr std::string_view kColumns =
      "scope INTEGER NOT NULL, id BLOB NOT NULL, updated_at INTEGER NOT NULL, effective_lift INTEGER NOT NULL, "
      "claimed_at INTEGER NOT NULL, committed_at INTEGER NOT NULL, origin INTEGER NOT NULL, flags INTEGER NOT NULL, "
      "previous INTEGER NOT NULL, doc BLOB NOT NULL";
  static constexpr sqlite::RowForm kRecord{
      .table = Damage::Table::record,
      .columns = "pos, scope, id, updated_at, effective_lift, claimed_at, committed_at, origin, flags, previous, doc",
      .kinds = "iibiiiiiiib",
      .body = 10};
  static constexpr sqlite::RowForm kHistory{
      .table = Damage::Table::history,
      .columns =
          "pos, scope, id, updated_at, effective_lift, claimed_at, committed_at, origin, flags, previous, doc, "
          "number, replaced_at",
      .kinds = "iibiiiiiiibii",
      .body = 10};

  static std::int64_t place_before(const StoredRow& row) {
    return sqlite::pack_pos(sqlite::space_of_pos(row.pos), Seq{row.version.previous});
  }
  void run(const std::string& sql) { ASSERT_TRUE(file_.execute(sql)) << sql; }

  sqlite::Connection& file_;
};

/// Makes the store one of format 4, 3 or 1. What that format had no place for is lost.
inline void make_old_format(const std::string& path, int format) {
  auto file = *sqlite::Connection::open(path, sqlite::Connection::Mode::read_write);
  const auto run = [&](const std::string& sql) { ASSERT_TRUE(file.execute(sql)) << sql; };
  for (const char* table : {"account", "api_key", "password_reset", "pulled", "request_usage", "directory_mark"}) {
    run("DROP TABLE " + std::string(table));
  }
  OldVersionTables(file).make();
  run("DROP TABLE key; DROP TABLE superseded; DROP TABLE raised; ALTER TABLE space DROP COLUMN merged_through;"
      "ALTER TABLE space DROP COLUMN history_through; ALTER TABLE space DROP COLUMN aged_through;"
      "DELETE FROM meta WHERE name = 'keys_merged_before'");
  if (format < 4) {
    run("DROP TABLE incarnation; ALTER TABLE space DROP COLUMN commit_number");
    for (const char* table : {"record", "history", "conflict", "receipt", "value"}) {
      run("ALTER TABLE " + std::string(table) + " DROP COLUMN hash");
    }
    std::filesystem::remove(path + "-commit");
  }
  if (format < 3) run("DROP TABLE value; DROP TABLE event");
  run("PRAGMA user_version = " + std::to_string(format));
  ASSERT_TRUE(file.checkpoint_truncate());
}

}  // namespace syncline::test
