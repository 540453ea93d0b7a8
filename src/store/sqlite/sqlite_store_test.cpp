// What only the SQLite store does: files, versions, full disks, backups.
#include "store/sqlite/sqlite_store.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/bytes.hpp"
#include "store/sqlite/schema.hpp"
#include "support/durations.hpp"
#include "support/environment.hpp"
#include "support/old_formats.hpp"

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
  test::make_old_format(path(), 1);
  auto store = *open();
  EXPECT_TRUE(write_and_wait(*store, kFileSpace, {}, [](Txn& txn) -> Result<> {
    TRY(const auto record, txn.find("c", "i"));
    EXPECT_TRUE(record);
    txn.put_value("n", "1");
    return {};
  }));
}

TEST_F(SqliteStoreTest, a_store_of_format_3_counts_as_written_by_one_opening) {
  const std::string copy = directory_.path() + "/copy";
  {
    auto store = *open();
    ASSERT_TRUE(put(*store, "i", "{}"));
  }
  test::make_old_format(path(), 3);
  fs::copy_file(path(), copy);
  auto store = *open();
  EXPECT_EQ(store->head(kFileSpace).value, 1);
  const IncarnationId before = store->lineage(kFileSpace)->at(Seq{1});
  EXPECT_NE(before, IncarnationId{});
  ASSERT_TRUE(put(*store, "j", "{}"));
  EXPECT_NE(store->lineage(kFileSpace)->at(Seq{2}), before);
  EXPECT_EQ(store->status().warning, "");
  EXPECT_TRUE(store->verify()->empty());

  // A backup may be as old.
  ASSERT_TRUE(restore_backup(copy, directory_.path() + "/restored.db", "rnew"));
}

TEST_F(SqliteStoreTest, each_opening_that_writes_is_remembered) {
  const auto open_as = [&](std::int64_t incarnation) {
    return *SqliteStore::open(path(), clock_, {.incarnation = {incarnation}});
  };
  for (const std::int64_t incarnation : {1, 2, 3}) {
    auto store = open_as(incarnation);
    if (incarnation == 2) continue;
    ASSERT_TRUE(put(*store, std::to_string(incarnation), "{}"));
  }
  auto store = open_as(4);
  const std::vector<Lineage::Entry> expected = {{{1}, {0}}, {{3}, {1}}, {{4}, {2}}};
  EXPECT_EQ(store->lineage(kFileSpace)->entries(), expected);
  EXPECT_TRUE(write_and_wait(*store, kFileSpace, {}, [](Txn& txn) -> Result<> {
    txn.put_value("n", "1");  // takes no seq, so no cursor can tell it from its absence
    return {};
  }));
  store = nullptr;
  store = open_as(5);
  EXPECT_EQ(store->lineage(kFileSpace)->entries().back(), (Lineage::Entry{{5}, {2}}));
  EXPECT_EQ(store->lineage(kFileSpace)->entries().size(), 3U);
}

TEST_F(SqliteStoreTest, only_so_many_openings_are_kept) {
  for (std::size_t i = 1; i <= limits::kIncarnationsMax + 5; ++i) {
    auto store = *SqliteStore::open(path(), clock_, {.incarnation = {static_cast<std::int64_t>(i)}});
    ASSERT_TRUE(put(*store, "i", std::to_string(i)));
    EXPECT_LE(store->lineage(kFileSpace)->entries().size(), limits::kIncarnationsMax);
  }
  auto connection = *sqlite::Connection::open(path(), sqlite::Connection::Mode::read_only);
  EXPECT_LE(connection.query_integer("SELECT count(*) FROM incarnation").value_or(0),
            static_cast<std::int64_t>(limits::kIncarnationsMax));
}

TEST_F(SqliteStoreTest, a_plain_copy_that_is_put_back_is_another_history) {
  const std::string copy = directory_.path() + "/copy.db";
  {
    auto store = *open();
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(put(*store, std::to_string(i), "{}"));
  }
  fs::copy_file(path(), copy);
  IncarnationId device_knows;
  {
    auto store = *open();
    for (int i = 5; i < 8; ++i) ASSERT_TRUE(put(*store, std::to_string(i), "{}"));
    device_knows = store->lineage(kFileSpace)->at(Seq{8});
  }
  auto store = *SqliteStore::open(copy, clock_, {});
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(put(*store, "other" + std::to_string(i), "{}"));
  EXPECT_FALSE(store->lineage(kFileSpace)->contains(device_knows, Seq{8}));
  EXPECT_TRUE(store->lineage(kFileSpace)->contains(store->lineage(kFileSpace)->at(Seq{5}), Seq{5}));
  EXPECT_FALSE(store->lineage(kFileSpace)->contains(store->lineage(kFileSpace)->at(Seq{5}), Seq{6}));
}

TEST_F(SqliteStoreTest, the_log_of_a_quiet_store_is_empty) {
  auto store = *SqliteStore::open(path(), clock_, {.empty_log_after_ms = 20});
  ASSERT_TRUE(put(*store, "i", "{}"));
  const auto is_empty = [&] { return store->status().wal_bytes == 0 && fs::file_size(path() + "-wal") == 0; };
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!is_empty() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_TRUE(is_empty());
  ASSERT_TRUE(put(*store, "j", "{}"));
  EXPECT_TRUE(store->verify()->empty());
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

/// A store of which one page of records was overwritten while it was closed.
class DamagedStoreTest : public SqliteStoreTest {
 protected:
  static constexpr int kRecords = 400;

  DamagedStoreTest() {
    {
      auto store = *open();
      for (int i = 0; i < kRecords; ++i) EXPECT_TRUE(put(*store, id(i), "marker-" + id(i) + std::string(300, 'x')));
    }
    damage_page_of("marker-" + id(kRecords / 2));
    store_ = *SqliteStore::open(path(), clock_,
                                {.on_broken = [this](const Error& error) { broken_.push_back(error.code); }});
  }

  static std::string id(int number) { return std::to_string(1000 + number); }

  void damage_page_of(const std::string& marker) const {
    constexpr std::size_t kPageBytes = 4096;
    std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    const std::size_t at = bytes.find(marker);
    ASSERT_NE(at, std::string::npos) << "the log was copied when the store was closed";
    file.clear();
    file.seekp(static_cast<std::streamoff>(at - at % kPageBytes));
    file << std::string(16, '\xFF');
  }

  Result<> find(const std::string& of) {
    return store_->read(kFileSpace, [&](Snapshot& snapshot) -> Result<> {
      TRY(const auto record, snapshot.find("c", of));
      EXPECT_TRUE(record);
      return {};
    });
  }
  /// The process is told on the thread of the read or the writer; a read waits for neither.
  std::vector<ErrorCode> broken_;
  std::unique_ptr<SqliteStore> store_;
};

TEST_F(DamagedStoreTest, says_what_it_cannot_read_and_reads_the_rest) {
  EXPECT_EQ(find(id(kRecords / 2)).error().code, ErrorCode::storage_damaged);
  EXPECT_TRUE(find(id(0)));
  EXPECT_TRUE(find(id(kRecords - 1)));
  EXPECT_EQ(store_->status().failed_reads, (FailedReads{0, 1, 0}));
  EXPECT_FALSE(store_->status().unreadable.empty());
  EXPECT_FALSE(store_->verify()->empty());
  EXPECT_TRUE(broken_.empty());
}

TEST_F(DamagedStoreTest, reports_damage_that_repeats) {
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(find(id(kRecords / 2)));
  EXPECT_TRUE(broken_.empty());
  EXPECT_FALSE(find(id(kRecords / 2)));
  EXPECT_EQ(broken_, std::vector{ErrorCode::storage_damaged});
}

TEST_F(DamagedStoreTest, commits_nothing_that_was_decided_on_a_failed_read) {
  const auto written = write_and_wait(*store_, kFileSpace, {}, [&](Txn& txn) -> Result<> {
    const auto stored = txn.find("c", id(kRecords / 2));
    EXPECT_FALSE(stored);
    Record record;
    record.collection = "c";
    record.id = "made-without-knowing";
    txn.put(std::move(record), nullptr);
    return {};
  });
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::storage_damaged) << written.error().text;
  EXPECT_EQ(store_->head(kFileSpace).value, kRecords);
  EXPECT_EQ(store_->status().failed_reads, (FailedReads{0, 1, 0})) << "a read in a write counts too";
  EXPECT_TRUE(put(*store_, "other", "1")) << "others go on";
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
  EXPECT_LT(largest, 4 * limits::kWalSoftBytes) << "the copying thread may be late, but not for long";
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

TEST_F(SqliteStoreTest, a_version_replaced_in_the_future_keeps_no_other_from_being_purged) {
  constexpr std::int64_t kYears = 12 * test::kYearMicros;
  ManualClock clock{Timestamp{1'800'000'000'000'000}};
  auto store = *SqliteStore::open(path(), clock, {});
  const auto elsewhere = [&](const std::string& doc) {
    return write_and_wait(*store, {AccountNumber{2}, "s"}, {}, [&](Txn& txn) -> Result<> {
      TRY(const auto stored, txn.find("c", "a"));
      Record record;
      record.collection = "c";
      record.id = "a";
      record.doc = doc;
      txn.put(std::move(record), stored ? &*stored : nullptr);
      return {};
    });
  };
  const auto count_of = [&](const SpaceName& space) {
    std::size_t count = 0;
    EXPECT_TRUE(store->read(space, [&](Snapshot& snapshot) -> Result<> {
      TRY(const auto newest, snapshot.find("c", "a"));
      TRY(const auto earlier, snapshot.history(*newest, 10, kListBytesMax));
      count = earlier.size();
      return {};
    }));
    return count;
  };
  ASSERT_TRUE(elsewhere("1"));
  clock.advance_micros(kYears);
  ASSERT_TRUE(elsewhere("2"));
  clock.advance_micros(-kYears);
  ASSERT_TRUE(put(*store, "a", "1"));
  ASSERT_TRUE(put(*store, "a", "2"));
  clock.advance_micros(1'000'000);
  ASSERT_TRUE(put(*store, "a", "3"));

  ASSERT_TRUE(store->purge({.history = clock.now().plus_micros(-500'000)}));

  EXPECT_EQ(count_of(kFileSpace), 1U);
  EXPECT_EQ(count_of({AccountNumber{2}, "s"}), 1U) << "nor is it removed before its time";
}

}  // namespace
}  // namespace syncline
