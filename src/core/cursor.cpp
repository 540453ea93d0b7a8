#include "core/cursor.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace syncline {

std::string Cursor::to_text() const {
  std::string text = epoch + '.' + std::to_string(seq.value);
  if (needs_no_deletions_through > seq) text += '.' + std::to_string(needs_no_deletions_through.value);
  return text;
}

Result<Cursor> parse_cursor(std::string_view text) {
  if (text.empty() || text == "0") return Cursor{};
  const auto refuse = [] { return fail(ErrorCode::invalid_argument, "not a cursor"); };
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos || dot == 0 || dot > 32) return refuse();
  const std::string_view epoch = text.substr(0, dot);
  const std::string_view rest = text.substr(dot + 1);
  const std::size_t second_dot = rest.find('.');
  const std::string_view digits = rest.substr(0, second_dot);
  const auto purged = second_dot == std::string_view::npos ? 0 : parse_integer(rest.substr(second_dot + 1));
  const bool plain = std::ranges::all_of(
      epoch, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); });
  const auto seq = parse_integer(digits);
  if (!plain || !seq || *seq < 0 || digits.front() == '-' || !purged || *purged < 0) return refuse();
  return Cursor{std::string(epoch), Seq{*seq}, Seq{*purged}};
}

Result<Seq> resume_at(const Cursor& cursor, std::string_view epoch, Seq head, Seq purged_through) {
  if (cursor.epoch.empty()) return Seq{0};
  if (cursor.epoch != epoch) {
    return fail(ErrorCode::epoch_changed, "the cursor belongs to another history of this store");
  }
  if (cursor.seq > head) {
    return fail(ErrorCode::cursor_ahead, "the cursor is past the newest change");
  }
  // Also a cursor at 0: who has it may hold what it has written itself.
  if (std::max(cursor.seq, cursor.needs_no_deletions_through) < purged_through) {
    return fail(ErrorCode::cursor_expired, "deletions after the cursor have been purged");
  }
  return cursor.seq;
}

}  // namespace syncline
