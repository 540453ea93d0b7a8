// How far each key has pulled each space. It tells whether an author had seen the version that an edit replaces, so
// that an ordinary edit makes no conflict. What keys do now is in memory and written to the directory now and then:
// what is lost in a crash only makes a few more versions be kept. Safe from any thread.
#pragma once

#include <unordered_map>
#include <unordered_set>

#include "base/mutex.hpp"
#include "store/store.hpp"

namespace syncline {

class PullProgress {
 public:
  explicit PullProgress(Store& store) : store_(store), directory_(store.directory()) {}

  [[nodiscard]] Result<> load();
  /// The key has been handed everything of the space up to `seq`.
  void note(KeyNumber key, const SpaceName& space, Seq seq);
  /// 0 if nothing is known. Reads the directory once for each key and space.
  [[nodiscard]] Result<Seq> seen_through(KeyNumber key, const SpaceName& space);
  /// What there was when the hub started: before a crash any key may have pulled all of that.
  [[nodiscard]] Seq head_at_start(const SpaceName& space) const;
  /// Waits for the disk. Costs as much as was noted since the last time.
  [[nodiscard]] Result<> save();

 private:
  struct Place {
    KeyNumber key;
    SpaceName space;
    friend bool operator==(const Place&, const Place&) = default;
  };
  struct PlaceHash {
    std::size_t operator()(const Place& place) const noexcept {
      return std::hash<SpaceName>{}(place.space) * 31 + std::hash<KeyNumber>{}(place.key);
    }
  };
  struct Progress {
    Seq seq;
    bool has_stored = false;  // `seq` is not less than what the directory has
  };
  Progress& progress_of(const Place& place) REQUIRES(mutex_);

  Store& store_;
  Directory& directory_;
  mutable Mutex mutex_;
  std::unordered_map<SpaceName, Seq> heads_at_start_ GUARDED_BY(mutex_);
  std::unordered_map<Place, Progress, PlaceHash> progress_ GUARDED_BY(mutex_);  // of those that were asked for lately
  std::unordered_set<Place, PlaceHash> unsaved_ GUARDED_BY(mutex_);
};

}  // namespace syncline
