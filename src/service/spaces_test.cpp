#include "service/spaces.hpp"

#include <gtest/gtest.h>

#include "service/housekeeping.hpp"
#include "store/memory/memory_store.hpp"
#include "support/manual_scheduler.hpp"

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
  MemoryStore store_{clock_, "e"};
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
  EXPECT_EQ(again.seen_through(kAnn, kNotes).value, 7);
  EXPECT_EQ(again.seen_through(kBob, kNotes).value, 0);
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
  put(kBob, 200, "{\"v\":2}");
  Conflict restored;
  ASSERT_TRUE(spaces_.write_and_wait(kNotes, kAnn, [&](SpaceWriter& writer) -> Result<> {
    TRY(restored, writer.restore(ConflictNumber{1}));
    return {};
  }));
  EXPECT_EQ(restored.state, ConflictState::restored);
  EXPECT_EQ(put(kBob, 200, "{\"v\":2}").record->doc, "{\"v\":1}");
  EXPECT_EQ(spaces_
                .write_and_wait(kNotes, kAnn,
                                [&](SpaceWriter& writer) -> Result<> {
                                  TRY(restored, writer.dismiss(ConflictNumber{1}));
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

}  // namespace
}  // namespace syncline
