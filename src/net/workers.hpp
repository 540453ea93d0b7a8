// Threads for requests that take long: parsing a large upload, rendering a large state.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

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

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<std::move_only_function<void()>> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace syncline::net
