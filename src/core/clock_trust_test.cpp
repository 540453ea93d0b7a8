#include "core/clock_trust.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/limits.hpp"
#include "support/durations.hpp"

namespace syncline {
namespace {

using test::kDayMicros;
using test::kHourMicros;
using test::kMinuteMicros;
using test::kYearMicros;

constexpr Timestamp kStart{1'800'000'000'000'000};

using States = std::vector<std::pair<std::int64_t, ClockState>>;

/// A machine whose clock a test sets.
class Machine {
 public:
  explicit Machine(ClockTrust::WhenAhead when_ahead = ClockTrust::WhenAhead::goes_on) : trust_(when_ahead) {}

  /// What is true, and how far the wall clock is off.
  [[nodiscard]] Timestamp truth() const { return kStart.plus_micros(passed_); }
  Machine& set_off(std::int64_t micros) {
    off_ = micros;
    return *this;
  }
  Machine& pass(std::int64_t micros) {
    passed_ += micros;
    steady_ += micros;
    return *this;
  }
  /// The machine is off: the steady clock begins anew.
  Machine& restart_after(std::int64_t micros, Timestamp last_trusted) {
    passed_ += micros;
    steady_ = kMinuteMicros;
    trust_.start(reading(), last_trusted);
    return *this;
  }
  Machine& start_new() {
    trust_.start_unknown(reading(), {});
    return *this;
  }
  void accept() { trust_.accept(reading()); }
  void note(std::int64_t off_micros) { trust_.note(truth().plus_micros(off_micros), reading()); }

  ClockVerdict look() { return trust_.look(reading()); }
  [[nodiscard]] std::int64_t agreed_micros() const { return trust_.agreed_micros(); }

 private:
  [[nodiscard]] ClockReading reading() const { return {truth().plus_micros(off_), steady_}; }

  ClockTrust trust_;
  std::int64_t passed_ = 0;
  std::int64_t steady_ = 77 * kDayMicros;
  std::int64_t off_ = 0;
};

TEST(ClockTrust, a_clock_that_goes_with_the_steady_clock_is_the_time) {
  Machine machine;
  machine.start_new();
  for (int day = 0; day < 100; ++day) {
    const ClockVerdict verdict = machine.pass(kDayMicros).look();
    ASSERT_EQ(verdict.state, ClockState::trusted);
    ASSERT_EQ(verdict.now, machine.truth());
    ASSERT_EQ(verdict.latest, machine.truth());
  }
}

TEST(ClockTrust, a_jump_ahead_while_running_is_not_believed_and_ends_when_the_clock_is_set_back) {
  Machine machine;
  machine.start_new().look();

  const ClockVerdict ahead = machine.pass(kMinuteMicros).set_off(12 * kYearMicros).look();

  EXPECT_EQ(ahead.state, ClockState::ahead);
  EXPECT_EQ(ahead.now, machine.truth());
  EXPECT_EQ(ahead.latest, machine.truth().plus_micros(12 * kYearMicros));
  EXPECT_EQ(ahead.off_micros, 12 * kYearMicros);
  const ClockVerdict right = machine.pass(80 * kMicrosPerSecond).set_off(0).look();
  EXPECT_EQ(right.state, ClockState::trusted);
  EXPECT_EQ(right.now, machine.truth());
}

TEST(ClockTrust, a_device_goes_by_a_clock_that_is_ahead_and_back_with_it) {
  Machine machine(ClockTrust::WhenAhead::follows);
  machine.start_new().look();

  const ClockVerdict ahead = machine.pass(kMinuteMicros).set_off(40 * kDayMicros).look();

  EXPECT_EQ(ahead.state, ClockState::ahead);
  EXPECT_EQ(ahead.now, machine.truth().plus_micros(40 * kDayMicros));
  machine.pass(kMinuteMicros).set_off(0);
  EXPECT_EQ(machine.look().now, machine.truth());
}

TEST(ClockTrust, an_hour_is_believed_and_more_is_not) {
  for (const auto& [off, state] : States{{kHourMicros, ClockState::trusted},
                                         {kHourMicros + 1, ClockState::ahead},
                                         {-kHourMicros, ClockState::trusted},
                                         {-kHourMicros - 1, ClockState::behind}}) {
    Machine machine;
    machine.start_new().look();
    EXPECT_EQ(machine.set_off(off).look().state, state) << off;
  }
}

TEST(ClockTrust, after_a_restart_thirty_days_are_believed_and_more_are_not) {
  for (const auto& [gap, state] : States{{30 * kDayMicros, ClockState::trusted},
                                         {30 * kDayMicros + 1, ClockState::ahead},
                                         {-kHourMicros - 1, ClockState::behind}}) {
    Machine machine;
    EXPECT_EQ(machine.restart_after(0, machine.truth().plus_micros(-gap)).look().state, state) << gap;
  }
}

TEST(ClockTrust, once_believed_a_month_is_too_much) {
  Machine machine;
  machine.restart_after(0, machine.truth()).look();
  EXPECT_EQ(machine.pass(kMinuteMicros).set_off(20 * kDayMicros).look().state, ClockState::ahead);
}

TEST(ClockTrust, a_clock_behind_the_last_trusted_time_goes_on_from_there_until_it_is_set) {
  Machine machine;
  const Timestamp last = machine.truth();

  const ClockVerdict behind = machine.set_off(-12 * kYearMicros).restart_after(10 * kDayMicros, last).look();

  EXPECT_EQ(behind.state, ClockState::behind);
  EXPECT_EQ(behind.now, last);
  EXPECT_EQ(machine.pass(kMinuteMicros).look().now, last.plus_micros(kMinuteMicros));
  const ClockVerdict set = machine.pass(kMinuteMicros).set_off(0).look();
  EXPECT_EQ(set.state, ClockState::trusted) << "ten days in which the machine was off";
  EXPECT_EQ(set.now, machine.truth());
}

TEST(ClockTrust, without_a_last_time_only_a_clock_from_before_the_program_is_not_believed) {
  Machine machine;
  EXPECT_EQ(machine.set_off(40 * kYearMicros).start_new().look().state, ClockState::trusted);
  const ClockVerdict behind = machine.set_off(-12 * kYearMicros).start_new().look();
  EXPECT_EQ(behind.state, ClockState::behind);
  EXPECT_EQ(behind.now.micros, limits::kEarliestTimeMicros);
}

TEST(ClockTrust, after_a_small_step_back_time_goes_on_at_half_speed_until_the_clock_is_there) {
  Machine machine;
  machine.start_new().look();
  const Timestamp before = machine.look().now;
  machine.set_off(-10 * kMicrosPerSecond);
  EXPECT_EQ(machine.look().now, before);
  EXPECT_EQ(machine.pass(10 * kMicrosPerSecond).look().now, before.plus_micros(5 * kMicrosPerSecond));
  EXPECT_EQ(machine.pass(10 * kMicrosPerSecond).look().now, before.plus_micros(10 * kMicrosPerSecond));
  machine.pass(kMicrosPerSecond);
  EXPECT_EQ(machine.look().now, machine.truth().plus_micros(-10 * kMicrosPerSecond));
}

TEST(ClockTrust, whoever_accepts_a_clock_has_it_believed_in_either_direction) {
  for (const std::int64_t off : {12 * kYearMicros, -12 * kYearMicros}) {
    Machine machine;
    machine.start_new().look();
    ASSERT_NE(machine.set_off(off).look().state, ClockState::trusted);
    machine.accept();
    EXPECT_EQ(machine.look().state, ClockState::trusted);
    EXPECT_EQ(machine.look().now, machine.truth().plus_micros(off));
  }
}

TEST(ClockTrust, devices_that_agree_for_an_hour_end_the_doubt) {
  Machine machine;
  machine.restart_after(60 * kDayMicros, machine.truth());
  ASSERT_EQ(machine.look().state, ClockState::ahead);
  for (int minute = 0; minute < 60; minute += 10) {
    machine.note(kMinuteMicros);
    EXPECT_EQ(machine.look().state, ClockState::ahead) << minute;
    machine.pass(10 * kMinuteMicros);
  }
  EXPECT_EQ(machine.agreed_micros(), 50 * kMinuteMicros);
  machine.note(-kMinuteMicros);
  EXPECT_EQ(machine.look().state, ClockState::trusted);
  EXPECT_EQ(machine.look().now, machine.truth());
}

TEST(ClockTrust, one_device_that_contradicts_begins_the_hour_again) {
  Machine machine;
  machine.start_new().look();
  machine.set_off(12 * kYearMicros).look();
  for (int minute = 0; minute < 600; minute += 10) {
    machine.note(12 * kYearMicros);  // shares the wrong clock
    machine.note(0);
    machine.pass(10 * kMinuteMicros);
  }
  EXPECT_EQ(machine.look().state, ClockState::ahead);
}

TEST(ClockTrust, edits_from_before_the_doubt_and_from_a_wild_future_say_nothing) {
  Machine machine;
  machine.restart_after(60 * kDayMicros, machine.truth()).look();
  machine.note(0);
  machine.pass(kHourMicros);
  machine.note(-90 * kDayMicros);
  machine.note(40 * kYearMicros);
  machine.note(0);
  EXPECT_EQ(machine.look().state, ClockState::trusted);
}

TEST(ClockTrust, agreement_with_a_clock_that_was_set_again_begins_again) {
  Machine machine;
  machine.start_new().look();
  machine.set_off(2 * kYearMicros).note(2 * kYearMicros);
  machine.pass(kHourMicros);
  machine.set_off(3 * kYearMicros).note(3 * kYearMicros);
  EXPECT_EQ(machine.look().state, ClockState::ahead);
}

/// What a machine may go through between two looks at its clock.
struct Turn {
  std::int64_t passes_s = 0;
  std::int64_t steps_s = 0;  // of the wall clock
};
std::ostream& operator<<(std::ostream& out, const Turn& turn) {
  return out << "{" << turn.passes_s << " s pass, step " << turn.steps_s << " s}";
}

std::vector<Turn> draw_turns(std::int64_t step_max_s) {
  return *rc::gen::container<std::vector<Turn>>(
      rc::gen::apply([](std::int64_t passes, std::int64_t steps) { return Turn{passes, steps}; },
                     rc::gen::inRange<std::int64_t>(0, 20'000), rc::gen::inRange(-step_max_s, step_max_s)));
}

RC_GTEST_PROP(ClockTrustProperties, a_hub_never_runs_further_ahead_of_the_steady_clock_than_an_hour_and_the_drift, ()) {
  Machine machine;
  machine.start_new().look();
  std::int64_t off_s = 0;
  for (const Turn& turn : draw_turns(1'000'000)) {
    off_s += turn.steps_s;
    machine.pass(turn.passes_s * kMicrosPerSecond).set_off(off_s * kMicrosPerSecond);
    const std::int64_t ahead = machine.look().now.micros - machine.truth().micros;
    const std::int64_t passed = machine.truth().micros - kStart.micros;
    RC_ASSERT(ahead <= kHourMicros + passed / 100);
    RC_ASSERT(ahead >= -kHourMicros - passed / 100 - kHourMicros);
  }
}

RC_GTEST_PROP(ClockTrustProperties, the_time_of_a_hub_never_goes_back, ()) {
  Machine machine;
  machine.start_new().look();
  std::int64_t off_s = 0;
  Timestamp before = machine.look().now;
  for (const Turn& turn : draw_turns(*rc::gen::element<std::int64_t>(100, 5000, 100'000'000))) {
    off_s += turn.steps_s;
    const ClockVerdict verdict =
        machine.pass(turn.passes_s * kMicrosPerSecond).set_off(off_s * kMicrosPerSecond).look();
    RC_ASSERT(verdict.now >= before);
    RC_ASSERT(verdict.latest >= verdict.now);
    before = verdict.now;
  }
}

RC_GTEST_PROP(ClockTrustProperties, a_clock_that_is_set_right_is_believed_whatever_it_was_before, ()) {
  Machine machine;
  machine.start_new().look();
  std::int64_t off_s = 0;
  for (const Turn& turn : draw_turns(100'000'000)) {
    off_s += turn.steps_s;
    if (std::abs(off_s) <= 3600) off_s = 100'000;  // what is believed moves the expected time, slowly
    machine.pass(turn.passes_s * kMicrosPerSecond).set_off(off_s * kMicrosPerSecond).look();
  }
  const ClockVerdict verdict = machine.set_off(0).look();
  RC_ASSERT(verdict.state == ClockState::trusted);
  RC_ASSERT(verdict.now == machine.truth());
}

}  // namespace
}  // namespace syncline
