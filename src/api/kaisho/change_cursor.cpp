#include "api/kaisho/change_cursor.hpp"

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "core/cursor.hpp"

namespace syncline::kaisho {
namespace {

constexpr std::size_t kPlainLength = 27;  // with six digits and Z

/// Three digits of a restored history; none of the first.
std::string history_digits(std::string_view epoch) {
  if (!is_restored_epoch(epoch)) return {};
  const std::string digits = std::to_string(crc32(epoch) % 1000);
  return std::string(3 - digits.size(), '0') + digits;
}

}  // namespace

std::string format_change_cursor(Seq seq, std::string_view epoch) {
  std::string text = format_time({seq.value});
  text.insert(text.size() - 1, history_digits(epoch));
  return text;
}

Seq parse_change_cursor(std::string_view text, std::string_view epoch, Seq head) {
  const auto time = parse_time(text);
  if (!time || time->micros < 0 || time->micros > head.value) return {};
  const std::string digits = history_digits(epoch);
  const bool of_this_history =
      text.size() == kPlainLength + digits.size() && text.substr(kPlainLength - 1, digits.size()) == digits;
  return of_this_history ? Seq{time->micros} : Seq{};
}

}  // namespace syncline::kaisho
