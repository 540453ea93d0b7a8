#include "store/sqlite/schema.hpp"

#include <array>

#include "base/limits.hpp"

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
)sql"};

Result<> migrate(Connection& connection, std::int64_t version, std::string_view new_epoch) {
  TRY(Transaction transaction, Transaction::begin(connection));
  for (; version < kSchemaVersion; ++version) {
    CHECK_OK(connection.execute(kMigrations.at(static_cast<std::size_t>(version))));
    if (version == 0) {
      CHECK_OK(connection.execute("PRAGMA application_id = " + std::to_string(kApplicationId)));
      CHECK_OK(connection.execute("INSERT INTO meta VALUES ('epoch', '" + std::string(new_epoch) + "')"));
    }
  }
  CHECK_OK(connection.execute("PRAGMA user_version = " + std::to_string(kSchemaVersion)));
  return transaction.commit();
}

}  // namespace

Result<> configure_writer(Connection& connection) {
  CHECK_OK(connection.execute("PRAGMA journal_mode = WAL"));
  return connection.execute(
      "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -32768; "
      "PRAGMA foreign_keys = OFF; PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = " +
      std::to_string(limits::kWalSoftBytes));
}

Result<> configure_reader(Connection& connection) {
  return connection.execute("PRAGMA cache_size = -2048; PRAGMA query_only = ON; PRAGMA temp_store = MEMORY");
}

Result<> open_schema(Connection& connection, std::string_view new_epoch) {
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
  if (version == kSchemaVersion) return {};
  return migrate(connection, version, new_epoch);
}

}  // namespace syncline::sqlite
