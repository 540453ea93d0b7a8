#include "store/sqlite/schema.hpp"

#include <array>

#include "base/limits.hpp"
#include "store/sqlite/collection_counts.hpp"
#include "store/sqlite/directory_tables.hpp"
#include "store/sqlite/log_room.hpp"

namespace syncline::sqlite {
namespace {

/// migrations[n] brings version n to n + 1. Never changed once released, only added to.
constexpr std::array<const char*, kSchemaVersion> kMigrations = {
    // 1: records clustered by feed order: pos = space number << 40 | seq, so a pull is one forward scan.
    R"sql(
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE space (
  number INTEGER PRIMARY KEY, account INTEGER NOT NULL, name TEXT NOT NULL,
  head INTEGER NOT NULL, records INTEGER NOT NULL, bytes INTEGER NOT NULL,
  updated_at INTEGER NOT NULL, purged_through INTEGER NOT NULL, collections INTEGER NOT NULL,
  UNIQUE (account, name));
CREATE TABLE collection (
  space INTEGER NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL,
  PRIMARY KEY (space, number)) WITHOUT ROWID;
-- scope = space number << 12 | collection number; effective_lift = effective_at - updated_at; flags = rule << 1 | deleted
CREATE TABLE record (
  pos INTEGER PRIMARY KEY, scope INTEGER NOT NULL, id BLOB NOT NULL,
  updated_at INTEGER NOT NULL, effective_lift INTEGER NOT NULL, claimed_at INTEGER NOT NULL,
  committed_at INTEGER NOT NULL, origin INTEGER NOT NULL, flags INTEGER NOT NULL, previous INTEGER NOT NULL,
  doc BLOB NOT NULL);
CREATE UNIQUE INDEX record_key ON record (scope, id);
CREATE TABLE history (
  number INTEGER PRIMARY KEY, pos INTEGER NOT NULL, scope INTEGER NOT NULL, id BLOB NOT NULL,
  updated_at INTEGER NOT NULL, effective_lift INTEGER NOT NULL, claimed_at INTEGER NOT NULL,
  committed_at INTEGER NOT NULL, origin INTEGER NOT NULL, flags INTEGER NOT NULL, previous INTEGER NOT NULL,
  doc BLOB NOT NULL, replaced_at INTEGER NOT NULL);
CREATE TABLE conflict (
  number INTEGER PRIMARY KEY AUTOINCREMENT, space INTEGER NOT NULL, fingerprint BLOB NOT NULL,
  rule INTEGER NOT NULL, state INTEGER NOT NULL, at INTEGER NOT NULL,
  pos INTEGER NOT NULL, scope INTEGER NOT NULL, id BLOB NOT NULL,
  updated_at INTEGER NOT NULL, committed_at INTEGER NOT NULL, origin INTEGER NOT NULL, flags INTEGER NOT NULL,
  doc BLOB NOT NULL,
  UNIQUE (space, fingerprint));
CREATE INDEX conflict_state ON conflict (space, state, number);
CREATE TABLE receipt (
  space INTEGER NOT NULL, key BLOB NOT NULL, at INTEGER NOT NULL, fingerprint BLOB NOT NULL,
  status INTEGER NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (space, key)) WITHOUT ROWID;
CREATE INDEX receipt_at ON receipt (at);
)sql",
    // 2: values beside the feed.
    R"sql(
CREATE TABLE value (space INTEGER NOT NULL, name BLOB NOT NULL, value BLOB NOT NULL, PRIMARY KEY (space, name))
  WITHOUT ROWID;
)sql",
    // 3: events that somebody is to be told of.
    R"sql(
CREATE TABLE event (number INTEGER PRIMARY KEY AUTOINCREMENT, account INTEGER NOT NULL, type TEXT NOT NULL,
  at INTEGER NOT NULL, data BLOB NOT NULL);
)sql",
    // 4: a hash of each row (row_hash.hpp); rows of before have none until they are written again. And which openings
    // of the store wrote a space, and the number of the commit that wrote it last: what was written before counts as
    // one opening's, so that from now on its cursors can be told from those of a copy.
    R"sql(
ALTER TABLE record ADD COLUMN hash INTEGER;
ALTER TABLE history ADD COLUMN hash INTEGER;
ALTER TABLE conflict ADD COLUMN hash INTEGER;
ALTER TABLE receipt ADD COLUMN hash INTEGER;
ALTER TABLE value ADD COLUMN hash INTEGER;
CREATE TABLE incarnation (space INTEGER NOT NULL, head_before INTEGER NOT NULL, id INTEGER NOT NULL,
  PRIMARY KEY (space, head_before)) WITHOUT ROWID;
INSERT INTO incarnation SELECT number, 0, max(1, random() & 281474976710655) FROM space WHERE head > 0;
ALTER TABLE space ADD COLUMN commit_number INTEGER NOT NULL DEFAULT 0;
)sql",
    // 5: a version of a record is one blob (record_row.hpp); the versions before stay in `record`, marked in
    // `superseded`
    // (superseded_rows.hpp), until they are moved to `history`; the keys have a table of their own, which is filled in
    // the order of the keys (key_table.hpp), with stamps that were raised since (raised_stamps.hpp). migration.cpp
    // moves the rows, and gives those of before format 4 a hash.
    R"sql(
ALTER TABLE record RENAME TO record_4;
ALTER TABLE history RENAME TO history_4;
CREATE TABLE record (pos INTEGER PRIMARY KEY, row BLOB NOT NULL);
CREATE TABLE history (pos INTEGER PRIMARY KEY, row BLOB NOT NULL);
CREATE TABLE superseded (chunk INTEGER PRIMARY KEY, marks BLOB NOT NULL);
CREATE TABLE key (scope INTEGER NOT NULL, id BLOB NOT NULL, pos INTEGER NOT NULL, raised BLOB NOT NULL DEFAULT x'',
  PRIMARY KEY (scope, id)) WITHOUT ROWID;
CREATE TABLE raised (number INTEGER PRIMARY KEY, space INTEGER NOT NULL, stamps BLOB NOT NULL);
ALTER TABLE space ADD COLUMN merged_through INTEGER NOT NULL DEFAULT 0;
-- seqs whose predecessors have been purged, and those that were looked at for old deletions
ALTER TABLE space ADD COLUMN history_through INTEGER NOT NULL DEFAULT 0;
ALTER TABLE space ADD COLUMN aged_through INTEGER NOT NULL DEFAULT 0;
)sql"};
/// The first format whose rows have hashes.
constexpr std::int64_t kVersionWithHashes = 4;

Result<> migrate(Connection& connection, std::int64_t version, std::string_view new_epoch) {
  TRY(Transaction transaction, Transaction::begin(connection));
  const bool is_new = version == 0;
  if (version > 0 && version < kVersionWithHashes) {
    CHECK_OK(connection.execute("INSERT OR REPLACE INTO meta VALUES ('rows_without_hash', '1')"));
  }
  for (; version < kSchemaVersion; ++version) {
    CHECK_OK(connection.execute(kMigrations.at(static_cast<std::size_t>(version))));
    if (version == 0) {
      CHECK_OK(connection.execute("PRAGMA application_id = " + std::to_string(kApplicationId)));
      CHECK_OK(connection.execute("INSERT INTO meta VALUES ('epoch', '" + std::string(new_epoch) + "')"));
    }
  }
  CHECK_OK(connection.execute(kDirectoryTables));  // of format 5
  // From here on no version of before can open the store: what it would write would be missing in the new tables.
  CHECK_OK(is_new ? connection.execute("DROP TABLE record_4; DROP TABLE history_4") : begin_move(connection));
  CHECK_OK(connection.execute("PRAGMA user_version = " + std::to_string(kSchemaVersion)));
  return transaction.commit();
}

/// Adds the column of what is kept beside the records (SpaceInfo::history_bytes), and counts what is in the store:
/// once, when versions of earlier formats are where they belong.
Result<> count_history(Connection& connection) {
  TRY(const std::int64_t has_column,
      connection.query_integer("SELECT count(*) FROM pragma_table_info('space') WHERE name = 'history_bytes'"));
  if (has_column > 0) return {};
  TRY(Transaction transaction, Transaction::begin(connection));
  CHECK_OK(connection.execute(
      "ALTER TABLE space ADD COLUMN history_bytes INTEGER NOT NULL DEFAULT 0;"
      "UPDATE space SET history_bytes = "
      "coalesce((SELECT sum(length(row)) FROM history WHERE pos > number << 40 AND pos < (number + 1) << 40), 0) + "
      "coalesce((SELECT sum(64 + length(id) + length(doc)) FROM conflict WHERE space = space.number), 0) + "
      "coalesce((SELECT sum(64 + length(body)) FROM receipt WHERE space = space.number), 0)"));
  return transaction.commit();
}

}  // namespace

Result<> configure_writer(Connection& connection) {
  CHECK_OK(connection.execute("PRAGMA journal_mode = WAL"));
  return connection.execute(
      "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -8192; "
      "PRAGMA foreign_keys = OFF; PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = " +
      std::to_string(kLogFileBytes));
}

Result<> configure_reader(Connection& connection) {
  return connection.execute("PRAGMA cache_size = -2048; PRAGMA query_only = ON; PRAGMA temp_store = MEMORY");
}

Result<> open_schema(Connection& connection, std::string_view new_epoch, const MoveOptions& move) {
  TRY(const std::int64_t application, connection.query_integer("PRAGMA application_id"));
  TRY(const std::int64_t version, connection.query_integer("PRAGMA user_version"));
  TRY(const std::int64_t tables, connection.query_integer("SELECT count(*) FROM sqlite_master"));
  const bool is_new = application == 0 && version == 0 && tables == 0;
  if (!is_new && application != kApplicationId) {
    return fail(ErrorCode::wrong_store, "the database belongs to another program");
  }
  if (version > kSchemaVersion) {
    return fail(ErrorCode::newer_store, "the store has format " + std::to_string(version) +
                                            ", but this version supports formats up to " +
                                            std::to_string(kSchemaVersion));
  }
  CHECK_OK(configure_writer(connection));
  if (version < kSchemaVersion) CHECK_OK(migrate(connection, version, new_epoch));
  CHECK_OK(finish_move(connection, move));
  CHECK_OK(count_history(connection));
  CHECK_OK(add_count_columns(connection));
  // Tables that came later; an earlier version of the program leaves them as they are.
  for (const char* later : {kAuditTables, kPasskeyTable, kIdentityTable, kGrantTable, kWebhookTables, kLeaseTable})
    CHECK_OK(connection.execute(later));
  return {};
}

}  // namespace syncline::sqlite
