// Which watchers have something new. A watcher hears that a space has a new head, never what changed: it pulls the
// feed, which is the truth. So a slow watcher costs one number, however many changes it missed. Safe from any thread.
// Who watches on an event loop is called there: a commit posts once to each loop, however many watch. The other
// watchers and the listeners are called on the thread that committed, so they only post to their own.
#pragma once

#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/ids.hpp"
#include "base/mutex.hpp"
#include "base/scheduler.hpp"

namespace syncline {

/// A space's new head on its way to all who watch it on one loop.
struct Notice {
  const SpaceName& space;
  Seq head;
  /// What the first of them made of it, for those that say the same.
  std::shared_ptr<const std::string> text;
};

class Watcher {
 public:
  virtual ~Watcher() = default;
  /// A commit of the space is durable. Called on the thread that committed: note it, post, return. Must not call Live.
  virtual void on_change(const SpaceName& space, Seq head) = 0;
  /// The same for who watches on a loop: called there instead, with the newest head if there were several. May act at
  /// once, watch and unwatch.
  virtual void on_notice(Notice& notice) { on_change(notice.space, notice.head); }
};

/// Hears what is announced to a space: messages as they are sent, the same bytes for all.
class Listener {
 public:
  using Message = std::shared_ptr<const std::string>;
  virtual ~Listener() = default;
  /// Called on the thread that committed: note them, post, return. Must not call Live.
  virtual void on_messages(const std::vector<Message>& messages) = 0;
};

/// An open connection that must end when its key does.
class KeyHolder {
 public:
  virtual ~KeyHolder() = default;
  /// Accounts or keys have changed: check whether yours still stands. Post, return; must not call Live.
  virtual void on_access_change() = 0;
};

class LoopWatchers;

class Live {
 public:
  explicit Live(Scheduler& scheduler);
  ~Live();
  [[nodiscard]] Scheduler& scheduler() { return scheduler_; }

  /// The watcher outlives the matching unwatch(), after which it is not called any more. With a loop, both are called
  /// on its thread, and the watcher is too.
  void watch(const SpaceName& space, Watcher& watcher, EventLoop* loop = nullptr);
  void unwatch(const SpaceName& space, Watcher& watcher, EventLoop* loop = nullptr);
  void notify(const SpaceName& space, Seq head);

  /// As watch() and unwatch(); returns how many listen to the space now.
  std::size_t listen(const SpaceName& space, Listener& listener);
  void unlisten(const SpaceName& space, Listener& listener);
  void announce(const SpaceName& space, const std::vector<std::string>& messages);

  void add_key_holder(KeyHolder& holder);
  void remove_key_holder(KeyHolder& holder);
  void notify_access_change();

  /// Calls `done` once, on a thread of the scheduler: when the space's head is past `since`, or after `wait_ms`.
  /// `head` tells the space's head; it is asked once, after the watch has begun, so that no change falls between.
  void wait_for_change(const SpaceName& space, Seq since, const std::function<Seq()>& head, std::int64_t wait_ms,
                       std::move_only_function<void()> done);
  /// Ends all waits at once: the hub is stopping. Later waits end at once too.
  void end_waits();

 private:
  class Wait;
  using Groups = std::vector<std::shared_ptr<LoopWatchers>>;

  Scheduler& scheduler_;
  SharedMutex mutex_;
  std::unordered_map<SpaceName, std::vector<Watcher*>> watchers_ GUARDED_BY(mutex_);
  std::unordered_map<SpaceName, Groups> groups_ GUARDED_BY(mutex_);
  std::unordered_map<SpaceName, std::vector<Listener*>> listeners_ GUARDED_BY(mutex_);
  std::vector<KeyHolder*> holders_ GUARDED_BY(mutex_);
  SharedMutex waits_mutex_;
  std::unordered_map<Wait*, std::shared_ptr<Wait>> waits_ GUARDED_BY(waits_mutex_);
  bool waits_ended_ GUARDED_BY(waits_mutex_) = false;
};

}  // namespace syncline
