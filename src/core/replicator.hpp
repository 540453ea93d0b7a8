// The replicator of one space: when to pull, when to push, how long to wait, and why the space is not in sync. A state
// machine: events in, one step at a time out. No I/O, no clock, no threads: a driver with sockets (replica/) or the
// simulator (tests/sim) takes the steps and tells their outcome.
//
// state     what it waits for                                  left by
// off       to be connected                                    connect
// idle      a reason to sync: a write, a notice, the poll      next, once there is one and no window is open
// pulling   the outcome of a pull                              pulled, failed, reset, the step's deadline
// pushing   the outcome of a push                              pushed, failed, reset, the step's deadline
// waiting   the end of the back-off after a failure            time, sync_now, link_up
// refused   another credential; asks again each interval       time, sync_now, connect
//
// A cycle pulls to the end, pushes until nothing waits, and pulls again if the hub decided otherwise than expected.
// What changes within `window_ms` of a cycle that a change began shares the next one: the first change is not delayed,
// and a storm costs one cycle per window.
//
// Times are milliseconds of a steady clock, so that a wall clock that jumps delays nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/cursor.hpp"

namespace syncline {

struct ReplicatorSettings {
  std::int64_t window_ms = 2000;
  /// Between two polls, for what no notice told of.
  std::int64_t interval_ms = 300'000;
  std::int64_t back_off_min_ms = 2000;
  /// With its jitter of a fifth less than a minute: so soon after everything works again, the device notices.
  std::int64_t back_off_max_ms = 48'000;
  /// A step without any progress for so long has failed.
  std::int64_t step_timeout_ms = 60'000;
};

/// What to do now. The ticket names the step; an outcome with another ticket comes too late and is ignored.
struct Step {
  enum class Kind { none, pull, push };
  Kind kind = Kind::none;
  std::int64_t ticket = 0;
  /// Of a push: also offer again what the hub has refused.
  bool with_refused = false;
};

struct PullOutcome {
  Cursor cursor;
  bool more = false;
};

struct PushOutcome {
  Cursor cursor;
  bool more = false;
  /// The hub has versions that this device has not.
  bool needs_pull = false;
  /// Refused changes that are to be offered again.
  std::int64_t refused = 0;
};

struct SyncFailure {
  enum class Kind {
    unreachable,  // no answer, or one that asks to come later
    key_refused,  // the credential counts no more, or not for this
    local,        // this device cannot store what came
    other,        // the two do not understand each other
  };
  Kind kind = Kind::unreachable;
  std::string text;
  /// The hub asks not to come before; milliseconds from now.
  std::int64_t retry_after_ms = 0;
};

struct SyncStatus {
  enum class State { off, in_sync, syncing, waiting, refused };
  State state = State::off;
  /// One line for a person.
  std::string reason;
  /// The last try failed; `reason` says how.
  bool is_failing = false;
  /// It failed on this device: the hub is not at fault, nor the way to it.
  bool is_local_failure = false;
  /// When that began, and when the next try is. Nothing if there has been no hub yet.
  std::optional<std::int64_t> since_ms;
  std::optional<std::int64_t> next_try_ms;
  /// End of the last complete cycle.
  std::optional<std::int64_t> synced_ms;
};
[[nodiscard]] std::string_view to_text(SyncStatus::State state);

class Replicator {
 public:
  explicit Replicator(ReplicatorSettings settings) : settings_(settings) {}

  // Events.

  /// There is a hub to sync with. `push_everything_first`: it has to be offered everything before it is pulled from.
  void connect(const Cursor& cursor, bool push_everything_first, std::int64_t now_ms);
  void disconnect(std::int64_t now_ms);
  /// Between two polls from now on.
  void poll_each(std::int64_t interval_ms) { settings_.interval_ms = interval_ms; }
  void note_local_write() { has_local_writes_ = true; }
  /// The hub told where its feed ends.
  void note_hub_head(const Cursor& head);
  void link_up(std::int64_t now_ms);
  void link_down() { link_is_up_ = false; }
  /// The hub, or something on the way, has ended the link: what the reason is shows a look at the hub.
  void link_lost() {
    link_is_up_ = false;
    is_wanted_ = true;
  }
  /// Somebody waits for a cycle: no window, no back-off.
  void sync_now(std::int64_t now_ms);
  /// The step goes on, and has so long again.
  void progress(std::int64_t ticket, std::int64_t now_ms, std::int64_t timeout_ms);
  void pulled(std::int64_t ticket, const PullOutcome& outcome, std::int64_t now_ms);
  void pushed(std::int64_t ticket, const PushOutcome& outcome, std::int64_t now_ms);
  /// The hub has another history: everything is offered again, and pulled from the beginning; `push_everything_first`:
  /// in this order.
  void reset(std::int64_t ticket, bool push_everything_first, std::int64_t now_ms);
  /// `random` spreads the next tries of many devices; any number.
  void failed(std::int64_t ticket, const SyncFailure& failure, std::int64_t now_ms, std::uint32_t random);

  // Actions.

  /// The step to take now. Also notices when one has taken too long.
  [[nodiscard]] Step next(std::int64_t now_ms, std::uint32_t random);
  /// True while the step's outcome is awaited.
  [[nodiscard]] bool awaits(std::int64_t ticket) const { return state_is_step() && ticket == ticket_; }
  /// When next() may have something to do without another event.
  [[nodiscard]] std::optional<std::int64_t> wake_at_ms() const;
  [[nodiscard]] SyncStatus status(std::int64_t now_ms) const;
  [[nodiscard]] const Cursor& cursor() const { return cursor_; }
  [[nodiscard]] const std::optional<Cursor>& hub_head() const { return hub_head_; }
  /// Whole cycles that have ended well; one that is asked for now is over when there are so many.
  [[nodiscard]] std::int64_t cycles() const { return cycles_; }
  [[nodiscard]] std::int64_t cycles_after_next() const { return cycles_ + (in_cycle_ ? 2 : 1); }
  [[nodiscard]] bool is_off() const { return state_ == State::off; }
  /// Cycles that ended in a failure.
  [[nodiscard]] std::int64_t failures() const { return failures_; }

 private:
  enum class State { off, idle, pulling, pushing, waiting, refused };

  [[nodiscard]] bool state_is_step() const { return state_ == State::pulling || state_ == State::pushing; }
  [[nodiscard]] bool is_behind() const;
  [[nodiscard]] bool has_reason(std::int64_t now_ms) const;
  /// What the status says of refused_ changes, in every state but a failed one.
  [[nodiscard]] std::string rejection_text() const;
  void begin_cycle(std::int64_t now_ms);
  void end_cycle(std::int64_t now_ms);
  [[nodiscard]] Step begin_step(Step::Kind kind, std::int64_t now_ms);
  void enter(State state, std::int64_t now_ms);

  ReplicatorSettings settings_;
  State state_ = State::off;
  std::optional<std::int64_t> since_ms_;  // of the state that status() shows
  Cursor cursor_;
  std::optional<Cursor> hub_head_;
  bool link_is_up_ = false;
  /// hub_head_ was told before the step began.
  bool step_knows_head_ = false;

  // Reasons for the next cycle.
  bool is_wanted_ = false;
  bool is_urgent_ = false;
  bool has_local_writes_ = false;
  std::int64_t next_poll_ms_ = 0;
  std::int64_t window_end_ms_ = 0;
  std::int64_t not_before_ms_ = 0;

  // The cycle in progress.
  bool in_cycle_ = false;
  bool pull_left_ = false;
  bool push_left_ = false;
  bool push_everything_first_ = false;
  bool offers_refused_ = false;
  std::int64_t ticket_ = 0;
  std::int64_t deadline_ms_ = 0;

  // After failures.
  std::int64_t back_off_ms_ = 0;
  std::string failure_text_;
  bool failure_is_local_ = false;
  std::int64_t failing_since_ms_ = 0;
  std::int64_t refused_ = 0;
  bool step_offers_refused_ = false;
  std::int64_t refused_back_off_ms_ = 0;
  std::int64_t retry_refused_ms_ = 0;

  std::optional<std::int64_t> synced_ms_;
  std::int64_t cycles_ = 0;
  std::int64_t failures_ = 0;
};

}  // namespace syncline
