// Stores that hold write functions to their contract (store.hpp). Each passes everything on to another store, which
// outlives it, and can be put around any.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "store/store.hpp"
#include "support/proving_directory.hpp"

namespace syncline::test {

class ForwardingStore : public Store {
 public:
  explicit ForwardingStore(Store& store) : store_(store) {}

  void write(const SpaceName& space, const WriteOptions& options, WriteFunction run, WriteDone done) override {
    store_.write(space, options, std::move(run), std::move(done));
  }
  [[nodiscard]] Result<> read(const SpaceName& space, const ReadFunction& run) override {
    return store_.read(space, run);
  }
  [[nodiscard]] Directory& directory() override { return store_.directory(); }
  [[nodiscard]] const std::string& epoch() const override { return store_.epoch(); }
  [[nodiscard]] std::string epoch(const SpaceName& space) const override { return store_.epoch(space); }
  [[nodiscard]] Seq head(const SpaceName& space) const override { return store_.head(space); }
  [[nodiscard]] std::shared_ptr<const Lineage> lineage(const SpaceName& space) const override {
    return store_.lineage(space);
  }
  [[nodiscard]] Result<std::vector<SpaceInfo>> spaces(std::optional<AccountNumber> account) override {
    return store_.spaces(account);
  }
  [[nodiscard]] Result<std::vector<CollectionInfo>> collections(const SpaceName& space) override {
    return store_.collections(space);
  }
  [[nodiscard]] Result<std::vector<Event>> take_events(std::size_t count_max) override {
    return store_.take_events(count_max);
  }
  [[nodiscard]] Result<> forget_events(const std::vector<EventNumber>& numbers) override {
    return store_.forget_events(numbers);
  }
  [[nodiscard]] Result<> erase_account(AccountNumber account) override { return store_.erase_account(account); }
  [[nodiscard]] Result<> purge(const PurgeCutoffs& cutoffs) override { return store_.purge(cutoffs); }
  [[nodiscard]] std::vector<Damage> damage(const std::optional<SpaceName>& space) const override {
    return store_.damage(space);
  }
  [[nodiscard]] Result<std::vector<std::string>> verify() override { return store_.verify(); }
  [[nodiscard]] Result<> backup(const std::string& path) override { return store_.backup(path); }
  [[nodiscard]] StoreStatus status() const override { return store_.status(); }

 private:
  Store& store_;
};

/// Runs each write function twice: once in a transaction that is thrown away, as a store does that loses its
/// connection, and then for good. What a function used up in its first run is missing in the second; what it added to
/// is there twice.
class TwiceStore final : public ForwardingStore {
 public:
  explicit TwiceStore(Store& store) : ForwardingStore(store), directory_(store.directory(), [this] { between_(); }) {}

  void write(const SpaceName& space, const WriteOptions& options, WriteFunction run, WriteDone done) override;
  [[nodiscard]] Directory& directory() override { return directory_; }
  /// `run` is called between the two runs of each write, for instance to move the clock.
  void between_runs(std::function<void()> run) { between_ = std::move(run); }

 private:
  std::function<void()> between_ = [] {};
  TwiceDirectory directory_;
};

/// Hears of a write function that breaks its contract, on the thread that ran it.
using OnFault = std::function<void(const std::string& fault)>;

/// Fails each lookup of a write function that nobody has named, neither in WriteOptions::reads nor by expect(). What a
/// write needs beside its names is one feed or one list: those are one round trip however they are asked for. Not for
/// the system space: stores with round trips keep accounts and keys in tables of their own.
class StrictStore final : public ForwardingStore {
 public:
  StrictStore(Store& store, OnFault on_fault) : ForwardingStore(store), on_fault_(std::move(on_fault)) {}

  void write(const SpaceName& space, const WriteOptions& options, WriteFunction run, WriteDone done) override;
  /// How often something was named that was not known yet, before and during the last run of a write function: the
  /// round trips that a store would have made.
  [[nodiscard]] int fetches_of_last_write() const { return *fetches_; }

 private:
  const OnFault on_fault_;
  const std::shared_ptr<int> fetches_ = std::make_shared<int>(0);
};

/// The clock of everything but the store: a write function that reads it should read Txn::now() or Txn::latest(), and
/// one that tells it a stamp should do so after the commit. Needs a StrictStore, which knows when a write function
/// runs.
class OutsideClock final : public Clock {
 public:
  OutsideClock(const Clock& clock, OnFault on_fault) : clock_(clock), on_fault_(std::move(on_fault)) {}
  [[nodiscard]] Timestamp now() const override { return checked().now(); }
  [[nodiscard]] Timestamp latest() const override { return checked().latest(); }
  [[nodiscard]] bool is_trusted() const override { return checked().is_trusted(); }
  void note_stamp(Timestamp stamp, Witness witness) const override { checked().note_stamp(stamp, witness); }

 private:
  [[nodiscard]] const Clock& checked() const;

  const Clock& clock_;
  const OnFault on_fault_;
};

}  // namespace syncline::test
