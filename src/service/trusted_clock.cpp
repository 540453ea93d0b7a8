#include "service/trusted_clock.hpp"

#include <cstdlib>
#include <utility>

#include "base/limits.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "service/access.hpp"

namespace syncline {
namespace {

constexpr std::string_view kValue = "clock";
constexpr std::int64_t kKeepEachMicros = 30LL * 60 * kMicrosPerSecond;
/// So long now() does without a look at everything, and so far the clocks may part meanwhile.
constexpr std::int64_t kQuickMicros = 100'000;
constexpr std::int64_t kQuickApartMicros = 1000;

std::string how_far(std::int64_t off_micros) {
  const auto rounded = [](std::int64_t count, std::int64_t unit) { return (count + unit / 2) / unit; };
  const std::int64_t minutes = rounded(std::abs(off_micros), 60 * kMicrosPerSecond);
  if (minutes < 120) return std::to_string(minutes) + (minutes == 1 ? " minute" : " minutes");
  if (minutes < 48L * 60) return std::to_string(rounded(minutes, 60)) + " hours";
  return std::to_string(rounded(minutes, 24L * 60)) + " days";
}

struct Kept {
  std::optional<Timestamp> time;
  Timestamp newest_commit;
};

/// Commits up to an hour after the kept time count too: it is kept at least that often. Later ones, and those from
/// before any time was kept, may be of a clock that was wrong.
Result<Kept> read_kept(Store& store, Timestamp wall) {
  Kept kept;
  CHECK_OK(store.read(system_space(), [&](Snapshot& snapshot) -> Result<> {
    TRY(const auto text, snapshot.find_value(kValue));
    if (const auto micros = parse_integer(text.value_or(""))) kept.time = Timestamp{*micros};
    return {};
  }));
  const bool is_plausible = wall.micros >= limits::kEarliestTimeMicros;
  const Timestamp wall_or_any = is_plausible ? wall : kTimestampMax;
  const Timestamp newest_max = kept.time ? kept.time->plus_micros(limits::kClockStepMicrosMax) : wall_or_any;
  TRY(const auto spaces, store.spaces(std::nullopt));
  for (const SpaceInfo& space : spaces) {
    if (space.updated_at <= newest_max) kept.newest_commit = std::max(kept.newest_commit, space.updated_at);
  }
  return kept;
}

}  // namespace

std::string ClockStatus::advice(std::string_view accept) const {
  if (is_trusted()) return "";
  return "the system clock is " + how_far(off_micros) + (state == ClockState::ahead ? " ahead of" : " behind") +
         " the expected time, so purging is suspended; if the system clock is wrong, set it; only if it is right, "
         "run: " +
         std::string(accept);
}

TrustedClock::TrustedClock(Of of)
    : TrustedClock(of, {[] { return SystemClock().now(); }, [] { return syncline::steady_micros(); }}) {}

TrustedClock::TrustedClock(Of of, Source source)
    : source_(std::move(source)),
      of_(of),
      trust_(of == Of::hub ? ClockTrust::WhenAhead::goes_on : ClockTrust::WhenAhead::follows) {
  const MutexLock lock(mutex_);
  trust_.start_unknown(read(), {});
}

Timestamp TrustedClock::not_before_shown(Timestamp time) const {
  std::int64_t shown = shown_.load(std::memory_order_relaxed);
  while (shown < time.micros && !shown_.compare_exchange_weak(shown, time.micros, std::memory_order_relaxed)) {
  }
  return {std::max(shown, time.micros)};
}

ClockVerdict TrustedClock::look_locked() const {
  const ClockReading reading = read();
  ClockVerdict verdict = trust_.look(reading);
  const bool is_wall = verdict.state == ClockState::trusted && verdict.now == reading.wall;
  if (is_wall) quick_apart_ = reading.wall.micros - reading.steady_micros;
  quick_until_ = is_wall ? reading.steady_micros + kQuickMicros : 0;
  // Without a look now() gets ahead by a moment. What is earlier than that is meant to be: a person has accepted an
  // earlier time, or a device follows a wall clock that was set back.
  if (verdict.now.micros < shown_ - 2 * kQuickMicros) shown_ = verdict.now.micros;
  verdict.now = not_before_shown(verdict.now);
  verdict.latest = std::max(verdict.latest, verdict.now);
  return verdict;
}

ClockVerdict TrustedClock::look() const {
  ClockVerdict verdict;
  {
    const MutexLock lock(mutex_);
    verdict = look_locked();
    if (std::exchange(logged_, verdict.state) == verdict.state) return verdict;
  }
  const bool is_trusted = verdict.state == ClockState::trusted;
  log(is_trusted ? LogLevel::info : LogLevel::warning, is_trusted ? "clock_trusted" : "clock_in_doubt",
      {{"state", to_text(verdict.state)},
       {"off_seconds", verdict.off_micros / kMicrosPerSecond},
       {"now", format_time(verdict.now)}});
  return verdict;
}

Timestamp TrustedClock::now() const {
  const ClockReading reading = read();
  const std::int64_t apart = reading.wall.micros - reading.steady_micros;
  const bool is_quick = reading.steady_micros < quick_until_ && std::abs(apart - quick_apart_) <= kQuickApartMicros;
  return is_quick ? not_before_shown(reading.wall) : look().now;
}
Timestamp TrustedClock::latest() const { return look().latest; }
bool TrustedClock::is_trusted() const { return look().state == ClockState::trusted; }

void TrustedClock::note_stamp(Timestamp stamp, Witness witness) const {
  // The programs of a device share its clock; those who write to a hub have their own.
  if (witness != (of_ == Of::hub ? Witness::client : Witness::store)) return;
  const MutexLock lock(mutex_);
  trust_.note(stamp, read());
}

ClockStatus TrustedClock::status() const {
  const ClockVerdict verdict = look();
  const MutexLock lock(mutex_);
  return {.state = verdict.state,
          .now = verdict.now,
          .wall = source_.wall(),
          .off_micros = verdict.off_micros,
          .agreed_micros = trust_.agreed_micros()};
}

Result<> TrustedClock::load(Store& store) {
  TRY(const Kept kept, read_kept(store, source_.wall()));
  const std::int64_t commits = store.status().commits;
  const MutexLock lock(mutex_);
  quick_until_ = 0;  // what was right so far was compared with nothing
  if (kept.time) {
    trust_.start(read(), std::max(*kept.time, kept.newest_commit));
  } else {
    trust_.start_unknown(read(), kept.newest_commit);
  }
  is_loaded_ = true;
  was_kept_ = kept.time.has_value();
  kept_ = kept.time.value_or(Timestamp{});
  commits_then_ = commits;
  return {};
}

Result<> TrustedClock::save(Store& store) {
  const ClockVerdict verdict = look();
  const std::int64_t commits = store.status().commits;
  {
    const MutexLock lock(mutex_);
    if (!is_loaded_) return {};
    // What a hub expects while in doubt goes on from the kept time, so it is as good; what a device shows may not be.
    const bool is_expected = of_ == Of::hub && was_kept_;
    if (verdict.state != ClockState::trusted && !is_expected) return {};
    const bool is_old = !was_kept_ || verdict.now.micros - kept_.micros >= kKeepEachMicros;
    if (!is_old && commits == commits_then_) return {};
  }
  return keep(store, verdict.now);
}

Result<> TrustedClock::accept(Store& store) {
  Timestamp time;
  {
    const MutexLock lock(mutex_);
    const ClockReading reading = read();
    trust_.accept(reading);
    time = reading.wall;
  }
  return keep(store, time);
}

Result<> TrustedClock::keep(Store& store, Timestamp time) {
  const auto kept = write_and_wait(store, system_space(), {}, [time](Txn& txn) -> Result<> {
    txn.put_value(kValue, std::to_string(time.micros));
    return {};
  });
  if (!kept) return std::unexpected(kept.error());
  const std::int64_t commits = store.status().commits;
  const MutexLock lock(mutex_);
  was_kept_ = true;
  kept_ = time;
  commits_then_ = commits;
  return {};
}

}  // namespace syncline
