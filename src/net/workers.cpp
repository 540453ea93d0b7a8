#include "net/workers.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include "base/log.hpp"

namespace syncline::net {

Workers::Workers(std::size_t count, int niceness) {
  for (std::size_t i = 0; i < count; ++i) {
    threads_.emplace_back([this, niceness] {
      // Linux keeps it for each thread. Where that is not allowed, the threads work as fast as the others.
      if (niceness != 0) ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), niceness);
      run();
    });
  }
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
