#include "runner/captured_output.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "base/text.hpp"

namespace syncline::runner {
namespace {

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

/// Cuts a character off that the end of `head` has only a part of.
std::string_view cut_end(std::string_view head) {
  std::size_t start = head.size();
  while (start > 0 && head.size() - start < 4 && is_continuation(head[start - 1])) --start;
  if (start == 0) return head;
  const std::string_view last = head.substr(start - 1);
  return is_utf8(last) ? head : head.substr(0, start - 1);
}

std::string_view cut_begin(std::string_view tail) {
  for (int skipped = 0; skipped < 3 && !tail.empty() && is_continuation(tail.front()); ++skipped) tail.remove_prefix(1);
  return tail;
}

/// Without the beginning of a character that the text ends in.
std::string_view without_unfinished(std::string_view text) {
  constexpr std::size_t kUnfinishedMax = 3;
  for (std::size_t count = 1; count <= std::min(kUnfinishedMax, text.size()); ++count) {
    if (character_length(text.substr(text.size() - count)) == 0) return text.substr(0, text.size() - count);
  }
  return text;
}

}  // namespace

void CapturedOutput::add(std::string_view bytes) {
  total_ += bytes.size();
  const std::size_t to_head = std::min(bytes.size(), half_ - head_.size());
  head_.append(bytes.substr(0, to_head));
  bytes.remove_prefix(to_head);
  if (bytes.size() > half_) bytes.remove_prefix(bytes.size() - half_);
  const std::size_t growth = std::min(bytes.size(), half_ - tail_.size());
  tail_.append(bytes.substr(0, growth));
  bytes.remove_prefix(growth);
  while (!bytes.empty()) {
    const std::size_t run = std::min(bytes.size(), half_ - oldest_);
    bytes.copy(tail_.data() + oldest_, run);
    oldest_ = (oldest_ + run) % half_;
    bytes.remove_prefix(run);
  }
}

std::string CapturedOutput::text() const {
  const std::string tail = tail_.substr(oldest_) + tail_.substr(0, oldest_);
  if (!truncated()) {
    const std::string all = head_ + tail;
    return std::string(was_killed_ ? without_unfinished(all) : all);
  }
  const std::string_view first = cut_end(head_);
  const std::string_view whole = cut_begin(tail);
  const std::string_view last = was_killed_ ? without_unfinished(whole) : whole;
  const std::uint64_t left_out = total_ - first.size() - last.size();
  return std::string(first) + "\n[... " + std::to_string(left_out) + " bytes omitted ...]\n" + std::string(last);
}

void write_output(JsonWriter& writer, const CapturedOutput& out, const CapturedOutput& err) {
  const std::string out_text = out.text();
  const std::string err_text = err.text();
  const bool is_text = is_utf8(out_text) && is_utf8(err_text);
  writer.string("stdout", is_text ? out_text : to_base64(out_text));
  writer.string("stderr", is_text ? err_text : to_base64(err_text));
  if (!is_text) writer.string("encoding", "base64");
  if (out.truncated() || err.truncated()) writer.boolean("truncated", true);
}

}  // namespace syncline::runner
