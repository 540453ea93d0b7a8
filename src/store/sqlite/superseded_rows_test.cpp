// Replaced versions in place: which of them feeds pass over, what a crash leaves, what is moved and what is purged.
#include "store/sqlite/superseded_rows.hpp"

#include <gtest/gtest.h>

#include <map>

#include "store/sqlite/layout.hpp"
#include "store/sqlite/sqlite_store.hpp"
#include "support/crashing_store.hpp"
#include "support/stored_rows.hpp"

namespace syncline {
namespace {

const SpaceName kUpdated{AccountNumber{1}, "updated"};
using Items = std::vector<std::string>;

constexpr std::int64_t place(std::int64_t seq) { return sqlite::pack_pos(1, Seq{seq}); }

TEST(SupersededRowsTest, a_snapshot_sees_the_marks_of_its_time) {
  sqlite::SupersededRows rows;
  rows.mark(place(3), Seq{10}, 1);
  rows.mark(place(4), Seq{11}, 1);
  EXPECT_FALSE(rows.contains(place(3), Seq{9}));
  EXPECT_TRUE(rows.contains(place(3), Seq{10}));
  sqlite::SupersededRows::View view;
  rows.look(sqlite::chunk_of(place(3)), Seq{10}, view);
  EXPECT_TRUE(view.contains(place(3)));
  EXPECT_FALSE(view.contains(place(4)));
  rows.commit(0);
  EXPECT_FALSE(rows.contains(place(3), Seq{9})) << "a reader began before";
  rows.commit(1);
  EXPECT_TRUE(rows.contains(place(3), Seq{9})) << "nobody is left who did";
}

TEST(SupersededRowsTest, marks_of_a_failed_commit_are_taken_back) {
  sqlite::SupersededRows rows;
  rows.mark(place(1), Seq{5}, 1);
  rows.commit(1);
  rows.mark(place(2), Seq{6}, 2);
  rows.mark(place(3), Seq{7}, 2);
  rows.take_back(1);
  EXPECT_TRUE(rows.contains(place(2), Seq{9}));
  EXPECT_FALSE(rows.contains(place(3), Seq{9}));
  rows.take_back();
  EXPECT_FALSE(rows.contains(place(2), Seq{9}));
  EXPECT_TRUE(rows.contains(place(1), Seq{9}));
}

TEST(SupersededRowsTest, finds_the_next_place_without_a_mark) {
  sqlite::SupersededRows rows;
  const std::int64_t begin = sqlite::chunk_of(place(5000)) << sqlite::kChunkBits;
  for (std::int64_t at = begin + 60; at < begin + 200; ++at) rows.mark(at, Seq{9000}, 1);
  for (std::int64_t at = begin + 4000; at < begin + sqlite::kChunkRows; ++at) rows.mark(at, Seq{9000}, 1);
  sqlite::SupersededRows::View view;
  rows.look(sqlite::chunk_of(begin), sqlite::kAnySeq, view);
  EXPECT_EQ(view.next_unmarked(begin), begin);
  EXPECT_EQ(view.next_unmarked(begin + 60), begin + 200);
  EXPECT_EQ(view.next_unmarked(begin + 127), begin + 200);
  EXPECT_EQ(view.next_unmarked(begin + 4001), begin + sqlite::kChunkRows);
}

TEST(SupersededRowsTest, a_stored_chunk_is_what_was_stored_or_refused) {
  sqlite::SupersededRows rows;
  for (const std::int64_t seq : {1, 64, 65, 4095}) rows.mark(place(seq), Seq{9000}, 1);
  rows.note_gone(sqlite::chunk_of(place(1)), 2);
  const std::int64_t chunk = sqlite::chunk_of(place(1));
  std::string stored = rows.stored_form(chunk);
  sqlite::SupersededRows again;
  ASSERT_TRUE(again.load_chunk(chunk, stored));
  for (const std::int64_t seq : {1, 2, 64, 65, 66, 4095}) {
    EXPECT_EQ(again.contains(place(seq), Seq{9001}), rows.contains(place(seq), Seq{9001})) << seq;
  }
  EXPECT_EQ(again.stored_form(chunk), stored);
  EXPECT_FALSE(again.load_chunk(chunk + 1, stored)) << "in the place of another";
  stored[100] = static_cast<char>(stored[100] ^ 1);
  EXPECT_FALSE(again.load_chunk(chunk, stored));
}

class HistoryInPlaceTest : public test::CrashingStoreTest {
 protected:
  static SqliteStore::Options crashing() {
    return {.merge_keys_after_ms = std::nullopt,
            .keys = {.generation_keys = 8, .slice_keys_min = 2},
            .reclaim = {.busy_percent = 101}};
  }
  Result<Committed> put(Store& store, const std::string& id, const std::string& doc) {
    clock_.advance_micros(1000);
    return write_and_wait(store, kUpdated, {}, [&](Txn& txn) -> Result<> {
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
  void update(Store& store, int records, int turns) {
    for (int turn = 0; turn < turns; ++turn) {
      for (int i = 0; i < records; ++i) ASSERT_TRUE(put(store, "r" + std::to_string(i), std::to_string(turn)));
    }
  }
  static Items feed(Store& store) {
    Items items;
    EXPECT_TRUE(store.read(kUpdated, [&](Snapshot& snapshot) {
      return snapshot.feed({}, [&](const RecordView& record) {
        items.push_back(std::string(record.id) + '=' + std::string(record.doc));
        return true;
      });
    }));
    return items;
  }
  static Items history(Store& store, const std::string& id) {
    Items items;
    EXPECT_TRUE(store.read(kUpdated, [&](Snapshot& snapshot) -> Result<> {
      TRY(const auto newest, snapshot.find("c", id));
      TRY(const auto versions, snapshot.history(*newest, 100, kListBytesMax));
      for (const Record& version : versions) items.push_back(version.doc);
      return {};
    }));
    return items;
  }
  static Items problems(Store& store) { return store.verify().value_or(Items{"verify failed"}); }
};

TEST_F(HistoryInPlaceTest, an_update_leaves_the_old_row_and_no_feed_serves_it) {
  auto store = open(crashing());
  update(*store, 3, 4);
  EXPECT_EQ(feed(*store), (Items{"r0=3", "r1=3", "r2=3"}));
  EXPECT_EQ(history(*store, "r1"), (Items{"2", "1", "0"}));
  EXPECT_EQ(query("SELECT count(*) FROM record"), 12);
  EXPECT_EQ(query("SELECT count(*) FROM history"), 0);
  EXPECT_EQ(problems(*store), Items{});
}

TEST_F(HistoryInPlaceTest, after_a_crash_the_marks_that_the_file_lacks_are_made_again) {
  auto store = open(crashing());
  for (int round = 0; round < 12; ++round) {
    // Records that change again and again leave the older generation of keys, and their marks stay in it.
    update(*store, round % 5 + 1, 3);
    const Items before = feed(*store);
    crash();
    store = open(crashing());
    ASSERT_EQ(feed(*store), before) << round;
    ASSERT_EQ(problems(*store), Items{}) << round;
  }
}

TEST_F(HistoryInPlaceTest, marks_outlive_the_keys_of_their_generation) {
  auto options = crashing();
  options.keys.slice_keys_min = 100;  // nothing is merged
  auto store = open(options);
  update(*store, 4, 2);
  update(*store, 8, 1);  // the generation is full, and has marks
  update(*store, 8, 1);  // all its keys change again, and so leave it
  update(*store, 1, 1);
  const Items before = feed(*store);
  crash();
  auto again = open(options);
  EXPECT_EQ(feed(*again), before);
  EXPECT_EQ(problems(*again), Items{});
}

TEST_F(HistoryInPlaceTest, rows_that_were_moved_keep_their_place_in_the_history_and_survive_a_crash) {
  auto moving = crashing();
  moving.reclaim = {.idle_percent = 100, .busy_percent = 0, .rows_each = 16};
  auto store = open(moving);
  for (int round = 0; round < 8; ++round) {
    update(*store, 5, 4);
    const Items versions = history(*store, "r2");
    EXPECT_EQ(versions.size(), static_cast<std::size_t>(round * 4 + 3));
    crash();
    store = open(moving);
    ASSERT_EQ(history(*store, "r2"), versions) << round;
    ASSERT_EQ(feed(*store), (Items{"r0=3", "r1=3", "r2=3", "r3=3", "r4=3"})) << round;
    ASSERT_EQ(problems(*store), Items{}) << round;
  }
  EXPECT_GT(query("SELECT count(*) FROM history"), 30);
}

TEST_F(HistoryInPlaceTest, a_store_that_rests_moves_rows_out_of_sparse_chunks) {
  auto resting = crashing();
  resting.merge_keys_after_ms = 5;
  resting.reclaim = {.idle_percent = 1, .busy_percent = 101, .rows_each = 16};
  auto store = open(resting);
  update(*store, 5, 20);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (query("SELECT count(*) FROM record") > 5 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  EXPECT_EQ(query("SELECT count(*) FROM record"), 5);
  EXPECT_EQ(query("SELECT count(*) FROM history"), 95);
  EXPECT_EQ(feed(*store).size(), 5U);
  EXPECT_EQ(history(*store, "r4").size(), 19U);
  EXPECT_EQ(problems(*store), Items{});
}

TEST_F(HistoryInPlaceTest, a_snapshot_stays_what_it_is_while_records_change_and_old_versions_move) {
  auto moving = crashing();
  moving.reclaim = {.idle_percent = 100, .busy_percent = 0, .rows_each = 16};
  auto store = open(moving);
  update(*store, 10, 2);
  EXPECT_TRUE(store->read(kUpdated, [&](Snapshot& snapshot) -> Result<> {
    std::thread([&] { update(*store, 10, 10); }).join();
    std::map<std::string, std::string> seen;
    CHECK_OK(snapshot.feed({}, [&](const RecordView& record) {
      EXPECT_TRUE(seen.emplace(record.id, record.doc).second) << "a record twice";
      return true;
    }));
    EXPECT_EQ(seen.size(), 10U);
    for (const auto& [id, doc] : seen) EXPECT_EQ(doc, "1") << id;
    return {};
  }));
}

TEST_F(HistoryInPlaceTest, a_long_run_of_old_versions_is_passed_over) {
  auto store = open(crashing());
  ASSERT_TRUE(put(*store, "first", "x"));
  update(*store, 2, 5000);
  ASSERT_TRUE(put(*store, "last", "x"));
  EXPECT_EQ(feed(*store), (Items{"first=x", "r0=4999", "r1=4999", "last=x"}));
}

TEST_F(HistoryInPlaceTest, purging_goes_by_the_time_of_replacement_wherever_the_version_is) {
  for (const int busy_percent : {101, 0}) {
    path_ = directory_.path() + "/purged" + std::to_string(busy_percent);
    auto options = crashing();
    options.reclaim = {.idle_percent = 100, .busy_percent = busy_percent, .rows_each = 16};
    auto store = open(options);
    update(*store, 3, 5);
    const Timestamp cutoff = clock_.now();  // a thousandth of a second after the last of these
    update(*store, 3, 3);
    ASSERT_TRUE(store->purge({.history = cutoff.plus_micros(1)}));
    EXPECT_EQ(history(*store, "r0"), (Items{"1", "0", "4"})) << "replaced before the cutoff are 0 to 3";
    EXPECT_EQ(query("SELECT (SELECT count(*) FROM record) + (SELECT count(*) FROM history)"), 12);
    EXPECT_EQ(feed(*store).size(), 3U);
    ASSERT_TRUE(store->purge({.history = clock_.now().plus_micros(1)}));
    EXPECT_EQ(history(*store, "r0"), Items{});
    EXPECT_EQ(query("SELECT (SELECT count(*) FROM record) + (SELECT count(*) FROM history)"), 3);
    EXPECT_EQ(problems(*store), Items{});
    crash();
    store = open(options);
    EXPECT_EQ(feed(*store).size(), 3U);
    EXPECT_EQ(problems(*store), Items{});
  }
}

TEST_F(HistoryInPlaceTest, a_damaged_table_of_marks_is_made_again_when_the_store_is_opened) {
  {
    auto closing = crashing();
    closing.merge_keys_after_ms = 60'000;
    auto store = open(closing);
    update(*store, 5, 5);
  }
  ASSERT_EQ(query("SELECT count(*) FROM superseded"), 1);
  for (const char* damage : {"UPDATE superseded SET marks = zeroblob(528)", "UPDATE superseded SET marks = x'00'"}) {
    {
      auto file = *sqlite::Connection::open(path_, sqlite::Connection::Mode::read_write);
      ASSERT_TRUE(file.execute(damage));
    }
    auto store = open(crashing());
    EXPECT_EQ(feed(*store).size(), 5U) << damage;
    EXPECT_EQ(problems(*store), Items{}) << damage;
  }
}

TEST_F(HistoryInPlaceTest, verify_sees_a_missing_mark_and_makes_it_again) {
  {
    auto closing = crashing();
    closing.merge_keys_after_ms = 60'000;
    auto store = open(closing);
    update(*store, 5, 5);
  }
  {
    auto file = *sqlite::Connection::open(path_, sqlite::Connection::Mode::read_write);
    ASSERT_TRUE(file.execute("DELETE FROM superseded"));
  }
  auto store = open(crashing());
  EXPECT_EQ(feed(*store).size(), 25U) << "what it costs";
  EXPECT_FALSE(problems(*store).empty());
  EXPECT_EQ(problems(*store), Items{});
  EXPECT_EQ(feed(*store).size(), 5U);
}

TEST_F(HistoryInPlaceTest, a_damaged_old_version_counts_once_whoever_finds_it) {
  {
    auto store = open(crashing());
    update(*store, 1, 3);
  }
  {
    auto file = *sqlite::Connection::open(path_, sqlite::Connection::Mode::read_write);
    test::alter_newest(
        file, [](const test::StoredRow& row) { return row.version.doc == "1"; },
        [](Record& record) { record.doc = "2"; });
  }
  auto store = open(crashing());
  EXPECT_EQ(problems(*store).size(), 1U);
  EXPECT_EQ(history(*store, "r0"), Items{}) << "what is behind it cannot be told";
  EXPECT_EQ(store->status().damaged_rows, 1);
}

TEST_F(HistoryInPlaceTest, a_failed_commit_marks_nothing) {
  auto limited = crashing();
  limited.file_bytes_max = 200LL * 1024;
  auto store = open(limited);
  update(*store, 2, 2);
  const auto failed = write_and_wait(*store, kUpdated, {}, [](Txn& txn) -> Result<> {
    for (const char* id : {"r0", "r1"}) {
      TRY(const auto stored, txn.find("c", id));
      Record record = *stored;
      record.doc = std::string(300'000, 'x');
      txn.put(std::move(record), &*stored);
    }
    return {};
  });
  ASSERT_FALSE(failed);
  EXPECT_EQ(feed(*store), (Items{"r0=1", "r1=1"}));
  EXPECT_EQ(problems(*store), Items{});
}

}  // namespace
}  // namespace syncline
