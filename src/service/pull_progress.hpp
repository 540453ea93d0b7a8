// How far each key has pulled each space. It tells whether an author had seen the version that an edit replaces, so
// that an ordinary edit makes no conflict. Kept in memory and written down now and then: what is lost in a crash only
// makes a few more versions be kept. Safe from any thread.
#pragma once

#include <unordered_map>

#include "base/mutex.hpp"
#include "store/store.hpp"

namespace syncline {

class PullProgress {
 public:
  explicit PullProgress(Store& store) : store_(store) {}

  [[nodiscard]] Result<> load();
  /// The key has been handed everything of the space up to `seq`.
  void note(KeyNumber key, const SpaceName& space, Seq seq);
  [[nodiscard]] Seq seen_through(KeyNumber key, const SpaceName& space) const;
  /// What there was when the hub started: before a crash any key may have pulled all of that.
  [[nodiscard]] Seq head_at_start(const SpaceName& space) const;
  /// Waits for the disk.
  [[nodiscard]] Result<> save();

 private:
  struct Progress {
    Seq seq;
    bool unsaved = false;
  };
  Store& store_;
  mutable Mutex mutex_;
  std::unordered_map<SpaceName, Seq> heads_at_start_ GUARDED_BY(mutex_);
  std::unordered_map<std::string, Progress> progress_ GUARDED_BY(mutex_);  // by "<key>/<account>/<space>"
};

}  // namespace syncline
