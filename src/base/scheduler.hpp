// Runs a function once, elsewhere: soon or after a delay. net/ provides both classes on its threads; tests provide them
// on a manual clock. Safe from any thread. What runs once is a std::move_only_function, here and in the store;
// std::function is for what may be called again.
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

/// One thread that runs functions in turn.
class EventLoop {
 public:
  virtual ~EventLoop() = default;
  /// Runs soon on the loop's thread, never inside this call. From any thread.
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
  virtual void post(std::move_only_function<void()> run) = 0;
  /// The function is called on a thread of the scheduler's choosing, unless the returned Timer is destroyed before.
  [[nodiscard]] virtual std::unique_ptr<Timer> after_ms(std::int64_t delay_ms, std::move_only_function<void()> run) = 0;
};

}  // namespace syncline
