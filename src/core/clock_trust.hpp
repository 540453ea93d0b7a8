// Whether the machine's clock can be believed, and what time it is if not. Pure: readings of both clocks come in as
// arguments.
//
// The steady clock cannot be set, but counts from the start of the machine. The wall clock tells the time, but a
// person, a time server or an empty battery may set it to anything. So the wall clock is believed as long as it goes
// with the steady clock, and from one process to the next as long as it is near the last time that was believed before.
//
// state     the wall clock, against the time expected                now()                  latest()
// trusted   at most 1 h behind or ahead                              the wall clock         now()
//           (the first reading of a process: up to 30 days ahead)
// ahead     further ahead                                            the expected time, or  the wall clock
//                                                                    the wall clock
// behind    further behind                                           the expected time      now()
//
// The expected time goes on with the steady clock from the last time that was believed. A state ends when the wall
// clock comes back, when somebody accepts it, or when devices have agreed with it for an hour.
//
// now() never goes back, unless a person accepts an earlier time or a device has followed a clock that was wrong: after
// a small step back it runs at half speed until the wall clock is there.
#pragma once

#include <cstdint>
#include <optional>

#include "base/time.hpp"

namespace syncline {

/// Both clocks at one moment.
struct ClockReading {
  Timestamp wall;
  std::int64_t steady_micros = 0;
};

enum class ClockState : std::uint8_t { trusted, ahead, behind };
[[nodiscard]] std::string_view to_text(ClockState state);

struct ClockVerdict {
  ClockState state = ClockState::trusted;
  Timestamp now;
  Timestamp latest;
  /// How far the wall clock is ahead of the expected time; negative if it is behind.
  std::int64_t off_micros = 0;
};

class ClockTrust {
 public:
  /// What now() is while the wall clock is ahead. `goes_on`: the expected time, for a hub, whose stamps last.
  /// `follows`: the wall clock, for a device, which may well have been off for months and has a hub above it.
  enum class WhenAhead { goes_on, follows };
  explicit ClockTrust(WhenAhead when_ahead) : when_ahead_(when_ahead) {}

  /// Begins at the last time that an earlier process believed.
  void start(const ClockReading& reading, Timestamp last_trusted);
  /// Begins without such a time. It is `at_least` that late, and may be any later.
  void start_unknown(const ClockReading& reading, Timestamp at_least);

  /// What holds at this reading. Readings are given in the order of their steady times.
  ClockVerdict look(const ClockReading& reading);
  /// A device has brought a stamp. One that is near the wall clock speaks for it; one between the wall clock and the
  /// expected time speaks against it.
  void note(Timestamp stamp, const ClockReading& reading);
  /// The wall clock is right, whatever was expected.
  void accept(const ClockReading& reading);

  /// How long devices have agreed with a clock that is in doubt; 0 if none has.
  [[nodiscard]] std::int64_t agreed_micros() const { return agreement_ ? agreement_->last - agreement_->first : 0; }

 private:
  /// A time and the steady time that belongs to it.
  struct Anchor {
    Timestamp time;
    std::int64_t steady_micros = 0;
    [[nodiscard]] std::int64_t elapsed(const ClockReading& reading) const {
      return reading.steady_micros > steady_micros ? reading.steady_micros - steady_micros : 0;
    }
  };
  /// Steady times of the first and the last stamp that agreed, and how far apart the clocks were then.
  struct Agreement {
    std::int64_t first = 0;
    std::int64_t last = 0;
    std::int64_t apart = 0;
  };

  [[nodiscard]] Timestamp expected(const ClockReading& reading) const {
    return anchor_.time.plus_micros(anchor_.elapsed(reading));
  }
  void follow_drift(const ClockReading& reading, std::int64_t off_micros);
  [[nodiscard]] Timestamp never_back(Timestamp time, const ClockReading& reading);
  void begin(const ClockReading& reading, Timestamp time, std::int64_t ahead_max);

  const WhenAhead when_ahead_;
  Anchor anchor_;
  /// The last reading at which now() was what it should be; since then it runs at half speed.
  Anchor shown_;
  /// How far ahead the wall clock may be: more before the first reading that is believed than after it.
  std::int64_t ahead_max_ = 0;
  bool has_believed_ = false;
  std::optional<Agreement> agreement_;
};

}  // namespace syncline
