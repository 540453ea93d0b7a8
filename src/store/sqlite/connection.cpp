#include "store/sqlite/connection.hpp"

#include <sqlite3.h>

namespace syncline::sqlite {
namespace {

constexpr int kBusyTimeoutMs = 5000;

/// Nothing was ever written that is too large to be read.
bool is_corrupt_code(int code) { return (code & 0xFF) == SQLITE_CORRUPT || (code & 0xFF) == SQLITE_TOOBIG; }
/// True for the failures of a disk that has lost what it was given, unlike those of one that takes nothing more.
bool is_failed_read(int extended) {
  return extended == SQLITE_IOERR_READ || extended == SQLITE_IOERR_SHORT_READ || extended == SQLITE_IOERR_CORRUPTFS ||
         extended == SQLITE_IOERR_DATA;
}

/// What an SQLite code means to the caller. `code` may be extended.
std::unexpected<Error> error_of(sqlite3* database) {
  const int extended = sqlite3_extended_errcode(database);
  const std::string text = std::string("database: ") + sqlite3_errmsg(database) + " (" + std::to_string(extended) + ")";
  if (is_failed_read(extended)) return fail(ErrorCode::storage_damaged, text);
  if (extended == SQLITE_IOERR_NOMEM) return fail(ErrorCode::unavailable, text);
  switch (extended & 0xFF) {
    case SQLITE_FULL: return fail(ErrorCode::storage_full, "no space left for the store");
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return fail(ErrorCode::busy, text);
    case SQLITE_IOERR: return fail(ErrorCode::storage_broken, text);
    case SQLITE_CORRUPT:
    case SQLITE_TOOBIG: return fail(ErrorCode::storage_damaged, text);  // nothing so large was ever written
    case SQLITE_NOTADB: return fail(ErrorCode::wrong_store, "not a syncline store");
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_NOMEM:
    case SQLITE_PROTOCOL: return fail(ErrorCode::unavailable, text);
    default: return fail(ErrorCode::internal, text);
  }
}

}  // namespace

void Statement::Finalizer::operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
void Connection::Closer::operator()(sqlite3* database) const noexcept { sqlite3_close_v2(database); }

void Statement::bind(int index, std::int64_t value) { sqlite3_bind_int64(statement_.get(), index, value); }

void Statement::bind_text(int index, std::string_view value) {
  sqlite3_bind_text64(statement_.get(), index, value.data(), value.size(), SQLITE_STATIC, SQLITE_UTF8);
}

void Statement::bind_bytes(int index, std::string_view value) {
  const char* data = value.data() != nullptr ? value.data() : "";  // a null pointer would bind NULL
  sqlite3_bind_blob64(statement_.get(), index, data, value.size(), SQLITE_STATIC);
}

Result<bool> Statement::step() {
  kept_.fill(nullptr);
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return error_of(sqlite3_db_handle(statement_.get()));
}

Result<> Statement::run() {
  auto stepped = step();
  if (!stepped) return std::unexpected(stepped.error());
  return {};
}

void Statement::reset() {
  kept_.fill(nullptr);
  sqlite3_reset(statement_.get());
}

bool Statement::is_corrupt() const { return is_corrupt_code(sqlite3_errcode(sqlite3_db_handle(statement_.get()))); }

/// A connection belongs to one thread at a time, so the value needs no protection.
sqlite3_value* Statement::value(int column) const {
  if (column >= kKeptColumnsMax) return sqlite3_column_value(statement_.get(), column);
  sqlite3_value*& kept = kept_.at(static_cast<std::size_t>(column));
  if (kept == nullptr) kept = sqlite3_column_value(statement_.get(), column);
  return kept;
}

ColumnType Statement::type(int column) const {
  switch (sqlite3_value_type(value(column))) {
    case SQLITE_NULL: return ColumnType::null;
    case SQLITE_INTEGER: return ColumnType::integer;
    case SQLITE_BLOB: return ColumnType::bytes;
    default: return ColumnType::other;
  }
}

std::int64_t Statement::integer(int column) const { return sqlite3_value_int64(value(column)); }

std::string_view Statement::bytes(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_value_blob(value(column)));
  return {data != nullptr ? data : "", static_cast<std::size_t>(sqlite3_value_bytes(value(column)))};
}

Result<Connection> Connection::open(const std::string& path, Mode mode) {
  // Nobody asks SQLite how much memory it has: without the counting its allocations need no common lock.
  static const int kConfigured = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  (void)kConfigured;
  int flags = SQLITE_OPEN_NOMUTEX;
  switch (mode) {
    case Mode::create: flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE; break;
    case Mode::read_write: flags |= SQLITE_OPEN_READWRITE; break;
    case Mode::read_only: flags |= SQLITE_OPEN_READONLY; break;
  }
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
  Connection connection;
  connection.database_.reset(raw);
  if (code != SQLITE_OK) return error_of(raw);
  sqlite3_extended_result_codes(raw, 1);
  sqlite3_busy_timeout(raw, kBusyTimeoutMs);
  return connection;
}

Result<> Connection::execute(const std::string& sql) {
  if (sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    return error_of(database_.get());
  }
  return {};
}

Result<Statement> Connection::prepare(std::string_view sql) {
  sqlite3_stmt* raw = nullptr;
  const int code = sqlite3_prepare_v3(database_.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  if (code != SQLITE_OK) return error_of(database_.get());
  return Statement(raw);
}

Result<std::int64_t> Connection::query_integer(std::string_view sql) {
  TRY(Statement statement, prepare(sql));
  TRY(const bool row, statement.step());
  return row ? statement.integer(0) : 0;
}

Result<std::string> Connection::query_text(std::string_view sql) {
  TRY(Statement statement, prepare(sql));
  TRY(const bool row, statement.step());
  return row ? std::string(statement.bytes(0)) : std::string();
}

Result<CheckpointProgress> Connection::checkpoint(int mode) {
  int in_log = -1;
  int done = -1;
  const int code = sqlite3_wal_checkpoint_v2(database_.get(), nullptr, mode, &in_log, &done);
  if (code != SQLITE_OK && (code & 0xFF) != SQLITE_BUSY) return error_of(database_.get());
  return CheckpointProgress{in_log, done};
}

Result<CheckpointProgress> Connection::checkpoint_passive() { return checkpoint(SQLITE_CHECKPOINT_PASSIVE); }
Result<CheckpointProgress> Connection::checkpoint_truncate() { return checkpoint(SQLITE_CHECKPOINT_TRUNCATE); }

Result<CheckpointProgress> Connection::try_checkpoint_truncate() {
  sqlite3_busy_timeout(database_.get(), 0);
  auto progress = checkpoint(SQLITE_CHECKPOINT_TRUNCATE);
  sqlite3_busy_timeout(database_.get(), kBusyTimeoutMs);
  return progress;
}

std::string Connection::log_path() const {
  const char* path = sqlite3_db_filename(database_.get(), "main");
  return path == nullptr ? std::string() : std::string(sqlite3_filename_wal(path));
}

Result<> Connection::sync_database() {
  sqlite3_file* file = nullptr;
  const int found = sqlite3_file_control(database_.get(), "main", SQLITE_FCNTL_FILE_POINTER, static_cast<void*>(&file));
  if (found != SQLITE_OK || file == nullptr || file->pMethods == nullptr) return {};  // not open: nothing is copied
  if (file->pMethods->xSync(file, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY) == SQLITE_OK) return {};
  return fail(ErrorCode::storage_broken, "cannot sync the database file");
}

bool Connection::is_corrupt() const { return is_corrupt_code(sqlite3_errcode(database_.get())); }

bool Connection::in_transaction() const { return sqlite3_get_autocommit(database_.get()) == 0; }

void Connection::watch_log(std::int64_t* frames) {
  sqlite3_wal_hook(
      database_.get(),
      [](void* target, sqlite3*, const char*, int pages) {
        *static_cast<std::int64_t*>(target) = pages;
        return SQLITE_OK;
      },
      frames);
}

Result<Transaction> Transaction::begin(Connection& on) {
  CHECK_OK(on.execute("BEGIN IMMEDIATE"));
  return Transaction(on);
}

Transaction::~Transaction() {
  if (on_ != nullptr && on_->in_transaction()) (void)on_->execute("ROLLBACK");
}

}  // namespace syncline::sqlite
