// What a device makes of a version from the hub while its own edits of the same record wait.
#include "replica/local_space.hpp"

#include <gtest/gtest.h>

#include "store/memory/memory_store.hpp"
#include "support/manual_scheduler.hpp"
#include "support/proving_store.hpp"

namespace syncline::replica {
namespace {

class LocalSpaceTest : public testing::Test {
 protected:
  LocalSpaceTest() { EXPECT_TRUE(local_.load()); }

  /// An edit by a program on this device; no document: a deletion.
  void edit(std::string_view doc) {
    const Op op{.collection = "c", .id = "r", .updated_at = Timestamp{edited_at_}, .deleted = doc.empty(), .doc = doc};
    edited_at_ += 1'000'000;
    ASSERT_TRUE(spaces_.write_and_wait(local_.name(), kDeviceAuthor, [&](SpaceWriter& writer) -> Result<> {
      TRY([[maybe_unused]] const OpResult result, writer.apply(op));
      return {};
    }));
  }

  /// The hub delivers the record as it stands there; no document: a deletion.
  void deliver(Seq seq, Timestamp updated_at, std::string_view doc) {
    Page page;
    page.since = local_.cursor();
    page.cursor = {.epoch = "h1", .seq = std::max(seq, local_.cursor().seq)};
    page.versions = {{"c", "r", seq, updated_at, doc.empty(), doc}};
    ASSERT_TRUE(local_.apply(page));
  }

  Batch next_batch() {
    auto batch = local_.next_batch(false, 100, [](std::string_view) { return true; });
    EXPECT_TRUE(batch);
    return batch ? *std::move(batch) : Batch{};
  }

  /// What the next push says that the waiting edit was made of; nothing waits: nothing.
  std::optional<Seq> base() {
    const Batch batch = next_batch();
    return batch.items.size() == 1 ? batch.items.front().base : std::nullopt;
  }

  SystemClock clock_;
  MemoryStore memory_{clock_, "n"};
  test::TwiceStore store_{memory_};  // every write function may run again
  test::ManualScheduler scheduler_;
  Live live_{scheduler_};
  PullProgress progress_{store_};
  const RuleBook rules_{{}};
  Spaces spaces_{store_, clock_, live_, progress_, rules_};
  LocalSpace local_{spaces_, {AccountNumber{1}, "notes"}, {}};
  std::int64_t edited_at_ = 1'700'000'000'000'000;
};

constexpr Timestamp kBefore{1'600'000'000'000'000};

TEST_F(LocalSpaceTest, a_deletion_of_its_own_that_was_never_sent_is_not_what_the_hub_delivers) {
  deliver(Seq{2}, kBefore, R"({"n":1})");
  edit("");
  edit(R"({"n":2})");
  EXPECT_EQ(base(), Seq{2});  // the answer to this push is lost
  deliver(Seq{9}, kBefore.plus_micros(1), "");
  EXPECT_EQ(base(), Seq{2}) << "another device's deletion counts as seen by the edit";
}

TEST_F(LocalSpaceTest, a_deletion_of_its_own_whose_answer_was_lost_is_what_the_edit_was_made_of) {
  deliver(Seq{2}, kBefore, R"({"n":1})");
  edit("");
  EXPECT_EQ(base(), Seq{2});  // the answer to this push is lost
  edit(R"({"n":2})");
  deliver(Seq{3}, kBefore.plus_micros(1), "");
  EXPECT_EQ(base(), Seq{3});
}

TEST_F(LocalSpaceTest, after_a_start_any_deletion_of_its_own_may_have_been_sent) {
  deliver(Seq{2}, kBefore, R"({"n":1})");
  edit("");
  edit(R"({"n":2})");
  ASSERT_TRUE(local_.load());
  deliver(Seq{3}, kBefore.plus_micros(1), "");
  EXPECT_EQ(base(), Seq{3});
}

TEST_F(LocalSpaceTest, an_old_page_does_not_settle_an_edit_that_looks_like_it) {
  deliver(Seq{3}, kBefore, "");
  deliver(Seq{8}, kBefore.plus_micros(1), R"({"n":1})");
  edit("");
  ASSERT_TRUE(local_.read_from_start());
  deliver(Seq{3}, kBefore, "");  // of a page that was made before 8 came
  deliver(Seq{8}, kBefore.plus_micros(1), R"({"n":1})");
  EXPECT_EQ(base(), Seq{8}) << "the deletion waits no more";
}

TEST_F(LocalSpaceTest, what_an_edit_that_may_be_at_the_hub_replaced_does_not_settle_a_later_edit_like_it) {
  deliver(Seq{3}, kBefore, "");
  edit(R"({"n":1})");
  EXPECT_EQ(base(), Seq{3});  // the hub stores it as 8, and the answer is lost
  edit("");
  ASSERT_TRUE(local_.read_from_start());
  deliver(Seq{3}, kBefore, "");  // of a page that was made before 8 came
  EXPECT_EQ(base(), Seq{3}) << "the deletion waits no more";
  deliver(Seq{8}, kBefore.plus_micros(1), R"({"n":1})");
  EXPECT_EQ(base(), Seq{8});
}

TEST_F(LocalSpaceTest, an_edit_that_the_hub_delivers_is_settled_though_an_earlier_one_was_sent_too) {
  deliver(Seq{2}, kBefore, R"({"n":1})");
  edit(R"({"n":2})");
  EXPECT_EQ(base(), Seq{2});  // this push never arrives
  edit(R"({"n":3})");
  EXPECT_EQ(base(), Seq{2});  // the answer to this one is lost
  deliver(Seq{3}, kBefore.plus_micros(1), R"({"n":3})");
  edit("");
  EXPECT_EQ(base(), Seq{3});
}

TEST_F(LocalSpaceTest, a_record_that_was_damaged_at_the_hub_is_looked_for_when_the_hubs_store_was_opened_again) {
  const auto pull = [&](IncarnationId opening, Seq through, std::vector<DamagedRecord> damaged) {
    Page page;
    page.since = local_.cursor();
    page.cursor = {.epoch = "h1", .seq = through, .incarnation = opening};
    page.damaged = std::move(damaged);
    ASSERT_TRUE(local_.apply(page));
  };
  pull({3}, Seq{1}, {{.collection = "c", .id = "r", .seq = Seq{1}}});
  EXPECT_FALSE(local_.may_have_missed()) << "this opening has just said that it cannot read it";
  ASSERT_TRUE(local_.load());
  pull({6}, Seq{2}, {});
  EXPECT_TRUE(local_.may_have_missed());
  ASSERT_TRUE(local_.read_from_start());
  EXPECT_FALSE(local_.may_have_missed());
}

}  // namespace
}  // namespace syncline::replica
