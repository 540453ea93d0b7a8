#include "runner/intent_log.hpp"

#include <filesystem>

namespace syncline::runner {
namespace {

constexpr std::int64_t kApplicationId = 0x534C524E;  // "SLRN"
constexpr std::int64_t kVersion = 1;

constexpr const char* kOpen = "PRAGMA journal_mode=WAL;";
/// On disk when the commit returns.
constexpr const char* kDurable = "PRAGMA synchronous=FULL;";
/// Survives the end of the process at once, the end of the machine from the next durable commit on.
constexpr const char* kSoonDurable = "PRAGMA synchronous=NORMAL;";
constexpr const char* kSchema =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE intents(id TEXT PRIMARY KEY, type TEXT NOT NULL, begun_ms INTEGER NOT NULL, state INTEGER NOT NULL,"
    "                     status TEXT NOT NULL DEFAULT '', result BLOB NOT NULL DEFAULT '', error TEXT NOT NULL "
    "DEFAULT '',"
    "                     exit_code INTEGER NOT NULL DEFAULT -1) WITHOUT ROWID;"
    "CREATE INDEX unreported ON intents(state) WHERE state < 2;"
    "PRAGMA application_id = 1397510734; PRAGMA user_version = 1; COMMIT;";
static_assert(kApplicationId == 1397510734);
/// Older versions of this program do not know it and leave it as it is.
constexpr const char* kAuditHead =
    "CREATE TABLE IF NOT EXISTS audit_head(one INTEGER PRIMARY KEY CHECK (one = 1), count INTEGER NOT NULL,"
    "                                      hash TEXT NOT NULL)";
constexpr std::string_view kReadAuditHead = "SELECT count, hash FROM audit_head";

Result<std::optional<ChainHead>> read_head_row(sqlite::Statement& row) {
  const sqlite::StatementScope scope(row);
  TRY(const bool found, row.step());
  if (!found) return std::nullopt;
  return ChainHead{row.integer(0), std::string(row.bytes(1))};
}

IntentLog::Entry read_entry(const sqlite::Statement& row) {
  IntentLog::Entry entry;
  entry.id = row.bytes(0);
  entry.state = static_cast<IntentLog::State>(row.integer(1));
  entry.outcome.status = command_status_from_text(row.bytes(2)).value_or(CommandStatus::failed);
  entry.outcome.result = row.bytes(3);
  entry.outcome.error = row.bytes(4);
  if (row.integer(5) >= 0) entry.outcome.exit_code = static_cast<int>(row.integer(5));
  return entry;
}

Result<> prepare_file(sqlite::Connection& connection, const std::string& path) {
  CHECK_OK(connection.execute(kOpen));
  TRY(const std::int64_t application, connection.query_integer("PRAGMA application_id"));
  TRY(const std::int64_t version, connection.query_integer("PRAGMA user_version"));
  TRY(const std::int64_t tables, connection.query_integer("SELECT count(*) FROM sqlite_schema"));
  if (application == 0 && tables == 0) {
    CHECK_OK(connection.execute(kSchema));
    return connection.execute(kAuditHead);
  }
  if (application != kApplicationId) return fail(ErrorCode::wrong_store, path + " is not a runner database");
  if (version > kVersion) return fail(ErrorCode::newer_store, path + " was written by a newer version of syncline");
  return connection.execute(kAuditHead);
}

}  // namespace

/// Two connections: an intent must be on disk before the process starts; for what comes later it is enough to survive a
/// crash of the runner, and after one of the machine the command is reported as cut off.
struct IntentLog::Tables {
  sqlite::Connection durable;
  sqlite::Connection soon_durable;
  sqlite::Statement begin, end, report, find, unreported, purge, set_audit_head, audit_head;
};

IntentLog::IntentLog() = default;
IntentLog::~IntentLog() = default;

Result<std::unique_ptr<IntentLog>> IntentLog::open(const std::string& path) {
  TRY(auto durable, sqlite::Connection::open(path, sqlite::Connection::Mode::create));
  CHECK_OK(prepare_file(durable, path));
  CHECK_OK(durable.execute(kDurable));
  TRY(auto soon_durable, sqlite::Connection::open(path, sqlite::Connection::Mode::read_write));
  CHECK_OK(soon_durable.execute(kSoonDurable));
  TRY(auto begin, durable.prepare("INSERT OR IGNORE INTO intents(id, type, begun_ms, state) VALUES (?, ?, ?, 0) "
                                  "RETURNING 1"));
  TRY(auto end,
      soon_durable.prepare("UPDATE intents SET state = 1, status = ?2, result = ?3, error = ?4, exit_code = ?5 "
                           "WHERE id = ?1 AND state = 0"));
  TRY(auto report, soon_durable.prepare("UPDATE intents SET state = 2, result = '' WHERE id = ?"));
  constexpr std::string_view kColumns = "SELECT id, state, status, result, error, exit_code FROM intents ";
  TRY(auto find, soon_durable.prepare(std::string(kColumns) + "WHERE id = ?"));
  TRY(auto unreported, soon_durable.prepare(std::string(kColumns) + "WHERE state < 2 ORDER BY begun_ms"));
  TRY(auto purge, soon_durable.prepare("DELETE FROM intents WHERE state = 2 AND begun_ms < ?1 AND begun_ms <= "
                                       "(SELECT begun_ms FROM intents ORDER BY begun_ms DESC LIMIT 1 OFFSET ?2)"));
  TRY(auto set_audit_head,
      soon_durable.prepare("INSERT OR REPLACE INTO audit_head(one, count, hash) VALUES (1, ?, ?)"));
  TRY(auto audit_head, soon_durable.prepare(kReadAuditHead));
  std::unique_ptr<IntentLog> log(new IntentLog());
  log->tables_ = std::make_unique<Tables>(std::move(durable), std::move(soon_durable), std::move(begin), std::move(end),
                                          std::move(report), std::move(find), std::move(unreported), std::move(purge),
                                          std::move(set_audit_head), std::move(audit_head));
  return log;
}

Result<bool> IntentLog::begin(const std::string& id, CommandType type, std::int64_t now_ms) {
  const MutexLock lock(mutex_);
  const sqlite::StatementScope scope(tables_->begin);
  tables_->begin.bind_text(1, id);
  tables_->begin.bind_text(2, to_text(type));
  tables_->begin.bind(3, now_ms);
  TRY(const bool is_new, tables_->begin.step());
  if (is_new) {
    TRY([[maybe_unused]] const bool more, tables_->begin.step());  // to the end: only then is it committed
  }
  return is_new;
}

Result<> IntentLog::end(const std::string& id, const Outcome& outcome) {
  const MutexLock lock(mutex_);
  const sqlite::StatementScope scope(tables_->end);
  tables_->end.bind_text(1, id);
  tables_->end.bind_text(2, to_text(outcome.status));
  tables_->end.bind_bytes(3, outcome.result);
  tables_->end.bind_text(4, outcome.error);
  tables_->end.bind(5, outcome.exit_code.value_or(-1));
  return tables_->end.run();
}

Result<> IntentLog::set_reported(const std::string& id) {
  const MutexLock lock(mutex_);
  const sqlite::StatementScope scope(tables_->report);
  tables_->report.bind_text(1, id);
  return tables_->report.run();
}

Result<std::optional<IntentLog::Entry>> IntentLog::find(const std::string& id) {
  const MutexLock lock(mutex_);
  const sqlite::StatementScope scope(tables_->find);
  tables_->find.bind_text(1, id);
  TRY(const bool found, tables_->find.step());
  return found ? std::optional(read_entry(tables_->find)) : std::nullopt;
}

Result<std::vector<IntentLog::Entry>> IntentLog::unreported() {
  const MutexLock lock(mutex_);
  const sqlite::StatementScope scope(tables_->unreported);
  std::vector<Entry> entries;
  for (;;) {
    TRY(const bool more, tables_->unreported.step());
    if (!more) return entries;
    entries.push_back(read_entry(tables_->unreported));
  }
}

Result<> IntentLog::set_audit_head(const ChainHead& head) {
  const MutexLock lock(mutex_);
  const sqlite::StatementScope scope(tables_->set_audit_head);
  tables_->set_audit_head.bind(1, head.count);
  tables_->set_audit_head.bind_text(2, head.hash);
  return tables_->set_audit_head.run();
}

Result<std::optional<ChainHead>> IntentLog::audit_head() {
  const MutexLock lock(mutex_);
  return read_head_row(tables_->audit_head);
}

Result<std::optional<ChainHead>> IntentLog::read_audit_head(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return std::nullopt;
  TRY(auto connection, sqlite::Connection::open(path, sqlite::Connection::Mode::read_only));
  TRY(const std::int64_t tables,
      connection.query_integer("SELECT count(*) FROM sqlite_schema WHERE name = 'audit_head'"));
  if (tables == 0) return std::nullopt;
  TRY(auto row, connection.prepare(kReadAuditHead));
  return read_head_row(row);
}

Result<> IntentLog::purge(std::int64_t before_ms, std::int64_t keep_newest) {
  const MutexLock lock(mutex_);
  const sqlite::StatementScope scope(tables_->purge);
  tables_->purge.bind(1, before_ms);
  tables_->purge.bind(2, keep_newest);
  return tables_->purge.run();
}

}  // namespace syncline::runner
