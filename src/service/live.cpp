#include "service/live.hpp"

#include <algorithm>
#include <atomic>

#include "service/loop_watchers.hpp"

namespace syncline {

/// One long poll: registered as a watcher until the change, the time-out or the end of the hub, whichever is first.
class Live::Wait final : public Watcher, public std::enable_shared_from_this<Wait> {
 public:
  Wait(Live& live, SpaceName space, Seq since, std::move_only_function<void()> done)
      : live_(live), space_(std::move(space)), since_(since), done_(std::move(done)) {}

  void start(std::int64_t wait_ms) {
    live_.watch(space_, *this);
    timer_ = live_.scheduler_.after_ms(wait_ms, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->finish_soon();
    });
  }

  void on_change(const SpaceName&, Seq head) override {
    if (head > since_) finish_soon();
  }

  void finish_soon() {
    if (finished_.exchange(true)) return;
    live_.scheduler_.post([self = shared_from_this()] {
      self->live_.unwatch(self->space_, *self);
      {
        const MutexLock lock(self->live_.waits_mutex_);
        self->live_.waits_.erase(self.get());
      }
      self->done_();
    });
  }

 private:
  Live& live_;
  const SpaceName space_;
  const Seq since_;
  std::move_only_function<void()> done_;
  std::unique_ptr<Timer> timer_;
  std::atomic<bool> finished_ = false;
};

Live::Live(Scheduler& scheduler) : scheduler_(scheduler) {}

Live::~Live() = default;

void Live::watch(const SpaceName& space, Watcher& watcher, EventLoop* loop) {
  const MutexLock lock(mutex_);
  if (loop == nullptr) {
    watchers_[space].push_back(&watcher);
    return;
  }
  Groups& groups = groups_[space];
  const auto found = std::ranges::find_if(groups, [loop](const auto& group) { return &group->loop() == loop; });
  const auto& group = found != groups.end() ? *found : groups.emplace_back(LoopWatchers::make(space, *loop));
  group->add(watcher);
}

void Live::unwatch(const SpaceName& space, Watcher& watcher, EventLoop* loop) {
  const MutexLock lock(mutex_);
  if (loop != nullptr) {
    const auto groups = groups_.find(space);
    if (groups == groups_.end()) return;
    std::erase_if(groups->second, [&](const auto& group) { return &group->loop() == loop && group->remove(watcher); });
    if (groups->second.empty()) groups_.erase(groups);
    return;
  }
  const auto found = watchers_.find(space);
  if (found == watchers_.end()) return;
  std::erase(found->second, &watcher);
  if (found->second.empty()) watchers_.erase(found);
}

void Live::notify(const SpaceName& space, Seq head) {
  const SharedLock lock(mutex_);
  if (const auto groups = groups_.find(space); groups != groups_.end()) {
    for (const auto& group : groups->second) group->announce(head);
  }
  const auto found = watchers_.find(space);
  if (found == watchers_.end()) return;
  for (Watcher* watcher : found->second) watcher->on_change(space, head);
}

std::size_t Live::listen(const SpaceName& space, Listener& listener) {
  const MutexLock lock(mutex_);
  auto& listeners = listeners_[space];
  listeners.push_back(&listener);
  return listeners.size();
}

void Live::unlisten(const SpaceName& space, Listener& listener) {
  const MutexLock lock(mutex_);
  const auto found = listeners_.find(space);
  if (found == listeners_.end()) return;
  std::erase(found->second, &listener);
  if (found->second.empty()) listeners_.erase(found);
}

void Live::announce(const SpaceName& space, const std::vector<std::string>& messages) {
  const SharedLock lock(mutex_);
  const auto found = listeners_.find(space);
  if (found == listeners_.end()) return;
  std::vector<Listener::Message> shared;
  shared.reserve(messages.size());
  for (const std::string& message : messages) shared.push_back(std::make_shared<const std::string>(message));
  for (Listener* listener : found->second) listener->on_messages(shared);
}

void Live::add_key_holder(KeyHolder& holder) {
  const MutexLock lock(mutex_);
  holders_.push_back(&holder);
}

void Live::remove_key_holder(KeyHolder& holder) {
  const MutexLock lock(mutex_);
  std::erase(holders_, &holder);
}

void Live::notify_access_change() {
  const SharedLock lock(mutex_);
  for (KeyHolder* holder : holders_) holder->on_access_change();
  // Long polls end early: whoever may still ask will ask again.
  const SharedLock waits_lock(waits_mutex_);
  for (const auto& [key, wait] : waits_) wait->finish_soon();
}

void Live::wait_for_change(const SpaceName& space, Seq since, const std::function<Seq()>& head, std::int64_t wait_ms,
                           std::move_only_function<void()> done) {
  const auto wait = std::make_shared<Wait>(*this, space, since, std::move(done));
  bool ended = false;
  {
    const MutexLock lock(waits_mutex_);
    ended = waits_ended_;
    waits_[wait.get()] = wait;
  }
  wait->start(wait_ms);
  // The change may have come between the caller's look and the watch.
  if (ended || head() > since) wait->finish_soon();
}

void Live::end_waits() {
  const MutexLock lock(waits_mutex_);
  waits_ended_ = true;
  for (const auto& [key, wait] : waits_) wait->finish_soon();
}

}  // namespace syncline
