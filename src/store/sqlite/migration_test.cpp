// Stores of earlier formats: everything that comes out afterwards is what was put in.
#include "store/sqlite/migration.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "store/sqlite/schema.hpp"
#include "store/sqlite/sqlite_store.hpp"
#include "support/environment.hpp"
#include "support/old_formats.hpp"

namespace syncline {
namespace {

namespace fs = std::filesystem;
const SpaceName kOldNotes{AccountNumber{1}, "notes"};
const SpaceName kOldOthers{AccountNumber{2}, "others"};
using Items = std::vector<std::string>;

std::string old_text_of(const RecordView& record) {
  return std::string(record.collection) + '/' + std::string(record.id) + ' ' + std::to_string(record.seq.value) + ' ' +
         std::to_string(record.updated_at.micros) + ' ' + std::to_string(record.effective_at.micros) + ' ' +
         std::to_string(record.committed_at.micros) + ' ' + std::to_string(record.previous) + ' ' +
         std::string(record.doc);
}

class MigrationTest : public testing::Test {
 protected:
  MigrationTest() {
    auto store = open();
    for (const SpaceName& space : {kOldNotes, kOldOthers}) {
      for (int turn = 0; turn < 3; ++turn) {
        EXPECT_TRUE(write_and_wait(*store, space, {}, [&](Txn& txn) -> Result<> {
          for (int i = turn; i < 60; i += turn + 1) CHECK_OK(put(txn, "r" + std::to_string(i), turn));
          Conflict conflict;
          conflict.loser.collection = "c";
          conflict.loser.id = "r1";
          conflict.loser.doc = std::to_string(turn);
          TRY([[maybe_unused]] const auto kept, txn.add_conflict(conflict));
          txn.put_value("v" + std::to_string(turn), "value");
          txn.put_receipt("k" + std::to_string(turn), {"print", 200, "body"});
          return {};
        }));
      }
    }
    store = nullptr;
    // What no earlier format had is not compared: the numbers of commits, and who wrote.
    expected_ = read_all();
  }

  static Result<> put(Txn& txn, const std::string& id, int turn) {
    TRY(const auto stored, txn.find(turn % 2 == 0 ? "c" : "d", id));
    Record record;
    record.collection = turn % 2 == 0 ? "c" : "d";
    record.id = id;
    record.doc = R"({"turn":)" + std::to_string(turn) + '}';
    record.updated_at = record.effective_at = txn.stamp();
    txn.put(std::move(record), stored ? &*stored : nullptr);
    return {};
  }

  std::unique_ptr<SqliteStore> open() {
    auto opened = SqliteStore::open(path_, clock_, {});
    EXPECT_TRUE(opened) << opened.error().text;
    return *std::move(opened);
  }

  /// Every read of a face: feeds, lists, histories, conflicts, values and receipts.
  Items read_all() {
    Items items;
    auto store = open();
    for (const SpaceName& space : {kOldNotes, kOldOthers}) {
      EXPECT_TRUE(store->read(space, [&](Snapshot& snapshot) -> Result<> {
        const auto add = [&](const RecordView& record) {
          items.push_back(old_text_of(record));
          return true;
        };
        std::vector<Record> newest;
        CHECK_OK(snapshot.feed({}, [&](const RecordView& record) {
          newest.push_back(record.to_record());
          return add(record);
        }));
        for (const char* collection : {"c", "d"}) CHECK_OK(snapshot.scan(collection, "", add));
        for (const Record& record : newest) {
          TRY(const auto found, snapshot.find(record.collection, record.id));
          EXPECT_TRUE(found) << record.id;
          TRY(const auto versions, snapshot.history(record, 100, kListBytesMax));
          for (const Record& version : versions) items.push_back("was " + old_text_of(view_of(version)));
        }
        TRY(const auto conflicts, snapshot.conflicts(std::nullopt, {}, 100));
        for (const Conflict& conflict : conflicts) items.push_back(old_text_of(view_of(conflict.loser)));
        for (int turn = 0; turn < 3; ++turn) {
          TRY(const auto value, snapshot.find_value("v" + std::to_string(turn)));
          items.push_back(value.value_or("no value"));
        }
        return {};
      }));
      EXPECT_TRUE(write_and_wait(*store, space, {}, [&](Txn& txn) -> Result<> {
        for (int turn = 0; turn < 3; ++turn) {
          TRY(const auto receipt, txn.find_receipt("k" + std::to_string(turn)));
          items.push_back(receipt ? receipt->body : "no receipt");
        }
        return {};
      }));
    }
    return items;
  }

  void expect_moved() {
    EXPECT_EQ(read_all(), expected_);
    EXPECT_EQ(*open()->verify(), Items{});
    auto file = *sqlite::Connection::open(path_, sqlite::Connection::Mode::read_only);
    EXPECT_EQ(file.query_integer("PRAGMA user_version"), sqlite::kSchemaVersion);
    EXPECT_EQ(file.query_integer("SELECT count(*) FROM sqlite_master WHERE name = 'record_key'"), 0);
    EXPECT_EQ(file.query_integer("SELECT count(*) FROM meta WHERE name IN ('moving_to_5', 'rows_without_hash')"), 0);
    EXPECT_EQ(file.query_integer("SELECT count(*) FROM sqlite_master WHERE name LIKE '%\\_4' ESCAPE '\\'"), 0);
    for (const char* table : {"conflict", "value", "receipt"}) {
      EXPECT_EQ(file.query_integer("SELECT count(*) FROM " + std::string(table) + " WHERE hash IS NULL"), 0) << table;
    }
  }

  ManualClock clock_{Timestamp{1'800'000'000'000'000}};
  test::TemporaryDirectory directory_;
  std::string path_ = directory_.path() + "/syncline.db";
  Items expected_;
};

TEST_F(MigrationTest, a_store_of_format_4_keeps_everything) {
  test::make_old_format(path_, 4);
  expect_moved();
}

TEST_F(MigrationTest, a_store_of_format_3_keeps_everything_and_every_row_gets_its_hash) {
  test::make_old_format(path_, 3);
  expect_moved();
}

TEST_F(MigrationTest, a_move_that_is_ended_anywhere_goes_on_at_the_next_opening) {
  test::make_old_format(path_, 3);
  const std::string old = directory_.path() + "/old.db";
  fs::copy_file(path_, old);
  for (int ends_after = 1;; ++ends_after) {
    fs::copy_file(old, path_, fs::copy_options::overwrite_existing);
    for (const char* suffix : {"-wal", "-shm", "-commit"}) fs::remove(path_ + suffix);
    int transactions = 0;
    const auto after_each = [&]() -> Result<> {
      return ++transactions == ends_after ? fail(ErrorCode::unavailable, "killed") : Result<>{};
    };
    {
      auto file = *sqlite::Connection::open(path_, sqlite::Connection::Mode::read_write);
      const auto moved = sqlite::open_schema(file, "epoch", {.rows_each = 50, .after_each = after_each});
      if (moved) {
        EXPECT_GT(ends_after, 10) << "it ended in the middle of every table";
        break;
      }
      EXPECT_EQ(file.query_integer("PRAGMA user_version"), sqlite::kSchemaVersion) << "no older version may go on";
    }
    SCOPED_TRACE(ends_after);
    expect_moved();
    if (testing::Test::HasFailure()) return;
  }
}

TEST_F(MigrationTest, a_row_that_was_damaged_before_stays_damaged) {
  test::make_old_format(path_, 4);
  {
    auto file = *sqlite::Connection::open(path_, sqlite::Connection::Mode::read_write);
    ASSERT_TRUE(file.execute("UPDATE record SET doc = CAST('{}' AS BLOB) WHERE pos = (SELECT max(pos) FROM record)"));
  }
  auto store = open();
  EXPECT_EQ(store->verify()->size(), 1U);
  EXPECT_EQ(store->damage(kOldOthers).size(), 1U);
}

TEST_F(MigrationTest, a_store_with_an_unreadable_key_index_stays_what_it_is) {
  test::make_old_format(path_, 4);
  std::int64_t page = 0;
  {
    auto file = *sqlite::Connection::open(path_, sqlite::Connection::Mode::read_write);
    page = *file.query_integer("SELECT max(pageno) FROM dbstat WHERE name = 'record_key' AND pagetype = 'leaf'");
  }
  std::fstream(path_, std::ios::in | std::ios::out | std::ios::binary).seekp((page - 1) * 4096)
      << std::string(16, '\xFF');
  EXPECT_EQ(SqliteStore::open(path_, clock_, {}).error().code, ErrorCode::storage_damaged);
  auto file = *sqlite::Connection::open(path_, sqlite::Connection::Mode::read_only);
  EXPECT_EQ(file.query_integer("PRAGMA user_version"), 4);
}

TEST_F(MigrationTest, keys_that_the_index_lacks_are_taken_from_the_rows) {
  test::make_old_format(path_, 4);
  std::int64_t page = 0;
  {
    auto file = *sqlite::Connection::open(path_, sqlite::Connection::Mode::read_write);
    page = *file.query_integer("SELECT min(pageno) FROM dbstat WHERE name = 'record_key' AND pagetype = 'leaf'");
  }
  std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(file), {}};
  // The same key twice.
  const auto begin = static_cast<std::size_t>((page - 1) * 4096);
  const std::size_t at = bytes.find("r10", begin);
  ASSERT_LT(at, begin + 4096);
  file.clear();
  file.seekp(static_cast<std::streamoff>(at)) << "r12";
  file.close();
  expect_moved();
}

TEST_F(MigrationTest, a_backup_of_an_earlier_format_is_moved_when_it_is_restored) {
  test::make_old_format(path_, 3);
  const std::string backup = directory_.path() + "/backup";
  fs::copy_file(path_, backup);
  fs::remove(path_);
  ASSERT_TRUE(restore_backup(backup, path_, "epoch"));
  expect_moved();
}

}  // namespace
}  // namespace syncline
