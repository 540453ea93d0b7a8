// One of the places of a runner at which a command can run: a thread of its own that claims, judges, executes and
// reports. The runner's thread starts and stops it; its Attendant's threads call only what attendant.hpp names.
#pragma once

#include <memory>
#include <thread>

#include "base/mutex.hpp"
#include "runner/runner.hpp"

namespace syncline::runner {

class Runner::Slot {
 public:
  explicit Slot(Runner& runner);

  void start() {
    thread_ = std::thread([this] { run(); });
  }
  /// Ends the command that runs here, or will when it is about to: from now on none runs for longer.
  void end_commands(const std::string& reason);
  void join() { thread_.join(); }

 private:
  void run();
  void claim_and_handle();
  void handle(RawOrder raw);
  void carry_out(const Workplace& workplace, const Order& order, const Decision& decision);
  [[nodiscard]] Outcome run_attended(const Workplace& workplace, const Order& order, const Decision& decision);
  /// Reports an order that is not run.
  void decline(const Order& order, std::string_view event, std::string_view rule, const std::string& error);
  /// The order came before: what became of it is reported again.
  void repeat(const Order& order, const IntentLog::Entry& entry);
  /// True if the order may run now; else it was handed back or declined.
  [[nodiscard]] bool is_approved(const Order& order, const Decision& decision);
  /// False, and the runner ends, if a log could not be written: without it nothing may run.
  [[nodiscard]] bool is_logged(const Result<>& result);
  void report(const std::string& id, Outcome outcome);

  Runner& runner_;
  const std::unique_ptr<HubLink> link_;
  AttendantLinks attendant_links_;
  Mutex mutex_;
  StopSwitch* running_ GUARDED_BY(mutex_) = nullptr;
  std::string end_reason_ GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace syncline::runner
