// Stamps that were raised without a new version: on their way into the key table, and what becomes of them when the
// record is replaced, the process is killed or the bytes rot.
#include "store/sqlite/raised_stamps.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "store/memory/memory_store.hpp"
#include "store/sqlite/sqlite_store.hpp"
#include "support/crashing_store.hpp"

namespace syncline {
namespace {

const SpaceName kNotesOfAnn{AccountNumber{1}, "notes"};
const SpaceName kNotesOfBob{AccountNumber{2}, "notes"};
using Lines = std::vector<std::string>;

class RaisedStampsTest : public test::CrashingStoreTest {
 protected:
  /// So that a few writes fill a generation, and each end is a crash.
  static SqliteStore::Options options() {
    return {.merge_keys_after_ms = std::nullopt, .keys = {.generation_keys = 8, .slice_keys_min = 2}};
  }
  using CrashingStoreTest::open;
  std::unique_ptr<SqliteStore> open() { return open(options()); }

  static Result<> put(Txn& txn, const std::string& id, const std::string& doc) {
    TRY(const auto stored, txn.find("c", id));
    Record record;
    record.collection = "c";
    record.id = id;
    record.doc = doc;
    record.updated_at = record.effective_at = txn.stamp();
    txn.put(std::move(record), stored ? &*stored : nullptr);
    return {};
  }
  static Result<> raise(Txn& txn, const std::string& id, std::int64_t micros) {
    TRY(const auto stored, txn.find("c", id));
    if (stored) txn.set_hidden_stamps(*stored, stored->effective_at.plus_micros(micros), {micros});
    return {};
  }
  static Result<Committed> put(Store& store, const std::string& id, const std::string& doc) {
    return write_and_wait(store, kNotesOfAnn, {}, [&](Txn& txn) { return put(txn, id, doc); });
  }
  static Result<Committed> raise(Store& store, const std::string& id, std::int64_t micros) {
    return write_and_wait(store, kNotesOfAnn, {}, [&](Txn& txn) { return raise(txn, id, micros); });
  }
  static std::string text(const Record& record) {
    return record.doc + '@' + std::to_string(record.seq.value) + '+' +
           std::to_string(record.effective_at.micros - record.updated_at.micros) + '/' +
           std::to_string(record.claimed_at.micros);
  }
  /// The record and its history, newest first, as a write function sees them: "doc@seq+lift/claim".
  static Lines versions(Txn& txn, const std::string& id) {
    Lines lines;
    const auto record = txn.find("c", id);
    EXPECT_TRUE(record);
    if (!record || !*record) return lines;
    lines.push_back(text(**record));
    const auto history = txn.history(**record, 100, 1'000'000);
    EXPECT_TRUE(history);
    for (const Record& version : *history) lines.push_back(text(version));
    return lines;
  }
  static Lines versions(Store& store, const SpaceName& space, const std::string& id) {
    Lines lines;
    EXPECT_TRUE(write_and_wait(store, space, {}, [&](Txn& txn) -> Result<> {
      lines = versions(txn, id);
      return {};
    }));
    return lines;
  }
  static Lines versions(Store& store, const std::string& id) { return versions(store, kNotesOfAnn, id); }
  static Lines problems(Store& store) {
    auto found = store.verify();
    EXPECT_TRUE(found) << found.error().text;
    return found.value_or(Lines{"verify failed"});
  }
};

TEST_F(RaisedStampsTest, every_stamp_is_the_one_of_a_store_in_memory) {
  const char* wanted = std::getenv("SYNCLINE_SEEDS");
  const std::uint64_t seeds = wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : 6;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    const auto below = [&](std::uint64_t end) { return static_cast<int>(random() % end); };
    path_ = directory_.path() + "/seed" + std::to_string(seed);
    auto store = open();
    MemoryStore oracle(clock_, "e");
    std::int64_t in_table = 0;
    for (int step = 0; step < 300; ++step) {
      clock_.advance_micros(1000);
      const SpaceName& space = below(4) == 0 ? kNotesOfBob : kNotesOfAnn;
      const int what = below(100);
      if (what < 88) {
        struct Step {
          std::string id;
          int micros;  // 0: a new version
        };
        std::vector<Step> steps;
        for (int i = below(5); i >= 0; --i) {
          steps.push_back({"k" + std::to_string(below(30)), below(3) == 0 ? 0 : 1 + below(500)});
        }
        for (Store* of : {static_cast<Store*>(store.get()), static_cast<Store*>(&oracle)}) {
          const auto written = write_and_wait(*of, space, {}, [&](Txn& txn) -> Result<> {
            for (const auto& [id, micros] : steps) {
              CHECK_OK(micros == 0 ? put(txn, id, std::to_string(step)) : raise(txn, id, micros));
            }
            return what < 80 ? Result<>{} : fail(ErrorCode::conflict, "no");
          });
          ASSERT_EQ(written.has_value(), what < 80);
        }
      } else if (what < 96) {
        crash();
        store = open();
      } else if (what < 99) {
        store = nullptr;
        auto closing = options();
        closing.merge_keys_after_ms = 60'000;
        store = open(closing);
      } else {
        ASSERT_TRUE(store->erase_account(kNotesOfBob.account));
        ASSERT_TRUE(oracle.erase_account(kNotesOfBob.account));
      }
      for (const SpaceName& of : {kNotesOfAnn, kNotesOfBob}) {
        const std::string id = "k" + std::to_string(below(30));
        ASSERT_EQ(versions(*store, of, id), versions(oracle, of, id)) << step << ' ' << id;
      }
      in_table = std::max(in_table, query("SELECT count(*) FROM key WHERE raised != x''"));
    }
    for (int i = 0; i < 30; ++i) {
      const std::string id = "k" + std::to_string(i);
      EXPECT_EQ(versions(*store, id), versions(oracle, id));
    }
    EXPECT_EQ(problems(*store), Lines{});
    EXPECT_GT(in_table, 0) << "some were merged";
  }
}

TEST_F(RaisedStampsTest, the_row_of_the_record_stays_as_it_is) {
  auto store = open();
  ASSERT_TRUE(put(*store, "a", "1"));
  const std::int64_t hash = query("SELECT sum(unicode(hex(row))) FROM record");
  ASSERT_TRUE(raise(*store, "a", 7));
  EXPECT_EQ(query("SELECT sum(unicode(hex(row))) FROM record"), hash);
  EXPECT_EQ(query("SELECT count(*) FROM raised"), 1);
  EXPECT_EQ(versions(*store, "a"), Lines{"1@1+7/7"});
  EXPECT_EQ(store->head(kNotesOfAnn), Seq{1});
}

TEST_F(RaisedStampsTest, a_failed_commit_raises_nothing) {
  auto limited = options();
  limited.file_bytes_max = 200LL * 1024;
  auto store = open(limited);
  ASSERT_TRUE(put(*store, "a", "1"));
  ASSERT_TRUE(raise(*store, "a", 3));
  const auto failed = write_and_wait(*store, kNotesOfAnn, {}, [](Txn& txn) -> Result<> {
    CHECK_OK(raise(txn, "a", 9));
    return put(txn, "large", std::string(500'000, 'x'));
  });
  ASSERT_FALSE(failed);
  EXPECT_EQ(versions(*store, "a"), Lines{"1@1+3/3"});
  ASSERT_TRUE(put(*store, "a", "2"));
  EXPECT_EQ(versions(*store, "a"), (Lines{"2@2+0/0", "1@1+3/3"}));
}

TEST_F(RaisedStampsTest, a_purged_version_is_counted_as_when_it_was_replaced) {
  auto store = open();
  for (const char* doc : {"1", "2", "3"}) {
    ASSERT_TRUE(put(*store, "a", doc));
    ASSERT_TRUE(raise(*store, "a", 3));
  }
  EXPECT_EQ(store->spaces(kNotesOfAnn.account)->front().history_bytes, 2 * (64 + 1 + 1));
  clock_.advance_micros(1'000'000);
  ASSERT_TRUE(store->purge({.history = clock_.now()}));
  EXPECT_EQ(versions(*store, "a"), Lines{"3@3+3/3"});
  EXPECT_EQ(store->spaces(kNotesOfAnn.account)->front().history_bytes, 0);
  ASSERT_TRUE(put(*store, "a", "4"));
  EXPECT_EQ(store->spaces(kNotesOfAnn.account)->front().history_bytes, 64 + 1 + 1);
}

TEST_F(RaisedStampsTest, the_rows_of_before_go_once_the_keys_are_in_their_table) {
  auto closing = options();
  closing.merge_keys_after_ms = 60'000;
  auto store = open(closing);
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(put(*store, "r" + std::to_string(i), "x"));
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(raise(*store, "r" + std::to_string(i), 5));
  EXPECT_LT(query("SELECT count(*) FROM raised"), 50) << "while others come";
  store = nullptr;
  EXPECT_EQ(query("SELECT count(*) FROM raised"), 0);
  EXPECT_EQ(query("SELECT count(*) FROM key WHERE length(raised) = 24"), 50);
  store = open();
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(versions(*store, "r" + std::to_string(i)), Lines{"x@" + std::to_string(i + 1) + "+5/5"});
  }
}

TEST_F(RaisedStampsTest, a_damaged_stamp_counts_as_not_raised_and_verify_names_it) {
  auto closing = options();
  closing.merge_keys_after_ms = 60'000;
  auto store = open(closing);
  for (const char* id : {"a", "b"}) {
    ASSERT_TRUE(put(*store, id, "1"));
    ASSERT_TRUE(raise(*store, id, 3));
  }
  store = nullptr;
  execute("UPDATE key SET raised = x'ffffffffffffff7f' || substr(raised, 9) WHERE id = CAST('a' AS BLOB)");
  store = open();
  EXPECT_EQ(versions(*store, "a"), Lines{"1@1+0/0"});
  EXPECT_EQ(versions(*store, "b"), Lines{"1@2+3/3"});
  EXPECT_EQ(problems(*store),
            (Lines{"the key table has damaged stamps of 1 records", "the indexes have been made again"}));
  EXPECT_EQ(problems(*store), Lines{}) << "the table was made again";
  EXPECT_EQ(versions(*store, "b"), Lines{"1@2+3/3"}) << "with the stamps that were good";
}

TEST_F(RaisedStampsTest, a_damaged_row_of_raised_stamps_hides_no_record) {
  auto store = open();
  ASSERT_TRUE(put(*store, "a", "1"));
  ASSERT_TRUE(raise(*store, "a", 3));
  ASSERT_TRUE(raise(*store, "a", 4));
  crash();
  execute("UPDATE raised SET stamps = x'00' || substr(stamps, 2) WHERE number = 2");
  auto again = open();
  EXPECT_EQ(versions(*again, "a"), Lines{"1@1+3/3"}) << "what the intact row says";
}

}  // namespace
}  // namespace syncline
