#include "api/kaisho/change_cursor.hpp"

#include "base/bytes.hpp"
#include "base/time.hpp"

namespace syncline::kaisho {
namespace {

constexpr std::size_t kPlainLength = 27;  // with six digits and Z

/// Three digits; none for the first history of a store that notes no openings.
std::string history_digits(const Cursor& cursor) {
  if (cursor.incarnation.value == 0 && !is_restored_epoch(cursor.epoch)) return {};
  const std::string digits = std::to_string(crc32(cursor.history()) % 1000);
  return std::string(3 - digits.size(), '0') + digits;
}

}  // namespace

std::string format_change_cursor(const Cursor& cursor) {
  std::string text = format_time({cursor.seq.value});
  text.insert(text.size() - 1, history_digits(cursor));
  return text;
}

Seq parse_change_cursor(std::string_view text, std::string_view epoch, const Lineage& lineage, Seq head) {
  const auto time = parse_time(text);
  if (!time || time->micros < 0 || time->micros > head.value) return {};
  const Seq seq{time->micros};
  if (text.size() == kPlainLength && !is_restored_epoch(epoch)) return seq;
  const std::string digits = history_digits({.epoch = std::string(epoch), .seq = seq, .incarnation = lineage.at(seq)});
  const bool of_this_history =
      text.size() == kPlainLength + digits.size() && text.substr(kPlainLength - 1, digits.size()) == digits;
  return of_this_history ? seq : Seq{};
}

}  // namespace syncline::kaisho
