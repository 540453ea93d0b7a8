// Waiting that ends early when it is asked to.
#pragma once

#include <chrono>
#include <stop_token>

#include "base/mutex.hpp"

namespace syncline {

/// Returns after that time, or as soon as `stop` is requested.
inline void wait_unless_stopped(const std::stop_token& stop, std::chrono::milliseconds time) {
  const Deadline deadline = Deadline::clock::now() + time;
  Mutex mutex;
  StoppableCondVar never_notified;
  const MutexLock lock(mutex);
  while (never_notified.wait_until(mutex, stop, deadline)) {
  }
}

}  // namespace syncline
