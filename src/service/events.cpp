#include "service/events.hpp"

#include <algorithm>
#include <array>

namespace syncline {
namespace {

constexpr std::array<std::string_view, kEventTypes> kNames = {
    "sync.completed",    "memory.created", "conflict.detected", "record.changed",
    "command.completed", "timer.started",  "timer.stopped"};

}  // namespace

std::string_view to_text(EventType type) { return kNames.at(static_cast<std::size_t>(type)); }

std::optional<EventType> event_type_from_text(std::string_view text) {
  const auto found = std::ranges::find(kNames, text);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<EventType>(found - kNames.begin());
}

std::vector<std::string_view> EventTypes::names() const {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (has(static_cast<EventType>(i))) names.push_back(kNames.at(i));
  }
  return names;
}

}  // namespace syncline
