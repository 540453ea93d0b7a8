// The comment line that keeps a quiet event stream open: proxies drop connections that say nothing for a minute or so.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "base/scheduler.hpp"

namespace syncline::api {

class EventKeepAlive {
 public:
  /// `wake` is called when a comment is due. It may be called for a moment after the end of this object.
  EventKeepAlive(Scheduler& scheduler, std::function<void()> wake) : scheduler_(scheduler), wake_(std::move(wake)) {
    again();
  }

  /// The comment if it is due, else nothing.
  [[nodiscard]] std::string take() {
    if (!due_->exchange(false)) return {};
    again();
    return ": still here\n\n";
  }

 private:
  static constexpr std::int64_t kIntervalMs = 20'000;

  void again() {
    // The timer may fire while this object ends: it gets its own share of what it touches.
    timer_ = scheduler_.after_ms(kIntervalMs, [due = due_, wake = wake_] {
      *due = true;
      wake();
    });
  }

  Scheduler& scheduler_;
  const std::function<void()> wake_;
  const std::shared_ptr<std::atomic<bool>> due_ = std::make_shared<std::atomic<bool>>(false);
  std::unique_ptr<Timer> timer_;
};

}  // namespace syncline::api
