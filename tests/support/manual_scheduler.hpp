// A scheduler whose time and turns the test decides.
#pragma once

#include <map>
#include <vector>

#include "base/scheduler.hpp"

namespace syncline::test {

class ManualScheduler final : public Scheduler, public Executor {
 public:
  void post(std::move_only_function<void()> run) override { posted_.push_back(std::move(run)); }

  std::unique_ptr<Timer> after_ms(std::int64_t delay_ms, std::move_only_function<void()> run) override {
    auto alive = std::make_shared<bool>(true);
    timers_.emplace(now_ms_ + delay_ms, Pending{alive, std::move(run)});
    return std::make_unique<Handle>(alive);
  }

  void run_posted() {
    while (!posted_.empty()) {
      auto batch = std::exchange(posted_, {});
      for (auto& run : batch) run();
    }
  }

  void advance_ms(std::int64_t delay_ms) {
    now_ms_ += delay_ms;
    run_posted();
    while (!timers_.empty() && timers_.begin()->first <= now_ms_) {
      Pending due = std::move(timers_.begin()->second);
      timers_.erase(timers_.begin());
      if (*due.alive) due.run();
      run_posted();
    }
  }

 private:
  struct Handle final : Timer {
    explicit Handle(std::shared_ptr<bool> of) : alive(std::move(of)) {}
    ~Handle() override { *alive = false; }
    std::shared_ptr<bool> alive;
  };
  struct Pending {
    std::shared_ptr<bool> alive;
    std::move_only_function<void()> run;
  };

  std::int64_t now_ms_ = 0;
  std::vector<std::move_only_function<void()>> posted_;
  std::multimap<std::int64_t, Pending> timers_;
};

}  // namespace syncline::test
