// What writes may rely on and what is asked of them: the clock, hints, running again, epochs, events. And the stores of
// tests that hold write functions to it (support/proving_store.hpp).
#include <gtest/gtest.h>

#include "support/store_fixture.hpp"

namespace syncline {
namespace {

using test::kSpace;

class WriteContractTest : public test::StoreFixture {};

INSTANTIATE_TEST_SUITE_P(Stores, WriteContractTest, test::all_stores(), test::store_name);

TEST_P(WriteContractTest, a_write_reads_the_stores_clock) {
  clock_.advance_micros(12'345);
  put("a", "1");
  EXPECT_EQ(find("a")->committed_at, clock_.now());
  clock_.advance_micros(-5'000'000);
  write([&](Txn& txn) -> Result<> {
    EXPECT_EQ(txn.now(), clock_.now()) << "though stamps go on rising";
    EXPECT_GT(txn.stamp(), clock_.now());
    EXPECT_EQ(txn.latest(), clock_.now());
    return {};
  });
  clock_.doubt(60'000'000);
  write([&](Txn& txn) -> Result<> {
    EXPECT_EQ(txn.now(), clock_.now());
    EXPECT_EQ(txn.latest(), clock_.now().plus_micros(60'000'000)) << "the store doubts its clock";
    return {};
  });
}

TEST_P(WriteContractTest, hints_change_no_answer) {
  put("a", "1");
  write([](Txn& txn) -> Result<> {
    txn.put_value("mark", "1");
    return {};
  });
  write(
      [](Txn& txn) -> Result<> {
        TRY(const auto there, txn.find("c", "a"));
        EXPECT_TRUE(there);
        TRY(const auto none, txn.find("c", "none"));
        EXPECT_FALSE(none);
        TRY(const auto mark, txn.find_value("mark"));
        EXPECT_EQ(mark.value_or("none"), "1");
        TRY(const auto versions, txn.history(*there, 10, kListBytesMax));
        EXPECT_TRUE(versions.empty());
        int count = 0;
        CHECK_OK(txn.scan("c", "", [&](const RecordView&) { return ++count > 0; }));
        EXPECT_EQ(count, 1);
        return {};
      },
      kSpace,
      [] {
        return Reads{.records = {RecordKey{"c", "a"}, RecordKey{"c", "none"}},
                     .histories = {RecordKey{"c", "a"}},
                     .prefixes = {RecordKey{"c", ""}},
                     .values = {"mark"}};
      });
}

TEST_P(WriteContractTest, a_lookup_without_a_hint_is_answered) {
  if (GetParam() == "strict") GTEST_SKIP() << "it refuses them: ProvingStores.*";
  put("a", "1");
  write([](Txn& txn) -> Result<> {
    TRY(const auto there, txn.find("c", "a"));
    EXPECT_TRUE(there);
    return {};
  });
}

TEST_P(WriteContractTest, a_space_has_the_stores_epoch_before_and_after_its_first_write) {
  const auto epoch = [&] {
    std::string found;
    EXPECT_TRUE(store_->read(kSpace, [&](Snapshot& snapshot) -> Result<> {
      found = snapshot.info().epoch;
      return {};
    }));
    return found;
  };
  EXPECT_EQ(epoch(), store_->epoch());
  put("a", "1");
  EXPECT_EQ(epoch(), store_->epoch());
  EXPECT_EQ(store_->epoch(kSpace), store_->epoch());
  EXPECT_EQ(store_->spaces(kSpace.account)->front().epoch, store_->epoch());
  write([&](Txn& txn) -> Result<> {
    EXPECT_EQ(txn.info().epoch, store_->epoch());
    return {};
  });
}

TEST_P(WriteContractTest, forgets_only_the_events_that_are_named) {
  for (const char* data : {"1", "2", "3"}) {
    write([&](Txn& txn) -> Result<> {
      txn.add_event("record.changed", data);
      return {};
    });
  }
  const auto taken = store_->take_events(10);
  ASSERT_EQ(taken->size(), 3U);
  ASSERT_TRUE(store_->forget_events({taken->at(1).number}));
  const auto left = store_->take_events(10);
  ASSERT_EQ(left->size(), 2U);
  EXPECT_EQ(left->at(0).data, "1") << "a lesser number is another event";
  EXPECT_EQ(left->at(1).data, "3");
  ASSERT_TRUE(store_->forget_events({}));
  EXPECT_EQ(store_->take_events(10)->size(), 2U);
}

class ProvingStores : public testing::Test {
 protected:
  [[nodiscard]] test::OnFault note_fault() {
    return [this](const std::string& fault) { faults_.push_back(fault); };
  }

  Result<Committed> write(Store& store, WriteFunction run, NameReads reads = nullptr) {
    return write_and_wait(store, kSpace, {.reads = std::move(reads)}, std::move(run));
  }

  ManualClock clock_{Timestamp{1'800'000'000'000'000}};
  MemoryStore memory_{clock_, "e1"};
  std::vector<std::string> faults_;
};

Result<> put(Txn& txn, const std::string& id, std::string doc) {
  Record record;
  record.collection = "c";
  record.id = id;
  record.doc = std::move(doc);
  txn.put(std::move(record), nullptr);
  return {};
}

TEST_F(ProvingStores, the_first_of_two_runs_leaves_nothing_behind) {
  test::TwiceStore twice(memory_);
  int runs = 0;
  const auto written = write(twice, [&](Txn& txn) { return put(txn, std::to_string(++runs), "{}"); });
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(written->head.value, 1);
  EXPECT_TRUE(memory_.read(kSpace, [](Snapshot& snapshot) -> Result<> {
    TRY(const auto first, snapshot.find("c", "1"));
    EXPECT_FALSE(first);
    TRY(const auto second, snapshot.find("c", "2"));
    EXPECT_TRUE(second);
    return {};
  }));
}

TEST_F(ProvingStores, a_function_that_moves_from_its_captures_is_seen) {
  test::TwiceStore twice(memory_);
  std::string doc = R"({"text":"longer than a string that needs no memory of its own"})";
  const std::string wanted = doc;
  ASSERT_TRUE(write(twice, [&](Txn& txn) { return put(txn, "a", std::move(doc)); }));
  EXPECT_TRUE(memory_.read(kSpace, [&](Snapshot& snapshot) -> Result<> {
    TRY(const auto stored, snapshot.find("c", "a"));
    EXPECT_NE(stored->doc, wanted) << "the second run has nothing left to store";
    return {};
  }));
}

TEST_F(ProvingStores, the_last_run_decides_what_becomes_of_a_write) {
  test::TwiceStore twice(memory_);
  int runs = 0;
  const auto refused_at_first = write(twice, [&](Txn& txn) -> Result<> {
    if (++runs == 1) return fail(ErrorCode::conflict, "not yet");
    return put(txn, "a", "{}");
  });
  EXPECT_TRUE(refused_at_first);
  EXPECT_EQ(write(twice, [](Txn&) -> Result<> { return fail(ErrorCode::conflict, "no"); }).error().code,
            ErrorCode::conflict);
}

TEST_F(ProvingStores, the_clock_may_move_between_two_runs) {
  test::TwiceStore twice(memory_);
  twice.between_runs([this] { clock_.advance_micros(10); });
  std::vector<Timestamp> seen;
  ASSERT_TRUE(write(twice, [&](Txn& txn) -> Result<> {
    seen.push_back(txn.now());
    return {};
  }));
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0].plus_micros(10), seen[1]);
}

TEST_F(ProvingStores, a_lookup_that_nobody_has_named_is_a_fault) {
  test::StrictStore strict(memory_, note_fault());
  EXPECT_FALSE(write(strict, [](Txn& txn) -> Result<> {
    TRY([[maybe_unused]] const auto found, txn.find("c", "a"));
    return {};
  }));
  EXPECT_FALSE(write(strict, [](Txn& txn) -> Result<> {
    TRY([[maybe_unused]] const auto found, txn.find_value("a"));
    return {};
  }));
  EXPECT_FALSE(write(strict, [](Txn& txn) -> Result<> {
    TRY([[maybe_unused]] const auto found, txn.find_receipt("a"));
    return {};
  }));
  EXPECT_FALSE(write(strict, [](Txn& txn) -> Result<> {
    TRY([[maybe_unused]] const auto found, txn.find_conflict({1}));
    return {};
  }));
  EXPECT_FALSE(write(strict, [](Txn& txn) -> Result<> {
    TRY([[maybe_unused]] const auto kept, txn.add_conflict({}));
    return {};
  }));
  EXPECT_FALSE(write(strict, [](Txn& txn) -> Result<> {
    TRY([[maybe_unused]] const auto versions, txn.history({}, 1, 1));
    return {};
  }));
  EXPECT_FALSE(write(strict, [](Txn& txn) { return txn.scan("c", "", [](const RecordView&) { return true; }); }));
  EXPECT_EQ(faults_.size(), 7U);
}

TEST_F(ProvingStores, what_is_named_costs_one_round_trip_before_and_one_for_each_hint_in_the_middle) {
  test::StrictStore strict(memory_, note_fault());
  const auto reads = [] {
    return Reads{.records = {RecordKey{"c", "a"}}, .prefixes = {RecordKey{"d", "x-"}}, .values = {"v"}};
  };
  ASSERT_TRUE(write(
      strict,
      [](Txn& txn) -> Result<> {
        TRY([[maybe_unused]] const auto named, txn.find("c", "a"));
        TRY([[maybe_unused]] const auto in_prefix, txn.find("d", "x-1"));
        CHECK_OK(put(txn, "own", "{}"));
        TRY([[maybe_unused]] const auto own, txn.find("c", "own"));
        txn.expect([] { return Reads{.records = {RecordKey{"c", "b"}}}; });
        txn.expect([] { return Reads{.records = {RecordKey{"c", "b"}}}; });
        TRY([[maybe_unused]] const auto later, txn.find("c", "b"));
        return {};
      },
      reads));
  EXPECT_EQ(strict.fetches_of_last_write(), 2);
  EXPECT_TRUE(faults_.empty());
}

TEST_F(ProvingStores, a_clock_of_the_outside_is_a_fault_inside_a_write) {
  test::StrictStore strict(memory_, note_fault());
  const test::OutsideClock outside(clock_, note_fault());
  EXPECT_EQ(outside.now(), clock_.now());
  EXPECT_TRUE(faults_.empty());
  ASSERT_TRUE(write(strict, [&](Txn&) -> Result<> {
    (void)outside.now();
    (void)outside.latest();
    outside.note_stamp(clock_.now(), Clock::Witness::client);
    return {};
  }));
  EXPECT_EQ(faults_.size(), 3U);
}

}  // namespace
}  // namespace syncline
