#include "api/native/space_feed.hpp"

namespace syncline::native {

void SpaceFeed::clear() {
  const std::vector<SpaceName> before = spaces();
  {
    const MutexLock lock(mutex_);
    watched_.clear();
  }
  // Not under our lock: Live may be telling us something at this moment.
  for (const SpaceName& space : before) spaces_.live().unwatch(space, *this, wake_.loop);
}

std::vector<SpaceName> SpaceFeed::spaces() const {
  const MutexLock lock(mutex_);
  std::vector<SpaceName> spaces;
  spaces.reserve(watched_.size());
  for (const auto& [space, state] : watched_) spaces.push_back(space);
  return spaces;
}

Result<> SpaceFeed::watch(const std::vector<Wanted>& wanted) {
  clear();
  for (const auto& [name, space, cursor] : wanted) {
    Watched state;
    state.name = name;
    state.told = spaces_.head(space);
    if (cursor) {
      const auto since = spaces_.resume(space, *cursor);
      if (since) {
        state.told = *since;
      } else if (advice_of(since.error().code) != Advice::resync) {
        return std::unexpected(since.error());
      } else {
        state.reset = since.error().code;
        state.useless = *cursor;
      }
    }
    {
      const MutexLock lock(mutex_);
      if (!watched_.emplace(space, std::move(state)).second) continue;  // named twice
    }
    spaces_.live().watch(space, *this, wake_.loop);
    on_change(space, spaces_.head(space));  // what came before the watch
  }
  return {};
}

void SpaceFeed::on_change(const SpaceName& space, Seq head) {
  if (note_head(space, head, nullptr)) wake_.soon();
}

void SpaceFeed::on_notice(Notice& notice) {
  // Last: what it writes may fail and end the connection.
  if (note_head(notice.space, notice.head, &notice)) wake_.now();
}

bool SpaceFeed::note_head(const SpaceName& space, Seq head, Notice* notice) {
  const MutexLock lock(mutex_);
  const auto found = watched_.find(space);
  if (found == watched_.end()) return false;
  Watched& state = found->second;
  if (head > state.head) {
    state.head = head;
    state.text = nullptr;
    // Those who know the space by another name say something else.
    if (notice != nullptr && make_text_ != nullptr && state.name == space.name) {
      if (!notice->text) {
        notice->text = std::make_shared<const std::string>(make_text_({space.name, spaces_.cursor(space, head), {}}));
      }
      state.text = notice->text;
    }
  }
  return has_news(state);
}

SpaceFeed::Note SpaceFeed::take(const SpaceName& space, Watched& state) {
  state.told = std::max(state.head, state.told);
  state.text = nullptr;
  return {state.name, spaces_.cursor(space, state.told), std::exchange(state.reset, std::nullopt)};
}

std::optional<SpaceFeed::Note> SpaceFeed::next() {
  const MutexLock lock(mutex_);
  for (auto& [space, state] : watched_) {
    if (has_news(state)) return take(space, state);
  }
  return std::nullopt;
}

SpaceFeed::Text SpaceFeed::next_text() {
  const MutexLock lock(mutex_);
  for (auto& [space, state] : watched_) {
    if (!has_news(state)) continue;
    if (!state.text || state.reset) return std::make_shared<const std::string>(make_text_(take(space, state)));
    state.told = state.head;
    return std::exchange(state.text, nullptr);
  }
  return nullptr;
}

std::vector<std::pair<std::string, Cursor>> SpaceFeed::position() const {
  const MutexLock lock(mutex_);
  std::vector<std::pair<std::string, Cursor>> position;
  position.reserve(watched_.size());
  for (const auto& [space, state] : watched_) {
    position.emplace_back(state.name, state.reset ? state.useless : spaces_.cursor(space, state.told));
  }
  return position;
}

}  // namespace syncline::native
