#include "core/clock_trust.hpp"

#include <algorithm>
#include <limits>

#include "base/limits.hpp"

namespace syncline {
namespace {

constexpr Timestamp kEarliest{limits::kEarliestTimeMicros};
/// The expected time follows the wall clock by no more than 1 in so many, so that small steps never add up to a jump.
constexpr std::int64_t kDriftShare = 100;
constexpr std::int64_t kFollowEachMicros = 60 * kMicrosPerSecond;

bool is_near(std::int64_t off_micros) {
  return off_micros >= -limits::kClockAheadMicrosMax && off_micros <= limits::kClockAheadMicrosMax;
}

}  // namespace

std::string_view to_text(ClockState state) {
  switch (state) {
    case ClockState::trusted: return "trusted";
    case ClockState::ahead: return "ahead";
    case ClockState::behind: return "behind";
  }
  return "trusted";
}

void ClockTrust::begin(const ClockReading& reading, Timestamp time, std::int64_t ahead_max) {
  anchor_ = shown_ = {time, reading.steady_micros};
  ahead_max_ = ahead_max;
  has_believed_ = false;
  agreement_.reset();
}

void ClockTrust::start(const ClockReading& reading, Timestamp last_trusted) {
  begin(reading, last_trusted, limits::kClockGapMicrosMax);
}

void ClockTrust::start_unknown(const ClockReading& reading, Timestamp at_least) {
  begin(reading, std::max(at_least, kEarliest), std::numeric_limits<std::int64_t>::max());
}

ClockVerdict ClockTrust::look(const ClockReading& reading) {
  ClockVerdict verdict;
  verdict.off_micros = reading.wall.micros - expected(reading).micros;
  if (verdict.off_micros > ahead_max_) {
    verdict.state = ClockState::ahead;
  } else if (verdict.off_micros < -limits::kClockStepMicrosMax) {
    verdict.state = ClockState::behind;
  } else {
    agreement_.reset();
    follow_drift(reading, verdict.off_micros);
  }
  const bool follows = verdict.state == ClockState::ahead && when_ahead_ == WhenAhead::follows;
  const bool is_right = verdict.state == ClockState::trusted || follows;
  verdict.now = never_back(is_right ? reading.wall : expected(reading), reading);
  verdict.latest = verdict.state == ClockState::ahead ? std::max(verdict.now, reading.wall) : verdict.now;
  return verdict;
}

void ClockTrust::follow_drift(const ClockReading& reading, std::int64_t off_micros) {
  if (!has_believed_) {
    has_believed_ = true;
    ahead_max_ = limits::kClockStepMicrosMax;
    anchor_ = {reading.wall, reading.steady_micros};
    return;
  }
  const std::int64_t elapsed = anchor_.elapsed(reading);
  if (elapsed < kFollowEachMicros) return;
  const std::int64_t most = elapsed / kDriftShare;
  anchor_ = {expected(reading).plus_micros(std::clamp(off_micros, -most, most)), reading.steady_micros};
}

Timestamp ClockTrust::never_back(Timestamp time, const ClockReading& reading) {
  const Timestamp slowed = shown_.time.plus_micros(shown_.elapsed(reading) / 2);
  // What a hub shows is never far from the expected time. What a device shows is, if it has followed a wrong clock.
  const bool is_small = slowed.micros - time.micros <= limits::kClockStepMicrosMax;
  if (time < slowed && (is_small || when_ahead_ == WhenAhead::goes_on)) return slowed;
  shown_ = {time, reading.steady_micros};
  return time;
}

void ClockTrust::note(Timestamp stamp, const ClockReading& reading) {
  if (look(reading).state == ClockState::trusted) return;
  const std::int64_t apart = reading.wall.micros - reading.steady_micros;
  if (is_near(stamp.micros - reading.wall.micros)) {
    // A clock that was set again in between begins again.
    if (!agreement_ || !is_near(apart - agreement_->apart)) {
      agreement_ = {reading.steady_micros, reading.steady_micros, apart};
    }
    agreement_->last = reading.steady_micros;
    if (agreed_micros() >= limits::kClockAgreementMicros) accept(reading);
    return;
  }
  const auto [low, high] = std::minmax({reading.wall, expected(reading)});
  const bool speaks_against = stamp.micros >= low.micros - limits::kClockAheadMicrosMax &&
                              stamp.micros <= high.micros + limits::kClockAheadMicrosMax;
  if (speaks_against) agreement_.reset();
}

void ClockTrust::accept(const ClockReading& reading) {
  begin(reading, reading.wall, limits::kClockStepMicrosMax);
  has_believed_ = true;
}

}  // namespace syncline
