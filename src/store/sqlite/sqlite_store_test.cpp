// What only the SQLite store does: files, versions, full disks, backups.
#include "store/sqlite/sqlite_store.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/bytes.hpp"
#include "store/sqlite/schema.hpp"
#include "support/environment.hpp"

namespace syncline {
namespace {

namespace fs = std::filesystem;
const SpaceName kFileSpace{AccountNumber{1}, "s"};

class SqliteStoreTest : public testing::Test {
 protected:
  [[nodiscard]] std::string path() const { return directory_.path() + "/syncline.db"; }

  Result<std::unique_ptr<SqliteStore>> open(std::int64_t bytes_max = 0) {
    return SqliteStore::open(path(), clock_, {.file_bytes_max = bytes_max});
  }

  static Result<Committed> put(Store& store, const std::string& id, const std::string& doc) {
    return write_and_wait(store, kFileSpace, {}, [&](Txn& txn) -> Result<> {
      TRY(const auto stored, txn.find("c", id));
      Record record;
      record.collection = "c";
      record.id = id;
      record.doc = doc;
      record.updated_at = record.effective_at = txn.stamp();
      txn.put(std::move(record), stored ? &*stored : nullptr);
      return {};
    });
  }

  SystemClock clock_;
  test::TemporaryDirectory directory_;
};

TEST_F(SqliteStoreTest, everything_survives_reopening) {
  std::string epoch;
  {
    auto store = *open();
    epoch = store->epoch();
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(put(*store, std::to_string(i % 10), std::to_string(i)));
  }
  auto store = *open();
  EXPECT_EQ(store->epoch(), epoch);
  EXPECT_EQ(store->head(kFileSpace).value, 100);
  EXPECT_EQ(put(*store, "new", "x")->head.value, 101);
  EXPECT_TRUE(store->verify()->empty());
  EXPECT_TRUE(store->read(kFileSpace, [](Snapshot& snapshot) -> Result<> {
    TRY(const auto record, snapshot.find("c", "9"));
    EXPECT_EQ(record->doc, "99");
    TRY(const auto history, snapshot.history(*record, 100, kListBytesMax));
    EXPECT_EQ(history.size(), 9U);
    return {};
  }));
}

TEST_F(SqliteStoreTest, a_store_of_the_first_version_is_migrated_and_keeps_its_data) {
  {
    auto store = *open();
    ASSERT_TRUE(put(*store, "i", "{}"));
  }
  {
    auto connection = *sqlite::Connection::open(path(), sqlite::Connection::Mode::read_write);
    ASSERT_TRUE(connection.execute("DROP TABLE value; DROP TABLE event; PRAGMA user_version = 1"));
  }
  auto store = *open();
  EXPECT_TRUE(write_and_wait(*store, kFileSpace, {}, [](Txn& txn) -> Result<> {
    TRY(const auto record, txn.find("c", "i"));
    EXPECT_TRUE(record);
    txn.put_value("n", "1");
    return {};
  }));
}

TEST_F(SqliteStoreTest, a_store_of_a_newer_version_is_rejected_and_unchanged) {
  {
    auto store = *open();
  }
  {
    auto connection = *sqlite::Connection::open(path(), sqlite::Connection::Mode::read_write);
    ASSERT_TRUE(connection.execute("PRAGMA user_version = 99"));
    ASSERT_TRUE(connection.checkpoint_truncate());
  }
  EXPECT_EQ(open().error().code, ErrorCode::newer_store);
  auto connection = *sqlite::Connection::open(path(), sqlite::Connection::Mode::read_only);
  EXPECT_EQ(connection.query_integer("PRAGMA user_version"), 99);
}

TEST_F(SqliteStoreTest, a_foreign_database_is_rejected_and_unchanged) {
  {
    auto connection = *sqlite::Connection::open(path(), sqlite::Connection::Mode::create);
    ASSERT_TRUE(connection.execute("CREATE TABLE theirs (x)"));
  }
  const auto size = fs::file_size(path());
  EXPECT_EQ(open().error().code, ErrorCode::wrong_store);
  EXPECT_EQ(fs::file_size(path()), size);
}

TEST_F(SqliteStoreTest, a_file_that_is_not_a_database_is_rejected_and_unchanged) {
  std::ofstream(path()) << std::string(5000, 'x');
  EXPECT_EQ(open().error().code, ErrorCode::wrong_store);
  EXPECT_EQ(fs::file_size(path()), 5000U);
}

TEST_F(SqliteStoreTest, a_full_store_reports_it_keeps_reading_and_loses_nothing) {
  auto store = *open(400LL * 1024);
  int stored = 0;
  std::optional<Error> refusal;
  for (; stored < 1000 && !refusal; ++stored) {
    const auto written = put(*store, std::to_string(stored), std::string(4000, 'x'));
    if (!written) refusal = written.error();
  }
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->code, ErrorCode::storage_full);
  EXPECT_EQ(advice_of(refusal->code), Advice::retry_later);
  EXPECT_FALSE(store->status().failing.empty());
  EXPECT_EQ(store->head(kFileSpace).value, stored - 1);
  EXPECT_TRUE(store->read(kFileSpace, [](Snapshot& snapshot) -> Result<> {
    TRY(const auto record, snapshot.find("c", "0"));
    EXPECT_TRUE(record);
    return {};
  }));
  EXPECT_TRUE(store->verify()->empty());
}

TEST_F(SqliteStoreTest, a_failed_commit_does_not_affect_later_ones) {
  auto store = *open(200LL * 1024);
  EXPECT_FALSE(write_and_wait(*store, {AccountNumber{1}, "new-space"}, {}, [](Txn& txn) -> Result<> {
    Record record;
    record.collection = "first";
    record.id = "i";
    record.doc = std::string(500'000, 'x');
    txn.put(std::move(record), nullptr);
    return {};
  }));
  EXPECT_TRUE(put(*store, "a", "1"));
  EXPECT_TRUE(store->status().failing.empty());
  EXPECT_TRUE(write_and_wait(*store, {AccountNumber{1}, "new-space"}, {}, [](Txn& txn) -> Result<> {
    EXPECT_EQ(txn.info().head.value, 0);
    Record record;
    record.collection = "second";
    record.id = "i";
    record.doc = "1";
    txn.put(std::move(record), nullptr);
    return {};
  }));
  EXPECT_TRUE(store->verify()->empty());
}

TEST_F(SqliteStoreTest, a_backup_is_a_complete_store_and_a_restore_has_a_new_epoch) {
  auto store = *open();
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(put(*store, std::to_string(i), "x"));
  const std::string copy = directory_.path() + "/copy";
  ASSERT_TRUE(store->backup(copy));
  EXPECT_EQ(store->backup(copy).error().code, ErrorCode::conflict) << "an old backup is not overwritten";
  EXPECT_TRUE(put(*store, "later", "x"));

  const std::string target = directory_.path() + "/restored.db";
  ASSERT_TRUE(restore_backup(copy, target, "newepoch"));

  auto restored = *SqliteStore::open(target, clock_, {});
  EXPECT_EQ(restored->epoch(), "newepoch");
  EXPECT_NE(restored->epoch(), store->epoch());
  EXPECT_EQ(restored->head(kFileSpace).value, 50);
  EXPECT_EQ(restore_backup(copy, target, "x").error().code, ErrorCode::conflict);
}

TEST_F(SqliteStoreTest, only_a_backup_can_be_restored) {
  const std::string text = directory_.path() + "/text";
  std::ofstream(text) << std::string(5000, 'x');
  EXPECT_EQ(restore_backup(text, directory_.path() + "/r.db", "e").error().code, ErrorCode::wrong_store);
  EXPECT_EQ(restore_backup(directory_.path() + "/none", directory_.path() + "/r.db", "e").error().code,
            ErrorCode::not_found);
  EXPECT_FALSE(fs::exists(directory_.path() + "/r.db"));
}

TEST_F(SqliteStoreTest, the_log_stays_bounded_while_writes_go_on) {
  auto store = *open();
  std::int64_t largest = 0;
  for (int i = 0; i < 130; ++i) {
    ASSERT_TRUE(put(*store, std::to_string(i), std::string(1 << 20, 'x')));
    largest = std::max(largest, store->status().wal_bytes);
  }
  EXPECT_LT(largest, 2 * limits::kWalSoftBytes);
}

TEST_F(SqliteStoreTest, waiting_writes_share_commits) {
  auto store = *open();
  std::atomic<int> done = 0;
  const std::int64_t before = store->status().commits;
  for (int i = 0; i < 200; ++i) {
    store->write(
        kFileSpace, {},
        [i](Txn& txn) -> Result<> {
          Record record;
          record.collection = "c";
          record.id = std::to_string(i);
          txn.put(std::move(record), nullptr);
          return {};
        },
        [&](Result<Committed> result) {
          EXPECT_TRUE(result);
          ++done;
        });
  }
  EXPECT_TRUE(put(*store, "last", "x"));
  EXPECT_EQ(done, 200);
  EXPECT_LT(store->status().commits - before, 100);
}

}  // namespace
}  // namespace syncline
