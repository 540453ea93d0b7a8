#include "base/time.hpp"

#include <time.h>

#include <array>
#include <chrono>

namespace syncline {
namespace {

/// Writes `value` as exactly `width` digits and returns the place behind them.
char* put_digits(char* at, std::int64_t value, int width) {
  for (int i = width - 1; i >= 0; --i) {
    at[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  return at + width;
}

char* put(char* at, char c) {
  *at = c;
  return at + 1;
}

/// Reads exactly `width` digits at `position` and moves it past them; -1 when there are not that many.
int read_digits(std::string_view text, std::size_t& position, std::size_t width) {
  if (position + width > text.size()) return -1;
  int value = 0;
  for (std::size_t i = 0; i < width; ++i) {
    const char c = text[position + i];
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  position += width;
  return value;
}

bool read_char(std::string_view text, std::size_t& position, std::string_view allowed) {
  if (position >= text.size() || allowed.find(text[position]) == std::string_view::npos) return false;
  ++position;
  return true;
}

/// Reads ".123456789" if it is there and returns microseconds, or -1 for a dot without digits.
std::int64_t read_fraction(std::string_view text, std::size_t& position) {
  if (position >= text.size() || text[position] != '.') return 0;
  ++position;
  std::int64_t micros = 0;
  int digits = 0;
  for (; position < text.size() && text[position] >= '0' && text[position] <= '9'; ++position, ++digits) {
    if (digits < 6) micros = micros * 10 + (text[position] - '0');
  }
  if (digits == 0) return -1;
  for (; digits < 6; ++digits) micros *= 10;
  return micros;
}

/// Offset from UTC in seconds; false when the text is not one.
bool read_offset(std::string_view text, std::size_t& position, std::int64_t& seconds) {
  if (read_char(text, position, "Zz")) {
    seconds = 0;
    return true;
  }
  if (position >= text.size() || (text[position] != '+' && text[position] != '-')) return false;
  const std::int64_t sign = text[position++] == '+' ? 1 : -1;
  const int hours = read_digits(text, position, 2);
  if (!read_char(text, position, ":")) return false;
  const int minutes = read_digits(text, position, 2);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return false;
  seconds = sign * (hours * 60 + minutes) * 60;
  return true;
}

/// "2026-11-30T13:00:00." and the second that it says.
struct SecondText {
  std::chrono::sys_seconds second = std::chrono::sys_seconds::min();
  std::array<char, 20> text{};
};

SecondText format_second(std::chrono::sys_seconds second) {
  using namespace std::chrono;
  const auto day = floor<days>(second);
  const year_month_day date{day};
  const std::int64_t in_day = (second - day).count();
  SecondText formatted{.second = second};
  char* at = formatted.text.data();
  at = put(put_digits(at, static_cast<int>(date.year()), 4), '-');
  at = put(put_digits(at, static_cast<unsigned>(date.month()), 2), '-');
  at = put(put_digits(at, static_cast<unsigned>(date.day()), 2), 'T');
  at = put(put_digits(at, in_day / 3600, 2), ':');
  at = put(put_digits(at, in_day / 60 % 60, 2), ':');
  put(put_digits(at, in_day % 60, 2), '.');
  return formatted;
}

}  // namespace

void append_time(std::string& out, Timestamp time) {
  using namespace std::chrono;
  // Records of one page were mostly written within a few seconds: a second's text is kept for the next one.
  thread_local SecondText kept;
  const sys_time<microseconds> point{microseconds{time.micros}};
  const auto second = floor<seconds>(point);
  if (kept.second != second) kept = format_second(second);
  std::array<char, 7> fraction{};
  put(put_digits(fraction.data(), (point - second).count(), 6), 'Z');
  out.append(kept.text.data(), kept.text.size()).append(fraction.data(), fraction.size());
}

std::string format_time(Timestamp time) {
  std::string out;
  out.reserve(27);
  append_time(out, time);
  return out;
}

Result<Timestamp> parse_time(std::string_view text) {
  const auto refuse = [&] {
    return fail(ErrorCode::invalid_argument, "not a time as RFC 3339 writes it, such as 2026-11-30T13:00:00Z");
  };
  std::size_t position = 0;
  const int year = read_digits(text, position, 4);
  if (year < 1 || !read_char(text, position, "-")) return refuse();
  const int month = read_digits(text, position, 2);
  if (month < 1 || !read_char(text, position, "-")) return refuse();
  const int day = read_digits(text, position, 2);
  if (day < 1 || !read_char(text, position, "Tt ")) return refuse();
  const int hour = read_digits(text, position, 2);
  if (hour < 0 || hour > 23 || !read_char(text, position, ":")) return refuse();
  const int minute = read_digits(text, position, 2);
  if (minute < 0 || minute > 59 || !read_char(text, position, ":")) return refuse();
  const int second = read_digits(text, position, 2);
  if (second < 0 || second > 60) return refuse();
  const std::int64_t micros = read_fraction(text, position);
  std::int64_t offset_s = 0;
  if (micros < 0 || !read_offset(text, position, offset_s) || position != text.size()) return refuse();

  using namespace std::chrono;
  const year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                            std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok()) return refuse();
  const std::int64_t seconds = sys_days{date}.time_since_epoch().count() * std::int64_t{86400} +
                               (hour * 60 + minute) * std::int64_t{60} + second - offset_s;
  const Timestamp time{seconds * kMicrosPerSecond + micros};
  if (time < kTimestampMin || time > kTimestampMax) return refuse();
  return time;
}

Result<Timestamp> parse_iso_time(std::string text) {
  if (const auto time = parse_time(text)) return *time;
  if (const std::size_t comma = text.find(','); comma != std::string::npos) text[comma] = '.';
  const std::size_t sign = text.find_last_of("+-");
  if (sign != std::string::npos && sign > text.find('T')) {
    const std::size_t digits = text.size() - sign - 1;
    if (digits == 2) text += ":00";
    if (digits == 4) text.insert(sign + 3, ":");
  }
  constexpr std::size_t kMinuteEnd = 16;  // "2026-11-22T09:05"
  if (text.size() > kMinuteEnd && text[kMinuteEnd] != ':') text.insert(kMinuteEnd, ":00");
  return parse_time(text);
}

Result<Timestamp> parse_iso_or_utc_time(std::string_view text) {
  auto time = parse_iso_time(std::string(text));
  if (time || text.empty()) return time;
  constexpr std::size_t kDateEnd = 10;
  return parse_iso_time(std::string(text) + (text.size() == kDateEnd ? "T00:00:00Z" : "Z"));
}

std::int64_t steady_micros() {
  timespec time{};
  ::clock_gettime(CLOCK_BOOTTIME, &time);
  return time.tv_sec * kMicrosPerSecond + time.tv_nsec / 1000;
}

Timestamp SystemClock::now() const {
  using namespace std::chrono;
  return {duration_cast<microseconds>(system_clock::now().time_since_epoch()).count()};
}

}  // namespace syncline
