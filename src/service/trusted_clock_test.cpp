// The clock of a store from one process to the next, and what purging does while it is in doubt.
#include "service/trusted_clock.hpp"

#include <gtest/gtest.h>

#include "service/access.hpp"
#include "service/housekeeping.hpp"
#include "service/spaces.hpp"
#include "store/memory/memory_store.hpp"
#include "support/durations.hpp"
#include "support/manual_scheduler.hpp"

namespace syncline {
namespace {

using test::kDayMicros;
using test::kHourMicros;
using test::kMinuteMicros;
using test::kYearMicros;

const SpaceName kClockedSpace{AccountNumber{1}, "notes"};
constexpr KeyNumber kClockedWriter{1};

/// The clock of whatever process runs now.
class CurrentClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override { return clock->now(); }
  [[nodiscard]] Timestamp latest() const override { return clock->latest(); }
  [[nodiscard]] bool is_trusted() const override { return clock->is_trusted(); }
  void note_stamp(Timestamp stamp, Witness witness) const override { clock->note_stamp(stamp, witness); }

  std::unique_ptr<TrustedClock> clock;
};

/// A hub, or a device, on a machine whose clock the test sets. The store stays.
class TrustedClockTest : public testing::Test {
 protected:
  TrustedClockTest() { restart(); }

  void restart(TrustedClock::Of of = TrustedClock::Of::hub) {
    clock_.clock = std::make_unique<TrustedClock>(
        of, TrustedClock::Source{[this] { return wall(); }, [this] { return truth_.now().micros; }});
    EXPECT_TRUE(clock_.clock->load(store_));
  }
  [[nodiscard]] Timestamp truth() const { return truth_.now(); }
  [[nodiscard]] Timestamp wall() const { return truth_.now().plus_micros(off_); }
  void pass(std::int64_t micros) { truth_.advance_micros(micros); }
  void save() { EXPECT_TRUE(clock_.clock->save(store_)); }

  OpResult put(const std::string& doc, std::optional<Timestamp> stamp = std::nullopt) {
    OpResult result;
    EXPECT_TRUE(spaces_.write_and_wait(kClockedSpace, kClockedWriter, [&](SpaceWriter& writer) -> Result<> {
      TRY(result,
          writer.apply({.collection = "c", .id = "a", .updated_at = stamp, .deleted = doc.empty(), .doc = doc}));
      return {};
    }));
    return result;
  }
  std::size_t count_versions() {
    std::size_t count = 0;
    EXPECT_TRUE(spaces_.read(kClockedSpace, [&](Snapshot& snapshot) -> Result<> {
      TRY(const auto record, snapshot.find("c", "a"));
      TRY(const auto earlier, snapshot.history(*record, 1000, 1U << 20U));
      count = earlier.size();
      return {};
    }));
    return count;
  }
  Seq purged_through() { return store_.spaces(AccountNumber{1})->front().purged_through; }
  void purge() { Housekeeping(store_, clock_, access_, progress_, {}).run_all(); }

  ManualClock truth_{Timestamp{1'800'000'000'000'000}};
  std::int64_t off_ = 0;
  CurrentClock clock_;
  MemoryStore store_{clock_, "e"};
  test::ManualScheduler scheduler_;
  Live live_{scheduler_};
  Access access_{store_, clock_};
  PullProgress progress_{store_};
  const RuleBook rules_{{}};
  Spaces spaces_{store_, clock_, live_, progress_, rules_};
};

TEST(ClockStatus, advice_rounds_to_the_nearest_unit) {
  const auto advice = [](std::int64_t off_micros) {
    return ClockStatus{.state = ClockState::behind, .off_micros = -off_micros}.advice();
  };
  EXPECT_TRUE(advice(89 * kMinuteMicros + 40 * kMicrosPerSecond).contains(" 90 minutes behind "));
  EXPECT_TRUE(advice(2 * kHourMicros + 50 * kMinuteMicros).contains(" 3 hours behind "));
  EXPECT_TRUE(advice(60 * kDayMicros - kMinuteMicros).contains(" 60 days behind "));
}

TEST_F(TrustedClockTest, now_never_goes_back_between_two_looks_at_everything) {
  Timestamp before = clock_.now();
  pass(40'000);
  EXPECT_EQ(clock_.now(), wall());
  for (const std::int64_t step : {-900, -60'000, 500, -2'000'000}) {
    off_ += step;
    for (int i = 0; i < 100; ++i) {
      pass(997);
      const Timestamp now = clock_.now();
      EXPECT_GE(now, before) << "after a step of " << step << " us";
      before = now;
    }
  }
}

TEST_F(TrustedClockTest, what_was_read_before_the_kept_time_was_known_is_not_believed_after_it) {
  save();
  off_ += kYearMicros;
  clock_.clock = std::make_unique<TrustedClock>(
      TrustedClock::Of::hub, TrustedClock::Source{[this] { return wall(); }, [this] { return truth_.now().micros; }});
  (void)clock_.now();
  ASSERT_TRUE(clock_.clock->load(store_));
  EXPECT_LT(clock_.now(), truth().plus_micros(kDayMicros));
}

TEST_F(TrustedClockTest, a_step_between_two_looks_is_noticed_at_once) {
  (void)clock_.now();
  pass(1000);
  off_ += 2 * kHourMicros;
  EXPECT_LT(clock_.now(), truth().plus_micros(kMinuteMicros));
  EXPECT_EQ(clock_.clock->status().state, ClockState::ahead);
}

TEST_F(TrustedClockTest, a_clock_that_is_ahead_from_the_start_erases_nothing_and_stamps_nothing_ahead) {
  put(R"({"v":1})");
  put("");
  save();
  off_ = 12 * kYearMicros;
  pass(kMinuteMicros);
  restart();

  const OpResult touched = put(R"({"v":2})");
  purge();

  EXPECT_FALSE(clock_.is_trusted());
  EXPECT_EQ(count_versions(), 2U);
  EXPECT_EQ(purged_through().value, 0);
  EXPECT_LE(touched.updated_at, truth());
}

TEST_F(TrustedClockTest, a_clock_that_jumps_ahead_while_running_erases_nothing_and_stamps_nothing_ahead) {
  put(R"({"v":1})");
  pass(kMinuteMicros);
  off_ = 12 * kYearMicros;
  const OpResult touched = put(R"({"v":2})");
  purge();

  EXPECT_EQ(count_versions(), 1U);
  EXPECT_EQ(touched.updated_at, truth());
}

TEST_F(TrustedClockTest, what_has_outlived_its_time_is_purged_once_the_clock_is_accepted) {
  put(R"({"v":1})");
  put(R"({"v":2})");
  save();
  pass(60 * kDayMicros);
  restart();
  purge();
  ASSERT_EQ(count_versions(), 1U);
  ASSERT_TRUE(clock_.clock->accept(store_));
  purge();
  EXPECT_EQ(count_versions(), 0U);
  restart();
  EXPECT_TRUE(clock_.is_trusted()) << "and the next process believes it too";
}

TEST_F(TrustedClockTest, a_process_that_has_not_loaded_what_is_kept_does_not_replace_it) {
  put(R"({"v":1})");
  save();
  off_ = 400 * kDayMicros;
  TrustedClock unloaded(TrustedClock::Of::hub, {[this] { return wall(); }, [this] { return truth_.now().micros; }});
  put(R"({"v":2})");
  EXPECT_TRUE(unloaded.save(store_));
  restart();
  EXPECT_FALSE(clock_.is_trusted());
}

TEST_F(TrustedClockTest, a_time_that_was_in_doubt_is_no_lower_bound_for_the_next_process) {
  put(R"({"v":1})");
  save();
  off_ = 12 * kYearMicros;
  restart();
  put(R"({"v":2})");
  save();
  off_ = 0;
  pass(kMinuteMicros);
  restart();
  EXPECT_TRUE(clock_.is_trusted());
  EXPECT_EQ(clock_.now(), truth());
}

TEST_F(TrustedClockTest, commits_of_an_older_version_in_2038_pin_nothing_there) {
  off_ = 12 * kYearMicros;
  restart();
  put(R"({"v":1})");
  off_ = 0;
  restart();
  EXPECT_EQ(clock_.now(), truth());
  EXPECT_EQ(put(R"({"v":"later"})", truth().plus_micros(-kHourMicros)).status, OpStatus::applied)
      << "what was stamped in 2038 is outranked by any edit";
  EXPECT_EQ(put(R"({"v":"earlier"})", truth().plus_micros(-2 * kHourMicros)).status, OpStatus::stale)
      << "and the next edit decides by its stamp again";
}

TEST_F(TrustedClockTest, before_the_time_is_set_right_edits_are_neither_lowered_nor_stale) {
  put(R"({"v":1})", truth().plus_micros(-kDayMicros));
  save();
  pass(kHourMicros);
  off_ = -12 * kYearMicros;
  restart();

  const Timestamp edited = truth().plus_micros(-kHourMicros).plus_micros(kMinuteMicros);
  const OpResult edit = put(R"({"v":2})", edited);

  EXPECT_EQ(edit.status, OpStatus::applied);
  EXPECT_FALSE(edit.sent);
  EXPECT_EQ(edit.updated_at, edited);
}

TEST_F(TrustedClockTest, the_newest_commit_counts_if_the_process_was_killed_before_it_kept_the_time) {
  save();
  pass(20 * kMinuteMicros);
  put(R"({"v":1})");
  const Timestamp newest = truth();
  off_ = -12 * kYearMicros;
  restart();
  EXPECT_EQ(clock_.now(), newest);
}

TEST_F(TrustedClockTest, a_right_edit_is_shown_as_sent_while_the_clock_of_the_hub_is_in_doubt) {
  put(R"({"v":1})");
  save();
  pass(60 * kDayMicros);
  restart();
  ASSERT_FALSE(clock_.is_trusted());
  pass(kMinuteMicros);

  const OpResult edit = put(R"({"v":2})", truth());

  EXPECT_EQ(edit.status, OpStatus::applied);
  EXPECT_EQ(edit.updated_at, truth());
  EXPECT_FALSE(edit.sent);
}

TEST_F(TrustedClockTest, an_hour_of_agreement_with_devices_ends_the_doubt) {
  save();
  pass(60 * kDayMicros);
  restart();
  for (int minute = 0; minute <= 60; minute += 15) {
    EXPECT_FALSE(clock_.is_trusted());
    put("{\"v\":" + std::to_string(minute) + "}", truth().plus_micros(-kMicrosPerSecond));
    pass(15 * kMinuteMicros);
  }
  EXPECT_TRUE(clock_.is_trusted());
}

TEST_F(TrustedClockTest, the_programs_of_a_device_are_no_witnesses_for_its_clock) {
  save();
  pass(60 * kDayMicros);
  restart(TrustedClock::Of::device);
  for (int minute = 0; minute <= 120; minute += 15) {
    put("{\"v\":" + std::to_string(minute) + "}", truth());
    pass(15 * kMinuteMicros);
  }
  EXPECT_FALSE(clock_.is_trusted());
  EXPECT_EQ(clock_.now(), truth()) << "but its stamps go by its clock: it has a hub above it";
}

TEST_F(TrustedClockTest, what_is_expected_while_in_doubt_goes_on_in_the_next_process) {
  save();
  off_ = -12 * kYearMicros;
  restart();
  pass(5 * kDayMicros);
  put(R"({"v":1})");
  const Timestamp before = clock_.now();
  save();
  restart();
  EXPECT_EQ(clock_.now(), before);
  off_ = 60 * kDayMicros;
  restart();
  save();
  restart();
  EXPECT_FALSE(clock_.is_trusted()) << "a second start does not make a wrong clock right";
  EXPECT_EQ(clock_.now(), before);
}

TEST_F(TrustedClockTest, an_idle_store_is_written_every_half_hour_and_no_more) {
  save();
  const std::int64_t commits = store_.status().commits;
  for (int minute = 0; minute < 120; ++minute) {
    pass(kMinuteMicros);
    save();
  }
  EXPECT_EQ(store_.status().commits - commits, 4);
}

}  // namespace
}  // namespace syncline
