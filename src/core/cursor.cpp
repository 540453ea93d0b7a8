#include "core/cursor.hpp"

#include <array>

#include "base/text.hpp"

namespace syncline {
namespace {

constexpr std::size_t kHistoryBytesMax = 48;
constexpr std::size_t kNumbersMax = 3;

std::unexpected<Error> refuse() { return fail(ErrorCode::invalid_argument, "not a cursor"); }

}  // namespace

std::string Cursor::history() const {
  return incarnation.value == 0 ? epoch : epoch + '-' + syncline::to_text(incarnation);
}

std::string Cursor::to_text() const {
  std::string text = history() + '.' + std::to_string(seq.value);
  const bool has_more = incarnation.value != 0 && heard_through > seq;
  const bool is_from_beginning = needs_no_deletions_through > seq;
  if (is_from_beginning || has_more) {
    text += '.' + std::to_string(is_from_beginning ? needs_no_deletions_through.value : 0);
  }
  if (has_more) text += '.' + std::to_string(heard_through.value);
  return text;
}

Result<Cursor> parse_history(std::string_view text) {
  const std::size_t dash = text.find('-');
  const std::string_view epoch = text.substr(0, dash);
  const bool is_plain = std::ranges::all_of(
      epoch, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); });
  if (epoch.empty() || !is_plain || text.size() > kHistoryBytesMax) return refuse();
  Cursor cursor{std::string(epoch), Seq{}};
  if (dash != std::string_view::npos) {
    cursor.incarnation = parse_incarnation(text.substr(dash + 1));
    if (cursor.incarnation.value == 0) return refuse();
  }
  return cursor;
}

Result<Cursor> parse_cursor(std::string_view text) {
  if (text.empty() || text == "0") return Cursor{};
  const std::vector<std::string_view> parts = split(text, '.');
  if (parts.size() < 2 || parts.size() > 1 + kNumbersMax) return refuse();
  TRY(Cursor cursor, parse_history(parts.front()));
  std::array<Seq, kNumbersMax> numbers;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const auto number = parse_integer(parts[i]);
    if (!number || *number < 0 || parts[i].front() == '-') return refuse();
    numbers[i - 1] = {*number};
  }
  if (parts.size() > kNumbersMax && cursor.incarnation.value == 0) return refuse();
  cursor.seq = numbers[0];
  cursor.needs_no_deletions_through = numbers[1];
  cursor.heard_through = numbers[2];
  return cursor;
}

Result<> check_history(const Cursor& cursor, std::string_view epoch, const Lineage& lineage, Seq head) {
  if (cursor.epoch.empty()) return {};
  if (cursor.epoch != epoch) {
    return fail(ErrorCode::epoch_changed, "the cursor belongs to another history of this store");
  }
  const bool is_known = cursor.incarnation.value == 0 || lineage.contains(cursor.incarnation, cursor.knows_through());
  if (!is_known) {
    return fail(ErrorCode::epoch_changed, "the cursor knows changes that this store no longer has");
  }
  if (cursor.knows_through() > head) return fail(ErrorCode::cursor_ahead, "the cursor is past the newest change");
  return {};
}

Result<Seq> resume_at(const Cursor& cursor, std::string_view epoch, const Lineage& lineage, Seq head,
                      Seq purged_through) {
  if (cursor.epoch.empty()) return Seq{0};
  CHECK_OK(check_history(cursor, epoch, lineage, head));
  // Also a cursor at 0: who has it may hold what it has written itself.
  if (std::max(cursor.seq, cursor.needs_no_deletions_through) < purged_through) {
    return fail(ErrorCode::cursor_expired, "deletions after the cursor have been purged");
  }
  return cursor.seq;
}

}  // namespace syncline
