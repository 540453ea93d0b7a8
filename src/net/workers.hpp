// Threads for requests that take long: parsing a large upload, rendering a large state. Any thread posts; one of these
// threads runs the function; the owner stops them, and waits for what is queued.
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
  /// `niceness`: how much the threads stand back behind others of the process, as nice(1) has it.
  explicit Workers(std::size_t count, int niceness = 0);
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
