#include "base/time_zone.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "base/yearly_rule.hpp"

namespace syncline {
namespace {

using std::chrono::days;

constexpr std::size_t kNameBytesMax = 64;
constexpr std::uintmax_t kFileBytesMax = 1U << 20U;
constexpr std::int64_t kDaySeconds = 86'400;

std::int64_t seconds_of(Day day) { return std::int64_t{day.time_since_epoch().count()} * kDaySeconds; }

std::int64_t floor_seconds(Timestamp time) {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::microseconds(time.micros)).count();
}

Day day_of_seconds(std::int64_t local_s) { return Day(std::chrono::floor<days>(std::chrono::seconds(local_s))); }

/// Numbers of a TZif file: big-endian. Reading past the end reads zeros, and is noted.
class FileReader {
 public:
  explicit FileReader(std::string_view bytes) : left_(bytes) {}

  [[nodiscard]] bool is_whole() const { return is_whole_; }
  [[nodiscard]] std::string_view rest() const { return left_; }
  std::string_view take(std::uint64_t count) {
    if (count > left_.size()) {
      is_whole_ = false;
      left_ = {};
      return {};
    }
    const std::string_view taken = left_.substr(0, count);
    left_.remove_prefix(count);
    return taken;
  }
  std::int64_t number(std::size_t bytes) {
    const std::string_view digits = take(bytes);
    if (digits.empty()) return 0;
    std::uint64_t value = static_cast<unsigned char>(digits.front()) >= 0x80 ? ~std::uint64_t{0} : 0;
    for (const char digit : digits) value = value << 8U | static_cast<unsigned char>(digit);
    return static_cast<std::int64_t>(value);
  }

 private:
  std::string_view left_;
  bool is_whole_ = true;
};

/// The head of one of the two parts of a file.
struct Counts {
  char version = 0;
  std::uint64_t utc_marks = 0, standard_marks = 0, leaps = 0, transitions = 0, types = 0, name_bytes = 0;

  [[nodiscard]] static std::optional<Counts> read(FileReader& file) {
    const std::string_view magic = file.take(4);
    const std::string_view version = file.take(1);
    file.take(15);
    Counts counts;
    for (std::uint64_t* count : {&counts.utc_marks, &counts.standard_marks, &counts.leaps, &counts.transitions,
                                 &counts.types, &counts.name_bytes}) {
      *count = static_cast<std::uint32_t>(file.number(4));
    }
    if (magic != "TZif" || version.empty() || !file.is_whole()) return std::nullopt;
    counts.version = version.front();
    return counts;
  }
  [[nodiscard]] std::uint64_t bytes(std::uint64_t time_bytes) const {
    return transitions * (time_bytes + 1) + types * 6 + name_bytes + leaps * (time_bytes + 4) + standard_marks +
           utc_marks;
  }
};

bool is_zone_name(std::string_view name) {
  const bool has_good_letters = std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' || c == '_' ||
           c == '+' || c == '-';
  });
  return has_good_letters && !name.empty() && name.size() <= kNameBytesMax && name.front() != '/';
}

}  // namespace

struct TimeZone::Data {
  std::vector<std::int64_t> starts;   // of each offset but the first
  std::vector<std::int64_t> offsets;  // one more
  std::optional<YearlyRule> rule;     // from the last start on

  [[nodiscard]] std::int64_t offset_at(std::int64_t utc_s) const {
    const bool is_behind = starts.empty() || utc_s >= starts.back();
    if (is_behind && rule) return rule->offset_at(utc_s);
    const auto next = std::ranges::upper_bound(starts, utc_s);
    return offsets.at(static_cast<std::size_t>(next - starts.begin()));
  }
};

std::optional<Day> parse_day(std::string_view text) {
  constexpr std::string_view kForm = "2026-11-22";
  if (text.size() != kForm.size()) return std::nullopt;
  const auto midnight = parse_time(std::string(text) + "T00:00:00Z");
  if (!midnight) return std::nullopt;
  return day_of_seconds(floor_seconds(*midnight));
}

std::string format_day(Day day) {
  constexpr std::size_t kDayBytes = 10;
  return format_time({seconds_of(day) * kMicrosPerSecond}).substr(0, kDayBytes);
}

std::string zone_directory() {
  const char* directory = std::getenv("TZDIR");
  return directory != nullptr && *directory != '\0' ? directory : "/usr/share/zoneinfo";
}

TimeZone TimeZone::utc() { return {"UTC", nullptr}; }

Result<TimeZone> TimeZone::find(std::string_view name) {
  if (name == "UTC") return utc();
  const auto unknown = [&] {
    return fail(ErrorCode::invalid_argument,
                "unknown zone '" + std::string(name) + "'; use a name like Europe/Berlin or UTC");
  };
  if (!is_zone_name(name)) return unknown();
  namespace fs = std::filesystem;
  const fs::path path = fs::path(zone_directory()) / name;
  std::error_code error;
  if (!fs::is_regular_file(path, error) || fs::file_size(path, error) > kFileBytesMax) return unknown();
  std::ifstream file(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  auto zone = parse(name, bytes);
  if (!zone) return unknown();
  return zone;
}

Result<TimeZone> TimeZone::parse(std::string_view name, std::string_view bytes) {
  const auto wrong = [&](std::string_view what) {
    return fail(ErrorCode::invalid_argument,
                "the file of the time zone '" + std::string(name) + "' " + std::string(what));
  };
  FileReader file(bytes);
  const auto first = Counts::read(file);
  if (!first || first->version < '2') return wrong("is no TZif file of version 2 or later");
  file.take(first->bytes(4));
  const auto counts = Counts::read(file);
  if (!counts || counts->types == 0) return wrong("is damaged");
  if (counts->leaps > 0) return wrong("counts leap seconds");
  if (counts->bytes(8) > file.rest().size()) return wrong("is cut off");

  auto data = std::make_shared<Data>();
  for (std::uint64_t i = 0; i < counts->transitions; ++i) data->starts.push_back(file.number(8));
  const std::string_view which = file.take(counts->transitions);
  std::vector<std::int64_t> types;
  for (std::uint64_t i = 0; i < counts->types; ++i) {
    types.push_back(file.number(4));
    file.take(2);
  }
  data->offsets.push_back(types.front());
  for (const char index : which) {
    if (static_cast<unsigned char>(index) >= types.size()) return wrong("is damaged");
    data->offsets.push_back(types[static_cast<unsigned char>(index)]);
  }
  if (!std::ranges::is_sorted(data->starts)) return wrong("is damaged");
  file.take(counts->name_bytes + counts->standard_marks + counts->utc_marks);
  std::string_view footer = file.rest();
  if (footer.size() >= 2 && footer.front() == '\n' && footer.back() == '\n') {
    footer = footer.substr(1, footer.size() - 2);
    data->rule = parse_yearly_rule(footer);
    if (!data->rule && !footer.empty()) return wrong("has a rule that cannot be read: " + std::string(footer));
  }
  return TimeZone(name, std::move(data));
}

std::int64_t TimeZone::offset_at(Timestamp time) const { return data_ ? data_->offset_at(floor_seconds(time)) : 0; }

Day TimeZone::day_at(Timestamp time) const { return day_of_seconds(floor_seconds(time) + offset_at(time)); }

Timestamp TimeZone::moment_of(Day day, std::int64_t wall_s) const {
  const std::int64_t wall = seconds_of(day) + wall_s;
  if (!data_) return {wall * kMicrosPerSecond};
  const std::int64_t before = data_->offset_at(wall - kDaySeconds);
  const std::int64_t after = data_->offset_at(wall + kDaySeconds);
  // With a larger offset clocks show it earlier.
  const auto [later, earlier] = std::minmax(before, after);
  for (const std::int64_t offset : {earlier, later}) {
    if (data_->offset_at(wall - offset) == offset) return {(wall - offset) * kMicrosPerSecond};
  }
  // They skip it: at some time in between the offset of before ends.
  std::int64_t still = wall - kDaySeconds;
  std::int64_t changed = wall + kDaySeconds;
  while (changed - still > 1) {
    const std::int64_t middle = still + (changed - still) / 2;
    (data_->offset_at(middle) == before ? still : changed) = middle;
  }
  return {changed * kMicrosPerSecond};
}

std::string TimeZone::format(Timestamp time) const {
  const std::int64_t offset = offset_at(time);
  constexpr std::size_t kToTheSecond = 19;
  std::string text = format_time(time.plus_micros(offset * kMicrosPerSecond)).substr(0, kToTheSecond);
  if (!data_) return text + 'Z';
  const std::int64_t minutes = std::abs(offset) / 60;
  const auto digits = [](std::int64_t number) { return (number < 10 ? "0" : "") + std::to_string(number); };
  return text + (offset < 0 ? '-' : '+') + digits(minutes / 60) + ':' + digits(minutes % 60);
}

}  // namespace syncline
