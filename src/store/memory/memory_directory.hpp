// The directory in memory: the reference that the others are compared with, and the fast one for tests. A write works
// on a copy of everything, which replaces the original if the function succeeds. Safe from any thread.
#pragma once

#include <map>
#include <set>

#include "base/mutex.hpp"
#include "store/directory.hpp"

namespace syncline {

class MemoryDirectory final : public Directory {
 public:
  explicit MemoryDirectory(const Clock& clock) : clock_(clock) {}

  [[nodiscard]] Result<> read(const DirectoryReadFunction& run) override;
  [[nodiscard]] Result<> write(const DirectoryWriteFunction& run) override;
  [[nodiscard]] Result<> revoke_in_reserve(const KeyRow& key, Timestamp at) override;
  [[nodiscard]] Result<std::vector<KeyNumber>> revoked_in_reserve() override;

  /// Writes that have succeeded.
  [[nodiscard]] std::int64_t commits() const EXCLUDES(mutex_);
  /// Takes over everything that the other one has.
  void copy_from(const MemoryDirectory& other);

 private:
  struct State {
    std::map<AccountNumber, AccountRow> accounts;
    std::map<KeyNumber, KeyRow> keys;
    std::map<PasskeyNumber, PasskeyRow> passkeys;
    std::map<IdentityNumber, IdentityRow> identities;
    std::map<std::string, ResetRow, std::less<>> resets;
    std::map<std::pair<KeyNumber, SpaceName>, Seq> pulled;
    std::map<std::pair<SpaceName, AccountNumber>, GrantRow> grants;
    std::map<AccountNumber, UsageRow> usage;
    std::map<std::string, std::int64_t, std::less<>> marks;
    std::map<std::string, WebhookRow, std::less<>> webhooks;
    std::map<std::int64_t, DeliveryRow> deliveries;
    std::int64_t last_delivery = 0;
    std::map<std::pair<SpaceName, std::string>, LeaseRow> leases;
    std::map<std::int64_t, AuditRow> audit;
    std::optional<AuditEnds> audit_ends;
    std::set<KeyNumber> reserved;  // revoked since the last write
  };
  class Work;

  const Clock& clock_;
  mutable RecursiveMutex mutex_;  // a read function may read again
  State state_ GUARDED_BY(mutex_);
  std::int64_t commits_ GUARDED_BY(mutex_) = 0;
};

}  // namespace syncline
