// Keys on their way from memory into the key table: crashes, failures and readers in between.
#include "store/sqlite/key_table.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <random>
#include <thread>

#include "store/memory/memory_store.hpp"
#include "store/sqlite/sqlite_store.hpp"
#include "support/crashing_store.hpp"
#include "support/stored_rows.hpp"

namespace syncline {
namespace {

const SpaceName kSpaceA{AccountNumber{1}, "notes"};
const SpaceName kSpaceB{AccountNumber{2}, "others"};
using Items = std::vector<std::string>;

class KeyTableTest : public test::CrashingStoreTest {
 protected:
  /// So that a few writes fill a generation, and each end is a crash.
  SqliteStore::Options options() {
    return {.merge_keys_after_ms = std::nullopt,
            .keys = {.generation_keys = 8, .slice_keys_min = 2},
            .reclaim = {.busy_percent = 0, .rows_each = 16}};
  }
  using CrashingStoreTest::open;
  std::unique_ptr<SqliteStore> open() { return open(options()); }

  /// Alters the newest version of that id, but not its hash.
  void damage(const std::string& id, const std::function<void(Record&)>& alter) const {
    auto file = *sqlite::Connection::open(path_, sqlite::Connection::Mode::read_write);
    test::alter_newest(file, [&](const test::StoredRow& row) { return row.version.id == id; }, alter);
  }

  static Result<> put(Txn& txn, const std::string& collection, const std::string& id, const std::string& doc) {
    TRY(Located located, txn.locate(collection, id));
    Record record;
    record.collection = collection;
    record.id = id;
    record.doc = doc;
    record.deleted = doc.empty();
    record.updated_at = record.effective_at = txn.stamp();
    if (located.damaged) {
      txn.heal(std::move(record), *located.damaged);
    } else {
      txn.put(std::move(record), located.record ? &*located.record : nullptr);
    }
    return {};
  }
  static Result<Committed> put(Store& store, const std::string& id, const std::string& doc) {
    return write_and_wait(store, kSpaceA, {}, [&](Txn& txn) { return put(txn, "c", id, doc); });
  }
  static void fill(Store& store, int from, int to) {
    for (int i = from; i < to; ++i) ASSERT_TRUE(put(store, "r" + std::to_string(i), std::to_string(i)));
  }

  /// "id=doc@seq" of a collection.
  static Items scan(Snapshot& snapshot, const std::string& collection) {
    Items items;
    const auto scanned = snapshot.scan(collection, "", [&](const RecordView& record) {
      items.push_back(std::string(record.id) + '=' + std::string(record.doc) + '@' + std::to_string(record.seq.value));
      return true;
    });
    EXPECT_TRUE(scanned) << scanned.error().text;
    return items;
  }
  static Items scan(Store& store, const SpaceName& space, const std::string& collection) {
    Items items;
    EXPECT_TRUE(store.read(space, [&](Snapshot& snapshot) -> Result<> {
      items = scan(snapshot, collection);
      return {};
    }));
    return items;
  }
  static std::string find(Snapshot& snapshot, const std::string& collection, const std::string& id) {
    const auto found = snapshot.find(collection, id);
    if (!found) return found.error().code == ErrorCode::damaged ? "damaged" : "failed";
    return *found ? (*found)->doc + '@' + std::to_string((*found)->seq.value) : "none";
  }
  static std::string find(Store& store, const std::string& id) {
    std::string text;
    (void)store.read(kSpaceA, [&](Snapshot& snapshot) -> Result<> {
      text = find(snapshot, "c", id);
      return {};
    });
    return text;
  }
  static Items problems(Store& store) {
    auto found = store.verify();
    EXPECT_TRUE(found) << found.error().text;
    return found.value_or(Items{"verify failed"});
  }
};

TEST_F(KeyTableTest, every_lookup_answers_as_a_store_in_memory_does) {
  for (const std::uint64_t seed : {1U, 2U, 3U, 4U}) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    const auto below = [&](std::uint64_t end) { return static_cast<int>(random() % end); };
    path_ = directory_.path() + "/seed" + std::to_string(seed);
    auto store = open();
    MemoryStore oracle(clock_, "e");
    const auto both = [&](const SpaceName& space, const std::function<Result<>(Txn&)>& run) {
      const auto real = write_and_wait(*store, space, {}, run);
      const auto expected = write_and_wait(oracle, space, {}, run);
      ASSERT_EQ(real.has_value(), expected.has_value());
      if (real) {
        ASSERT_EQ(real->head, expected->head);
      }
    };
    for (int step = 0; step < 300; ++step) {
      clock_.advance_micros(1000);
      const SpaceName& space = below(4) == 0 ? kSpaceB : kSpaceA;
      const int what = below(100);
      if (what < 85) {
        std::vector<std::array<std::string, 3>> puts;
        for (int i = below(5); i >= 0; --i) {
          puts.push_back({below(3) == 0 ? "d" : "c", "k" + std::to_string(below(40)),
                          below(8) == 0 ? "" : std::to_string(random() % 1000)});
        }
        both(space, [&, fails = what >= 75](Txn& txn) -> Result<> {
          for (const auto& [collection, id, doc] : puts) CHECK_OK(put(txn, collection, id, doc));
          return fails ? fail(ErrorCode::conflict, "no") : Result<>{};
        });
      } else if (what < 92) {
        crash();
        store = open();
      } else if (what < 95) {
        store = nullptr;
        auto closing = options();
        closing.merge_keys_after_ms = 60'000;
        store = open(closing);
      } else if (what < 96) {
        ASSERT_TRUE(store->erase_account(kSpaceB.account));
        ASSERT_TRUE(oracle.erase_account(kSpaceB.account));
      }
      for (const SpaceName& of : {kSpaceA, kSpaceB}) {
        for (const char* collection : {"c", "d"}) {
          ASSERT_EQ(scan(*store, of, collection), scan(oracle, of, collection)) << step;
        }
      }
      const std::string id = "k" + std::to_string(below(45));
      ASSERT_EQ(find(*store, id), find(oracle, id)) << step;
    }
    EXPECT_EQ(problems(*store), Items{});
    EXPECT_GT(query("SELECT count(*) FROM key"), 0) << "some were merged";
  }
}

TEST_F(KeyTableTest, a_snapshot_stays_what_it_is_while_keys_are_merged) {
  auto store = open();
  fill(*store, 0, 20);
  const Items before = scan(*store, kSpaceA, "c");
  const auto looked = store->read(kSpaceA, [&](Snapshot& snapshot) -> Result<> {
    std::thread writer([&] {
      fill(*store, 10, 60);
      fill(*store, 0, 60);
    });
    writer.join();
    EXPECT_EQ(scan(snapshot, "c"), before);
    for (int i = 0; i < 60; ++i) {
      const std::string text = std::to_string(i) + '@' + std::to_string(i + 1);
      EXPECT_EQ(find(snapshot, "c", "r" + std::to_string(i)), i < 20 ? text : "none");
    }
    return {};
  });
  EXPECT_TRUE(looked);
  EXPECT_EQ(scan(*store, kSpaceA, "c").size(), 60U);
}

TEST_F(KeyTableTest, readers_beside_a_writer_find_every_record_of_their_feed) {
  auto store = open();
  std::atomic<bool> done = false;
  std::vector<std::thread> readers;
  readers.reserve(2);
  for (int r = 0; r < 2; ++r) {
    readers.emplace_back([&] {
      while (!done && !testing::Test::HasFailure()) {
        EXPECT_TRUE(store->read(kSpaceA, [&](Snapshot& snapshot) -> Result<> {
          std::map<std::string, std::int64_t> feed;
          CHECK_OK(snapshot.feed({}, [&](const RecordView& record) {
            feed[std::string(record.id)] = record.seq.value;
            return true;
          }));
          std::map<std::string, std::int64_t> listed;
          CHECK_OK(snapshot.scan("c", "", [&](const RecordView& record) {
            listed[std::string(record.id)] = record.seq.value;
            return true;
          }));
          EXPECT_EQ(listed, feed);
          for (const auto& [id, seq] : feed) {
            TRY(const auto record, snapshot.find("c", id));
            EXPECT_TRUE(record && record->seq.value == seq) << id;
          }
          return {};
        }));
      }
    });
  }
  for (int turn = 0; turn < 4; ++turn) fill(*store, 0, 50);
  done = true;
  for (std::thread& reader : readers) reader.join();
}

TEST_F(KeyTableTest, a_failed_commit_gives_its_keys_back) {
  auto limited = options();
  limited.file_bytes_max = 200LL * 1024;
  auto store = open(limited);
  ASSERT_TRUE(put(*store, "old", "1"));
  const auto failed = write_and_wait(*store, kSpaceA, {}, [](Txn& txn) -> Result<> {
    CHECK_OK(put(txn, "c", "lost", "x"));
    CHECK_OK(put(txn, "c", "old", "y"));
    return put(txn, "c", "large", std::string(500'000, 'x'));
  });
  ASSERT_FALSE(failed);
  EXPECT_EQ(put(*store, "next", "2")->head, Seq{2}) << "the seq of the lost one is used again";
  EXPECT_EQ(find(*store, "lost"), "none");
  EXPECT_EQ(find(*store, "old"), "1@1");
  EXPECT_EQ(scan(*store, kSpaceA, "c"), (Items{"next=2@2", "old=1@1"}));
  ASSERT_TRUE(put(*store, "lost", "3"));
  EXPECT_EQ(find(*store, "lost"), "3@3");
  EXPECT_EQ(problems(*store), Items{});
}

TEST_F(KeyTableTest, after_a_crash_the_keys_that_the_table_lacks_are_read_again) {
  auto store = open();
  fill(*store, 0, 53);
  fill(*store, 20, 30);
  crash();
  EXPECT_LT(query("SELECT count(*) FROM key"), 53);
  EXPECT_GT(query("SELECT merged_through FROM space"), 0) << "and no others";
  auto again = open();
  for (int i = 0; i < 53; ++i) EXPECT_NE(find(*again, "r" + std::to_string(i)), "none") << i;
  EXPECT_EQ(scan(*again, kSpaceA, "c"), scan(*store, kSpaceA, "c"));
  EXPECT_EQ(problems(*again), Items{});
  EXPECT_EQ(put(*again, "r52", "new")->head, Seq{64});
  EXPECT_EQ(scan(*again, kSpaceA, "c").size(), 53U);
}

TEST_F(KeyTableTest, a_quiet_store_has_every_key_in_the_table) {
  auto quick = options();
  quick.merge_keys_after_ms = 5;
  auto store = open(quick);
  fill(*store, 0, 5);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (query("SELECT count(*) FROM key") < 5 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  EXPECT_EQ(query("SELECT count(*) FROM key"), 5);
}

TEST_F(KeyTableTest, a_closed_store_has_every_key_in_the_table) {
  auto closing = options();
  closing.merge_keys_after_ms = 60'000;
  closing.keys = {};
  auto store = open(closing);
  fill(*store, 0, 5);
  EXPECT_EQ(query("SELECT count(*) FROM key"), 0);
  store = nullptr;
  EXPECT_EQ(query("SELECT count(*) FROM key"), 5);
  auto file = *sqlite::Connection::open(path_, sqlite::Connection::Mode::read_write);
  EXPECT_TRUE(sqlite::read_tails(file)->empty());
}

TEST_F(KeyTableTest, numbers_of_commits_that_wrote_nothing_hide_no_key) {
  auto closing = options();
  closing.merge_keys_after_ms = 60'000;
  auto store = open(closing);
  ASSERT_TRUE(put(*store, "a", "1"));
  for (int i = 0; i < 10; ++i) {
    (void)write_and_wait(*store, kSpaceA, {}, [](Txn&) -> Result<> { return fail(ErrorCode::conflict, "no"); });
  }
  store = open();
  store = nullptr;
  store = open();
  ASSERT_TRUE(put(*store, "b", "2"));
  crash();
  EXPECT_EQ(find(*open(), "b"), "2@2");
}

TEST_F(KeyTableTest, verify_sees_a_mark_that_is_too_high_and_makes_the_table_again) {
  auto first = open();
  fill(*first, 0, 5);
  crash();
  execute("UPDATE space SET merged_through = head");
  auto store = open();
  EXPECT_EQ(find(*store, "r3"), "none") << "what it costs";
  EXPECT_FALSE(problems(*store).empty());
  EXPECT_EQ(problems(*store), Items{});
  EXPECT_EQ(find(*store, "r3"), "3@4");
}

TEST_F(KeyTableTest, verify_beside_a_writer_finds_nothing) {
  auto store = open();
  fill(*store, 0, 20);
  std::atomic<bool> done = false;
  std::thread writer([&] {
    for (int turn = 0; !done; ++turn) fill(*store, turn % 20 * 10, turn % 20 * 10 + 10);
  });
  for (int i = 0; i < 40; ++i) EXPECT_EQ(problems(*store), Items{}) << i;
  done = true;
  writer.join();
}

TEST_F(KeyTableTest, verify_sees_a_key_without_a_record_and_one_that_leads_elsewhere) {
  auto store = open();
  fill(*store, 0, 30);
  for (const char* damage : {"INSERT INTO key (scope, id, pos) SELECT scope, x'FF', pos FROM key LIMIT 1",
                             "UPDATE key SET pos = pos + 1 WHERE id = (SELECT min(id) FROM key)",
                             "DELETE FROM key WHERE id = (SELECT min(id) FROM key)"}) {
    execute(damage);
    EXPECT_FALSE(problems(*store).empty()) << damage;
    EXPECT_EQ(problems(*store), Items{}) << damage;
  }
}

TEST_F(KeyTableTest, a_damaged_row_among_the_newest_is_said_to_be_damaged_and_can_be_written_again) {
  auto first = open();
  fill(*first, 0, 6);
  crash();
  damage("r3", [](Record& record) { record.doc = "x"; });
  auto store = open();
  EXPECT_EQ(find(*store, "r3"), "damaged");
  EXPECT_EQ(find(*store, "r4"), "4@5");
  ASSERT_TRUE(put(*store, "r3", "again"));
  EXPECT_EQ(find(*store, "r3"), "again@7");
  EXPECT_EQ(problems(*store), Items{});
}

TEST_F(KeyTableTest, a_damaged_row_among_the_newest_counts_though_the_table_names_its_place_of_before) {
  auto first = open();
  fill(*first, 0, 30);
  ASSERT_TRUE(put(*first, "r3", "newer"));
  crash();
  ASSERT_EQ(query("SELECT count(*) FROM key WHERE id = CAST('r3' AS BLOB) AND pos & 255 = 4"), 1);
  damage("r3", [](Record& record) { record.doc = "x"; });
  auto store = open();
  EXPECT_EQ(find(*store, "r3"), "damaged");
  ASSERT_TRUE(put(*store, "r3", "again"));
  EXPECT_EQ(find(*store, "r3"), "again@32");
  EXPECT_EQ(problems(*store), Items{});
}

TEST_F(KeyTableTest, a_damaged_row_hides_no_record_whose_key_it_says_to_have) {
  auto first = open();
  fill(*first, 0, 6);
  crash();
  damage("r4", [](Record& record) { record.id = "r2"; });
  auto store = open();
  EXPECT_EQ(find(*store, "r2"), "2@3");
  EXPECT_EQ(scan(*store, kSpaceA, "c").size(), 5U);
}

TEST_F(KeyTableTest, where_the_newest_records_cannot_be_read_no_key_is_said_to_be_absent) {
  {
    auto unmerged = options();
    unmerged.keys = {};
    auto first = open(unmerged);
    for (int i = 0; i < 40; ++i)
      ASSERT_TRUE(put(*first, "r" + std::to_string(i), "marker-r" + std::to_string(i) + std::string(400, 'x')));
    crash();
  }
  execute("PRAGMA wal_checkpoint(TRUNCATE)");
  {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    const std::size_t at = bytes.find("marker-r20");
    ASSERT_NE(at, std::string::npos);
    file.clear();
    file.seekp(static_cast<std::streamoff>(at - at % 4096));
    file << std::string(16, '\xFF');
  }
  for (int opening = 0; opening < 2; ++opening) {
    auto closing = options();
    closing.merge_keys_after_ms = 60'000;
    auto store = open(closing);
    EXPECT_EQ(find(*store, "r20"), "failed");
    EXPECT_FALSE(put(*store, "never-seen", "1")) << "it might be there";
    EXPECT_NE(find(*store, "r0"), "failed");
    EXPECT_TRUE(put(*store, "r1", "2")) << opening;
  }
}

}  // namespace
}  // namespace syncline
