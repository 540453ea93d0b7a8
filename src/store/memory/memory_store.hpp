// The store in memory: the reference that the others are compared with, and the fast one for tests. Writes run on the
// calling thread, one at a time; `done` is called before write() returns.
#pragma once

#include <map>

#include "base/mutex.hpp"
#include "store/memory/memory_directory.hpp"
#include "store/store.hpp"

namespace syncline {

class MemoryStore final : public Store {
 public:
  /// Without an incarnation its cursors name none.
  MemoryStore(const Clock& clock, std::string epoch, IncarnationId incarnation = {});
  ~MemoryStore() override;

  /// A copy as a restored backup is one: with everything of this store and a history of its own.
  [[nodiscard]] std::unique_ptr<MemoryStore> restore(std::string epoch) const;
  /// Goes on as a store does that was closed and opened again.
  void reopen(IncarnationId incarnation);

  /// A fault: the record rots where it lies, as `alter` says. Nothing happens if there is no such record.
  void rot(const SpaceName& space, std::string_view collection, std::string_view id,
           const std::function<void(Record& record)>& alter);
  /// What a new process does not know: which rows somebody has found damaged.
  void forget_found_damage();

  void write(const SpaceName& space, const WriteOptions& options, WriteFunction run, WriteDone done) override;
  [[nodiscard]] Result<> read(const SpaceName& space, const ReadFunction& run) override;
  [[nodiscard]] Directory& directory() override { return directory_; }
  [[nodiscard]] const std::string& epoch() const override { return epoch_; }
  [[nodiscard]] std::string epoch(const SpaceName&) const override { return epoch_; }
  [[nodiscard]] Seq head(const SpaceName& space) const override;
  [[nodiscard]] std::shared_ptr<const Lineage> lineage(const SpaceName& space) const override;
  [[nodiscard]] Result<std::vector<SpaceInfo>> spaces(std::optional<AccountNumber> account) override;
  [[nodiscard]] Result<std::vector<CollectionInfo>> collections(const SpaceName& space) override;
  [[nodiscard]] Result<std::vector<Event>> take_events(std::size_t count_max) override;
  [[nodiscard]] Result<> forget_events(const std::vector<EventNumber>& numbers) override;
  [[nodiscard]] Result<> erase_account(AccountNumber account) override;
  [[nodiscard]] Result<> purge(const PurgeCutoffs& cutoffs) override;
  [[nodiscard]] std::vector<Damage> damage(const std::optional<SpaceName>& space) const override {
    return damage_.list(space);
  }
  [[nodiscard]] Result<std::vector<std::string>> verify() override;
  [[nodiscard]] Result<> backup(const std::string& path) override;
  [[nodiscard]] StoreStatus status() const override;

 private:
  struct Space;
  struct Backing;

  Space& space_of(const SpaceName& name) REQUIRES(mutex_);
  [[nodiscard]] std::shared_ptr<const Lineage> new_lineage() const REQUIRES(mutex_);

  const Clock& clock_;
  const std::string epoch_;
  DamageList damage_;
  MemoryDirectory directory_;
  mutable RecursiveMutex mutex_;  // a read function may read again
  IncarnationId incarnation_ GUARDED_BY(mutex_);
  std::map<SpaceName, std::unique_ptr<Space>> spaces_ GUARDED_BY(mutex_);
  std::int64_t last_conflict_number_ GUARDED_BY(mutex_) = 0;
  std::int64_t last_event_number_ GUARDED_BY(mutex_) = 0;
  std::vector<Event> events_ GUARDED_BY(mutex_);
  std::int64_t commits_ GUARDED_BY(mutex_) = 0;
};

}  // namespace syncline
