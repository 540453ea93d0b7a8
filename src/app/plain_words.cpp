#include "app/plain_words.hpp"

#include <time.h>

#include <array>

#include "app/device_zone.hpp"
#include "app/output.hpp"
#include "service/quotas.hpp"

namespace syncline::app {
namespace {

/// Text that is longer is no time: it need not be looked at.
constexpr std::size_t kTimeBytesMin = std::string_view("2026-11-22T15:40:05Z").size();
constexpr std::size_t kTimeBytesMax = std::string_view("2026-11-22T15:40:05.004670123+01:00").size();

tm local_parts(Timestamp time) {
  const time_t seconds = (time.micros - (time.micros < 0 ? kMicrosPerSecond - 1 : 0)) / kMicrosPerSecond;
  tm parts{};
  ::localtime_r(&seconds, &parts);
  return parts;
}

bool is_size(std::string_view member) {
  return member == "bytes" || member.ends_with("_bytes") || member == "bytes_max" || member.ends_with("_bytes_max");
}

std::string join_cells(std::string_view member, JsonView list) {
  std::string joined;
  list.for_each_element([&](JsonView element) { joined += (joined.empty() ? "" : ",") + to_cell(member, element); });
  return joined;
}

}  // namespace

std::string to_local_time(Timestamp time) {
  const tm parts = local_parts(time);
  std::array<char, 32> text{};
  (void)std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &parts);
  return text.data();
}

std::string local_zone() {
  if (const auto zone = device_zone()) return *zone == "Etc/UTC" ? "UTC" : to_terminal_line(*zone);
  const tm now = local_parts(SystemClock().now());
  return now.tm_zone == nullptr ? "UTC" : to_terminal_line(now.tm_zone);
}

std::optional<Timestamp> find_time(JsonView value) {
  const auto text = value.is_string() ? value.as_plain_string() : std::nullopt;
  if (!text || text->size() < kTimeBytesMin || text->size() > kTimeBytesMax) return std::nullopt;
  if ((*text)[4] != '-' || (*text)[10] != 'T') return std::nullopt;
  const auto time = parse_time(*text);
  return time ? std::optional(*time) : std::nullopt;
}

std::string to_words(std::string_view member) {
  std::string words;
  for (const char c : member) {
    const bool is_capital = c >= 'A' && c <= 'Z';
    if (c == '_' || c == '-') {
      words += ' ';
    } else if (is_capital && !words.empty() && words.back() >= 'a' && words.back() <= 'z') {
      words += ' ';
      words += static_cast<char>(c - 'A' + 'a');
    } else {
      words += c;
    }
  }
  return words;
}

std::string to_cell(std::string_view member, JsonView value) {
  if (value.kind() == JsonKind::null || value.raw() == "\"\"") return "-";
  if (const auto time = find_time(value)) return to_local_time(*time);
  if (value.is_string()) {
    std::string escaped;
    append_json_string(escaped, value.as_string().value_or(""));
    std::string text = escaped.substr(1, escaped.size() - 2);
    // Unlike a line end, a quote in a cell misleads nobody.
    for (std::size_t at = 0; (at = text.find('\\', at)) != std::string::npos; ++at) {
      if (text[at + 1] == '"') {
        text.erase(at, 1);
      } else {
        ++at;
      }
    }
    return to_terminal_text(text);
  }
  if (value.is_array()) return join_cells(member, value);
  const auto number = is_size(member) ? value.as_integer() : std::nullopt;
  return number ? format_bytes(*number) : to_terminal_line(value.raw());
}

}  // namespace syncline::app
