// The clock of a store: the machine's, as far as it can be believed (core/clock_trust.hpp says when). What was believed
// last is kept in the store, beside the newest commit stamps, so that the next process knows. Safe from any thread.
#pragma once

#include <atomic>
#include <functional>

#include "base/mutex.hpp"
#include "core/clock_trust.hpp"
#include "store/store.hpp"

namespace syncline {

struct ClockStatus {
  ClockState state = ClockState::trusted;
  Timestamp now;   // what stamps say
  Timestamp wall;  // what the machine's clock says
  /// How far that is ahead of the expected time; negative if it is behind.
  std::int64_t off_micros = 0;
  std::int64_t agreed_micros = 0;

  [[nodiscard]] bool is_trusted() const { return state == ClockState::trusted; }
  /// What is wrong and what to do, in one sentence; empty if the clock is trusted. `accept`: the command that accepts.
  [[nodiscard]] std::string advice(std::string_view accept = "syncline clock accept") const;
};

class TrustedClock final : public Clock {
 public:
  struct Source {
    std::function<Timestamp()> wall;
    std::function<std::int64_t()> steady_micros;
  };
  /// What this clock is for decides what it does while the machine's clock is ahead, and whose stamps it heeds.
  enum class Of { hub, device };
  /// The machine's clock.
  explicit TrustedClock(Of of);
  TrustedClock(Of of, Source source);

  [[nodiscard]] Timestamp now() const override;
  [[nodiscard]] Timestamp latest() const override;
  [[nodiscard]] bool is_trusted() const override;
  void note_stamp(Timestamp stamp, Witness witness) const override;
  [[nodiscard]] ClockStatus status() const;

  /// Begins with what an earlier process kept in the store. Before the first write.
  [[nodiscard]] Result<> load(Store& store);
  /// Keeps the time that is believed or expected, if there is a reason: the store has changed, or half an hour has
  /// passed. Keeps nothing before load(): a clock that has been compared with nothing must not replace what is kept.
  [[nodiscard]] Result<> save(Store& store);
  /// Believes the machine's clock from now on, and keeps that.
  [[nodiscard]] Result<> accept(Store& store);

 private:
  [[nodiscard]] ClockReading read() const { return {source_.wall(), source_.steady_micros()}; }
  /// What holds now. Logs a change of the state.
  [[nodiscard]] ClockVerdict look() const;
  [[nodiscard]] ClockVerdict look_locked() const REQUIRES(mutex_);
  /// `time`, or the latest time that now() has returned.
  [[nodiscard]] Timestamp not_before_shown(Timestamp time) const;
  [[nodiscard]] Result<> keep(Store& store, Timestamp time);

  const Source source_;
  const Of of_;
  mutable Mutex mutex_;
  mutable ClockTrust trust_ GUARDED_BY(mutex_);
  /// now() is called several times a request, by all threads: for a moment after a look that found the wall clock right
  /// it needs no lock, as long as the wall clock goes with the steady one. Until which steady time; 0: not at all.
  mutable std::atomic<std::int64_t> quick_until_ = 0;
  mutable std::atomic<std::int64_t> quick_apart_ = 0;  // wall clock - steady clock
  mutable std::atomic<std::int64_t> shown_ = 0;        // the latest time that now() has returned
  mutable ClockState logged_ GUARDED_BY(mutex_) = ClockState::trusted;
  bool is_loaded_ GUARDED_BY(mutex_) = false;
  bool was_kept_ GUARDED_BY(mutex_) = false;
  Timestamp kept_ GUARDED_BY(mutex_);
  std::int64_t commits_then_ GUARDED_BY(mutex_) = 0;
};

}  // namespace syncline
