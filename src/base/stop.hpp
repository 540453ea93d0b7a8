// Waiting that ends early when it is asked to.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>

namespace syncline {

/// Returns after that time, or as soon as `stop` is requested.
inline void wait_unless_stopped(std::stop_token stop, std::chrono::milliseconds time) {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any().wait_for(lock, std::move(stop), time, [] { return false; });
}

}  // namespace syncline
