// Directories that hold write functions to their contract, or whose reads fail: what proving_store.hpp and
// failing_store.hpp put around the directory of their store, which outlives them.
#pragma once

#include <functional>

#include "store/directory.hpp"

namespace syncline::test {

/// Runs each write function twice: once for nothing, and then for good.
class TwiceDirectory final : public Directory {
 public:
  TwiceDirectory(Directory& directory, std::function<void()> between)
      : directory_(directory), between_(std::move(between)) {}

  [[nodiscard]] Result<> read(const DirectoryReadFunction& run) override { return directory_.read(run); }
  [[nodiscard]] Result<> write(const DirectoryWriteFunction& run) override {
    (void)directory_.write([&](DirectoryTxn& txn) -> Result<> {
      (void)run(txn);
      return fail(ErrorCode::unavailable, "this transaction is thrown away");
    });
    between_();
    return directory_.write(run);
  }
  [[nodiscard]] Result<> revoke_in_reserve(const KeyRow& key, Timestamp at) override {
    return directory_.revoke_in_reserve(key, at);
  }
  [[nodiscard]] Result<std::vector<KeyNumber>> revoked_in_reserve() override { return directory_.revoked_in_reserve(); }

 private:
  Directory& directory_;
  const std::function<void()> between_;
};

/// Asks before each read of a view or a transaction whether it fails. What is visited fails behind the first row.
class FailingDirectory final : public Directory {
 public:
  struct Faults {
    std::function<Result<>()> next_read;
    /// Called at each run of a write function: a function that runs again meets the same failures again.
    std::function<std::function<void()>()> rewind;
  };
  FailingDirectory(Directory& directory, Faults faults) : directory_(directory), faults_(std::move(faults)) {}

  [[nodiscard]] Result<> read(const DirectoryReadFunction& run) override;
  [[nodiscard]] Result<> write(const DirectoryWriteFunction& run) override;
  [[nodiscard]] Result<> revoke_in_reserve(const KeyRow& key, Timestamp at) override {
    return directory_.revoke_in_reserve(key, at);
  }
  [[nodiscard]] Result<std::vector<KeyNumber>> revoked_in_reserve() override { return directory_.revoked_in_reserve(); }

 private:
  template <class Base>
  class FailingView;
  class FailingTxn;

  Directory& directory_;
  const Faults faults_;
};

}  // namespace syncline::test
