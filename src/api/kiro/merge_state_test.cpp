#include "api/kiro/merge_state.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "store/memory/memory_store.hpp"
#include "support/manual_scheduler.hpp"
#include "support/proving_store.hpp"

namespace syncline::kiro {
namespace {

std::string state_with(const std::string& content, const std::string& conversation = "c") {
  return R"({"conversations":{")" + conversation + R"(":[{"role":"user","content":")" + content +
         R"(","timestamp":1}]}})";
}

class StateMergeTest : public testing::Test {
 protected:
  StateMergeTest() {
    for (Principal* device : {&ann_, &bob_}) device->scopes = {Scope::read, Scope::write};
    ann_.key = {1};
    bob_.key = {2};
  }

  static UploadedState read(const std::string& state) { return read_state(JsonView(state), false).value(); }

  void prepare(StateMerge& merge) {
    EXPECT_TRUE(spaces_.read(space_, [&](Snapshot& snapshot) { return merge.prepare(snapshot); }));
  }
  /// Applies the merge if it is current; says whether it was.
  bool apply(StateMerge& merge, const Principal& device) {
    bool was_current = false;
    EXPECT_TRUE(spaces_.write_and_wait(space_, device.key, [&](SpaceWriter& writer) -> Result<> {
      TRY(was_current, merge.is_current(writer.txn()));
      if (!was_current) return {};
      TRY([[maybe_unused]] const auto ignored, merge.apply(writer, commands_, merge.size()));
      return {};
    }));
    return was_current;
  }
  /// Writes the next records of the merge in a transaction of their own, if it is current; says whether it was.
  bool apply_some(StateMerge& merge, const Principal& device, std::size_t count) {
    bool was_current = false;
    const auto written = spaces_.write_and_wait(space_, device.key, [&](SpaceWriter& writer) -> Result<> {
      TRY(was_current, merge.is_current(writer.txn()));
      if (!was_current) return {};
      TRY([[maybe_unused]] const auto ignored, merge.apply(writer, commands_, count));
      return {};
    });
    EXPECT_TRUE(written);
    if (written && was_current) merge.note_written(count, written->seq);
    return was_current;
  }
  void upload(const std::string& state, const Principal& device) {
    StateMerge merge(read(state), device);
    prepare(merge);
    EXPECT_TRUE(apply(merge, device));
  }
  std::vector<std::string> contents() {
    std::vector<std::string> found;
    EXPECT_TRUE(spaces_.read(space_, [&](Snapshot& snapshot) {
      return snapshot.scan(kMessages, "", [&](const RecordView& record) {
        found.push_back(JsonView(parse_message_doc(record.doc)->message).text_of("content"));
        return true;
      });
    }));
    std::ranges::sort(found);
    return found;
  }

  const SpaceName space_{AccountNumber{1}, std::string(kSpace)};
  Principal ann_, bob_;
  ManualClock clock_{Timestamp{1'800'000'000'000'000}};
  MemoryStore memory_{clock_, "e"};
  test::TwiceStore store_{memory_};  // every write function may run again
  test::ManualScheduler scheduler_;
  Live live_{scheduler_};
  PullProgress progress_{store_};
  const RuleBook rules_{{{std::string(kSpace), make_space_rules()}}};
  Spaces spaces_{store_, clock_, live_, progress_, rules_};
  CommandQueue commands_{spaces_, store_.directory(), {}};
};

TEST_F(StateMergeTest, an_upload_of_another_device_to_the_conversation_in_between_is_seen) {
  const std::string state = state_with("from ann");
  StateMerge merge(read(state), ann_);
  prepare(merge);
  upload(state_with("from bob"), bob_);
  EXPECT_FALSE(apply(merge, ann_));
  prepare(merge);
  EXPECT_TRUE(apply(merge, ann_));
  EXPECT_EQ(contents(), (std::vector<std::string>{"from ann", "from bob"}));
}

TEST_F(StateMergeTest, the_same_message_from_two_devices_at_once_is_stored_once) {
  const std::string state = state_with("both have it");
  StateMerge merge(read(state), ann_);
  prepare(merge);
  upload(state, bob_);
  EXPECT_FALSE(apply(merge, ann_));
  prepare(merge);
  EXPECT_TRUE(apply(merge, ann_));
  EXPECT_EQ(contents(), (std::vector<std::string>{"both have it"}));
}

TEST_F(StateMergeTest, what_changes_elsewhere_in_the_space_does_not_count) {
  const std::string state = state_with("from ann");
  StateMerge merge(read(state), ann_);
  prepare(merge);
  upload(state_with("from bob", "another"), bob_);
  upload(R"({"documents":{"d":{"content":"x","timestamp":1}}})", bob_);
  EXPECT_TRUE(apply(merge, ann_));
  EXPECT_EQ(contents(), (std::vector<std::string>{"from ann", "from bob"}));
}

TEST_F(StateMergeTest, what_is_prepared_inside_the_transaction_is_current) {
  const std::string state = state_with("from ann");
  StateMerge merge(read(state), ann_);
  prepare(merge);
  upload(state_with("from bob"), bob_);
  EXPECT_TRUE(spaces_.write_and_wait(space_, ann_.key, [&](SpaceWriter& writer) -> Result<> {
    CHECK_OK(merge.prepare(writer.txn()));
    TRY([[maybe_unused]] const auto ignored, merge.apply(writer, commands_, merge.size()));
    return {};
  }));
  EXPECT_EQ(contents(), (std::vector<std::string>{"from ann", "from bob"}));
}

TEST_F(StateMergeTest, a_document_that_changes_in_between_is_seen) {
  const std::string state = R"({"documents":{"d":{"content":"x","timestamp":2}}})";
  upload(state, ann_);
  StateMerge merge(read(state), ann_);
  prepare(merge);
  upload(R"({"documents":{"d":{"content":"y","timestamp":1}}})", bob_);  // loses: the document stays as it is
  EXPECT_TRUE(apply(merge, ann_));
  prepare(merge);
  upload(R"({"documents":{"d":{"content":"y","timestamp":3}}})", bob_);
  EXPECT_FALSE(apply(merge, ann_));
}

TEST_F(StateMergeTest, an_upload_in_several_transactions_ends_like_one_in_a_single_transaction) {
  const std::string state =
      R"({"conversations":{"c":[{"role":"user","content":"1","timestamp":1},{"role":"user","content":"2","timestamp":2},)"
      R"({"role":"user","content":"3","timestamp":3}]},"documents":{"d":{"content":"x","timestamp":1},"e":{"content":"y","timestamp":1}}})";
  StateMerge merge(read(state), ann_);
  prepare(merge);
  EXPECT_EQ(merge.size(), 6U) << "the conversation, three messages, two documents";
  while (merge.size() > 0) ASSERT_TRUE(apply_some(merge, ann_, std::min<std::size_t>(merge.size(), 2)));
  EXPECT_EQ(contents(), (std::vector<std::string>{"1", "2", "3"}));
  prepare(merge);
  EXPECT_EQ(merge.size(), 0U) << "all of it is stored";
}

TEST_F(StateMergeTest, all_commands_of_an_upload_are_written_in_its_last_transaction) {
  ann_.scopes.add(Scope::commands_submit);
  const std::string command = R"({"type":"execute_bash","command":"ls","status":"pending"})";
  const std::string state = R"({"documents":{"d":{"content":"x","timestamp":1},"e":{"content":"y","timestamp":1}},)"
                            R"("commands":{"a":)" +
                            command + R"(,"b":)" + command + R"(,"c":)" + command + "}}";
  StateMerge merge(read(state), ann_);
  prepare(merge);
  EXPECT_EQ(merge.next_count(5), 5U) << "all at once, if that is few enough";
  EXPECT_EQ(merge.next_count(1), 1U);
  ASSERT_TRUE(apply_some(merge, ann_, 1));
  EXPECT_EQ(merge.next_count(2), 1U) << "the other document, and no command yet";
  ASSERT_TRUE(apply_some(merge, ann_, 1));
  EXPECT_EQ(merge.next_count(1), 3U);
}

TEST_F(StateMergeTest, an_upload_of_another_device_between_two_transactions_is_seen) {
  const std::string state = R"({"conversations":{"c":[{"role":"user","content":"from ann 1","timestamp":1},)"
                            R"({"role":"user","content":"from ann 2","timestamp":2}]}})";
  StateMerge merge(read(state), ann_);
  prepare(merge);
  ASSERT_TRUE(apply_some(merge, ann_, 2));
  upload(state_with("from bob"), bob_);
  EXPECT_FALSE(apply_some(merge, ann_, 1));
  prepare(merge);
  EXPECT_EQ(merge.size(), 1U) << "the first message is there";
  EXPECT_TRUE(apply_some(merge, ann_, 1));
  EXPECT_EQ(contents(), (std::vector<std::string>{"from ann 1", "from ann 2", "from bob"}));
}

}  // namespace
}  // namespace syncline::kiro
