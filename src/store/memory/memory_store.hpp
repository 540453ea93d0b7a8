// The store in memory: the reference that the others are compared with, and the fast one for tests. Writes run on the
// calling thread, one at a time; `done` is called before write() returns.
#pragma once

#include <map>

#include "base/mutex.hpp"
#include "store/store.hpp"

namespace syncline {

class MemoryStore final : public Store {
 public:
  MemoryStore(const Clock& clock, std::string epoch);
  ~MemoryStore() override;

  /// A copy as a restored backup is one: with everything of this store and a history of its own.
  [[nodiscard]] std::unique_ptr<MemoryStore> restore(std::string epoch) const;

  void write(const SpaceName& space, const WriteOptions& options, WriteFunction run, WriteDone done) override;
  [[nodiscard]] Result<> read(const SpaceName& space, const ReadFunction& run) override;
  [[nodiscard]] const std::string& epoch() const override { return epoch_; }
  [[nodiscard]] Seq head(const SpaceName& space) const override;
  [[nodiscard]] Result<std::vector<SpaceInfo>> spaces(std::optional<AccountNumber> account) override;
  [[nodiscard]] Result<std::vector<Event>> events(EventNumber after, std::size_t count_max) override;
  [[nodiscard]] Result<> forget_events(EventNumber through) override;
  [[nodiscard]] Result<> erase_account(AccountNumber account) override;
  [[nodiscard]] Result<> purge(const PurgeCutoffs& cutoffs) override;
  [[nodiscard]] Result<std::vector<std::string>> verify() override;
  [[nodiscard]] Result<> backup(const std::string& path) override;
  [[nodiscard]] StoreStatus status() const override;

 private:
  struct Space;
  struct Backing;

  Space& space_of(const SpaceName& name) REQUIRES(mutex_);

  const Clock& clock_;
  const std::string epoch_;
  mutable RecursiveMutex mutex_;  // a read function may read again
  std::map<SpaceName, std::unique_ptr<Space>> spaces_ GUARDED_BY(mutex_);
  std::int64_t last_history_number_ GUARDED_BY(mutex_) = 0;
  std::int64_t last_conflict_number_ GUARDED_BY(mutex_) = 0;
  std::int64_t last_event_number_ GUARDED_BY(mutex_) = 0;
  std::vector<Event> events_ GUARDED_BY(mutex_);
  std::int64_t commits_ GUARDED_BY(mutex_) = 0;
};

}  // namespace syncline
