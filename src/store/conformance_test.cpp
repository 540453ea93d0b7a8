// What every store must do, in the words of store.hpp. Each test runs against each implementation, and in stores that
// hold the tests' own write functions to the contract.
#include <gtest/gtest.h>

#include <thread>

#include "support/store_fixture.hpp"

namespace syncline {
namespace {

using test::kOpening;
using test::kOther;
using test::kSpace;

class StoreTest : public test::StoreFixture {};

INSTANTIATE_TEST_SUITE_P(Stores, StoreTest, test::all_stores(), test::store_name);

using Items = std::vector<std::string>;

TEST_P(StoreTest, a_space_that_was_never_written_reads_as_empty) {
  EXPECT_EQ(feed({}), Items{});
  EXPECT_EQ(store_->head(kSpace).value, 0);
  EXPECT_FALSE(find("a"));
}

TEST_P(StoreTest, each_change_takes_the_next_seq_and_the_feed_has_each_record_once) {
  EXPECT_EQ(put("a", "1").value, 1);
  EXPECT_EQ(put("b", "2").value, 2);
  EXPECT_EQ(put("a", "3").value, 3);
  EXPECT_EQ(feed({}), (Items{"b=2@2", "a=3@3"}));
  EXPECT_EQ(feed(Seq{2}), (Items{"a=3@3"}));
  EXPECT_EQ(feed(Seq{3}), Items{});
}

TEST_P(StoreTest, the_lineage_tells_which_opening_made_a_change) {
  EXPECT_EQ(store_->lineage(kSpace)->at(put("a", "1")), kOpening);
}

TEST_P(StoreTest, spaces_of_two_accounts_are_separate) {
  put("a", "1");
  put("a", "2", kOther);
  EXPECT_EQ(feed({}), (Items{"a=1@1"}));
  EXPECT_EQ(feed({}, kOther), (Items{"a=2@1"}));
  EXPECT_EQ(store_->spaces(AccountNumber{1})->size(), 1U);
  EXPECT_EQ(store_->spaces(std::nullopt)->size(), 2U);
}

TEST_P(StoreTest, a_failing_write_function_changes_nothing) {
  put("a", "1");

  const auto failed = write_and_wait(*store_, kSpace, {}, [](Txn& txn) -> Result<> {
    Record record;
    record.collection = "c";
    record.id = "lost";
    record.doc = "x";
    txn.put(std::move(record), nullptr);
    return fail(ErrorCode::conflict, "no");
  });

  EXPECT_EQ(failed.error().code, ErrorCode::conflict);
  EXPECT_EQ(feed({}), (Items{"a=1@1"}));
  EXPECT_EQ(put("b", "2").value, 2) << "no gap";
}

TEST_P(StoreTest, a_write_function_sees_its_own_changes) {
  write([](Txn& txn) -> Result<> {
    txn.expect([] { return Reads{.records = {RecordKey{"c", "a"}}}; });
    for (const char* doc : {"1", "2"}) {
      TRY(const auto stored, txn.find("c", "a"));
      EXPECT_EQ(stored.has_value(), std::string(doc) == "2");
      Record record;
      record.collection = "c";
      record.id = "a";
      record.doc = doc;
      txn.put(std::move(record), stored ? &*stored : nullptr);
    }
    return {};
  });
  EXPECT_EQ(feed({}), (Items{"a=2@2"}));
}

TEST_P(StoreTest, a_snapshot_does_not_see_what_is_committed_after_it) {
  if (is_in_memory()) GTEST_SKIP() << "readers and writers take turns in memory";
  put("a", "1");
  EXPECT_TRUE(store_->read(kSpace, [&](Snapshot& snapshot) -> Result<> {
    std::thread writer([&] { put("b", "2"); });
    writer.join();
    TRY(const auto unseen, snapshot.find("c", "b"));
    EXPECT_FALSE(unseen);
    EXPECT_EQ(snapshot.info().head.value, 1);
    return {};
  }));
  EXPECT_EQ(feed({}), (Items{"a=1@1", "b=2@2"}));
}

TEST_P(StoreTest, commit_timestamps_rise_even_when_the_clock_stands_still) {
  put("a", "1");
  put("b", "2");
  clock_.advance_micros(-5'000'000);
  put("c", "3");
  EXPECT_LT(find("a")->committed_at, find("b")->committed_at);
  EXPECT_LT(find("b")->committed_at, find("c")->committed_at);
}

TEST_P(StoreTest, commit_timestamps_are_multiples_of_the_step) {
  for (int i = 0; i < 3; ++i) {
    const auto result = write_and_wait(*store_, kSpace, {.stamp_step_micros = 1000}, [&](Txn& txn) -> Result<> {
      EXPECT_EQ(txn.stamp().micros % 1000, 0);
      EXPECT_GT(txn.stamp(), txn.info().updated_at);
      Record record;
      record.collection = "c";
      record.id = std::to_string(txn.info().head.value);
      txn.put(std::move(record), nullptr);
      return {};
    });
    EXPECT_TRUE(result);
  }
}

TEST_P(StoreTest, counts_live_records_and_their_bytes) {
  put("a", "12345");
  put("b", "1");
  put("a", "123");
  put("b", "");
  const SpaceInfo info = store_->spaces(AccountNumber{1})->front();
  EXPECT_EQ(info.records, 1);
  EXPECT_EQ(info.bytes, 3);
  EXPECT_EQ(info.head.value, 4);
}

TEST_P(StoreTest, scans_a_collection_in_byte_order_after_an_id) {
  for (const char* id : {"b", "a", "\xC3\xA4", "B", "a/1"}) put(id, "1");
  std::vector<std::string> ids;
  EXPECT_TRUE(store_->read(kSpace, [&](Snapshot& snapshot) {
    return snapshot.scan("c", "B", [&](const RecordView& record) {
      ids.emplace_back(record.id);
      return true;
    });
  }));
  EXPECT_EQ(ids, (Items{"a", "a/1", "b", "\xC3\xA4"}));
}

TEST_P(StoreTest, a_visitor_can_stop_the_iteration) {
  for (const char* id : {"a", "b", "c"}) put(id, "1");
  int visits = 0;
  EXPECT_TRUE(store_->read(
      kSpace, [&](Snapshot& snapshot) { return snapshot.feed({}, [&](const RecordView&) { return ++visits < 2; }); }));
  EXPECT_EQ(visits, 2);
}

TEST_P(StoreTest, keeps_replaced_versions_newest_first) {
  for (const char* doc : {"1", "2", "", "3"}) put("a", doc);
  std::vector<std::string> versions;
  EXPECT_TRUE(store_->read(kSpace, [&](Snapshot& snapshot) -> Result<> {
    TRY(const auto newest, snapshot.find("c", "a"));
    TRY(const auto earlier, snapshot.history(*newest, 10, kListBytesMax));
    for (const Record& version : earlier) versions.push_back(version.doc + "@" + std::to_string(version.seq.value));
    return {};
  }));
  EXPECT_EQ(versions, (Items{"@3", "2@2", "1@1"}));
}

TEST_P(StoreTest, hidden_timestamps_change_without_a_seq) {
  put("a", "1");
  const Record before = *find("a");
  const Committed committed = write([&](Txn& txn) -> Result<> {
    txn.set_hidden_stamps(before, before.effective_at.plus_micros(9), Timestamp{77});
    return {};
  });
  EXPECT_FALSE(committed.changed);
  EXPECT_EQ(committed.head.value, 1);
  const Record after = *find("a");
  EXPECT_EQ(after.updated_at, before.updated_at);
  EXPECT_EQ(after.effective_at, before.effective_at.plus_micros(9));
  EXPECT_EQ(after.claimed_at.micros, 77);
}

TEST_P(StoreTest, keeps_events_in_commit_order_until_deleted) {
  const auto tell = [&](const std::string& data, const SpaceName& space) {
    write(
        [&](Txn& txn) -> Result<> {
          txn.add_event("record.changed", data);
          return {};
        },
        space);
  };
  tell("{\"n\":1}", kSpace);
  tell("{\"n\":2}", kOther);
  (void)write_and_wait(*store_, kSpace, {}, [](Txn& txn) -> Result<> {
    txn.add_event("record.changed", "{}");
    return fail(ErrorCode::conflict, "no");
  });
  const auto events = store_->take_events(10);
  ASSERT_TRUE(events);
  ASSERT_EQ(events->size(), 2U);
  EXPECT_EQ(events->at(0).data, "{\"n\":1}");
  EXPECT_EQ(events->at(1).account, kOther.account);
  EXPECT_EQ(store_->take_events(10)->size(), 2U) << "taking them again is harmless";
  EXPECT_EQ(store_->take_events(1)->size(), 1U);
  ASSERT_TRUE(store_->forget_events({events->at(0).number}));
  EXPECT_EQ(store_->take_events(10)->size(), 1U);
  ASSERT_TRUE(store_->erase_account(kOther.account));
  EXPECT_TRUE(store_->take_events(10)->empty());
}

TEST_P(StoreTest, keeps_a_conflict_once_and_its_state) {
  const auto keep = [&](const std::string& doc) {
    Txn::KeptConflict kept;
    write([&](Txn& txn) -> Result<> {
      Conflict conflict;
      conflict.rule = Rule::later_stamp;
      conflict.at = txn.stamp();
      conflict.loser.collection = "c";
      conflict.loser.id = "a";
      conflict.loser.doc = doc;
      txn.expect([&] { return Reads{.fingerprints = {version_fingerprint(conflict.loser)}}; });
      TRY(kept, txn.add_conflict(conflict));
      return {};
    });
    return kept;
  };
  const auto first = keep("x");
  EXPECT_TRUE(first.is_new);
  const auto again = keep("x");
  EXPECT_FALSE(again.is_new);
  EXPECT_EQ(again.number, first.number);
  EXPECT_GT(keep("y").number, first.number);
  std::vector<Conflict> all;
  const auto list = [&](std::optional<ConflictState> state) {
    EXPECT_TRUE(store_->read(kSpace, [&](Snapshot& snapshot) -> Result<> {
      TRY(all, snapshot.conflicts(state, {}, 10));
      return {};
    }));
    return all.size();
  };
  ASSERT_EQ(list(ConflictState::open), 2U);
  EXPECT_EQ(all[0].loser.doc, "x");
  write([&](Txn& txn) -> Result<> {
    txn.set_conflict_state(all[0].number, ConflictState::dismissed);
    return {};
  });
  EXPECT_EQ(list(ConflictState::open), 1U);
  EXPECT_EQ(list(std::nullopt), 2U);
  keep("x");
  EXPECT_EQ(list(ConflictState::open), 1U) << "a dismissed one does not come back";
}

TEST_P(StoreTest, receipts_are_kept_until_purged) {
  write([](Txn& txn) -> Result<> {
    txn.put_receipt("k", {"print", 200, "body"});
    return {};
  });
  const auto found = [&] {
    std::optional<Receipt> receipt;
    write(
        [&](Txn& txn) -> Result<> {
          TRY(receipt, txn.find_receipt("k"));
          return {};
        },
        kSpace, [] { return Reads{.receipts = {"k"}}; });
    return receipt;
  };
  ASSERT_TRUE(found());
  EXPECT_EQ(found()->body, "body");
  clock_.advance_micros(10);
  EXPECT_TRUE(store_->purge({.receipts = clock_.now()}));
  EXPECT_FALSE(found());
}

TEST_P(StoreTest, a_value_is_stored_outside_the_feed) {
  const auto value = [&](std::string_view name) {
    std::optional<std::string> found;
    EXPECT_TRUE(store_->read(kSpace, [&](Snapshot& snapshot) -> Result<> {
      TRY(found, snapshot.find_value(name));
      return {};
    }));
    return found.value_or("none");
  };
  EXPECT_EQ(value("a"), "none");
  write([](Txn& txn) -> Result<> {
    txn.put_value("a", "1");
    txn.put_value("a", "2");
    txn.put_value("b", "1");
    TRY(const auto own, txn.find_value("a"));
    EXPECT_EQ(own.value_or("none"), "2");
    return {};
  });
  EXPECT_EQ(value("a"), "2");
  EXPECT_EQ(value("b"), "1");
  EXPECT_EQ(store_->head(kSpace), Seq{0}) << "nobody pulls it";
  write([](Txn& txn) -> Result<> {
    txn.put_value("a", "");
    TRY(const auto own, txn.find_value("a"));
    EXPECT_FALSE(own);
    return {};
  });
  EXPECT_EQ(value("a"), "none");
  EXPECT_FALSE(write_and_wait(*store_, kSpace, {}, [](Txn& txn) -> Result<> {
    txn.put_value("b", "lost");
    return fail(ErrorCode::conflict, "no");
  }));
  EXPECT_EQ(value("b"), "1") << "a function that fails leaves nothing behind";
  EXPECT_TRUE(store_->erase_account(kSpace.account));
  EXPECT_EQ(value("b"), "none");
}

TEST_P(StoreTest, purged_deletions_leave_the_feed_but_stay_deleted) {
  put("a", "1");
  put("b", "1");
  put("a", "");
  clock_.advance_micros(1'000'000);
  put("b", "");
  EXPECT_TRUE(store_->purge({.tombstones = clock_.now().plus_micros(-500'000)}));
  EXPECT_EQ(feed({}), (Items{"b-@4"}));
  EXPECT_EQ(store_->spaces(AccountNumber{1})->front().purged_through.value, 3);
  ASSERT_TRUE(find("a"));
  EXPECT_TRUE(find("a")->deleted);
}

TEST_P(StoreTest, purging_history_keeps_recent_versions) {
  put("a", "1");
  put("a", "2");
  clock_.advance_micros(1'000'000);
  put("a", "3");
  EXPECT_TRUE(store_->purge({.history = clock_.now().plus_micros(-500'000)}));
  EXPECT_TRUE(store_->read(kSpace, [&](Snapshot& snapshot) -> Result<> {
    TRY(const auto newest, snapshot.find("c", "a"));
    TRY(const auto earlier, snapshot.history(*newest, 10, kListBytesMax));
    EXPECT_EQ(earlier.size(), 1U);
    return {};
  }));
  put("a", "4");
  EXPECT_EQ(feed({}), (Items{"a=4@4"}));
}

TEST_P(StoreTest, what_is_kept_beside_the_records_is_counted_until_they_are_purged) {
  const auto kept = [&] {
    std::int64_t bytes = 0;
    EXPECT_TRUE(store_->read(kSpace, [&](Snapshot& snapshot) -> Result<> {
      TRY(const auto newest, snapshot.find("c", "a"));
      TRY(const auto earlier, snapshot.history(*newest, 10, kListBytesMax));
      for (const Record& version : earlier) bytes += bytes_of(version);
      EXPECT_EQ(snapshot.info().history_bytes, store_->spaces(AccountNumber{1})->front().history_bytes);
      bytes -= snapshot.info().history_bytes;
      return {};
    }));
    return -bytes;  // more than the history
  };
  put("a", "1");
  EXPECT_EQ(store_->spaces(AccountNumber{1})->front().history_bytes, 0);
  put("a", "22");
  put("a", "");
  EXPECT_EQ(kept(), 0);
  EXPECT_GT(store_->spaces(AccountNumber{1})->front().history_bytes, 2 * 64);
  clock_.advance_micros(1'000'000);
  put("a", "4");
  EXPECT_TRUE(store_->purge({.history = clock_.now().plus_micros(-500'000)}));
  EXPECT_EQ(kept(), 0);
  EXPECT_EQ(store_->spaces(AccountNumber{1})->front().history_bytes, 64 + 1) << "the deletion";
  const Conflict conflict{.rule = Rule::later_stamp, .at = clock_.now(), .loser = *find("a")};
  for (int time = 0; time < 2; ++time) {
    EXPECT_TRUE(write_and_wait(*store_, kSpace, {}, [&](Txn& txn) -> Result<> {
      txn.expect([&] { return Reads{.fingerprints = {version_fingerprint(conflict.loser)}}; });
      TRY([[maybe_unused]] const auto added, txn.add_conflict(conflict));
      return {};
    }));
  }
  EXPECT_EQ(kept(), bytes_of(conflict.loser)) << "a repeated conflict is kept once";
  const Receipt receipt{"f", 200, std::string(1000, 'x')};
  EXPECT_TRUE(write_and_wait(*store_, kSpace, {}, [&](Txn& txn) -> Result<> {
    txn.put_receipt("key", receipt);
    return {};
  }));
  EXPECT_EQ(kept(), bytes_of(conflict.loser) + bytes_of(receipt));
  EXPECT_TRUE(store_->purge({.receipts = clock_.now().plus_micros(1)}));
  EXPECT_EQ(kept(), bytes_of(conflict.loser)) << "answers are purged";
}

TEST_P(StoreTest, erasing_an_account_affects_no_other) {
  put("a", "1");
  put("a", "2", kOther);
  EXPECT_TRUE(store_->erase_account(AccountNumber{1}));
  EXPECT_EQ(feed({}), Items{});
  EXPECT_EQ(store_->head(kSpace).value, 0);
  EXPECT_EQ(feed({}, kOther), (Items{"a=2@1"}));
  EXPECT_EQ(put("n", "1").value, 1);
  EXPECT_EQ(feed({}), (Items{"n=1@1"}));
  EXPECT_TRUE(store_->verify()->empty());
}

TEST_P(StoreTest, readers_beside_sixteen_writers_see_a_gapless_feed) {
  constexpr std::int64_t kWriters = 16;
  constexpr std::int64_t kEach = 60;
  std::atomic<bool> done = false;
  std::vector<std::thread> readers;
  readers.reserve(2);
  for (int r = 0; r < 2; ++r) {
    readers.emplace_back([&] {
      std::int64_t seen = 0;
      while (!done || seen < kWriters * kEach) {
        EXPECT_TRUE(store_->read(kSpace, [&](Snapshot& snapshot) {
          return snapshot.feed({seen}, [&](const RecordView& record) {
            EXPECT_EQ(record.seq.value, seen + 1);
            seen = record.seq.value;
            return true;
          });
        }));
        if (testing::Test::HasFailure()) return;
      }
    });
  }
  std::vector<std::thread> writers;
  writers.reserve(kWriters);
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      for (int i = 0; i < kEach; ++i) put(std::to_string(w) + "-" + std::to_string(i), "1");
    });
  }
  for (std::thread& writer : writers) writer.join();
  done = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(store_->head(kSpace).value, kWriters * kEach);
}

}  // namespace
}  // namespace syncline
