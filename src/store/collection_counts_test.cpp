// The counts of collections: in every store, and what SQLite does about a file whose counts are wrong.
#include <gtest/gtest.h>

#include "support/store_fixture.hpp"

namespace syncline {
namespace {

using test::kOther;
using test::kSpace;

using Counts = std::vector<std::string>;

/// "name records bytes" of each collection.
Counts counts_of(Store& store, const SpaceName& space) {
  Counts texts;
  const auto infos = store.collections(space);
  EXPECT_TRUE(infos) << infos.error().text;
  for (const CollectionInfo& info : infos.value_or(std::vector<CollectionInfo>{})) {
    texts.push_back(info.name + ' ' + std::to_string(info.records) + ' ' + std::to_string(info.bytes));
  }
  return texts;
}

Result<> put_counted(Txn& txn, const std::string& collection, const std::string& id, const std::string& doc) {
  TRY(const auto stored, txn.find(collection, id));
  Record record{.collection = collection, .id = id, .deleted = doc.empty(), .doc = doc};
  record.updated_at = record.effective_at = txn.stamp();
  txn.put(std::move(record), stored ? &*stored : nullptr);
  return {};
}

class CollectionCountsTest : public test::StoreFixture {
 protected:
  void put_in(const std::string& collection, const std::string& id, const std::string& doc) {
    write([&](Txn& txn) { return put_counted(txn, collection, id, doc); }, kSpace,
          [&] { return Reads{.records = {RecordKey{collection, id}}}; });
  }
};

INSTANTIATE_TEST_SUITE_P(Stores, CollectionCountsTest, test::all_stores(), test::store_name);

TEST_P(CollectionCountsTest, each_collection_counts_its_live_records_and_their_bytes) {
  EXPECT_EQ(counts_of(*store_, kSpace), Counts{}) << "a space that was never written";
  put_in("tasks", "a", "12345");
  put_in("notes", "a", "1");
  put_in("notes", "b", "12");
  put_in("notes", "a", "123");
  put_in("gone", "a", "1");
  put_in("gone", "a", "");
  put_in("gone", "a", "");
  EXPECT_EQ(counts_of(*store_, kSpace), (Counts{"gone 0 0", "notes 2 5", "tasks 1 5"}));
  EXPECT_EQ(counts_of(*store_, kOther), Counts{});
}

TEST_P(CollectionCountsTest, a_write_that_fails_counts_nothing_and_several_puts_of_one_record_count_once) {
  write(
      [](Txn& txn) -> Result<> {
        for (const char* doc : {"1", "22", "", "333"}) CHECK_OK(put_counted(txn, "c", "a", doc));
        return {};
      },
      kSpace, [] { return Reads{.records = {RecordKey{"c", "a"}}}; });
  const auto failed = write_and_wait(*store_, kSpace, {.reads = [] { return Reads{.records = {RecordKey{"c", "b"}}}; }},
                                     [](Txn& txn) -> Result<> {
                                       CHECK_OK(put_counted(txn, "c", "b", "1"));
                                       return fail(ErrorCode::conflict, "no");
                                     });
  EXPECT_FALSE(failed);
  EXPECT_EQ(counts_of(*store_, kSpace), (Counts{"c 1 3"}));
}

class CountsInFileTest : public testing::Test {
 protected:
  CountsInFileTest() {
    auto store = open();
    EXPECT_TRUE(write_and_wait(*store, kSpace, {}, [](Txn& txn) -> Result<> {
      for (int i = 0; i < 50; ++i) {
        CHECK_OK(put_counted(txn, i % 5 == 0 ? "fifth" : "rest", std::to_string(i), "12345678"));
      }
      return {};
    }));
    EXPECT_TRUE(write_and_wait(*store, kSpace, {}, [](Txn& txn) -> Result<> {
      CHECK_OK(put_counted(txn, "fifth", "0", "1"));
      return put_counted(txn, "fifth", "5", "");
    }));
  }

  std::unique_ptr<SqliteStore> open() {
    auto opened = SqliteStore::open(path_, clock_, {});
    EXPECT_TRUE(opened);
    return *std::move(opened);
  }
  void change(const std::string& sql) {
    auto file = *sqlite::Connection::open(path_, sqlite::Connection::Mode::read_write);
    const auto changed = file.execute(sql);
    EXPECT_TRUE(changed) << changed.error().text;
  }

  void damage_row_of(Seq seq) {
    auto file = *sqlite::Connection::open(path_, sqlite::Connection::Mode::read_write);
    const std::string where = " WHERE (pos & ((1 << 40) - 1)) = " + std::to_string(seq.value);
    std::string row = *file.query_text("SELECT row FROM record" + where);
    row.back() ^= 1;
    auto put = *file.prepare("UPDATE record SET row = ?" + where);
    put.bind_bytes(1, row);
    EXPECT_TRUE(put.run());
  }

  const Counts right_{"fifth 9 65", "rest 40 320"};
  ManualClock clock_{Timestamp{1'800'000'000'000'000}};
  test::TemporaryDirectory directory_;
  const std::string path_ = directory_.path() + "/syncline.db";
};

TEST_F(CountsInFileTest, a_store_of_a_version_that_did_not_count_is_counted_when_it_is_opened) {
  change("ALTER TABLE collection DROP COLUMN records; ALTER TABLE collection DROP COLUMN bytes");
  auto store = open();
  EXPECT_EQ(counts_of(*store, kSpace), right_);
  EXPECT_EQ(*store->verify(), Counts{});
}

TEST_F(CountsInFileTest, what_such_a_version_wrote_afterwards_is_counted_too) {
  change("UPDATE collection SET records = records - 1, bytes = bytes - 8 WHERE name = 'rest'");
  EXPECT_EQ(counts_of(*open(), kSpace), right_);
}

TEST_F(CountsInFileTest, verify_names_and_repairs_counts_that_only_add_up) {
  change("UPDATE collection SET records = records + (CASE name WHEN 'rest' THEN 1 ELSE -1 END)");
  auto store = open();
  const auto problems = *store->verify();
  ASSERT_FALSE(problems.empty());
  EXPECT_EQ(problems.front(), "2 collections have a wrong record count");
  EXPECT_EQ(counts_of(*store, kSpace), right_);
  EXPECT_EQ(*store->verify(), Counts{});
}

TEST_F(CountsInFileTest, a_record_that_replaces_a_damaged_row_is_counted_once) {
  damage_row_of(Seq{2});
  auto store = open();
  ASSERT_EQ(store->verify()->size(), 1U);
  const Damage damage = store->damage(kSpace).front();
  ASSERT_TRUE(write_and_wait(*store, kSpace, {}, [&](Txn& txn) -> Result<> {
    TRY(const Located located, txn.locate(damage.collection, damage.id));
    Record record{.collection = damage.collection, .id = damage.id, .doc = "12345678"};
    record.updated_at = record.effective_at = txn.stamp();
    txn.heal(std::move(record), *located.damaged);
    return put_counted(txn, "rest", "new", "1");
  }));
  EXPECT_EQ(counts_of(*store, kSpace), (Counts{"fifth 9 65", "rest 41 321"}));
  EXPECT_EQ(*store->verify(), Counts{});
}

}  // namespace
}  // namespace syncline
