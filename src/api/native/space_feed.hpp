// What a live connection watches: several spaces, the last head told of each, and which have something new. A change
// that comes while others are unsent replaces its own note only, so a slow reader costs one number a space.
#pragma once

#include "base/mutex.hpp"
#include "service/spaces.hpp"

namespace syncline::native {

class SpaceFeed final : public Watcher {
 public:
  SpaceFeed(Spaces& spaces, std::function<void()> wake) : spaces_(spaces), wake_(std::move(wake)) {}
  ~SpaceFeed() override { clear(); }

  /// Something to tell: a new head, or that the given cursor is of no use any more.
  struct Note {
    std::string space;
    Cursor cursor;
    std::optional<ErrorCode> reset;
  };

  /// Watches exactly these. `cursor`: what the peer has; nothing means "from now".
  void watch(AccountNumber account, const std::vector<std::pair<std::string, std::optional<Cursor>>>& wanted);
  [[nodiscard]] std::optional<Note> next();
  /// Where the peer is when it has read all notes so far: space and cursor, in order of the names.
  [[nodiscard]] std::vector<std::pair<std::string, Cursor>> position() const;

  void on_change(const SpaceName& space, Seq head) override;

 private:
  struct Watched {
    Seq told;
    Seq head;
    std::optional<ErrorCode> reset;
    Cursor useless;  // what the peer had, while the reset is untold: resuming with it is told again
  };
  void clear();

  Spaces& spaces_;
  const std::function<void()> wake_;
  AccountNumber account_;
  mutable Mutex mutex_;
  std::map<std::string, Watched> watched_ GUARDED_BY(mutex_);
};

}  // namespace syncline::native
