// The watchers of one space on one event loop. A commit costs the committing thread one post to the loop, or none while
// the loop has not taken the news of the last one; the loop then calls all watchers, some at a time, so that its
// connections get their turns in between.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "base/scheduler.hpp"
#include "service/live.hpp"

namespace syncline {

class LoopWatchers : public std::enable_shared_from_this<LoopWatchers> {
 public:
  /// The loop outlives what it is posted.
  [[nodiscard]] static std::shared_ptr<LoopWatchers> make(const SpaceName& space, EventLoop& loop);

  [[nodiscard]] EventLoop& loop() const { return loop_; }
  /// The space has this head or a newer one. From any thread.
  void announce(Seq head);

  // On the loop's thread, also inside a call of a watcher.
  void add(Watcher& watcher);
  /// After it the watcher is not called any more. Returns whether nobody is left.
  [[nodiscard]] bool remove(Watcher& watcher);

 private:
  LoopWatchers(SpaceName space, EventLoop& loop) : space_(std::move(space)), loop_(loop) {}
  void post();
  void tell_some();
  void end_round();

  const SpaceName space_;
  EventLoop& loop_;
  std::atomic<std::int64_t> head_ = 0;
  /// A round is under way or on its way to the loop.
  std::atomic<bool> posted_ = false;

  // On the loop's thread only. A round tells one head to everybody.
  std::vector<Watcher*> watchers_;  // null: removed during the round
  std::size_t count_ = 0;
  std::size_t next_ = 0;
  bool in_round_ = false;
  Notice notice_{space_, {}, nullptr};
};

}  // namespace syncline
