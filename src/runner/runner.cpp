#include "runner/runner.hpp"

#include "base/back_off.hpp"
#include "base/log.hpp"
#include "base/stop.hpp"
#include "runner/slot.hpp"

namespace syncline::runner {
namespace {

constexpr std::int64_t kForgetAfterMs = 60LL * 86'400'000;  // the hub forgets commands sooner
constexpr std::int64_t kRememberedMin = 1000;               // whatever the clock says
constexpr std::int64_t kLastReportsMs = 8000;               // for processes to end, and for the reports of that
constexpr std::string_view kNotTaken = "the hub rejected the result";

}  // namespace

Runner::Runner(RunnerOptions options, std::shared_ptr<const Workplace> workplace, LinkFactory links, IntentLog& intents,
               AuditLog& audit, const Clock& clock)
    : options_(options),
      links_(std::move(links)),
      intents_(intents),
      audit_(audit),
      clock_(clock),
      workplace_(std::move(workplace)) {}

Runner::~Runner() { stop(); }

Result<> Runner::start(std::function<void()> on_ready, std::function<void(const Error&)> on_fatal) {
  on_ready_ = std::move(on_ready);
  on_fatal_ = std::move(on_fatal);
  CHECK_OK(intents_.purge(clock_.now().millis() - kForgetAfterMs, kRememberedMin));
  // What was begun and has not ended was cut off: nobody knows how far it came, so it is not run again.
  TRY(auto leftovers, intents_.unreported());
  for (IntentLog::Entry& entry : leftovers) {
    if (entry.state != IntentLog::State::begun) continue;
    entry.outcome = failed("runner restarted");
    CHECK_OK(audit_.append({.what = "lost", .id = entry.id, .outcome = entry.outcome.error}));
    CHECK_OK(intents_.end(entry.id, entry.outcome));
  }
  for (std::int64_t i = 0; i < options_.concurrency; ++i) slots_.push_back(std::make_unique<Slot>(*this));
  if (!leftovers.empty()) {
    leftovers_ = std::jthread(
        [this, leftovers = std::move(leftovers)](const std::stop_token& stop) { report_leftovers(leftovers, stop); });
  }
  {
    const MutexLock lock(mutex_);
    slots_running_ = slots_.size();
  }
  for (const auto& slot : slots_) slot->start();
  return {};
}

void Runner::set_workplace(std::shared_ptr<const Workplace> workplace) {
  const MutexLock lock(mutex_);
  workplace_ = std::move(workplace);
}

std::shared_ptr<const Workplace> Runner::workplace() const {
  const MutexLock lock(mutex_);
  return workplace_;
}

void Runner::stop() {
  if (slots_.empty()) return;
  claiming_.request_stop();
  wait_for_slots(options_.drain_ms);
  for (const auto& slot : slots_) slot->end_commands("stopped: the runner is stopping");
  wait_for_slots(kLastReportsMs);
  reporting_.request_stop();
  for (const auto& slot : slots_) slot->join();
  leftovers_ = {};
  slots_.clear();
}

void Runner::note_accepted() {
  {
    const MutexLock lock(mutex_);
    if (std::exchange(is_ready_, true)) return;
  }
  on_ready_();
}

void Runner::note_slot_ended() {
  const MutexLock lock(mutex_);
  slots_running_ -= 1;
  slot_ended_.notify_all();
}

void Runner::wait_for_slots(std::int64_t ms) {
  const Deadline deadline = Deadline::clock::now() + std::chrono::milliseconds(ms);
  const MutexLock lock(mutex_);
  while (slots_running_ > 0 && slot_ended_.wait_until(mutex_, deadline)) {
  }
}

void Runner::fatal(const Error& error) {
  {
    const MutexLock lock(mutex_);
    if (std::exchange(failed_, true)) return;
  }
  claiming_.request_stop();
  reporting_.request_stop();
  for (const auto& slot : slots_) slot->end_commands("stopped: " + error.text);
  on_fatal_(error);
}

void Runner::report_leftovers(const std::vector<IntentLog::Entry>& leftovers, const std::stop_token& stop) {
  const auto link = links_();
  for (const IntentLog::Entry& entry : leftovers) {
    if (stop.stop_requested()) return;
    report(*link, entry.id, entry.outcome, stop);
  }
}

void Runner::report(HubLink& link, const std::string& id, Outcome outcome, const std::stop_token& stop) {
  BackOff back_off;
  for (;;) {
    const auto receipt = link.report(id, outcome, stop);
    if (receipt && *receipt == Receipt::refused && outcome.error != kNotTaken) {
      outcome = failed(kNotTaken);  // too large, most likely
      continue;
    }
    if (receipt) {
      if (*receipt != Receipt::accepted) log(LogLevel::warning, "report_superseded", {{"command", id}});
      if (const auto kept = intents_.set_reported(id); !kept) fatal(kept.error());
      return;
    }
    if (receipt.error().code == ErrorCode::unauthorized) fatal(receipt.error());
    if (stop.stop_requested()) return;
    const std::int64_t pause_ms = back_off.next_ms();
    log(LogLevel::warning, "report_delayed",
        {{"command", id}, {"error", receipt.error().text}, {"next_try_ms", pause_ms}});
    wait_unless_stopped(stop, std::chrono::milliseconds(pause_ms));
  }
}

}  // namespace syncline::runner
