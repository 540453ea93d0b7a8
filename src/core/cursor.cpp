#include "core/cursor.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace syncline {

Result<Cursor> parse_cursor(std::string_view text) {
  if (text.empty() || text == "0") return Cursor{};
  const auto refuse = [] { return fail(ErrorCode::invalid_argument, "not a cursor"); };
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos || dot == 0 || dot > 32) return refuse();
  const std::string_view epoch = text.substr(0, dot);
  const std::string_view digits = text.substr(dot + 1);
  const bool plain = std::ranges::all_of(
      epoch, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); });
  const auto seq = parse_integer(digits);
  if (!plain || !seq || *seq < 0 || digits.front() == '-') return refuse();
  return Cursor{std::string(epoch), Seq{*seq}};
}

Result<Seq> resume_at(const Cursor& cursor, std::string_view epoch, Seq head, Seq purged_through) {
  if (cursor.epoch.empty()) return Seq{0};
  if (cursor.epoch != epoch) {
    return fail(ErrorCode::epoch_changed, "the cursor belongs to another history of this store", Advice::resync);
  }
  if (cursor.seq > head) {
    return fail(ErrorCode::cursor_ahead, "the cursor is past the newest change", Advice::resync);
  }
  if (cursor.seq.value != 0 && cursor.seq < purged_through) {
    return fail(ErrorCode::cursor_expired, "deletions after the cursor have been purged", Advice::resync);
  }
  return cursor.seq;
}

}  // namespace syncline
