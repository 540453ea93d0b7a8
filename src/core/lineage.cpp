#include "core/lineage.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "base/limits.hpp"

namespace syncline {
namespace {

constexpr std::size_t kDigits = 12;

}  // namespace

std::string to_text(IncarnationId incarnation) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text(kDigits, '0');
  auto rest = static_cast<std::uint64_t>(incarnation.value);
  for (std::size_t i = kDigits; i > 0; --i, rest >>= 4U) text[i - 1] = kHex[rest & 15U];
  return text;
}

IncarnationId parse_incarnation(std::string_view text) {
  std::int64_t value = 0;
  if (text.size() != kDigits || text.front() == '-') return {};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return error == std::errc{} && end == text.data() + text.size() ? IncarnationId{value} : IncarnationId{};
}

void Lineage::begin(IncarnationId incarnation, Seq head_before) {
  entries_.push_back({incarnation, head_before});
  if (entries_.size() > limits::kIncarnationsMax) entries_.erase(entries_.begin());
}

IncarnationId Lineage::at(Seq seq) const {
  // The last one that began before it.
  const auto after = std::ranges::lower_bound(entries_, seq, {}, &Entry::head_before);
  return after == entries_.begin() ? IncarnationId{} : std::prev(after)->incarnation;
}

bool Lineage::contains(IncarnationId incarnation, Seq through) const {
  const auto found = std::ranges::find(entries_, incarnation, &Entry::incarnation);
  if (found == entries_.end()) return false;
  const auto next = std::next(found);
  return next == entries_.end() || through <= next->head_before;
}

}  // namespace syncline
