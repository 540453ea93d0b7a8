// Where the feed is known to hold nothing more for a cursor. A resource that is quiet keeps its clients' cursors where
// they are while the feed grows with other resources; without this each poll would read all of that again. Only a
// shortcut: it may forget at any time. Safe from any thread.
#pragma once

#include <unordered_map>

#include "base/ids.hpp"
#include "base/mutex.hpp"

namespace syncline::kaisho {

class QuietEnds {
 public:
  /// Where reading may begin for a cursor: at `since`, or later.
  [[nodiscard]] Seq skip(const SpaceName& resource, Seq since) {
    const MutexLock lock(mutex_);
    const auto found = ends_.find(resource);
    return found != ends_.end() && found->second.since <= since && since <= found->second.until ? found->second.until
                                                                                                : since;
  }

  /// There was nothing after `since` up to `until`.
  void note(const SpaceName& resource, Seq since, Seq until) {
    const MutexLock lock(mutex_);
    if (ends_.size() >= kEndsMax) ends_.clear();
    Quiet& quiet = ends_[resource];
    const bool extends = quiet.since <= since && since <= quiet.until;
    quiet = {extends ? quiet.since : since, extends ? std::max(quiet.until, until) : until};
  }

 private:
  static constexpr std::size_t kEndsMax = 100'000;
  struct Quiet {
    Seq since;
    Seq until;
  };
  Mutex mutex_;
  std::unordered_map<SpaceName, Quiet> ends_ GUARDED_BY(mutex_);
};

}  // namespace syncline::kaisho
