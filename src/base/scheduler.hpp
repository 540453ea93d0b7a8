// Runs a function soon or after a delay, once. net/ provides it on its threads; tests provide one on a manual clock.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace syncline {

/// Runs a function soon, on another thread, for work that takes more than a few milliseconds.
class Executor {
 public:
  virtual ~Executor() = default;
  virtual void post(std::move_only_function<void()> run) = 0;
};

class Timer {
 public:
  /// Cancels; the function may already be running on another thread.
  virtual ~Timer() = default;
};

class Scheduler {
 public:
  virtual ~Scheduler() = default;
  /// Runs soon, on a thread of the scheduler's choosing, never inside this call.
  virtual void post(std::function<void()> run) = 0;
  /// The function is called on a thread of the scheduler's choosing, unless the returned Timer is destroyed before.
  [[nodiscard]] virtual std::unique_ptr<Timer> after_ms(std::int64_t delay_ms, std::function<void()> run) = 0;
};

}  // namespace syncline
