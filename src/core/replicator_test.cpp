#include "core/replicator.hpp"

#include <gtest/gtest.h>

namespace syncline {
namespace {

using Kind = Step::Kind;
using State = SyncStatus::State;

class ReplicatorTest : public testing::Test {
 protected:
  ReplicatorTest() {
    machine_.connect({}, false, now_);
    run_cycle();
    machine_.link_up(now_);
    run_cycle();
    now_ += 10'000;
  }

  Step next() { return machine_.next(now_, 0); }
  void pulled(const Step& step) { machine_.pulled(step.ticket, {at(head_), false}, now_); }
  void pushed(const Step& step, std::int64_t refused = 0) {
    machine_.pushed(step.ticket, {at(head_), false, false, refused}, now_);
  }
  void fail(const Step& step, SyncFailure::Kind kind = SyncFailure::Kind::unreachable) {
    machine_.failed(step.ticket, {kind, "no route"}, now_, 0);
  }
  static Cursor at(std::int64_t seq) { return {"e", Seq{seq}, {}}; }

  /// Takes all steps that there are now, and names them.
  std::string run_cycle() {
    std::string steps;
    for (Step step = next(); step.kind != Kind::none; step = next()) {
      steps += step.kind == Kind::pull ? "pull " : "push ";
      step.kind == Kind::pull ? pulled(step) : pushed(step);
    }
    return steps;
  }

  Replicator machine_{ReplicatorSettings{}};
  std::int64_t now_ = 1000;
  std::int64_t head_ = 0;
};

TEST_F(ReplicatorTest, the_first_change_is_sent_at_once_and_a_burst_takes_one_cycle_per_window) {
  machine_.note_local_write();
  EXPECT_EQ(run_cycle(), "push ");
  for (int i = 0; i < 100; ++i) {
    now_ += 10;
    machine_.note_local_write();
    EXPECT_EQ(run_cycle(), "");
  }
  now_ += 1000;
  EXPECT_EQ(run_cycle(), "push ");
}

TEST_F(ReplicatorTest, a_cycle_without_changes_does_not_delay_the_next_push) {
  machine_.link_down();
  machine_.link_up(now_);
  EXPECT_EQ(run_cycle(), "pull push ");
  machine_.note_local_write();
  EXPECT_EQ(run_cycle(), "push ");
}

TEST_F(ReplicatorTest, a_notice_of_known_changes_triggers_no_pull) {
  head_ = 5;
  machine_.note_hub_head(at(5));
  EXPECT_EQ(run_cycle(), "pull push ");
  now_ += 5000;
  machine_.note_hub_head(at(4));
  machine_.note_hub_head(at(5));
  EXPECT_EQ(run_cycle(), "");
}

TEST_F(ReplicatorTest, polls_each_interval) {
  now_ += 299'000;
  EXPECT_EQ(run_cycle(), "pull push ");
  now_ += 299'000;
  EXPECT_EQ(run_cycle(), "");
}

TEST_F(ReplicatorTest, waits_longer_after_each_failure_and_reports_the_reason) {
  machine_.link_down();
  machine_.sync_now(now_);
  std::int64_t last_wait = 0;
  for (int i = 0; i < 8; ++i) {
    fail(next());
    const SyncStatus status = machine_.status(now_);
    EXPECT_EQ(status.state, State::waiting);
    EXPECT_EQ(status.reason, "no route");
    const std::int64_t wait = *status.next_try_ms - now_;
    EXPECT_GE(wait, last_wait);
    last_wait = wait;
    now_ = *status.next_try_ms - 1;
    EXPECT_EQ(next().kind, Kind::none);
    ++now_;
  }
  EXPECT_EQ(last_wait, 38'400);  // 48 s, 20 % less
  machine_.link_up(now_);
  EXPECT_EQ(run_cycle(), "pull push ");
  EXPECT_EQ(machine_.status(now_).state, State::in_sync);
}

TEST_F(ReplicatorTest, a_step_times_out_and_its_late_result_is_ignored) {
  machine_.note_local_write();
  const Step lost = next();
  now_ += 59'000;
  EXPECT_EQ(next().kind, Kind::none);
  machine_.progress(lost.ticket, now_, 60'000);
  now_ += 59'000;
  EXPECT_EQ(next().kind, Kind::none);
  now_ += 2000;
  EXPECT_EQ(next().kind, Kind::none);
  EXPECT_EQ(machine_.status(now_).state, State::waiting);
  head_ = 9;
  pushed(lost);
  EXPECT_EQ(machine_.cursor().seq.value, 0);
}

// A hub ends the links of a key that was revoked: the status must not be "in sync" until the next poll.
TEST_F(ReplicatorTest, a_link_that_the_hub_has_ended_makes_it_ask_the_hub_at_once) {
  machine_.link_lost();
  const Step step = next();
  EXPECT_EQ(step.kind, Kind::pull);
  fail(step, SyncFailure::Kind::key_refused);
  EXPECT_EQ(machine_.status(now_).state, State::refused);
}

TEST_F(ReplicatorTest, a_rejected_key_is_retried_once_per_interval) {
  machine_.link_down();
  machine_.note_local_write();
  fail(next(), SyncFailure::Kind::key_refused);
  EXPECT_EQ(machine_.status(now_).state, State::refused);
  now_ += 299'000;
  EXPECT_EQ(next().kind, Kind::none);
  now_ += 1000;
  EXPECT_EQ(run_cycle(), "pull push ");
}

TEST_F(ReplicatorTest, a_hub_with_another_history_is_pushed_to_before_it_is_pulled_from) {
  machine_.sync_now(now_);
  const Step pull = next();
  machine_.reset(pull.ticket, true, now_);
  EXPECT_EQ(run_cycle(), "push pull ");
}

TEST_F(ReplicatorTest, a_head_made_by_another_opening_is_looked_at_once) {
  const auto made_by = [](std::int64_t opening, std::int64_t seq) {
    return Cursor{.epoch = "e", .seq = Seq{seq}, .incarnation = {opening}};
  };
  machine_.connect(made_by(0xA, 5), false, now_);
  machine_.link_up(now_);
  const Step pull = next();
  machine_.pulled(pull.ticket, {made_by(0xA, 5), false}, now_);
  machine_.pushed(next().ticket, {made_by(0xA, 5), false, false, 0}, now_);
  now_ += 10'000;
  machine_.note_hub_head(made_by(0xA, 5));
  EXPECT_EQ(next().kind, Kind::none);
  machine_.note_hub_head(made_by(0xB, 3));
  const Step look = next();
  ASSERT_EQ(look.kind, Kind::pull) << "the hub may have gone back";
  machine_.pulled(look.ticket, {made_by(0xA, 5), false}, now_);
  machine_.pushed(next().ticket, {made_by(0xA, 5), false, false, 0}, now_);
  now_ += 10'000;
  EXPECT_EQ(next().kind, Kind::none);
}

TEST_F(ReplicatorTest, a_head_that_the_hub_no_longer_has_is_forgotten_after_one_pull) {
  machine_.note_hub_head(at(9));
  EXPECT_EQ(run_cycle(), "pull push ") << "and that reaches the end at 0";
  now_ += 10'000;
  EXPECT_EQ(next().kind, Kind::none);
  EXPECT_EQ(machine_.status(now_).state, State::in_sync);

  machine_.note_hub_head(at(9));
  const Step pull = next();
  machine_.note_hub_head(at(10));
  pulled(pull);
  pushed(next());
  EXPECT_EQ(next().kind, Kind::none);
  now_ += 10'000;
  EXPECT_EQ(next().kind, Kind::pull) << "the later notice came while the pull was on its way";
}

TEST_F(ReplicatorTest, rejected_changes_are_retried_later) {
  machine_.note_local_write();
  pushed(next(), 1);
  EXPECT_EQ(next().kind, Kind::none);
  EXPECT_EQ(machine_.status(now_).state, State::waiting);
  now_ += 2000;
  const Step again = next();
  EXPECT_EQ(again.kind, Kind::push);
  EXPECT_TRUE(again.with_refused);
  pushed(again);
  EXPECT_EQ(next().kind, Kind::none);
  EXPECT_EQ(machine_.status(now_).state, State::in_sync);
}

TEST_F(ReplicatorTest, does_nothing_while_disconnected) {
  machine_.disconnect(now_);
  machine_.note_local_write();
  EXPECT_EQ(next().kind, Kind::none);
  EXPECT_FALSE(machine_.wake_at_ms());
  machine_.connect(at(3), false, now_);
  EXPECT_EQ(run_cycle(), "pull push ");
}

}  // namespace
}  // namespace syncline
