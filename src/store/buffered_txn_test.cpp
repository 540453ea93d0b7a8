// What a transaction makes of reads that fail; the rest of it is tested with the stores that build on it.
#include "store/buffered_txn.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace syncline {
namespace {

std::unexpected<Error> damaged() { return fail(ErrorCode::storage_damaged, "malformed"); }

class UnreadableSnapshot final : public Snapshot {
 public:
  const SpaceInfo& info() const override { return info_; }
  const std::vector<std::string>& collections() const override { return collections_; }
  Result<Located> locate(std::string_view, std::string_view) override { return damaged(); }
  Result<> scan(std::string_view, std::string_view, const RecordVisitor&, const DamagedVisitor&) override {
    return damaged();
  }
  Result<> feed(Seq, const RecordVisitor&, const DamagedVisitor&) override { return damaged(); }
  Result<std::vector<Record>> history(const Record&, std::size_t, std::size_t) override { return damaged(); }
  Result<std::vector<Conflict>> conflicts(std::optional<ConflictState>, ConflictNumber, std::size_t) override {
    return damaged();
  }
  Result<std::optional<Conflict>> find_conflict(ConflictNumber) override { return damaged(); }
  Result<std::optional<std::string>> find_value(std::string_view) override { return damaged(); }

 private:
  SpaceInfo info_;
  std::vector<std::string> collections_;
};

class UnreadableBacking final : public BufferedTxn::Backing {
 public:
  Snapshot& snapshot() override { return snapshot_; }
  ConflictNumber next_conflict_number() override { return {1}; }
  Result<std::optional<ConflictNumber>> find_kept(std::string_view) override { return damaged(); }
  Result<std::optional<Receipt>> find_receipt(std::string_view) override { return damaged(); }

 private:
  UnreadableSnapshot snapshot_;
};

TEST(BufferedTxnTest, a_function_that_goes_on_after_a_failed_read_has_failed) {
  const RecordVisitor visit = [](const RecordView&) { return true; };
  const std::vector<std::function<void(BufferedTxn&)>> reads = {
      [](BufferedTxn& txn) { (void)txn.find("c", "i"); },
      [](BufferedTxn& txn) { (void)txn.find_undamaged("c", "i"); },
      [&](BufferedTxn& txn) { (void)txn.scan("c", "", visit, nullptr); },
      [&](BufferedTxn& txn) { (void)txn.feed({}, visit, nullptr); },
      [](BufferedTxn& txn) { (void)txn.history({}, 1, 1); },
      [](BufferedTxn& txn) { (void)txn.conflicts(std::nullopt, {}, 1); },
      [](BufferedTxn& txn) { (void)txn.find_conflict({1}); },
      [](BufferedTxn& txn) { (void)txn.find_value("v"); },
      [](BufferedTxn& txn) { (void)txn.find_receipt("k"); },
      [](BufferedTxn& txn) { (void)txn.add_conflict({}); },
  };
  for (std::size_t i = 0; i < reads.size(); ++i) {
    UnreadableBacking backing;
    BufferedTxn txn(backing, Timestamp{}, {});
    EXPECT_TRUE(txn.outcome({}));
    reads[i](txn);
    EXPECT_EQ(txn.outcome({}).error().code, ErrorCode::storage_damaged) << i;
    EXPECT_EQ(txn.outcome(fail(ErrorCode::not_found, "no such account")).error().code, ErrorCode::storage_damaged) << i;
  }
}

TEST(BufferedTxnTest, what_the_function_wrote_itself_is_read_without_the_store) {
  UnreadableBacking backing;
  BufferedTxn txn(backing, Timestamp{}, {});
  Record record;
  record.collection = "c";
  record.id = "i";
  txn.put(record, nullptr);
  txn.put_value("v", "1");
  EXPECT_TRUE(txn.find("c", "i"));
  EXPECT_TRUE(txn.find_value("v"));
  EXPECT_TRUE(txn.outcome({}));
}

}  // namespace
}  // namespace syncline
