#include "api/kiro/deadlines.hpp"

namespace syncline::kiro {

void Deadlines::set(const SpaceName& space, std::string_view id, std::int64_t at_ms) {
  const MutexLock lock(mutex_);
  const Key key{space, std::string(id)};
  const auto [entry, is_new] = at_ms_.try_emplace(key, at_ms);
  if (!is_new) {
    in_order_.erase({entry->second, key});
    entry->second = at_ms;
  }
  in_order_.emplace(at_ms, key);
}

void Deadlines::remove(const SpaceName& space, std::string_view id) {
  const MutexLock lock(mutex_);
  const auto entry = at_ms_.find({space, std::string(id)});
  if (entry == at_ms_.end()) return;
  in_order_.erase({entry->second, entry->first});
  at_ms_.erase(entry);
}

std::map<SpaceName, std::vector<std::string>> Deadlines::take_due(std::int64_t now_ms, std::size_t max) {
  const MutexLock lock(mutex_);
  std::map<SpaceName, std::vector<std::string>> due;
  for (std::size_t taken = 0; taken < max && !in_order_.empty(); ++taken) {
    const auto& [at_ms, key] = *in_order_.begin();
    if (at_ms > now_ms) break;
    due[key.first].push_back(key.second);
    at_ms_.erase(key);
    in_order_.erase(in_order_.begin());
  }
  return due;
}

}  // namespace syncline::kiro
