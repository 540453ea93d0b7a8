#include "store/sqlite/sqlite_store.hpp"

#include <filesystem>

#include "base/bytes.hpp"
#include "store/sqlite/backup.hpp"
#include "store/sqlite/schema.hpp"

namespace syncline {
namespace {

using sqlite::Connection;
using sqlite::Reader;
using sqlite::Statement;

/// More readers than this at once are opened for the moment and closed again.
constexpr std::size_t kIdleReadersMax = 8;

std::string make_epoch() { return to_hex(random_bytes(6)); }

}  // namespace

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const std::string& path, const Clock& clock, Options options) {
  std::unique_ptr<SqliteStore> store(new SqliteStore(path));
  TRY(Connection connection, Connection::open(path, Connection::Mode::create));
  CHECK_OK(sqlite::open_schema(connection, make_epoch()));
  if (options.file_bytes_max > 0) {
    TRY(const std::int64_t page_bytes, connection.query_integer("PRAGMA page_size"));
    CHECK_OK(connection.execute("PRAGMA max_page_count = " + std::to_string(options.file_bytes_max / page_bytes)));
  }
  TRY(store->epoch_, connection.query_text("SELECT value FROM meta WHERE name = 'epoch'"));
  CHECK_OK(store->catalog_.load(connection));
  TRY(Connection for_checkpoints, Connection::open(path, Connection::Mode::read_write));
  CHECK_OK(sqlite::configure_writer(for_checkpoints));
  TRY(store->writer_, sqlite::Writer::start(std::move(connection), std::move(for_checkpoints), store->catalog_, clock,
                                            {std::move(options.on_broken)}));
  return store;
}

SqliteStore::~SqliteStore() = default;

void SqliteStore::close() { writer_->stop(); }

void SqliteStore::write(const SpaceName& space, const WriteOptions& options, WriteFunction run, WriteDone done) {
  writer_->enqueue(space, options, std::move(run), std::move(done));
}

Result<std::unique_ptr<Reader>> SqliteStore::take_reader() {
  {
    const MutexLock lock(readers_mutex_);
    if (!idle_readers_.empty()) {
      auto reader = std::move(idle_readers_.back());
      idle_readers_.pop_back();
      return reader;
    }
  }
  TRY(Connection connection, Connection::open(path_, Connection::Mode::read_write));
  CHECK_OK(sqlite::configure_reader(connection));
  return Reader::make(std::move(connection));
}

void SqliteStore::give_back(std::unique_ptr<Reader> reader) {
  if (reader->connection.in_transaction()) (void)reader->connection.execute("ROLLBACK");
  const MutexLock lock(readers_mutex_);
  if (idle_readers_.size() < kIdleReadersMax) idle_readers_.push_back(std::move(reader));
}

Result<> SqliteStore::with_reader(const std::function<Result<>(Reader&)>& run) {
  TRY(std::unique_ptr<Reader> reader, take_reader());
  Result<> result;
  {
    const sqlite::StatementScope scope(reader->begin);
    result = reader->begin.run();
  }
  if (result) result = run(*reader);
  if (reader->connection.in_transaction()) {
    const sqlite::StatementScope scope(reader->commit);
    (void)reader->commit.run();
  }
  give_back(std::move(reader));
  return result;
}

Result<> SqliteStore::read(const SpaceName& space, const ReadFunction& run) {
  return with_reader([&](Reader& reader) -> Result<> {
    TRY(sqlite::SqliteSnapshot snapshot, sqlite::make_snapshot(reader, space, catalog_.find(space)));
    return run(snapshot);
  });
}

Result<std::vector<SpaceInfo>> SqliteStore::spaces(std::optional<AccountNumber> account) {
  std::vector<SpaceInfo> infos;
  CHECK_OK(with_reader([&](Reader& reader) -> Result<> {
    TRY(Statement rows, reader.connection.prepare("SELECT account, name, head, records, bytes, updated_at, "
                                                  "purged_through FROM space WHERE ?1 < 0 OR account = ?1 "
                                                  "ORDER BY account, name"));
    rows.bind(1, account ? account->value : -1);
    for (;;) {
      TRY(const bool row, rows.step());
      if (!row) return {};
      if (rows.integer(2) == 0) continue;
      infos.push_back({.name = {{rows.integer(0)}, std::string(rows.bytes(1))},
                       .head = {rows.integer(2)},
                       .records = rows.integer(3),
                       .bytes = rows.integer(4),
                       .updated_at = {rows.integer(5)},
                       .purged_through = {rows.integer(6)}});
    }
  }));
  return infos;
}

Result<std::vector<Event>> SqliteStore::events(EventNumber after, std::size_t count_max) {
  std::vector<Event> found;
  CHECK_OK(with_reader([&](Reader& reader) -> Result<> {
    TRY(found, sqlite::read_events(reader, after, count_max));
    return {};
  }));
  return found;
}

Result<> SqliteStore::forget_events(EventNumber through) {
  return writer_->run_alone([through](Connection& on) {
    return on.execute("DELETE FROM event WHERE number <= " + std::to_string(through.value));
  });
}

Result<> SqliteStore::erase_account(AccountNumber account) {
  return writer_->run_alone([this, account](Connection& on) -> Result<> {
    const std::string own = "(SELECT number FROM space WHERE account = " + std::to_string(account.value) + ")";
    TRY(sqlite::Transaction transaction, sqlite::Transaction::begin(on));
    CHECK_OK(
        on.execute("INSERT OR REPLACE INTO meta SELECT 'last_history_number', max(number) FROM history "
                   "HAVING max(number) > 0;"
                   "INSERT OR REPLACE INTO meta SELECT 'last_space_number', max(number) FROM space;"
                   "DELETE FROM record WHERE pos >> 40 IN " +
                   own +
                   ";"
                   "DELETE FROM history WHERE pos >> 40 IN " +
                   own +
                   ";"
                   "DELETE FROM conflict WHERE space IN " +
                   own +
                   ";"
                   "DELETE FROM receipt WHERE space IN " +
                   own +
                   ";"
                   "DELETE FROM value WHERE space IN " +
                   own +
                   ";"
                   "DELETE FROM event WHERE account = " +
                   std::to_string(account.value) +
                   ";"
                   "DELETE FROM collection WHERE space IN " +
                   own +
                   ";"
                   "DELETE FROM space WHERE number IN " +
                   own + ";"));
    CHECK_OK(transaction.commit());
    catalog_.forget(account);
    return {};
  });
}

Result<> SqliteStore::purge(const PurgeCutoffs& cutoffs) {
  return writer_->run_alone([cutoffs](Connection& on) -> Result<> {
    const auto micros = [](Timestamp time) { return std::to_string(time.micros); };
    // History is written in the order of replacement: everything before the first young enough row is old.
    TRY(const std::int64_t first_kept, on.query_integer("SELECT number FROM history WHERE replaced_at >= " +
                                                        micros(cutoffs.history) + " ORDER BY number LIMIT 1"));
    TRY(const std::int64_t last, on.query_integer("SELECT max(number) FROM history"));
    const std::int64_t end = first_kept > 0 ? first_kept : last + 1;
    TRY(sqlite::Transaction transaction, sqlite::Transaction::begin(on));
    CHECK_OK(on.execute(
        "INSERT OR REPLACE INTO meta SELECT 'last_history_number', max(number) FROM history HAVING max(number) > 0;"
        "DELETE FROM history WHERE number < " +
        std::to_string(end) +
        ";"
        "DELETE FROM receipt WHERE at < " +
        micros(cutoffs.receipts) +
        ";"
        "UPDATE space SET purged_through = max(purged_through, coalesce((SELECT max(pos) & ((1 << 40) - 1) "
        "FROM record WHERE pos > number << 40 AND pos < (number + 1) << 40 AND flags & 1 AND committed_at < " +
        micros(cutoffs.tombstones) + "), 0));"));
    return transaction.commit();
  });
}

StoreStatus SqliteStore::status() const {
  StoreStatus status = writer_->status();
  std::error_code ignored;
  const auto bytes = std::filesystem::file_size(path_, ignored);
  status.file_bytes = ignored ? 0 : static_cast<std::int64_t>(bytes);
  return status;
}

}  // namespace syncline
