#include "service/loop_watchers.hpp"

#include <algorithm>

namespace syncline {
namespace {

/// Told in one go. More: fewer turns of the loop; the connections wait longer for theirs, some 5 us for each watcher.
constexpr std::size_t kToldAtOnce = 64;

}  // namespace

std::shared_ptr<LoopWatchers> LoopWatchers::make(const SpaceName& space, EventLoop& loop) {
  return std::shared_ptr<LoopWatchers>(new LoopWatchers(space, loop));
}

void LoopWatchers::announce(Seq head) {
  std::int64_t known = head_;
  while (known < head.value && !head_.compare_exchange_weak(known, head.value)) {
  }
  if (!posted_.exchange(true)) post();
}

void LoopWatchers::post() {
  loop_.post([self = shared_from_this()] { self->tell_some(); });
}

void LoopWatchers::add(Watcher& watcher) {
  watchers_.push_back(&watcher);
  count_ += 1;
}

bool LoopWatchers::remove(Watcher& watcher) {
  const auto found = std::ranges::find(watchers_, &watcher);
  if (found == watchers_.end()) return count_ == 0;
  count_ -= 1;
  if (in_round_) {
    *found = nullptr;  // the others keep their places
  } else {
    watchers_.erase(found);
  }
  return count_ == 0;
}

void LoopWatchers::tell_some() {
  if (!in_round_) {
    in_round_ = true;
    next_ = 0;
    notice_.head = {head_};
  }
  for (std::size_t told = 0; told < kToldAtOnce && next_ < watchers_.size(); ++told) {
    Watcher* const watcher = watchers_[next_++];
    if (watcher == nullptr) continue;
    try {
      watcher->on_notice(notice_);
    } catch (...) {
      post();  // the others are told all the same
      throw;
    }
  }
  if (next_ < watchers_.size()) return post();
  end_round();
}

void LoopWatchers::end_round() {
  in_round_ = false;
  notice_.text = nullptr;
  std::erase(watchers_, nullptr);
  posted_ = false;
  // Who announces from now on posts; who did so during the round has not.
  if (head_ > notice_.head.value && !posted_.exchange(true)) post();
}

}  // namespace syncline
