#include "service/audit_trail.hpp"

#include <limits>

#include "base/log.hpp"
#include "service/access_records.hpp"
#include "service/throttle.hpp"

namespace syncline {
namespace {

constexpr std::size_t kWaitingMax = 1000;
constexpr std::size_t kNetworksMax = 100'000;
constexpr std::int64_t kHourMicros = 3600 * kMicrosPerSecond;
constexpr std::int64_t kPurgedAtOnce = 5000;

/// 10, 20, 50, 100, 200, 500 ...
bool is_round_number(std::int64_t count) {
  while (count % 10 == 0) count /= 10;
  return count == 1 || count == 2 || count == 5;
}

bool is_of(const AuditRow& row, const AuditTrail::Query& query) {
  const auto begins = [&] { return row.action.starts_with(query.action + '.'); };
  if (!query.account.empty() && row.actor != query.account && row.account != query.account) return false;
  if (!query.action.empty() && row.action != query.action && !begins()) return false;
  return !query.since || row.at >= *query.since;
}

}  // namespace

std::optional<std::int64_t> RefusalCounter::count(const std::string& address, Timestamp now) {
  const MutexLock lock(mutex_);
  const std::int64_t age = now.micros - since_.micros;
  if (age < 0 || age >= kHourMicros) {
    since_ = now;
    all_ = 0;
    by_network_.clear();
  }
  if (by_network_.size() >= kNetworksMax) by_network_.clear();
  const std::int64_t own = ++by_network_[counted_peer(address.empty() ? "-" : address)];
  ++all_;
  const auto counts = [](std::int64_t count, std::int64_t first) { return count <= first || is_round_number(count); };
  if (!counts(own, kOfOneNetwork) || !counts(all_, kOfAll)) return std::nullopt;
  return own;
}

AuditTrail::Waiting AuditTrail::take_waiting() {
  const MutexLock lock(mutex_);
  return std::exchange(waiting_, {});
}

void AuditTrail::give_back(Waiting taken) {
  const MutexLock lock(mutex_);
  Waiting later = std::exchange(waiting_, std::move(taken));
  waiting_.dropped += later.dropped;
  for (Noted& entry : later.entries) keep(std::move(entry));
}

void AuditTrail::keep(Noted entry) {
  if (waiting_.entries.size() < kWaitingMax) {
    waiting_.entries.push_back(std::move(entry));
  } else {
    waiting_.dropped += 1;
  }
}

Result<> AuditTrail::store(DirectoryTxn& txn, const Waiting& waiting) {
  for (const Noted& entry : waiting.entries) CHECK_OK(record(txn, entry.actor, entry.at, entry.event));
  if (waiting.dropped == 0) return {};
  return record(txn, {}, txn.now(),
                {.action = "audit.dropped",
                 .account = {},
                 .target = {},
                 .detail = std::to_string(waiting.dropped) + " entries behind the one before could not be stored"});
}

Result<> AuditTrail::write(const DirectoryWriteFunction& run) {
  const Actor actor = ActingAs::current();
  Waiting waiting = take_waiting();
  const auto written = directory_.write([&](DirectoryTxn& txn) -> Result<> {
    CHECK_OK(store(txn, waiting));
    const ActingAs acting(actor);
    return run(txn);
  });
  if (!written) give_back(std::move(waiting));
  return written;
}

bool AuditTrail::has_waiting() {
  const MutexLock lock(mutex_);
  return !waiting_.entries.empty() || waiting_.dropped > 0;
}

Result<> AuditTrail::flush() {
  if (!has_waiting()) return {};
  return write([](DirectoryTxn&) -> Result<> { return {}; });
}

void AuditTrail::note(AuditEvent event) {
  {
    Noted entry{ActingAs::current(), clock_.now(), std::move(event)};
    const MutexLock lock(mutex_);
    keep(std::move(entry));
  }
  if (const auto stored = flush(); !stored) {
    log(LogLevel::warning, "audit_entries_wait", {{"error", stored.error().text}});
  }
}

void AuditTrail::note_refusal(AuditEvent event) {
  const auto number = refusals_.count(ActingAs::current().address, clock_.now());
  if (!number) return;
  event.succeeded = false;
  if (*number > 1) event.detail += "; refusal " + std::to_string(*number) + " of this network within the hour";
  note(std::move(event));
}

Result<> AuditTrail::adopt_reserve() {
  TRY(const auto reserved, directory_.revoked_in_reserve());
  if (reserved.empty()) return {};
  std::vector<AuditEvent> events;
  CHECK_OK(directory_.read([&](DirectoryView& view) -> Result<> {
    events.clear();
    for (const KeyNumber number : reserved) {
      TRY(const auto key, view.find_key(number));
      TRY(const auto account, view.find_account(key ? key->account : AccountNumber{}));
      events.push_back({.action = "key.revoked",
                        .account = account ? account->email : "",
                        .target = access::key_id_of(number),
                        .detail = "while the disk was full; by whom is not known any more"});
    }
    return {};
  }));
  const Timestamp now = clock_.now();
  const MutexLock lock(mutex_);
  for (AuditEvent& event : events) keep({{}, now, std::move(event)});
  return {};
}

Result<AuditTrail::Page> AuditTrail::list(const Query& query) {
  (void)flush();
  Page page;
  CHECK_OK(directory_.read([&](DirectoryView& view) -> Result<> {
    page = {};
    const std::int64_t before = query.before > 0 ? query.before : std::numeric_limits<std::int64_t>::max();
    std::int64_t last = 0;
    return view.audit_before(before, [&](const AuditRow& row) {
      if (page.examined == kExaminedMax) {
        page.next = last;
        return false;
      }
      page.examined += 1;
      last = row.number;
      if (!is_of(row, query)) return true;
      if (page.entries.size() == query.limit) {
        page.next = page.entries.back().number;
        return false;
      }
      page.entries.push_back(audit_entry_from(row));
      return true;
    });
  }));
  return page;
}

Result<AuditVerdict> AuditTrail::verify() {
  (void)flush();
  AuditVerdict verdict;
  CHECK_OK(directory_.read([&](DirectoryView& view) -> Result<> {
    TRY(verdict, verify_audit(view));
    return {};
  }));
  return verdict;
}

Result<> AuditTrail::purge(Timestamp until) {
  for (;;) {
    std::int64_t purged = 0;
    CHECK_OK(write([&](DirectoryTxn& txn) -> Result<> {
      TRY(purged, purge_audit(txn, until, limits::kAuditEntriesMax, kPurgedAtOnce));
      return {};
    }));
    if (purged < kPurgedAtOnce) return {};
  }
}

}  // namespace syncline
