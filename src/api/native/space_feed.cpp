#include "api/native/space_feed.hpp"

namespace syncline::native {

void SpaceFeed::clear() {
  std::vector<std::string> names;
  {
    const MutexLock lock(mutex_);
    for (const auto& [name, state] : watched_) names.push_back(name);
    watched_.clear();
  }
  // Not under our lock: Live may be telling us something at this moment.
  for (const std::string& name : names) spaces_.live().unwatch({account_, name}, *this);
}

void SpaceFeed::watch(AccountNumber account, const std::vector<std::pair<std::string, std::optional<Cursor>>>& wanted) {
  clear();
  account_ = account;
  for (const auto& [name, cursor] : wanted) {
    const SpaceName space{account, name};
    Watched state;
    state.told = spaces_.head(space);
    if (cursor) {
      const auto since = spaces_.resume(space, *cursor);
      if (since) {
        state.told = *since;
      } else {
        state.reset = since.error().code;
        state.useless = *cursor;
      }
    }
    {
      const MutexLock lock(mutex_);
      watched_[name] = state;
    }
    spaces_.live().watch(space, *this);
    on_change(space, spaces_.head(space));  // what came before the watch
  }
}

void SpaceFeed::on_change(const SpaceName& space, Seq head) {
  bool news = false;
  {
    const MutexLock lock(mutex_);
    const auto found = watched_.find(space.name);
    if (found == watched_.end()) return;
    found->second.head = std::max(found->second.head, head);
    news = found->second.head > found->second.told || found->second.reset;
  }
  if (news) wake_();
}

std::optional<SpaceFeed::Note> SpaceFeed::next() {
  const MutexLock lock(mutex_);
  for (auto& [name, state] : watched_) {
    if (!state.reset && state.head <= state.told) continue;
    state.told = std::max(state.head, state.told);
    return Note{name, spaces_.cursor(state.told), std::exchange(state.reset, std::nullopt)};
  }
  return std::nullopt;
}

std::vector<std::pair<std::string, Cursor>> SpaceFeed::position() const {
  const MutexLock lock(mutex_);
  std::vector<std::pair<std::string, Cursor>> position;
  position.reserve(watched_.size());
  for (const auto& [name, state] : watched_) {
    position.emplace_back(name, state.reset ? state.useless : spaces_.cursor(state.told));
  }
  return position;
}

}  // namespace syncline::native
