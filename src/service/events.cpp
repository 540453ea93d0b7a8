#include "service/events.hpp"

#include <algorithm>

namespace syncline {

std::vector<std::string_view> EventTypes::names() const {
  std::vector<std::string_view> names;
  names.reserve(types_.size());
  for (const EventType type : types_) names.push_back(type.name());
  return names;
}

std::optional<EventType> EventTypes::find(std::string_view name) const {
  const auto found = std::ranges::find(types_, name, &EventType::name);
  return found == types_.end() ? std::nullopt : std::optional(*found);
}

EventTypes EventTypes::named_in(const std::vector<std::string_view>& names) const {
  EventTypes chosen;
  for (const EventType type : types_) {
    if (std::ranges::find(names, type.name()) != names.end()) chosen.add(type);
  }
  return chosen;
}

}  // namespace syncline
