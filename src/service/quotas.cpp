#include "service/quotas.hpp"

#include <algorithm>
#include <cstdio>

#include "base/limits.hpp"

namespace syncline {
namespace {

/// No body takes that long to arrive.
constexpr int kIdleMinutesMax = 60;

/// What a deletion leaves of the record, at most.
constexpr auto kDeletedBytesMax = static_cast<std::int64_t>(limits::kRecordIdBytesMax + 64);

std::unexpected<Error> exceeded(Plan plan, const std::string& most, const std::string& would_have) {
  return fail(ErrorCode::quota_exceeded, "the plan " + std::string(to_text(plan)) + " stores at most " + most +
                                             ", and this would make " + would_have +
                                             "; delete something or ask the operator for a larger plan");
}

std::unexpected<Error> replaces_too_much(Plan plan, std::int64_t most) {
  return fail(ErrorCode::quota_exceeded,
              "the hub keeps at most " + format_bytes(most) + " of earlier and conflicting versions for the plan " +
                  std::string(to_text(plan)) +
                  "; until old ones have been purged, it accepts only deletions; ask the operator for a larger plan");
}

}  // namespace

std::string format_bytes(std::int64_t bytes) {
  if (bytes < 1000) return std::to_string(bytes) + (bytes == 1 ? " byte" : " bytes");
  constexpr std::array<std::string_view, 4> kUnits = {"kB", "MB", "GB", "TB"};
  double amount = static_cast<double>(bytes) / 1000;
  std::size_t unit = 0;
  // What would be rounded to 1000.0 is 1.0 of the next unit.
  for (; amount >= 999.95 && unit + 1 < kUnits.size(); ++unit) amount /= 1000;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f %s", amount, kUnits[unit].data());
  return text.data();
}

Quotas::Quotas(Store& store, const ByPlan& limits)
    : store_(store),
      limits_(limits),
      rates_{RateLimit(limits[0].requests_per_minute), RateLimit(limits[1].requests_per_minute),
             RateLimit(limits[2].requests_per_minute), RateLimit(limits[3].requests_per_minute)} {}

void Quotas::Account::put(const SpaceInfo& info) {
  Space& space = spaces[info.name.name];
  if (info.head < space.head) return;
  bytes += info.bytes - space.bytes;
  records += info.records - space.records;
  history += info.history_bytes - space.history;
  space = {info.head, info.bytes, info.records, info.history_bytes};
}

void Quotas::Account::add(const Claim& claim) {
  bytes += claim.bytes;
  records += claim.records;
  history += claim.history;
  waiting_writes += 1;
}

void Quotas::Account::take_back(Claim& claim) {
  bytes -= claim.bytes;
  records -= claim.records;
  history -= claim.history;
  waiting_writes -= 1;
  claim = {};
}

std::int64_t Quotas::Claim::replaced_bytes() const {
  return history - std::max<std::int64_t>(0, -bytes) - std::max<std::int64_t>(0, -records) * kDeletedBytesMax;
}

void Quotas::measure(AccountNumber number, Plan plan) {
  // What cannot be read is not held against the account; the next request tries again.
  const auto spaces = has_limits(plan) ? store_.spaces(number) : Result<std::vector<SpaceInfo>>(std::in_place);
  const MutexLock lock(mutex_);
  Account& account = accounts_[number];
  account.plan = plan;
  account.is_measured = has_limits(plan) && spaces.has_value();
  if (!spaces) return;
  account.is_outdated = false;
  for (const SpaceInfo& space : *spaces) account.put(space);
}

void Quotas::expect_write(AccountNumber number, Plan plan) {
  bool is_known = false;
  {
    const SharedLock lock(mutex_);
    const auto known = accounts_.find(number);
    is_known = known != accounts_.end() && known->second.plan == plan && !known->second.is_outdated &&
               (known->second.is_measured || !has_limits(plan));
    if (is_known) known->second.idle_minutes.store(0, std::memory_order_relaxed);
  }
  if (!is_known) measure(number, plan);
}

RateLimit::Verdict Quotas::take_request(const Principal& principal, Timestamp now) {
  expect_write(principal.account, principal.plan);
  RateLimit& rate = rates_[static_cast<std::size_t>(principal.plan)];
  if (!rate.is_on()) return {};
  const auto verdict = rate.take(principal.account.value, now);
  if (!verdict.allowed) ++refused_requests_;
  return verdict;
}

Result<> Quotas::claim(Claim& claim, const SpaceInfo& before, const SpaceInfo& after) {
  const MutexLock lock(mutex_);
  const auto known = accounts_.find(after.name.account);
  if (known == accounts_.end()) return {};
  Account& account = known->second;
  if (claim.is_counted) account.take_back(claim);
  if (!has_limits(account.plan)) return {};
  const Claim wanted{true, after.bytes - before.bytes, after.records - before.records,
                     after.history_bytes - before.history_bytes};
  const Limits& limits = of(account.plan);
  const std::int64_t bytes = account.bytes + wanted.bytes;
  const std::int64_t records = account.records + wanted.records;
  if (account.is_measured && limits.bytes > 0 && wanted.bytes > 0 && bytes > limits.bytes) {
    return exceeded(account.plan, format_bytes(limits.bytes), format_bytes(bytes));
  }
  if (account.is_measured && limits.records > 0 && wanted.records > 0 && records > limits.records) {
    return exceeded(account.plan, std::to_string(limits.records) + " records", std::to_string(records));
  }
  const std::int64_t history_max = limits.history_bytes();
  // What is added is refused too: it could be deleted, and added again.
  const bool only_deletes = wanted.replaced_bytes() <= 0 && wanted.bytes <= 0 && wanted.records <= 0;
  if (account.is_measured && history_max > 0 && !only_deletes && account.history + wanted.history > history_max) {
    return replaces_too_much(account.plan, history_max);
  }
  claim = wanted;
  account.add(claim);
  return {};
}

void Quotas::settle(AccountNumber account, Claim& claim, const SpaceInfo* committed) {
  const MutexLock lock(mutex_);
  const auto known = accounts_.find(account);
  if (known == accounts_.end()) return;
  if (claim.is_counted) known->second.take_back(claim);
  if (committed != nullptr && has_limits(known->second.plan)) known->second.put(*committed);
}

void Quotas::read_again() {
  const MutexLock lock(mutex_);
  for (auto& [number, account] : accounts_) account.is_outdated = has_limits(account.plan);
}

void Quotas::forget_idle() {
  const MutexLock lock(mutex_);
  for (auto at = accounts_.begin(); at != accounts_.end();) {
    Account& account = at->second;
    const bool is_idle = ++account.idle_minutes > kIdleMinutesMax && account.waiting_writes == 0;
    at = is_idle ? accounts_.erase(at) : std::next(at);
  }
}

}  // namespace syncline
