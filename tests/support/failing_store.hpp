// A store over another one whose reads fail when a test says so, as those of a damaged file do. Unlike a real store it
// lets a write function go on after a failed read, and commits what that makes of it: so a test finds who takes a
// failure for an answer. A function that runs again meets the same failures again. Threads may share it as they may the
// store below, but not while a test sets what fails.
#pragma once

#include <atomic>

#include "support/proving_store.hpp"

namespace syncline::test {

class FailingStore final : public ForwardingStore {
 public:
  explicit FailingStore(Store& store)
      : ForwardingStore(store),
        directory_(store.directory(),
                   {[this] { return next_read(); }, [this] { return [this, before = counts()] { set(before); }; }}) {}

  /// From now on `passing` reads succeed, then `count` fail. Scans and feeds fail behind their first record.
  void fail_reads_after(std::int64_t passing, std::int64_t count = INT64_MAX) {
    passing_left_ = passing;
    failures_left_ = count;
    failed_ = 0;
    is_on_ = true;
  }
  void stop_failing() { is_on_ = false; }
  /// Reads that have failed since fail_reads_after().
  [[nodiscard]] std::int64_t failed() const { return failed_; }

  void write(const SpaceName& space, const WriteOptions& options, WriteFunction run, WriteDone done) override;
  [[nodiscard]] Result<> read(const SpaceName& space, const ReadFunction& run) override;
  [[nodiscard]] Directory& directory() override { return directory_; }
  [[nodiscard]] Result<std::vector<SpaceInfo>> spaces(std::optional<AccountNumber> account) override;
  [[nodiscard]] Result<std::vector<CollectionInfo>> collections(const SpaceName& space) override;
  [[nodiscard]] Result<std::vector<Event>> take_events(std::size_t count_max) override;

 private:
  template <class Base>
  class FailingReads;
  class FailingSnapshot;
  class FailingTxn;

  struct Counts {
    std::int64_t passing_left, failures_left, failed;
  };
  [[nodiscard]] Counts counts() const { return {passing_left_, failures_left_, failed_}; }
  void set(const Counts& counts) {
    passing_left_ = counts.passing_left;
    failures_left_ = counts.failures_left;
    failed_ = counts.failed;
  }
  /// The error of the next read, if that is one that fails.
  [[nodiscard]] Result<> next_read();

  std::atomic<bool> is_on_ = false;
  std::atomic<std::int64_t> passing_left_ = 0;
  std::atomic<std::int64_t> failures_left_ = 0;
  std::atomic<std::int64_t> failed_ = 0;
  FailingDirectory directory_;
};

}  // namespace syncline::test
