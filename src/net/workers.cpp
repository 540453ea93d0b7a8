#include "net/workers.hpp"

#include "base/log.hpp"

namespace syncline::net {

Workers::Workers(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) threads_.emplace_back([this] { run(); });
}

void Workers::post(std::move_only_function<void()> run) {
  {
    const MutexLock lock(mutex_);
    if (stopping_) return;  // too late: what it held is released by the caller
    queue_.push_back(std::move(run));
  }
  arrived_.notify_one();
}

void Workers::stop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  arrived_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void Workers::run() {
  for (;;) {
    std::move_only_function<void()> task;
    {
      const MutexLock lock(mutex_);
      while (!stopping_ && queue_.empty()) arrived_.wait(mutex_);
      if (queue_.empty()) return;
      task = std::move(queue_.front());
      queue_.pop_front();
    }
    try {
      task();
    } catch (const std::exception& exception) {
      log(LogLevel::error, "handler_threw", {{"error", exception.what()}});
    }
  }
}

}  // namespace syncline::net
