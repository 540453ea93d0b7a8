// Tests of the store contract run against each implementation by its name, and in stores that hold the tests' own write
// functions to the contract: "twice" on SQLite, "strict" on memory.
#pragma once

#include <gtest/gtest.h>

#include "store/memory/memory_store.hpp"
#include "store/sqlite/sqlite_store.hpp"
#include "support/environment.hpp"
#include "support/proving_store.hpp"

namespace syncline::test {

inline const SpaceName kSpace{AccountNumber{1}, "s"};
inline const SpaceName kOther{AccountNumber{2}, "s"};
inline constexpr IncarnationId kOpening{7};

class StoreFixture : public testing::TestWithParam<std::string> {
 protected:
  StoreFixture() {
    if (is_in_memory()) {
      inner_ = std::make_unique<MemoryStore>(clock_, "e1", kOpening);
    } else {
      auto opened = SqliteStore::open(directory_.path() + "/syncline.db", clock_, {.incarnation = kOpening});
      EXPECT_TRUE(opened);
      inner_ = *std::move(opened);
    }
    store_ = inner_.get();
    if (GetParam() == "twice") store_ = &twice_.emplace(*inner_);
    if (GetParam() == "strict")
      store_ = &strict_.emplace(*inner_, [](const std::string& fault) { ADD_FAILURE() << fault; });
  }

  [[nodiscard]] static bool is_in_memory() { return GetParam() == "memory" || GetParam() == "strict"; }

  Committed write(WriteFunction run, const SpaceName& space = kSpace, NameReads reads = nullptr) {
    auto result = write_and_wait(*store_, space, {.reads = std::move(reads)}, std::move(run));
    EXPECT_TRUE(result) << result.error().text;
    return result.value_or(Committed{});
  }

  Seq put(const std::string& id, const std::string& doc, const SpaceName& space = kSpace) {
    return write(
               [&](Txn& txn) -> Result<> {
                 TRY(const auto stored, txn.find("c", id));
                 Record record;
                 record.collection = "c";
                 record.id = id;
                 record.doc = doc;
                 record.deleted = doc.empty();
                 record.updated_at = record.effective_at = txn.stamp();
                 txn.put(std::move(record), stored ? &*stored : nullptr);
                 return {};
               },
               space, [&] { return Reads{.records = {RecordKey{"c", id}}}; })
        .head;
  }

  /// "id=doc@seq" of the feed after `since`; "id-" for a deletion.
  std::vector<std::string> feed(Seq since, const SpaceName& space = kSpace) {
    std::vector<std::string> items;
    EXPECT_TRUE(store_->read(space, [&](Snapshot& snapshot) {
      return snapshot.feed(since, [&](const RecordView& record) {
        items.push_back(std::string(record.id) + (record.deleted ? "-" : "=" + std::string(record.doc)) + "@" +
                        std::to_string(record.seq.value));
        return true;
      });
    }));
    return items;
  }

  std::optional<Record> find(const std::string& id) {
    std::optional<Record> record;
    EXPECT_TRUE(store_->read(kSpace, [&](Snapshot& snapshot) -> Result<> {
      TRY(record, snapshot.find("c", id));
      return {};
    }));
    return record;
  }

  ManualClock clock_{Timestamp{1'800'000'000'000'000}};
  TemporaryDirectory directory_;
  std::unique_ptr<Store> inner_;
  std::optional<TwiceStore> twice_;
  std::optional<StrictStore> strict_;
  Store* store_ = nullptr;
};

inline auto all_stores() { return testing::Values("memory", "sqlite", "twice", "strict"); }
inline std::string store_name(const testing::TestParamInfo<std::string>& instance) { return instance.param; }

}  // namespace syncline::test
