// What the hub does beside serving: writes down usage and progress each minute, purges what has outlived its keeping
// time each hour, unless the clock is in doubt. The main thread registers what is to be run, starts and stops it; one
// thread of its own runs it.
#pragma once

#include <functional>
#include <thread>
#include <vector>

#include "base/mutex.hpp"
#include "service/access.hpp"
#include "service/pull_progress.hpp"

namespace syncline {

class Housekeeping {
 public:
  struct KeepDays {
    std::int64_t history = limits::kHistoryDays;
    std::int64_t tombstones = limits::kTombstoneDays;
    std::int64_t audit = limits::kAuditDays;
  };

  Housekeeping(Store& store, const Clock& clock, Access& access, PullProgress& progress, KeepDays keep)
      : store_(store), clock_(clock), access_(access), progress_(progress), keep_(keep) {}
  ~Housekeeping() { stop(); }

  /// Before start(), by the thread that calls it: the list belongs to the thread that is started then.
  void each_minute(std::function<void()> run);
  /// For what removes things because of their age. Not called while the clock is in doubt.
  void each_hour(std::function<void()> run);

  void start();
  /// Ends the thread and writes down what is still only in memory.
  void stop();
  /// One round of everything, at once.
  void run_all();

 private:
  void run();
  void save();
  void purge();

  Store& store_;
  const Clock& clock_;
  Access& access_;
  PullProgress& progress_;
  const KeepDays keep_;
  std::vector<std::function<void()>> each_minute_;
  std::vector<std::function<void()>> hourly_;

  Mutex mutex_;
  CondVar wake_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace syncline
