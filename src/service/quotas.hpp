// What an account may store and how often it may ask, by its plan. Usage is what the live records of its spaces take,
// and apart from it what is kept beside them: replaced versions and answers until they are purged, and losers. Whoever
// deletes gets room for other records at once, and nobody fills the disk by replacing one record. Usage is exact when a
// write is decided: each space counts as its newest commit left it, and writes that wait for their commit count too. A
// plan is known from the account's first request on, or a guest's to one of its spaces; what an operator writes before
// counts, and is not refused. Safe from any thread.
#pragma once

#include <array>
#include <atomic>
#include <unordered_map>

#include "base/mutex.hpp"
#include "service/principal.hpp"
#include "service/rate_limit.hpp"
#include "store/store.hpp"

namespace syncline {

class Quotas {
 public:
  /// 0: no limit.
  struct Limits {
    std::int64_t bytes = 0;
    std::int64_t records = 0;
    std::int64_t requests_per_minute = 0;

    /// Of what is kept beside the records: room to replace everything twice.
    [[nodiscard]] std::int64_t history_bytes() const { return 2 * bytes; }
  };
  static constexpr std::array<Plan, 4> kPlans = {Plan::free, Plan::companion, Plan::pro, Plan::team};
  using ByPlan = std::array<Limits, kPlans.size()>;
  /// How often something was refused since the start.
  struct Refusals {
    std::int64_t writes = 0;
    std::int64_t requests = 0;
  };

  /// What one write adds while it waits for its commit.
  struct Claim {
    bool is_counted = false;
    std::int64_t bytes = 0;
    std::int64_t records = 0;
    std::int64_t history = 0;

    /// What it adds beside the records, but for what it deletes: that may always be written, and comes to an end.
    [[nodiscard]] std::int64_t replaced_bytes() const;
  };

  Quotas(Store& store, const ByPlan& limits);

  [[nodiscard]] const Limits& of(Plan plan) const { return limits_[static_cast<std::size_t>(plan)]; }
  [[nodiscard]] Refusals refusals() const { return {refused_writes_, refused_requests_}; }

  /// Counts a request. Reads the account's usage if it is not known.
  [[nodiscard]] RateLimit::Verdict take_request(const Principal& principal, Timestamp now);

  /// Somebody else asks to write to a space of the account, which may have asked for nothing itself.
  void expect_write(AccountNumber account, Plan plan);

  /// quota_exceeded if a write makes the space larger than the account has room for, or if more has been replaced than
  /// may be kept. Deletions may always be written. `claim` is the write's own, and is replaced if its function runs
  /// again. On the store's writer thread.
  [[nodiscard]] Result<> claim(Claim& claim, const SpaceInfo& before, const SpaceInfo& after);
  /// Ends the claim of a write that was committed, with the space as it then was, or that failed: null.
  void settle(AccountNumber account, Claim& claim, const SpaceInfo* committed);
  /// claim() has refused a write; once for each, however often its function ran.
  void note_refusal() { ++refused_writes_; }

  /// Each minute: forgets accounts that have asked for nothing in the last hour, longer than any request lasts.
  void forget_idle();
  /// Each hour, after the store has purged: usage is read again with the account's next request.
  void read_again();

 private:
  struct Space {
    Seq head;
    std::int64_t bytes = 0;
    std::int64_t records = 0;
    std::int64_t history = 0;
  };
  struct Account {
    Plan plan = Plan::free;
    /// All its spaces are here; else those that were written meanwhile.
    bool is_measured = false;
    /// Something may have been purged since.
    bool is_outdated = false;
    std::atomic<int> idle_minutes = 0;
    /// Of `spaces` and of the writes that wait for their commit.
    std::int64_t bytes = 0;
    std::int64_t records = 0;
    std::int64_t history = 0;
    std::int64_t waiting_writes = 0;
    std::unordered_map<std::string, Space> spaces;

    /// Two may tell of one space in any order: its newest commit counts.
    void put(const SpaceInfo& info);
    void add(const Claim& claim);
    void take_back(Claim& claim);
  };

  [[nodiscard]] bool has_limits(Plan plan) const { return of(plan).bytes > 0 || of(plan).records > 0; }
  void measure(AccountNumber number, Plan plan);

  Store& store_;
  const ByPlan limits_;
  std::array<RateLimit, kPlans.size()> rates_;
  std::atomic<std::int64_t> refused_writes_ = 0;
  std::atomic<std::int64_t> refused_requests_ = 0;
  SharedMutex mutex_;
  std::unordered_map<AccountNumber, Account> accounts_ GUARDED_BY(mutex_);
};

/// "104.9 MB", "1.5 kB", "900 bytes": for people.
[[nodiscard]] std::string format_bytes(std::int64_t bytes);

}  // namespace syncline
