#include "api/kiro/view_cache.hpp"

#include <algorithm>

namespace syncline::kiro {
namespace {

constexpr std::size_t kViewsMax = 512;  // the list is searched from its start

}  // namespace

std::shared_ptr<ViewCache::Held> ViewCache::hold(const SpaceName& space) {
  const MutexLock lock(mutex_);
  const auto found = std::ranges::find(recent_, space, &std::pair<SpaceName, std::shared_ptr<Held>>::first);
  if (found != recent_.end()) {
    recent_.splice(recent_.begin(), recent_, found);
  } else {
    recent_.emplace_front(space, std::make_shared<Held>());
  }
  return recent_.front().second;
}

void ViewCache::evict() {
  const MutexLock lock(mutex_);
  std::size_t total = 0;
  std::size_t count = 0;
  for (auto at = recent_.begin(); at != recent_.end();) {
    total += at->second->bytes;
    const bool is_newest = at == recent_.begin();
    const bool too_much = total > limits::kViewBytesMax || ++count > kViewsMax;
    at = too_much && !is_newest ? recent_.erase(at) : std::next(at);
  }
}

Result<> ViewCache::with(const SpaceName& space, const std::function<void(StateView&)>& use) {
  const auto held = hold(space);
  {
    const MutexLock lock(held->mutex);
    // Not by Spaces::head(), which is a hint: whoever asks sees everything that was committed before.
    CHECK_OK(
        spaces_.read(space, [&](Snapshot& snapshot) REQUIRES(held->mutex) { return held->view.catch_up(snapshot); }));
    // The rendered state counts too, and the maps around the documents.
    held->bytes = held->view.bytes() * 3;
    use(held->view);
  }
  evict();
  return {};
}

}  // namespace syncline::kiro
