// Threads for requests that take long: parsing a large upload, rendering a large state.
#pragma once

#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "base/mutex.hpp"
#include "base/scheduler.hpp"

namespace syncline::net {

class Workers final : public Executor {
 public:
  explicit Workers(std::size_t count);
  ~Workers() override { stop(); }

  void post(std::move_only_function<void()> run) override;
  /// Finishes what is queued.
  void stop();

 private:
  void run();

  Mutex mutex_;
  CondVar arrived_;
  std::deque<std::move_only_function<void()>> queue_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace syncline::net
