#include "runner/slot.hpp"

#include "base/back_off.hpp"
#include "base/log.hpp"
#include "base/private_files.hpp"
#include "base/stop.hpp"

namespace syncline::runner {
namespace {

constexpr std::int64_t kLeaseMsUnknown = 60'000;
constexpr int kAsksMax = 4;  // with the pauses between them well within a lease

}  // namespace

Runner::Slot::Slot(Runner& runner)
    : runner_(runner), link_(runner.links_()), attendant_links_{runner.links_(), runner.links_()} {}

void Runner::Slot::end_commands(const std::string& reason) {
  const MutexLock lock(mutex_);
  if (end_reason_.empty()) end_reason_ = reason;
  if (running_ != nullptr) running_->stop(end_reason_);
}

void Runner::Slot::run() {
  use_umask_of_start();  // what commands make is not ours
  claim_and_handle();
  runner_.note_slot_ended();
}

void Runner::Slot::claim_and_handle() {
  const std::stop_token stop = runner_.claiming_.get_token();
  BackOff back_off;
  while (!stop.stop_requested()) {
    auto order = link_->next(stop);
    if (order) {
      runner_.note_accepted();
      back_off.reset();
      if (*order) handle(**std::move(order));
      continue;
    }
    if (stop.stop_requested()) break;
    if (advice_of(order.error().code) != Advice::retry_later) return runner_.fatal(order.error());
    const std::int64_t pause_ms = back_off.next_ms();
    log(LogLevel::warning, "hub_away", {{"error", order.error().text}, {"next_try_ms", pause_ms}});
    wait_unless_stopped(stop, std::chrono::milliseconds(pause_ms));
  }
}

void Runner::Slot::handle(RawOrder raw) {
  const std::string id = raw.id;
  const auto order = make_order(std::move(raw.id), std::move(raw.fields));
  if (!order) {
    if (!is_logged(runner_.audit_.append({.what = "refused", .id = id, .outcome = order.error().text}))) return;
    return report(id, failed(order.error().text));
  }
  if (order->is_cancelled()) return decline(*order, "cancelled", "", "cancelled");
  const auto known = runner_.intents_.find(id);
  if (!known) return runner_.fatal(known.error());
  if (*known && !is_safe_to_repeat(order->type)) return repeat(*order, **known);

  const auto workplace = runner_.workplace();
  const Decision decision = decide(workplace->policy, *order);
  if (decision.verdict == Verdict::deny) return decline(*order, "refused", decision.rule, decision.refusal);
  if (decision.verdict == Verdict::ask && !is_approved(*order, decision)) return;
  carry_out(*workplace, *order, decision);
}

void Runner::Slot::carry_out(const Workplace& workplace, const Order& order, const Decision& decision) {
  const bool at_most_once = !is_safe_to_repeat(order.type);
  if (at_most_once) {
    const auto begun = runner_.intents_.begin(order.id, order.type, runner_.clock_.now().millis());
    if (!begun) return runner_.fatal(begun.error());
    if (!*begun) return;  // another slot has the same order: it will report
  }
  if (!is_logged(runner_.audit_.append({.what = "started", .order = &order, .rule = decision.rule}))) return;
  Outcome outcome = run_attended(workplace, order, decision);
  if (at_most_once && !is_logged(runner_.intents_.end(order.id, outcome))) return;
  const std::string_view result = outcome.error.empty() ? to_text(outcome.status) : std::string_view(outcome.error);
  const AuditLog::Event ended{
      .what = "ended", .order = &order, .rule = decision.rule, .outcome = result, .exit_code = outcome.exit_code};
  if (!is_logged(runner_.audit_.append(ended, AuditLog::Sync::with_the_next))) return;
  report(order.id, std::move(outcome));
}

Outcome Runner::Slot::run_attended(const Workplace& workplace, const Order& order, const Decision& decision) {
  StopSwitch stop;
  {
    const MutexLock lock(mutex_);
    if (!end_reason_.empty()) return failed(end_reason_);  // it has not begun
    running_ = &stop;
  }
  Outcome outcome;
  {
    Attendant attendant(attendant_links_, order.id, order.fields.integer_of("leaseMs").value_or(kLeaseMsUnknown), stop,
                        [this](const Error& error) { runner_.fatal(error); });
    outcome = execute(workplace, order, decision, stop, attendant);
    attendant.finish();
  }
  const MutexLock lock(mutex_);
  running_ = nullptr;
  return outcome;
}

void Runner::Slot::decline(const Order& order, std::string_view event, std::string_view rule,
                           const std::string& error) {
  if (!is_logged(runner_.audit_.append({.what = event, .order = &order, .rule = rule, .outcome = error}))) return;
  report(order.id, failed(error));
}

void Runner::Slot::repeat(const Order& order, const IntentLog::Entry& entry) {
  if (!is_logged(runner_.audit_.append({.what = "delivered_again", .order = &order}))) return;
  switch (entry.state) {
    case IntentLog::State::begun: return;  // it runs in another slot, or is being reported as left over
    case IntentLog::State::ended: return report(order.id, entry.outcome);
    case IntentLog::State::reported: return report(order.id, failed("already executed; not run again"));
  }
}

bool Runner::Slot::is_approved(const Order& order, const Decision& decision) {
  if (order.approved_pattern() == decision.pattern) return true;
  const std::stop_token stop = runner_.claiming_.get_token();
  const Question question{decision.rule, decision.pattern, order.fingerprint()};
  BackOff back_off;
  auto answer = link_->ask(order.id, question, stop);
  const auto may_pass = [&] { return !answer && advice_of(answer.error().code) == Advice::retry_later; };
  for (int tries = 1; tries < kAsksMax && may_pass(); ++tries) {
    if (stop.stop_requested()) return false;  // nothing was done: the order's lease ends, and the hub says so
    wait_unless_stopped(stop, std::chrono::milliseconds(back_off.next_ms()));
    answer = link_->ask(order.id, question, stop);
  }
  if (!answer) {
    if (answer.error().code == ErrorCode::unauthorized) {
      runner_.fatal(answer.error());
    } else {
      decline(order, "refused", decision.rule,
              refused_by(decision.rule, "cannot request approval: " + answer.error().text));
    }
    return false;
  }
  static constexpr std::array<std::string_view, 3> kOutcomes = {"approved by an earlier --always", "waits for approval",
                                                                "withdrawn"};
  const std::string_view outcome = kOutcomes[static_cast<std::size_t>(*answer)];
  const bool logged =
      is_logged(runner_.audit_.append({.what = "asked", .order = &order, .rule = decision.rule, .outcome = outcome}));
  return logged && *answer == Approval::granted;
}

bool Runner::Slot::is_logged(const Result<>& result) {
  if (!result) runner_.fatal(result.error());
  return result.has_value();
}

void Runner::Slot::report(const std::string& id, Outcome outcome) {
  runner_.report(*link_, id, std::move(outcome), runner_.reporting_.get_token());
}

}  // namespace syncline::runner
