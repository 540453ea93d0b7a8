#include "service/spaces.hpp"

#include <gtest/gtest.h>

#include "service/housekeeping.hpp"
#include "store/memory/memory_store.hpp"
#include "store/sqlite/connection.hpp"
#include "store/sqlite/sqlite_store.hpp"
#include "support/environment.hpp"
#include "support/manual_scheduler.hpp"
#include "support/proving_store.hpp"

namespace syncline {
namespace {

const SpaceName kNotes{AccountNumber{1}, "notes"};
constexpr KeyNumber kAnn{1};
constexpr KeyNumber kBob{2};

class SpacesTest : public testing::Test {
 protected:
  OpResult apply(KeyNumber key, const Op& op) {
    OpResult result;
    EXPECT_TRUE(spaces_.write_and_wait(kNotes, key, [&](SpaceWriter& writer) -> Result<> {
      TRY(result, writer.apply(op));
      return {};
    }));
    return result;
  }

  OpResult put(KeyNumber key, std::int64_t stamp_s, const std::string& doc) {
    return apply(key, {.collection = "c",
                       .id = "a",
                       .updated_at = Timestamp{stamp_s * kMicrosPerSecond},
                       .deleted = doc.empty(),
                       .doc = doc});
  }

  std::vector<std::string> losers() {
    std::vector<std::string> docs;
    EXPECT_TRUE(spaces_.read(kNotes, [&](Snapshot& snapshot) -> Result<> {
      TRY(const auto conflicts, snapshot.conflicts(ConflictState::open, {}, 100));
      for (const Conflict& conflict : conflicts) docs.push_back(conflict.loser.doc);
      return {};
    }));
    return docs;
  }

  ManualClock clock_{Timestamp{1'800'000'000'000'000}};
  MemoryStore memory_{clock_, "e"};
  test::TwiceStore store_{memory_};  // every write function may run again
  test::ManualScheduler scheduler_;
  Live live_{scheduler_};
  PullProgress progress_{store_};
  const RuleBook rules_{{}};
  Spaces spaces_{store_, clock_, live_, progress_, rules_};
};

using Docs = std::vector<std::string>;

TEST_F(SpacesTest, a_repeated_op_gets_the_same_seq_and_changes_nothing) {
  EXPECT_EQ(put(kAnn, 100, "{\"v\":1}").status, OpStatus::applied);
  const OpResult again = put(kAnn, 100, "{\"v\":1}");
  EXPECT_EQ(again.status, OpStatus::noop);
  EXPECT_EQ(again.seq.value, 1);
  EXPECT_EQ(spaces_.head(kNotes).value, 1);
}

TEST_F(SpacesTest, a_stale_op_returns_the_current_version_and_is_kept_once) {
  put(kAnn, 100, "{\"v\":1}");
  for (int i = 0; i < 2; ++i) {
    const OpResult stale = put(kBob, 50, "{\"v\":2}");
    EXPECT_EQ(stale.status, OpStatus::stale);
    EXPECT_EQ(stale.record->doc, "{\"v\":1}");
  }
  EXPECT_EQ(losers(), (Docs{"{\"v\":2}"}));
}

TEST_F(SpacesTest, a_late_repeat_of_a_replaced_version_is_not_a_conflict) {
  put(kAnn, 100, "{\"v\":1}");
  put(kAnn, 200, "{\"v\":2}");
  EXPECT_EQ(put(kAnn, 100, "{\"v\":1}").status, OpStatus::stale);
  EXPECT_EQ(losers(), Docs{});
}

TEST_F(SpacesTest, replacing_a_pulled_version_is_not_a_conflict) {
  put(kAnn, 100, "{\"v\":1}");
  put(kBob, 200, "{\"v\":2}");
  EXPECT_EQ(losers(), (Docs{"{\"v\":1}"})) << "Bob had not seen it";
  spaces_.note_pulled(kAnn, kNotes, Seq{2});
  put(kAnn, 300, "{\"v\":3}");
  EXPECT_EQ(losers(), (Docs{"{\"v\":1}"})) << "Ann had";
}

TEST_F(SpacesTest, pull_progress_survives_a_restart) {
  spaces_.note_pulled(kAnn, kNotes, Seq{7});
  ASSERT_TRUE(progress_.save());
  PullProgress again(store_);
  ASSERT_TRUE(again.load());
  EXPECT_EQ(again.seen_through(kAnn, kNotes)->value, 7);
  EXPECT_EQ(again.seen_through(kBob, kNotes)->value, 0);
}

TEST_F(SpacesTest, a_clock_in_2035_is_lowered_reported_and_does_not_win_forever) {
  const OpResult first = put(kAnn, 2'051'222'400, "{\"v\":\"2035\"}");
  EXPECT_EQ(first.used, clock_.now());
  clock_.advance_micros(10 * kMicrosPerSecond);
  EXPECT_EQ(put(kBob, clock_.now().micros / kMicrosPerSecond, "{\"v\":\"now\"}").status, OpStatus::applied);
  clock_.advance_micros(3600 * kMicrosPerSecond);
  EXPECT_EQ(put(kAnn, 2'051'222'400, "{\"v\":\"2035\"}").status, OpStatus::stale);
}

TEST_F(SpacesTest, a_restored_conflict_becomes_the_current_version) {
  put(kAnn, 100, "{\"v\":1}");
  const auto kept = put(kBob, 200, "{\"v\":2}").conflict;
  ASSERT_TRUE(kept);
  Conflict restored;
  ASSERT_TRUE(spaces_.write_and_wait(kNotes, kAnn, [&](SpaceWriter& writer) -> Result<> {
    TRY(restored, writer.restore(*kept));
    return {};
  }));
  EXPECT_EQ(restored.state, ConflictState::restored);
  EXPECT_EQ(put(kBob, 200, "{\"v\":2}").record->doc, "{\"v\":1}");
  EXPECT_EQ(spaces_
                .write_and_wait(kNotes, kAnn,
                                [&](SpaceWriter& writer) -> Result<> {
                                  TRY(restored, writer.dismiss(*kept));
                                  return {};
                                })
                .error()
                .code,
            ErrorCode::conflict);
}

TEST_F(SpacesTest, rejects_invalid_names_and_ids_without_affecting_other_ops) {
  for (const std::string& id : {std::string(), std::string(513, 'x'), std::string("a\0b", 3), std::string("\xff")}) {
    EXPECT_EQ(apply(kAnn, {.collection = "c", .id = id, .doc = "{}"}).status, OpStatus::refused);
  }
  for (const std::string& id : {std::string("x"), std::string(512, 'x'), std::string("a/b"), std::string("\U0001F600"),
                                std::string("\x01\n")}) {
    EXPECT_EQ(apply(kAnn, {.collection = "c", .id = id, .doc = "{}"}).status, OpStatus::applied);
  }
  EXPECT_EQ(apply(kAnn, {.collection = "c/d", .id = "x", .doc = "{}"}).status, OpStatus::refused);
  EXPECT_EQ(apply(kAnn, {.collection = "c", .id = "x", .base = Seq{99}, .doc = "{}"}).status, OpStatus::refused);
}

TEST_F(SpacesTest, what_follows_a_commit_is_done_once_and_not_before_it) {
  int followed = 0;
  const auto write = [&](Result<> outcome) {
    return spaces_.write_and_wait(kNotes, kAnn, [&, outcome](SpaceWriter& writer) -> Result<> {
      TRY([[maybe_unused]] const Seq seq, writer.replace("c", "a", "{}", Rule::direct));
      writer.after_commit([&] { ++followed; });
      EXPECT_EQ(followed, 0);
      return outcome;
    });
  };
  EXPECT_FALSE(write(fail(ErrorCode::conflict, "no")));
  EXPECT_EQ(followed, 0);
  EXPECT_TRUE(write({}));
  EXPECT_EQ(followed, 1);
}

TEST_F(SpacesTest, a_wait_ends_with_a_change_or_at_its_timeout) {
  int changed = 0;
  int timed_out = 0;
  spaces_.wait(kNotes, Seq{0}, 1000, [&] { ++changed; });
  spaces_.wait({AccountNumber{1}, "other"}, Seq{0}, 1000, [&] { ++timed_out; });
  scheduler_.run_posted();
  EXPECT_EQ(changed, 0);

  put(kAnn, 100, "{\"v\":1}");
  scheduler_.run_posted();
  EXPECT_EQ(changed, 1);
  EXPECT_EQ(timed_out, 0);

  scheduler_.advance_ms(1000);
  EXPECT_EQ(timed_out, 1);
  EXPECT_EQ(changed, 1);
}

TEST_F(SpacesTest, a_wait_for_an_older_cursor_ends_at_once) {
  put(kAnn, 100, "{\"v\":1}");
  int ended = 0;
  spaces_.wait(kNotes, Seq{0}, 1000, [&] { ++ended; });
  scheduler_.run_posted();
  EXPECT_EQ(ended, 1);
}

TEST_F(SpacesTest, stopping_ends_all_waits) {
  int ended = 0;
  spaces_.wait(kNotes, Seq{0}, 60'000, [&] { ++ended; });
  live_.end_waits();
  spaces_.wait(kNotes, Seq{0}, 60'000, [&] { ++ended; });
  scheduler_.run_posted();
  EXPECT_EQ(ended, 2);
}

TEST_F(SpacesTest, a_cursor_older_than_a_purge_expires) {
  put(kAnn, 100, "{\"v\":1}");
  put(kAnn, 200, "");
  put(kAnn, 300, "{\"v\":1}");
  put(kAnn, 400, "");
  clock_.advance_micros(200LL * 86400 * kMicrosPerSecond);
  Access access(store_, clock_);
  Housekeeping(store_, clock_, access, progress_, {}).run_all();
  EXPECT_EQ(spaces_.resume(kNotes, {"e", Seq{2}}).error().code, ErrorCode::cursor_expired);
  EXPECT_EQ(spaces_.resume(kNotes, {"e", Seq{4}})->value, 4);
  EXPECT_EQ(spaces_.resume(kNotes, {})->value, 0);
}

TEST(SpacesOnDiskTest, cursors_are_of_the_epoch_that_their_space_has) {
  const test::TemporaryDirectory directory;
  const SystemClock clock;
  const std::string path = directory.path() + "/syncline.db";
  const auto write = [](Store& store) {
    return write_and_wait(store, kNotes, {}, [](Txn& txn) -> Result<> {
      txn.put({.collection = "c", .id = "a"}, nullptr);
      return {};
    });
  };
  ASSERT_TRUE(write(**SqliteStore::open(path, clock, {})));
  {
    auto connection = *sqlite::Connection::open(path, sqlite::Connection::Mode::read_write);
    ASSERT_TRUE(connection.execute("INSERT INTO meta SELECT 'epoch/' || number, 'brought' FROM space"));
  }
  const auto store = *SqliteStore::open(path, clock, {});
  test::ManualScheduler scheduler;
  Live live{scheduler};
  PullProgress progress{*store};
  const RuleBook rules{{}};
  Spaces spaces{*store, clock, live, progress, rules};
  const Cursor cursor = spaces.cursor_at_head(kNotes);
  EXPECT_EQ(cursor.epoch, "brought");
  EXPECT_EQ(spaces.resume(kNotes, cursor).value_or(Seq{}).value, 1);
  EXPECT_TRUE(spaces.check(kNotes, cursor));
  EXPECT_TRUE(spaces.check_history_of(kNotes, cursor, cursor.seq));
  Cursor of_the_store = cursor;
  of_the_store.epoch = store->epoch();
  EXPECT_EQ(spaces.resume(kNotes, of_the_store).error().code, ErrorCode::epoch_changed);
  EXPECT_EQ(spaces.check(kNotes, of_the_store).error().code, ErrorCode::epoch_changed);
}

/// A snapshot shows a commit a moment before the head does. Whoever reads in that moment has a cursor that is past the
/// head, and comes back with it.
TEST(SpacesOnDiskTest, a_cursor_read_before_the_head_was_published_counts) {
  const test::TemporaryDirectory directory;
  const SystemClock clock;
  Spaces* spaces_of_reader = nullptr;
  std::vector<std::pair<Cursor, Seq>> read;  // and the head then
  std::vector<Result<Seq>> resumed;
  const auto read_now = [&] {
    if (spaces_of_reader == nullptr) return;
    Spaces& spaces = *spaces_of_reader;
    EXPECT_TRUE(spaces.read(kNotes, [&](Snapshot& snapshot) -> Result<> {
      read.emplace_back(spaces.cursor(kNotes, snapshot.info().head), spaces.head(kNotes));
      return {};
    }));
    resumed.push_back(spaces.resume(kNotes, read.back().first));
    EXPECT_TRUE(spaces.check(kNotes, read.back().first));
  };
  const auto store = *SqliteStore::open(directory.path() + "/syncline.db", clock, {.before_publication = read_now});
  test::ManualScheduler scheduler;
  Live live{scheduler};
  PullProgress progress{*store};
  const RuleBook rules{{}};
  Spaces spaces{*store, clock, live, progress, rules};
  spaces_of_reader = &spaces;
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(spaces.write_and_wait(kNotes, kAnn, [&](SpaceWriter& writer) -> Result<> {
      TRY([[maybe_unused]] const OpResult result,
          writer.apply({.collection = "c", .id = std::to_string(i), .doc = "{}"}));
      return {};
    }));
  }
  ASSERT_EQ(read.size(), 3U);
  for (std::size_t i = 0; i < read.size(); ++i) {
    // The first commit makes the space known, so nobody sees it in a snapshot before.
    EXPECT_TRUE(i == 0 || read[i].first.seq > read[i].second) << "the reader was not in that moment";
    ASSERT_TRUE(resumed[i]) << resumed[i].error().text;
    EXPECT_EQ(*resumed[i], read[i].first.seq);
  }
}

}  // namespace
}  // namespace syncline
