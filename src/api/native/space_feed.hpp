// What a live connection watches: several spaces, the last head told of each, and which have something new. A change
// that comes while others are unsent replaces its own note only, so a slow reader costs one number a space.
#pragma once

#include "base/mutex.hpp"
#include "http/message.hpp"
#include "service/spaces.hpp"

namespace syncline::native {

class SpaceFeed final : public Watcher {
 public:
  /// Something to tell: a new head, or that the given cursor is of no use any more.
  struct Note {
    std::string space;
    Cursor cursor;
    std::optional<ErrorCode> reset;
  };
  /// One space to watch.
  struct Wanted {
    std::string name;  // by which the peer knows it
    SpaceName space;
    std::optional<Cursor> cursor;  // what the peer has; nothing means "from now"
  };
  using Text = std::shared_ptr<const std::string>;
  using MakeText = std::string (*)(const Note&);

  /// With `make_text`, next_text() gives the notes as text, and those that watch the same space share it. Lives on the
  /// loop of `wake`, if that has one.
  SpaceFeed(Spaces& spaces, http::Wake wake, MakeText make_text = nullptr)
      : spaces_(spaces), wake_(std::move(wake)), make_text_(make_text) {}
  ~SpaceFeed() override { clear(); }

  /// Watches exactly these. Fails if it cannot be read whether a cursor is of use: then nothing should be told of these
  /// spaces.
  [[nodiscard]] Result<> watch(const std::vector<Wanted>& wanted);
  /// What is watched.
  [[nodiscard]] std::vector<SpaceName> spaces() const;
  [[nodiscard]] std::optional<Note> next();
  /// The next note as text; null if there is none.
  [[nodiscard]] Text next_text();
  /// Where the peer is when it has read all notes so far: space and cursor, in order of the names.
  [[nodiscard]] std::vector<std::pair<std::string, Cursor>> position() const;

  void on_change(const SpaceName& space, Seq head) override;
  void on_notice(Notice& notice) override;

 private:
  struct Watched {
    std::string name;  // by which the peer knows it
    Seq told;
    Seq head;
    std::optional<ErrorCode> reset;
    Text text;       // what says `head`, if somebody has made it already
    Cursor useless;  // what the peer had, while the reset is untold: resuming with it is told again
  };
  void clear();
  /// Whether there is something to tell now.
  [[nodiscard]] bool note_head(const SpaceName& space, Seq head, Notice* notice) EXCLUDES(mutex_);
  [[nodiscard]] Note take(const SpaceName& space, Watched& state) REQUIRES(mutex_);
  [[nodiscard]] static bool has_news(const Watched& state) { return state.head > state.told || state.reset; }

  Spaces& spaces_;
  const http::Wake wake_;
  const MakeText make_text_;
  mutable Mutex mutex_;
  std::map<SpaceName, Watched> watched_ GUARDED_BY(mutex_);
};

}  // namespace syncline::native
