// Time: microseconds since 1970 UTC as a type, its text form (RFC 3339), and the clock as an interface, so that
// everything above can run on a clock of a test's choosing.
#pragma once

#include <atomic>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace syncline {

struct Timestamp {
  std::int64_t micros = 0;
  friend auto operator<=>(Timestamp, Timestamp) = default;

  [[nodiscard]] std::int64_t millis() const { return micros / 1000; }
  [[nodiscard]] Timestamp plus_micros(std::int64_t delta) const { return {micros + delta}; }
  static Timestamp from_millis(std::int64_t millis) { return {millis * 1000}; }
};

inline constexpr std::int64_t kMicrosPerSecond = 1'000'000;
/// The range in which a stamp has four-digit years: outside it a stamp is refused, so arithmetic never overflows.
inline constexpr Timestamp kTimestampMin{-62'135'596'800 * kMicrosPerSecond};
inline constexpr Timestamp kTimestampMax{253'402'300'799 * kMicrosPerSecond + 999'999};

/// The latest stamp that a write may have: a year of room for stamps that must be later than another one.
inline constexpr Timestamp kStampMax{kTimestampMax.micros - 366LL * 86'400 * kMicrosPerSecond};

/// The times that faces take from clients. Within it every client can convert a time to any zone and calculate with it;
/// some fail at the years 1 and 9999. Stores may hold others.
inline constexpr Timestamp kClientTimeMin{-2'208'988'800 * kMicrosPerSecond};
inline constexpr Timestamp kClientTimeMax{7'289'654'400 * kMicrosPerSecond - 1};
inline constexpr std::string_view kClientYears = "between the years 1900 and 2200";
[[nodiscard]] constexpr bool is_client_time(Timestamp time) { return time >= kClientTimeMin && time <= kClientTimeMax; }

/// "2026-11-22T00:10:07.004670Z": always UTC, always six digits.
[[nodiscard]] std::string format_time(Timestamp time);
void append_time(std::string& out, Timestamp time);

/// Reads RFC 3339 with any number of fraction digits and any offset ("Z", "+02:00"); digits after the sixth are cut.
[[nodiscard]] Result<Timestamp> parse_time(std::string_view text);

/// Any ISO 8601 time with an offset, also in the spellings that RFC 3339 leaves out: "+0100", "+01", a comma, no
/// seconds.
[[nodiscard]] Result<Timestamp> parse_iso_time(std::string text);

/// The same, and without an offset UTC; also a date alone.
[[nodiscard]] Result<Timestamp> parse_iso_or_utc_time(std::string_view text);

class Clock {
 public:
  /// Whose stamp it is that says what time somebody else's clock shows.
  enum class Witness { client, store };

  virtual ~Clock() = default;
  /// Wall time. May jump; order is never built on it.
  [[nodiscard]] virtual Timestamp now() const = 0;
  /// The latest time that it may be. Later than now() only while the machine's clock is ahead of what is believed.
  [[nodiscard]] virtual Timestamp latest() const { return now(); }
  /// False while the machine's clock is in doubt. Then nothing may be removed because of its age.
  [[nodiscard]] virtual bool is_trusted() const { return true; }
  /// A stamp that somebody has just brought.
  virtual void note_stamp(Timestamp stamp, Witness witness) const {
    (void)stamp;
    (void)witness;
  }
};

/// Microseconds since the machine started, also while it slept. Nobody can set it.
[[nodiscard]] std::int64_t steady_micros();

class SystemClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override;
};

/// A clock that stands still until it is told. Safe to read while another thread moves it.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Timestamp start) : micros_(start.micros) {}
  [[nodiscard]] Timestamp now() const override { return {micros_.load()}; }
  [[nodiscard]] Timestamp latest() const override { return {micros_.load() + doubted_micros_.load()}; }
  [[nodiscard]] bool is_trusted() const override { return doubted_micros_.load() == 0; }
  void advance_micros(std::int64_t delta) { micros_ += delta; }
  /// From now on the time is in doubt, and may be that much later.
  void doubt(std::int64_t micros) { doubted_micros_ = micros; }

 private:
  std::atomic<std::int64_t> doubted_micros_ = 0;
  std::atomic<std::int64_t> micros_;
};

}  // namespace syncline
