// The store of the hub as its threads see it: on a disk that now and then cannot be read, and with a moment between a
// commit and the publication of its head, in which another thread reads.
#pragma once

#include <functional>
#include <map>
#include <optional>

#include "support/proving_directory.hpp"
#include "support/proving_store.hpp"

namespace syncline::sim {

class HubStore final : public test::ForwardingStore {
 public:
  explicit HubStore(Store& store)
      : ForwardingStore(store),
        directory_(store.directory(), {[this] { return next_read(); },
                                       [this] { return [this, left = passing_left_] { passing_left_ = left; }; }}) {}

  /// `passing` reads from now succeed, and all after them fail until heal().
  void fail_reads_after(std::int64_t passing) { passing_left_ = passing; }
  void heal() { passing_left_.reset(); }
  /// Called in the moment when snapshots show a commit that head() does not know yet.
  void set_before_publication(std::function<void(const SpaceName&)> call) { before_publication_ = std::move(call); }

  void write(const SpaceName& space, const WriteOptions& options, WriteFunction run, WriteDone done) override;
  [[nodiscard]] Result<> read(const SpaceName& space, const ReadFunction& run) override;
  [[nodiscard]] Directory& directory() override { return directory_; }
  [[nodiscard]] Result<std::vector<SpaceInfo>> spaces(std::optional<AccountNumber> account) override;
  [[nodiscard]] Result<std::vector<CollectionInfo>> collections(const SpaceName& space) override;
  [[nodiscard]] Seq head(const SpaceName& space) const override;

 private:
  [[nodiscard]] Result<> next_read();

  std::optional<std::int64_t> passing_left_;
  std::function<void(const SpaceName&)> before_publication_;
  test::FailingDirectory directory_;
  std::map<SpaceName, Seq> published_;  // of spaces whose last commit is not published
};

}  // namespace syncline::sim
