#include "replica/replica.hpp"

#include <algorithm>

#include "replica/worker.hpp"

namespace syncline::replica {
namespace {

Transfer operator-(const Transfer& a, const Transfer& b) {
  return {a.pulled_live - b.pulled_live, a.pulled_deleted - b.pulled_deleted, a.pushed_live - b.pushed_live,
          a.pushed_deleted - b.pushed_deleted, a.conflicts - b.conflicts};
}

void add(Transfer& to, const Transfer& from) {
  to.pulled_live += from.pulled_live;
  to.pulled_deleted += from.pulled_deleted;
  to.pushed_live += from.pushed_live;
  to.pushed_deleted += from.pushed_deleted;
  to.conflicts += from.conflicts;
}

}  // namespace

std::int64_t SpaceStatus::to_pull() const {
  const bool knows_head = hub_head && hub_head->epoch == cursor.epoch;
  return knows_head ? std::max<std::int64_t>(0, hub_head->seq.value - cursor.seq.value) : 0;
}

Replica::Replica(Spaces& spaces, AccountNumber account, ReplicaSettings settings)
    : spaces_(spaces), thread_count_(settings.threads), set_(spaces, account, settings) {}

Replica::~Replica() { stop(); }

Result<> Replica::start(const std::vector<std::string>& spaces) {
  for (const std::string& space : spaces) CHECK_OK(set_.add(space));
  for (std::size_t i = 0; i < thread_count_; ++i) {
    threads_.emplace_back([this](const std::stop_token& stop) { take_steps(set_, stop); });
  }
  threads_.emplace_back([this](const std::stop_token& stop) { link_.listen(stop); });
  return {};
}

void Replica::stop() {
  is_stopping_ = true;
  for (std::jthread& thread : threads_) thread.request_stop();
  set_.wake_all();
  threads_.clear();
  set_.clear();
}

bool Replica::is_refused() const {
  return std::ranges::any_of(set_.all(), [](const KeptSpacePtr& kept) {
    const MutexLock lock(kept->mutex);
    return kept->replica.machine().status(steady_ms()).state == SyncStatus::State::refused;
  });
}

CycleReport Replica::sync_now(const std::string& space, std::chrono::milliseconds wait_max) {
  const std::int64_t began_ms = steady_ms();
  struct Awaited {
    KeptSpacePtr kept;
    std::int64_t cycles;
    std::int64_t failures;
    Transfer before;
  };
  std::vector<Awaited> awaited;
  const Dialect& dialect = *hub().dialect;
  for (const auto& kept : set_.all()) {
    const std::string& name = kept->name.name;
    if ((!space.empty() && name != space) || !dialect.carries_space(name)) continue;
    const MutexLock lock(kept->mutex);
    Replicator& machine = kept->replica.machine();
    machine.sync_now(steady_ms());
    awaited.push_back({kept, machine.cycles_after_next(), machine.failures(), kept->replica.local().transfer()});
    set_.touch(*kept);
  }
  CycleReport report;
  for (const Awaited& one : awaited) {
    const std::string& name = one.kept->name.name;
    const auto ends_at = std::chrono::steady_clock::now() + wait_max;
    for (;;) {
      MutexLock space_lock(one.kept->mutex);
      const Replicator& machine = one.kept->replica.machine();
      const bool failed = machine.failures() > one.failures;
      const bool is_over = std::chrono::steady_clock::now() >= ends_at || is_stopping_ || machine.is_off();
      if (machine.cycles() >= one.cycles || failed || is_over) {
        if (failed) {
          const SyncStatus status = machine.status(steady_ms());
          if (report.errors.empty()) report.is_local_failure = status.is_local_failure;
          report.errors.push_back(name + ": " + status.reason);
          report.is_key_refused = report.is_key_refused || status.state == SyncStatus::State::refused;
        }
        const bool is_late = !failed && machine.cycles() < one.cycles;
        if (is_late) report.errors.push_back(name + ": the hub has not answered in time");
        add(report.moved, one.kept->replica.local().transfer() - one.before);
        break;
      }
      space_lock.unlock();
      set_.wait_for_sign(Deadline::clock::now() + std::chrono::milliseconds(20));
    }
  }
  report.duration_ms = steady_ms() - began_ms;
  return report;
}

Timestamp Replica::wall_time(std::int64_t at_ms) const {
  return spaces_.clock().now().plus_micros((at_ms - steady_ms()) * 1000);
}

Result<std::vector<SpaceStatus>> Replica::status() {
  std::vector<SpaceStatus> all;
  const bool connected = is_connected();
  const Dialect& dialect = *hub().dialect;
  for (const auto& kept : set_.all()) {
    const MutexLock lock(kept->mutex);
    LocalSpace& local = kept->replica.local();
    const Replicator& machine = kept->replica.machine();
    SpaceStatus status;
    status.space = local.name().name;
    status.sync = machine.status(steady_ms());
    if (status.sync.since_ms) status.since = wall_time(*status.sync.since_ms);
    if (status.sync.next_try_ms) status.next_try = wall_time(*status.sync.next_try_ms);
    // Before the first cycle since the start: when there was something to exchange.
    if (local.exchanged_at().micros > 0) status.synced_at = local.exchanged_at();
    if (status.sync.synced_ms) status.synced_at = wall_time(*status.sync.synced_ms);
    status.cursor = local.cursor();
    status.positions = local.positions();
    status.hub_head = machine.hub_head();
    TRY(status.pending, local.count_pending());
    status.dead_letters = local.dead_letters();
    status.transfer = local.transfer();
    if (status.dead_letters > 0 && status.sync.state == SyncStatus::State::in_sync) {
      status.sync.reason = "in sync, except for changes that the hub rejected: " + std::to_string(status.dead_letters);
    }
    if (connected && !dialect.carries_space(status.space)) {
      status.sync.reason = "stays on this device: the hub speaks " + std::string(dialect.name()) + " only";
    }
    all.push_back(std::move(status));
  }
  return all;
}

Result<> Replica::read_from_start(const std::string& space) {
  const auto kept = set_.find(space);
  if (!kept) return {};
  const MutexLock lock(kept->mutex);
  // A hub that does not merge may have lost what it acknowledged, and cannot say so.
  const bool may_have_lost = !hub().dialect->hub_merges();
  CHECK_OK(may_have_lost ? kept->replica.local().start_over() : kept->replica.local().read_from_start());
  if (is_connected()) CHECK_OK(kept->connect(hub(), false));
  return {};
}

Result<> Replica::for_each_pending(std::string_view space, const std::function<void(const RecordView&)>& visit) {
  const auto kept = set_.find(std::string(space));
  if (!kept) return {};
  const MutexLock lock(kept->mutex);
  return kept->replica.local().for_each_pending(visit);
}

Result<std::vector<RefusedChange>> Replica::refused(const std::string& space) {
  const auto kept = set_.find(space);
  if (!kept) return std::vector<RefusedChange>{};
  const MutexLock lock(kept->mutex);
  return kept->replica.local().refused();
}

Result<std::int64_t> Replica::revive_dead_letters(const std::string& space) {
  const auto kept = set_.find(space);
  if (!kept) return 0;
  const MutexLock lock(kept->mutex);
  TRY(const std::int64_t revived, kept->replica.local().revive_dead_letters());
  kept->replica.machine().sync_now(steady_ms());
  set_.touch(*kept);
  return revived;
}

}  // namespace syncline::replica
