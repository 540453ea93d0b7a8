#include "store/sqlite/recent_keys.hpp"

#include <gtest/gtest.h>

#include <memory>

#include "store/sqlite/layout.hpp"

namespace syncline::sqlite {
namespace {

constexpr std::int64_t kSpace = 3;
constexpr std::int64_t kScope = kSpace << kCollectionBits | 1;

class RecentKeysTest : public testing::Test {
 protected:
  static std::int64_t at(std::int64_t seq) { return pack_pos(kSpace, {seq}); }
  void put(std::string_view id, std::int64_t seq) { keys_.put(kScope, id, at(seq)); }
  /// 0 if it is not there.
  std::int64_t find(std::string_view id, std::int64_t head) {
    return seq_of(keys_.find(kScope, id, {head}).place.pos).value;
  }
  /// "id@seq" of all, by pages of `each`.
  std::vector<std::string> list(std::int64_t head, std::size_t each, std::string after = "") {
    std::vector<std::string> all;
    for (;;) {
      const RecentKeys::Page page = keys_.list(kScope, after, {head}, each);
      for (const auto& listed : page.keys)
        all.push_back(listed.id + '@' + std::to_string(seq_of(listed.place.pos).value));
      if (!page.through) return all;
      after = *page.through;
    }
  }

  RecentKeys keys_;
};

using Items = std::vector<std::string>;

TEST_F(RecentKeysTest, a_key_counts_from_the_snapshot_on_that_has_its_record) {
  put("a", 1);
  EXPECT_EQ(find("a", 0), 0) << "a reader that began before the commit";
  EXPECT_EQ(find("a", 1), 1);
  EXPECT_EQ(find("b", 1), 0);
  EXPECT_EQ(keys_.find(kScope + 1, "a", {1}).place.pos, 0) << "another collection";
}

TEST_F(RecentKeysTest, a_reader_sees_the_place_of_before_until_it_ends) {
  put("a", 1);
  keys_.commit(0);
  auto reader = std::make_unique<RecentKeys::Pin>(keys_);
  put("a", 2);
  keys_.commit(0);
  put("a", 3);
  keys_.commit(0);
  EXPECT_EQ(find("a", 1), 1);
  EXPECT_EQ(find("a", 2), 2);
  EXPECT_EQ(find("a", 3), 3);
  EXPECT_EQ(list(2, 10), (Items{"a@2"}));
  reader.reset();
  put("b", 4);
  keys_.commit(0);
  EXPECT_EQ(find("a", 1), 0) << "nobody needs it any more";
  EXPECT_EQ(find("a", 4), 3);
}

TEST_F(RecentKeysTest, a_place_stays_for_a_reader_that_begins_between_the_change_and_its_commit) {
  put("a", 1);
  keys_.commit(0);
  put("a", 2);
  const RecentKeys::Pin reader(keys_);  // the file does not have seq 2 yet
  keys_.commit(0);
  EXPECT_EQ(find("a", 1), 1);
}

TEST_F(RecentKeysTest, a_merged_key_stays_for_readers_that_began_before) {
  put("a", 1);
  put("b", 2);
  keys_.commit(0);
  keys_.turn();
  auto reader = std::make_unique<RecentKeys::Pin>(keys_);
  ASSERT_EQ(keys_.next_to_merge(1).size(), 1U);
  EXPECT_EQ(keys_.next_to_merge(1)[0].id, "a");
  keys_.commit(1);
  EXPECT_EQ(find("a", 2), 1);
  EXPECT_FALSE(keys_.find(kScope, "a", {2}).is_newest) << "a newer one may have been merged";
  EXPECT_EQ(list(2, 10), (Items{"a@1", "b@2"}));
  reader.reset();
  keys_.commit(0);
  EXPECT_EQ(find("a", 2), 0) << "it is in the table that everybody sees";
  EXPECT_EQ(find("b", 2), 2);
}

TEST_F(RecentKeysTest, what_is_taken_back_leaves_everything_as_it_was) {
  put("merging", 1);
  keys_.commit(0);
  keys_.turn();
  put("young", 2);
  keys_.commit(0);
  put("stays", 3);
  const std::size_t before = keys_.put_count();
  put("young", 4);
  put("merging", 5);
  put("merging", 6);
  put("new", 7);
  keys_.take_back(before);
  EXPECT_EQ(list(100, 10), (Items{"merging@1", "stays@3", "young@2"}));
  EXPECT_EQ(keys_.merging_size(), 1U);
  EXPECT_EQ(keys_.next_to_merge(10).at(0).id, "merging");
  keys_.take_back();
  EXPECT_EQ(list(100, 10), (Items{"merging@1", "young@2"}));
  keys_.commit(0);
  EXPECT_EQ(list(100, 10), (Items{"merging@1", "young@2"}));
}

TEST_F(RecentKeysTest, a_key_that_changes_while_its_generation_is_merged_waits_for_the_next) {
  put("a", 1);
  put("b", 2);
  keys_.commit(0);
  keys_.turn();
  put("a", 3);
  keys_.commit(0);
  const auto next = keys_.next_to_merge(10);
  ASSERT_EQ(next.size(), 1U);
  EXPECT_EQ(next[0].id, "b");
  EXPECT_EQ(keys_.young_size(), 1U);
}

TEST_F(RecentKeysTest, lists_every_key_once_in_order_whatever_the_size_of_the_page) {
  put("d", 1);
  put("b", 2);
  put("f", 4);
  keys_.commit(0);
  keys_.turn();
  const RecentKeys::Pin reader(keys_);
  put("b", 10);
  put("a", 11);
  put("e", 12);
  keys_.commit(1);
  put("hidden", 99);
  for (const std::size_t each : {1U, 2U, 3U, 100U}) {
    EXPECT_EQ(list(50, each), (Items{"a@11", "b@10", "d@1", "e@12", "f@4"})) << each;
    EXPECT_EQ(list(50, each, "b"), (Items{"d@1", "e@12", "f@4"})) << each;
  }
}

TEST_F(RecentKeysTest, knows_how_far_the_table_goes) {
  EXPECT_EQ(keys_.merged_through(kSpace, {7}), Seq{7}) << "nothing is here";
  keys_.load_space(kSpace, {4});
  keys_.load(kScope, "a", at(5));
  put("b", 8);
  keys_.commit(0);
  EXPECT_EQ(keys_.merged_through(kSpace, {8}), Seq{4});
  keys_.commit(1);
  EXPECT_EQ(keys_.merged_through(kSpace, {8}), Seq{4}) << "marks may be missing";
  keys_.end_generation();
  EXPECT_EQ(keys_.merged_through(kSpace, {8}), Seq{7});
  keys_.turn();
  keys_.commit(1);
  keys_.end_generation();
  EXPECT_EQ(keys_.merged_through(kSpace, {8}), Seq{8});
}

TEST_F(RecentKeysTest, forgets_spaces_that_are_gone) {
  put("a", 1);
  keys_.put(kScope + (1 << kCollectionBits), "other", pack_pos(kSpace + 1, {1}));
  keys_.commit(0);
  keys_.turn();
  put("b", 2);
  keys_.commit(0);
  keys_.forget_spaces({kSpace});
  EXPECT_EQ(list(9, 10), Items{});
  EXPECT_NE(keys_.find(kScope + (1 << kCollectionBits), "other", {1}).place.pos, 0);
}

TEST_F(RecentKeysTest, finds_all_of_many_keys_in_either_generation) {
  constexpr int kKeys = 5000;
  for (int i = 1; i <= kKeys; ++i) {
    put("k" + std::to_string(i), i);
    if (i == kKeys / 2) {
      keys_.commit(0);
      keys_.turn();
    }
  }
  for (int i = 1; i <= kKeys; i += 7) put("k" + std::to_string(i), kKeys + i);
  for (int i = 1; i <= kKeys; ++i) {
    const std::string id = "k" + std::to_string(i);
    EXPECT_EQ(find(id, 2LL * kKeys), i % 7 == 1 ? kKeys + i : i);
    EXPECT_EQ(find("none" + id, 2LL * kKeys), 0);
  }
  keys_.take_back();
  for (int i = 1; i <= kKeys / 2; ++i) EXPECT_EQ(find("k" + std::to_string(i), 2LL * kKeys), i);
}

TEST_F(RecentKeysTest, tells_whose_a_record_is) {
  put("a", 1);
  EXPECT_EQ(keys_.find_key(at(1)).value_or(RecordKey{}).id, "a");
  EXPECT_FALSE(keys_.find_key(at(2)));
}

}  // namespace
}  // namespace syncline::sqlite
