// The store against plain SQLite doing the same: durable upserts of 300-byte records, with a feed by seq. Plain SQLite
// here is one connection, one writer at a time, the same WAL and synchronous = FULL, no server.
//
//   store_bench [--ids random|ordered] [--records N] [--seconds S] [--dir DIR]
//
// Prints one JSON object per measurement.
#include <sqlite3.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>

#include "arguments.hpp"
#include "base/bytes.hpp"
#include "base/mutex.hpp"
#include "records.hpp"
#include "store/sqlite/sqlite_store.hpp"

namespace {

using namespace syncline;
using Clock = std::chrono::steady_clock;

std::atomic<std::uint64_t> g_serial = 0;  // ids of one run differ
bench::Ids g_ids = bench::Ids::random;

std::string next_id() { return bench::make_id(g_ids, g_serial++); }

std::string make_doc(const std::string& id) {
  return R"({"title":")" + id + R"(","text":")" + std::string(265 - id.size(), 'x') + R"(","tags":[1,2]})";
}

/// One batch of upserts by the store; returns when it is durable.
void upsert(Store& store, int batch) {
  const auto result = write_and_wait(store, {AccountNumber{1}, "bench"}, {}, [batch](Txn& txn) -> Result<> {
    for (int i = 0; i < batch; ++i) {
      Record record;
      record.collection = "notes";
      record.id = next_id();
      record.doc = make_doc(record.id);
      record.updated_at = record.effective_at = txn.stamp();
      TRY(const auto stored, txn.find(record.collection, record.id));
      txn.put(std::move(record), stored ? &*stored : nullptr);
    }
    return {};
  });
  if (!result) {
    std::fprintf(stderr, "%s\n", result.error().text.c_str());
    std::exit(1);
  }
}

/// What one would write by hand: a table by key, an index by seq, a transaction a batch.
class PlainSqlite {
 public:
  explicit PlainSqlite(const std::string& path) {
    sqlite3_open(path.c_str(), &db_);
    sqlite3_exec(db_,
                 "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -32768;"
                 "CREATE TABLE records (collection TEXT, id TEXT, seq INTEGER, updated_at INTEGER, deleted INTEGER, "
                 "doc TEXT, PRIMARY KEY (collection, id)); CREATE UNIQUE INDEX by_seq ON records (seq);",
                 nullptr, nullptr, nullptr);
    prepare("BEGIN IMMEDIATE", begin_);
    prepare("COMMIT", commit_);
    prepare("SELECT seq, updated_at FROM records WHERE collection = ? AND id = ?", find_);
    prepare(
        "INSERT INTO records VALUES (?,?,?,?,0,?) ON CONFLICT (collection, id) DO UPDATE SET seq = excluded.seq, "
        "updated_at = excluded.updated_at, doc = excluded.doc",
        put_);
  }
  PlainSqlite(const PlainSqlite&) = delete;
  PlainSqlite& operator=(const PlainSqlite&) = delete;
  ~PlainSqlite() {
    for (sqlite3_stmt* statement : {begin_, commit_, find_, put_}) sqlite3_finalize(statement);
    sqlite3_close(db_);
  }

  void upsert(int batch) {
    const MutexLock lock(mutex_);
    run(begin_);
    for (int i = 0; i < batch; ++i) {
      const std::string id = next_id();
      const std::string doc = make_doc(id);
      bind_key(find_, id);
      run(find_);
      bind_key(put_, id);
      sqlite3_bind_int64(put_, 3, ++seq_);
      sqlite3_bind_int64(put_, 4, SystemClock().now().micros);
      sqlite3_bind_text(put_, 5, doc.data(), static_cast<int>(doc.size()), SQLITE_STATIC);
      run(put_);
    }
    run(commit_);
  }

 private:
  void prepare(const char* sql, sqlite3_stmt*& into) { sqlite3_prepare_v2(db_, sql, -1, &into, nullptr); }
  static void bind_key(sqlite3_stmt* statement, const std::string& id) {
    sqlite3_bind_text(statement, 1, "notes", -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, id.data(), static_cast<int>(id.size()), SQLITE_STATIC);
  }
  static void run(sqlite3_stmt* statement) {
    const int code = sqlite3_step(statement);
    if (code != SQLITE_DONE && code != SQLITE_ROW) {
      std::fprintf(stderr, "plain sqlite: %d\n", code);
      std::exit(1);
    }
    sqlite3_reset(statement);
  }

  sqlite3* db_ = nullptr;
  sqlite3_stmt *begin_ = nullptr, *commit_ = nullptr, *find_ = nullptr, *put_ = nullptr;
  Mutex mutex_;
  std::int64_t seq_ = 0;
};

/// Records per second of `writers` threads that each call run(batch) again and again.
template <typename Run>
double measure(int writers, int batch, double seconds, Run&& run) {
  std::atomic<bool> stop = false;
  std::atomic<std::int64_t> records = 0;
  const auto start = Clock::now();
  std::vector<std::thread> threads;
  threads.reserve(static_cast<std::size_t>(writers));
  for (int i = 0; i < writers; ++i) {
    threads.emplace_back([&] {
      while (!stop) {
        run(batch);
        records += batch;
      }
    });
  }
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  stop = true;
  for (std::thread& thread : threads) thread.join();
  return static_cast<double>(records) / std::chrono::duration<double>(Clock::now() - start).count();
}

void compare(Store& store, PlainSqlite& plain, std::int64_t stored, int writers, int batch, double seconds) {
  // In turns, so that a slow moment of the machine meets both.
  double ours = 0;
  double theirs = 0;
  constexpr int kTurns = 3;
  for (int turn = 0; turn < kTurns; ++turn) {
    ours += measure(writers, batch, seconds / kTurns, [&](int n) { upsert(store, n); }) / kTurns;
    theirs += measure(batch == 1 ? 1 : writers, batch, seconds / kTurns, [&](int n) { plain.upsert(n); }) / kTurns;
  }
  std::printf(
      "{\"stored\":%lld,\"writers\":%d,\"batch\":%d,\"syncline_per_s\":%.0f,\"plain_sqlite_per_s\":%.0f,"
      "\"ratio\":%.2f}\n",
      static_cast<long long>(stored), writers, batch, ours, theirs, ours / theirs);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Arguments given(argc, argv);
  const std::int64_t records = given.integer("--records", 1'000'000);
  const double seconds = given.number("--seconds", 6);
  const std::string dir = given.text("--dir", "/tmp/syncline-store-bench");
  g_ids = bench::ids_of(given.text("--ids", "random"));
  if (!initialise_crypto()) return 1;
  std::filesystem::remove_all(dir);
  std::filesystem::create_directories(dir);
  const SystemClock clock;
  auto store = SqliteStore::open(dir + "/store.db", clock, {});
  if (!store) return 1;
  {
    PlainSqlite plain(dir + "/plain.db");
    for (const std::int64_t stored : {std::int64_t{10'000}, records}) {
      while ((*store)->head({AccountNumber{1}, "bench"}).value < stored) upsert(**store, 5000);
      for (std::int64_t have = 0; have < stored; have += 5000) plain.upsert(5000);
      compare(**store, plain, stored, 8, 100, seconds);
      compare(**store, plain, stored, 64, 1, seconds);
    }
    const StoreStatus status = (*store)->status();
    std::printf("{\"wal_mib\":%.1f,\"file_mib\":%.1f}\n", static_cast<double>(status.wal_bytes) / 1048576,
                static_cast<double>(status.file_bytes) / 1048576);
  }
  store->reset();
  std::filesystem::remove_all(dir);
  return 0;
}
