#include "runner/live_text.hpp"

#include <utility>

#include "base/text.hpp"

namespace syncline::runner {
namespace {

constexpr std::size_t kPendingMax = 256UL << 10U;

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
  if (left_out_ > 0) text = "\n[... " + std::to_string(std::exchange(left_out_, 0)) + " bytes omitted ...]\n";
  std::string_view rest = pending_;
  while (!rest.empty() && text.size() < bytes_max) {
    const auto length = character_length(rest);
    if (length == 0 && !last) break;
    if (length && *length > 0) {
      text += rest.substr(0, *length);
      rest.remove_prefix(*length);
    } else {
      text += kReplacementCharacter;
      rest.remove_prefix(1);
    }
  }
  pending_.erase(0, pending_.size() - rest.size());
  return text;
}

}  // namespace syncline::runner
