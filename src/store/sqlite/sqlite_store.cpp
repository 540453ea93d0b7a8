#include "store/sqlite/sqlite_store.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "base/bytes.hpp"
#include "base/log.hpp"
#include "core/cursor.hpp"
#include "store/sqlite/collection_counts.hpp"
#include "store/sqlite/history_purge.hpp"
#include "store/sqlite/schema.hpp"

namespace syncline {
namespace {

using sqlite::Connection;
using sqlite::Reader;
using sqlite::Statement;

/// More readers than this at once are opened for the moment and closed again.
constexpr std::size_t kIdleReadersMax = 8;

std::string make_epoch() { return to_hex(random_bytes(6)); }

IncarnationId make_incarnation() {
  constexpr std::uint64_t kMask = (1ULL << 48U) - 1;
  return {std::max<std::int64_t>(1, static_cast<std::int64_t>(random_number() & kMask))};
}

/// `query` lists numbers.
Result<std::vector<std::int64_t>> list_numbers(Connection& on, const std::string& query) {
  std::vector<std::int64_t> numbers;
  TRY(Statement rows, on.prepare(query));
  for (;;) {
    TRY(const bool row, rows.step());
    if (!row) return numbers;
    numbers.push_back(rows.integer(0));
  }
}

}  // namespace

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const std::string& path, const Clock& clock, Options options) {
  const bool is_given = options.incarnation.value != 0;
  std::unique_ptr<SqliteStore> store(
      new SqliteStore(path, clock, is_given ? options.incarnation : make_incarnation(), options.on_broken));
  const sqlite::LogScan scan = sqlite::scan_log(path);  // before SQLite forgets what it does not believe
  TRY(Connection connection, Connection::open(path, Connection::Mode::create));
  CHECK_OK(sqlite::open_schema(connection, make_epoch()));
  TRY(auto mark, sqlite::CommitMark::open(path + std::string(sqlite::kCommitMarkSuffix)));
  TRY(store->lost_commits_, sqlite::check_lost_commits(connection, scan, *mark,
                                                       std::string(kRestoredEpochPrefix) + make_epoch(), clock.now()));
  // What a torn end has left in the log must not be there when the next crash is looked at. A full disk may forbid it.
  if (const auto emptied = connection.checkpoint_truncate(); !emptied) {
    log(LogLevel::warning, "log_not_emptied", {{"error", emptied.error().text}});
  }
  if (options.file_bytes_max > 0) {
    TRY(const std::int64_t page_bytes, connection.query_integer("PRAGMA page_size"));
    CHECK_OK(connection.execute("PRAGMA max_page_count = " + std::to_string(options.file_bytes_max / page_bytes)));
  }
  TRY(store->epoch_, connection.query_text("SELECT value FROM meta WHERE name = 'epoch'"));
  CHECK_OK(store->catalog_.load(connection));
  TRY(const sqlite::Tails tails, sqlite::read_tails(connection));
  TRY(const bool is_whole, sqlite::load_recent(connection, tails, store->keys_, store->superseded_));
  CHECK_OK(sqlite::load_raised(connection, store->keys_, !tails.empty()));
  if (!is_whole) {
    log(LogLevel::error, "superseded_rows_damaged", {{"what_now", "the table is made again of the records"}});
    CHECK_OK(store->make_marks_again(connection));
  }
  if (const auto counted = sqlite::count_collections(connection, store->superseded_, sqlite::CountAgain::where_wrong);
      !counted) {
    // The records can be read all the same.
    if (counted.error().code != ErrorCode::storage_damaged) return std::unexpected(counted.error());
    log(LogLevel::error, "collections_not_counted", {{"error", counted.error().text}});
  }
  TRY(Connection for_checkpoints, Connection::open(path, Connection::Mode::read_write));
  CHECK_OK(sqlite::configure_writer(for_checkpoints));
  TRY(store->writer_, sqlite::Writer::start(std::move(connection), std::move(for_checkpoints), std::move(mark),
                                            store->catalog_, store->health_, clock, store->shared_,
                                            {.on_broken = std::move(options.on_broken),
                                             .before_publication = std::move(options.before_publication),
                                             .empty_log_after_ms = options.empty_log_after_ms,
                                             .merge_keys_after_ms = options.merge_keys_after_ms,
                                             .keys = options.keys,
                                             .reclaim = options.reclaim}));
  store->directory_ = store->make_directory();
  return store;
}

Result<> SqliteStore::make_marks_again(Connection& connection) {
  auto made = sqlite::rebuild_key_table(connection, superseded_);
  if (made) return {};
  // A table that cannot be written either is for `verify`; the marks in memory are right.
  log(LogLevel::error, "superseded_rows_stay_damaged", {{"error", made.error().text}});
  return made.error().code == ErrorCode::storage_damaged ? Result<>{} : made;
}

std::unique_ptr<sqlite::SqliteDirectory> SqliteStore::make_directory() {
  using sqlite::SqliteDirectory;
  const auto read = [this](const SqliteDirectory::OnConnection& run) {
    return with_reader(ReadKind::accounts, [&](Reader& reader) { return run(reader.connection); });
  };
  const auto write = [this](SqliteDirectory::OnConnection run) { return writer_->run_in_group(std::move(run)); };
  return std::make_unique<SqliteDirectory>(path_, clock_, SqliteDirectory::Ways{read, write});
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
  return Reader::make(std::move(connection), shared_);
}

void SqliteStore::give_back(std::unique_ptr<Reader> reader) {
  if (reader->connection.in_transaction()) (void)reader->connection.execute("ROLLBACK");
  reader->unreadable.clear();
  const MutexLock lock(readers_mutex_);
  if (idle_readers_.size() < kIdleReadersMax) idle_readers_.push_back(std::move(reader));
}

Result<> SqliteStore::run_with(Reader& reader, const std::function<Result<>(Reader&)>& run) {
  const sqlite::RecentKeys::Pin pin(keys_);
  Result<> result;
  {
    const sqlite::StatementScope scope(reader.begin);
    result = reader.begin.run();
  }
  if (result) result = run(reader);
  if (reader.connection.in_transaction()) {
    const sqlite::StatementScope scope(reader.commit);
    (void)reader.commit.run();
  }
  return result;
}

Result<> SqliteStore::with_reader(ReadKind kind, const std::function<Result<>(Reader&)>& run) {
  auto reader = take_reader();
  Result<> result = reader ? run_with(**reader, run) : Result<>(std::unexpected(reader.error()));
  const bool found_damage = !result && ReadHealth::is_damage(result.error());
  if (found_damage) health_.note(kind, result.error());
  // A connection that has met damage may have kept some of it in memory.
  if (reader && !found_damage) give_back(*std::move(reader));
  return result;
}

Result<> SqliteStore::read(const SpaceName& space, const ReadFunction& run) {
  return with_reader(ReadHealth::kind_of(space), [&](Reader& reader) -> Result<> {
    TRY(sqlite::SqliteSnapshot snapshot, sqlite::make_snapshot(reader, space, catalog_));
    return run(snapshot);
  });
}

Result<std::vector<SpaceInfo>> SqliteStore::spaces(std::optional<AccountNumber> account) {
  std::vector<SpaceInfo> infos;
  CHECK_OK(with_reader(ReadKind::tables, [&](Reader& reader) -> Result<> {
    TRY(Statement rows,
        reader.connection.prepare("SELECT account, name, head, records, bytes, updated_at, "
                                  "purged_through, history_bytes FROM space WHERE ?1 < 0 OR account = ?1 "
                                  "ORDER BY account, name"));
    rows.bind(1, account ? account->value : -1);
    for (;;) {
      TRY(const bool row, rows.step());
      if (!row) return {};
      if (rows.integer(2) == 0) continue;
      const SpaceName name{{rows.integer(0)}, std::string(rows.bytes(1))};
      infos.push_back({.name = name,
                       .epoch = catalog_.epoch(name),
                       .head = {rows.integer(2)},
                       .records = rows.integer(3),
                       .bytes = rows.integer(4),
                       .history_bytes = rows.integer(7),
                       .updated_at = {rows.integer(5)},
                       .purged_through = {rows.integer(6)}});
    }
  }));
  return infos;
}

Result<std::vector<CollectionInfo>> SqliteStore::collections(const SpaceName& space) {
  std::vector<CollectionInfo> infos;
  CHECK_OK(with_reader(ReadHealth::kind_of(space), [&](Reader& reader) -> Result<> {
    TRY(infos, sqlite::read_collections(reader.connection, space));
    return {};
  }));
  return infos;
}

Result<std::vector<Event>> SqliteStore::take_events(std::size_t count_max) {
  std::vector<Event> found;
  CHECK_OK(with_reader(ReadKind::tables, [&](Reader& reader) -> Result<> {
    TRY(found, sqlite::read_events(reader, count_max));
    return {};
  }));
  return found;
}

Result<> SqliteStore::forget_events(const std::vector<EventNumber>& numbers) {
  return writer_->run_in_group([&numbers](Connection& on) -> Result<> {
    TRY(Statement row, on.prepare("DELETE FROM event WHERE number = ?"));
    for (const EventNumber number : numbers) {
      const sqlite::StatementScope scope(row);
      row.bind(1, number.value);
      CHECK_OK(row.run());
    }
    return {};
  });
}

Result<> SqliteStore::erase_account(AccountNumber account) {
  return writer_->run_alone([this, account](Connection& on) -> Result<> {
    const std::string numbers = "SELECT number FROM space WHERE account = " + std::to_string(account.value);
    const std::string own = "(" + numbers + ")";
    const std::string erase =
        "INSERT OR REPLACE INTO meta SELECT 'last_space_number', max(number) FROM space;"
        "INSERT OR REPLACE INTO meta SELECT 'last_commit', max(coalesce(max(commit_number), 0), coalesce("
        "(SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'last_commit'), 0)) FROM space;"
        "DELETE FROM key WHERE scope >> 12 IN " +
        own +
        ";"
        "DELETE FROM record WHERE pos >> 40 IN " +
        own +
        ";"
        "DELETE FROM history WHERE pos >> 40 IN " +
        own +
        ";"
        "DELETE FROM raised WHERE space IN " +
        own +
        ";"
        "DELETE FROM superseded WHERE chunk >> 28 IN " +
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
        "DELETE FROM meta WHERE name IN (SELECT 'epoch/' || number FROM space WHERE number IN " +
        own +
        ");"
        "DELETE FROM collection WHERE space IN " +
        own +
        ";"
        "DELETE FROM incarnation WHERE space IN " +
        own +
        ";"
        "DELETE FROM space WHERE number IN " +
        own + ";";
    TRY(const auto spaces, list_numbers(on, numbers));
    TRY(sqlite::Transaction transaction, sqlite::Transaction::begin(on));
    CHECK_OK(on.execute(erase));
    CHECK_OK(transaction.commit());
    keys_.forget_spaces(spaces);
    superseded_.forget_spaces(spaces);
    catalog_.forget(account);
    damage_.forget(account);
    return {};
  });
}

Result<> SqliteStore::purge(const PurgeCutoffs& cutoffs) {
  sqlite::HistoryPurge purge(superseded_, cutoffs);
  for (bool has_more = true; has_more;) {
    CHECK_OK(writer_->run_alone([&](Connection& on) -> Result<> {
      TRY(has_more, purge.run(on));
      return {};
    }));
  }
  return writer_->run_alone([&](Connection& on) -> Result<> {
    const std::string old = "receipt WHERE at < " + std::to_string(cutoffs.receipts.micros);
    TRY(sqlite::Transaction transaction, sqlite::Transaction::begin(on));
    CHECK_OK(on.execute("UPDATE space SET history_bytes = max(0, history_bytes - (SELECT sum(64 + length(body)) FROM " +
                        old + " AND space = space.number)) WHERE number IN (SELECT space FROM " + old +
                        "); DELETE FROM " + old));
    return transaction.commit();
  });
}

StoreStatus SqliteStore::status() const {
  StoreStatus status = writer_->status();
  std::error_code ignored;
  const auto bytes = std::filesystem::file_size(path_, ignored);
  status.file_bytes = ignored ? 0 : static_cast<std::int64_t>(bytes);
  status.damaged_rows = damage_.size();
  status.unreadable = health_.recent_failure();
  status.failed_reads = health_.counts();
  // The clock may have been wrong when the loss was found, as after the power cut that caused it.
  const bool was_opened_with_it = lost_commits_.is_new && steady_micros() - opened_at_micros_ < kLossShownMicros;
  const bool is_recent =
      was_opened_with_it || std::abs(clock_.now().micros - lost_commits_.found_at.micros) < kLossShownMicros;
  if (!lost_commits_.reason.empty() && is_recent) {
    status.warning = "a loss was found at " + format_time(lost_commits_.found_at) + ": " + lost_commits_.reason +
                     "; the store has a new epoch, and devices send their data again";
  }
  return status;
}

}  // namespace syncline
