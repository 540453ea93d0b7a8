#include "runner/live_text.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/text.hpp"

namespace syncline::runner {
namespace {

constexpr std::size_t kPendingMax = 256UL << 10U;
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

/// Length of the character that begins here: 0 if it is cut short by the end, nothing if it is none.
std::optional<std::size_t> character_length(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t length = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead >= 0x80 && lead < 0xC2) return std::nullopt;
  const std::size_t present = std::min(length, text.size());
  for (std::size_t i = 1; i < present; ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U) return std::nullopt;
  }
  if (present < length) return 0;
  return is_utf8(text.substr(0, length)) ? std::optional(length) : std::nullopt;
}

}  // namespace

void LiveText::add(std::string_view bytes) {
  pending_ += bytes;
  if (pending_.size() > 2 * kPendingMax) trim();  // not each time: what stays is moved
}

void LiveText::trim() {
  if (pending_.size() <= kPendingMax) return;
  const std::size_t too_many = pending_.size() - kPendingMax;
  pending_.erase(0, too_many);
  left_out_ += too_many;
}

std::string LiveText::take(std::size_t bytes_max, bool last) {
  trim();
  std::string text;
  if (left_out_ > 0) text = "\n[... " + std::to_string(std::exchange(left_out_, 0)) + " bytes left out ...]\n";
  std::string_view rest = pending_;
  while (!rest.empty() && text.size() < bytes_max) {
    const auto length = character_length(rest);
    if (length == 0 && !last) break;
    if (length && *length > 0) {
      text += rest.substr(0, *length);
      rest.remove_prefix(*length);
    } else {
      text += kReplacement;
      rest.remove_prefix(1);
    }
  }
  pending_.erase(0, pending_.size() - rest.size());
  return text;
}

}  // namespace syncline::runner
