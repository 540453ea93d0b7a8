// The views of all Kiro spaces that were read lately, at most limits::kViewBytesMax together; the one unused for
// longest goes first. Safe from any thread.
#pragma once

#include <atomic>
#include <list>

#include "api/kiro/state_view.hpp"
#include "base/mutex.hpp"

namespace syncline::kiro {

class ViewCache {
 public:
  explicit ViewCache(Spaces& spaces) : spaces_(spaces) {}

  /// Runs `use` with the space's view, caught up with all commits so far.
  [[nodiscard]] Result<> with(const SpaceName& space, const std::function<void(StateView&)>& use);

 private:
  struct Held {
    Mutex mutex;
    StateView view GUARDED_BY(mutex);
    std::atomic<std::size_t> bytes = 0;
  };
  [[nodiscard]] std::shared_ptr<Held> hold(const SpaceName& space);
  void evict();

  Spaces& spaces_;
  Mutex mutex_;
  std::list<std::pair<SpaceName, std::shared_ptr<Held>>> recent_ GUARDED_BY(mutex_);  // newest use first
};

}  // namespace syncline::kiro
