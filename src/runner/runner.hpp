// The runner: slots that claim orders, carry them out one at a time each, and report. The order of steps is what makes
// a command run at most once: intent on disk, then the process, then the outcome on disk, then the report. The main
// thread starts, reloads and stops it; each slot has a thread, and one more reports what a crash left open.
#pragma once

#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "base/mutex.hpp"
#include "base/time.hpp"
#include "runner/attendant.hpp"
#include "runner/audit_log.hpp"
#include "runner/execution.hpp"
#include "runner/intent_log.hpp"

namespace syncline::runner {

struct RunnerOptions {
  std::int64_t concurrency = 2;
  /// How long commands may keep running after stop() before they are ended.
  std::int64_t drain_ms = 30'000;
};

class Runner {
 public:
  Runner(RunnerOptions options, std::shared_ptr<const Workplace> workplace, LinkFactory links, IntentLog& intents,
         AuditLog& audit, const Clock& clock);
  ~Runner();

  /// Starts the slots, and reports what was left over from the last run. Each is called at most once, from any thread:
  /// `on_ready` when the hub has accepted the first request, `on_fatal` when the runner cannot continue: the key is not
  /// valid any more, a log cannot be written, the hub is of another kind.
  [[nodiscard]] Result<> start(std::function<void()> on_ready, std::function<void(const Error&)> on_fatal);
  /// Later orders are judged and carried out by this.
  void set_workplace(std::shared_ptr<const Workplace> workplace);
  /// Claims nothing more, lets what runs end, reports it. Blocks.
  void stop();

 private:
  class Slot;

  [[nodiscard]] std::shared_ptr<const Workplace> workplace() const;
  /// The hub has accepted a request of a slot.
  void note_accepted() EXCLUDES(mutex_);
  /// It claims no more and nothing runs.
  void note_slot_ended() EXCLUDES(mutex_);
  void wait_for_slots(std::int64_t ms) EXCLUDES(mutex_);
  void fatal(const Error& error) EXCLUDES(mutex_);
  void report_leftovers(const std::vector<IntentLog::Entry>& leftovers, const std::stop_token& stop);
  /// Until the hub has the outcome or `stop` is requested.
  void report(HubLink& link, const std::string& id, Outcome outcome, const std::stop_token& stop);

  const RunnerOptions options_;
  const LinkFactory links_;
  IntentLog& intents_;
  AuditLog& audit_;
  const Clock& clock_;

  mutable Mutex mutex_;
  CondVar slot_ended_;
  std::shared_ptr<const Workplace> workplace_ GUARDED_BY(mutex_);
  std::size_t slots_running_ GUARDED_BY(mutex_) = 0;
  bool failed_ GUARDED_BY(mutex_) = false;
  bool is_ready_ GUARDED_BY(mutex_) = false;

  std::function<void()> on_ready_;  // set before there are threads, as the next one
  std::function<void(const Error&)> on_fatal_;
  std::stop_source claiming_;   // stopped first
  std::stop_source reporting_;  // stopped last
  std::vector<std::unique_ptr<Slot>> slots_;
  std::jthread leftovers_;
};

}  // namespace syncline::runner
