#include "core/merge.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/limits.hpp"

namespace syncline {
namespace {

constexpr Timestamp kNow{1'800'000'000'000'000};
constexpr std::int64_t kHour = 3600 * kMicrosPerSecond;
const Author kAnn{KeyNumber{1}, Seq{0}};
const Author kBob{KeyNumber{2}, Seq{0}};

Record stored_at(Timestamp updated_at, std::string doc = R"({"v":"stored"})") {
  Record record;
  record.collection = "notes";
  record.id = "n";
  record.seq = {7};
  record.updated_at = record.effective_at = updated_at;
  record.origin = kAnn.key;
  record.deleted = doc.empty();
  record.doc = std::move(doc);
  return record;
}

Op put_at(std::optional<Timestamp> updated_at, std::string_view doc = R"({"v":"new"})") {
  return {.collection = "notes", .id = "n", .updated_at = updated_at, .deleted = doc.empty(), .doc = doc};
}

Timestamp ago(std::int64_t micros) { return kNow.plus_micros(-micros); }

TEST(Merge, without_a_stored_version_inserts) {
  const Decision decision = merge(nullptr, put_at(ago(kHour)), {}, kBob, kNow);
  EXPECT_EQ(decision.kind, Decision::Kind::insert);
  EXPECT_EQ(decision.updated_at, ago(kHour));
}

TEST(Merge, the_later_timestamp_wins) {
  const Record stored = stored_at(ago(kHour));
  EXPECT_EQ(merge(&stored, put_at(ago(1)), {}, kBob, kNow).kind, Decision::Kind::update);
  EXPECT_EQ(merge(&stored, put_at(ago(2 * kHour)), {}, kBob, kNow).kind, Decision::Kind::stale);
}

TEST(Merge, the_same_content_is_a_noop_that_raises_only_the_effective_timestamp) {
  const Record stored = stored_at(ago(kHour));

  const Decision decision = merge(&stored, put_at(ago(1), stored.doc), {}, kBob, kNow);

  EXPECT_EQ(decision.kind, Decision::Kind::noop);
  EXPECT_EQ(decision.updated_at, stored.updated_at);
  EXPECT_EQ(decision.effective_at, ago(1));
}

TEST(Merge, an_echo_keeps_the_effective_timestamp_where_clients_echo) {
  const Record stored = stored_at(ago(kHour));
  const MergePolicy policy{.echo = MergePolicy::Echo::changes_nothing};
  EXPECT_EQ(merge(&stored, put_at(ago(1), stored.doc), policy, kBob, kNow).effective_at, stored.effective_at);
}

TEST(Merge, an_op_based_on_the_stored_version_wins_with_any_timestamp) {
  const Record stored = stored_at(ago(kHour));
  Op op = put_at(ago(100 * kHour));
  op.base = stored.seq;

  const Decision decision = merge(&stored, op, {}, kBob, kNow);

  EXPECT_EQ(decision.kind, Decision::Kind::update);
  EXPECT_EQ(decision.rule, Rule::base);
  EXPECT_EQ(decision.updated_at, stored.updated_at.plus_micros(1));
  EXPECT_EQ(decision.keep, Decision::Keep::nothing);
}

TEST(Merge, an_op_without_timestamp_always_wins) {
  const Record stored = stored_at(kNow.plus_micros(60 * kMicrosPerSecond));  // within the guard, ahead of us
  const Decision decision = merge(&stored, put_at(std::nullopt), {}, kBob, kNow);
  EXPECT_EQ(decision.kind, Decision::Kind::update);
  EXPECT_EQ(decision.updated_at, stored.updated_at.plus_micros(1));
}

TEST(Merge, at_equal_timestamps_a_live_record_beats_a_tombstone) {
  const Record live = stored_at(ago(kHour));
  const Record dead = stored_at(ago(kHour), "");
  EXPECT_EQ(merge(&live, put_at(ago(kHour), ""), {}, kBob, kNow).kind, Decision::Kind::stale);
  EXPECT_EQ(merge(&dead, put_at(ago(kHour)), {}, kBob, kNow).kind, Decision::Kind::update);
}

TEST(Merge, at_equal_timestamps_the_stored_version_stays_where_clients_expect_it) {
  const Record stored = stored_at(ago(kHour));
  const MergePolicy policy{.tie = MergePolicy::Tie::stored_stays};
  for (const char* doc : {R"({"v":"a"})", R"({"v":"b"})", R"({"v":"c"})"}) {
    EXPECT_EQ(merge(&stored, put_at(ago(kHour), doc), policy, kBob, kNow).kind, Decision::Kind::stale);
  }
}

TEST(Merge, a_later_put_revives_a_deleted_record) {
  const Record dead = stored_at(ago(kHour), "");
  EXPECT_EQ(merge(&dead, put_at(ago(1)), {}, kBob, kNow).kind, Decision::Kind::update);
}

TEST(Merge, a_clock_too_far_ahead_is_lowered_to_now) {
  const Decision decision = merge(nullptr, put_at(kNow.plus_micros(9 * kHour)), {}, kBob, kNow);
  EXPECT_TRUE(decision.clock_lowered);
  EXPECT_EQ(decision.updated_at, kNow);
  EXPECT_EQ(decision.claimed_at, kNow.plus_micros(9 * kHour));
}

TEST(Merge, a_clock_within_the_tolerance_is_kept) {
  const Timestamp edge = kNow.plus_micros(limits::kClockAheadMicrosMax);
  EXPECT_EQ(merge(nullptr, put_at(edge), {}, kBob, kNow).updated_at, edge);
  EXPECT_FALSE(merge(nullptr, put_at(edge), {}, kBob, kNow).clock_lowered);
}

TEST(Merge, a_lowered_clock_does_not_win_again_when_it_is_repeated) {
  Record stored = stored_at(kNow);
  stored.claimed_at = kNow.plus_micros(9 * kHour);
  const Timestamp later = kNow.plus_micros(kHour);

  const Decision repeated = merge(&stored, put_at(kNow.plus_micros(9 * kHour)), {}, kBob, later);
  const Decision higher = merge(&stored, put_at(kNow.plus_micros(10 * kHour)), {}, kBob, later);

  EXPECT_EQ(repeated.kind, Decision::Kind::stale);
  EXPECT_EQ(repeated.rule, Rule::clock_guard);
  EXPECT_EQ(higher.kind, Decision::Kind::update);
}

TEST(Merge, a_losing_timestamp_claim_is_remembered) {
  const Record stored = stored_at(kNow.plus_micros(60 * kMicrosPerSecond));
  const Decision decision = merge(&stored, put_at(kNow.plus_micros(9 * kHour)), {}, kBob, kNow);
  EXPECT_EQ(decision.kind, Decision::Kind::stale);
  EXPECT_EQ(decision.claimed_at, kNow.plus_micros(9 * kHour));
}

TEST(Merge, a_stale_op_with_other_content_is_kept_as_a_conflict) {
  const Record stored = stored_at(ago(kHour));
  EXPECT_EQ(merge(&stored, put_at(ago(2 * kHour)), {}, kBob, kNow).keep, Decision::Keep::incoming);
}

TEST(Merge, a_replaced_version_is_a_conflict_unless_its_author_had_seen_it) {
  const Record stored = stored_at(ago(kHour));
  const auto keep = [&](const Author& author, std::optional<Seq> base) {
    Op op = put_at(ago(1));
    op.base = base;
    return merge(&stored, op, {}, author, kNow).keep;
  };
  EXPECT_EQ(keep(kBob, std::nullopt), Decision::Keep::stored);
  EXPECT_EQ(keep(kBob, Seq{6}), Decision::Keep::stored);
  EXPECT_EQ(keep(kBob, Seq{7}), Decision::Keep::nothing);
  EXPECT_EQ(keep({kBob.key, Seq{7}}, std::nullopt), Decision::Keep::nothing);
  EXPECT_EQ(keep(kAnn, std::nullopt), Decision::Keep::nothing) << "an own version was seen";
}

TEST(FieldMerge, lists_become_the_union_whichever_version_wins) {
  const MergePolicy policy{.union_fields = {"tags"}};
  const Record stored = stored_at(ago(kHour), R"({"v":1,"tags":["a","b"]})");

  const Decision newer = merge(&stored, put_at(ago(1), R"({"v":2,"tags":["b","c"]})"), policy, kBob, kNow);
  const Decision older = merge(&stored, put_at(ago(2 * kHour), R"({"v":2,"tags":["c"]})"), policy, kBob, kNow);

  EXPECT_EQ(newer.kind, Decision::Kind::merged);
  EXPECT_EQ(newer.merged_doc, R"({"v":2,"tags":["a","b","c"]})");
  EXPECT_EQ(older.kind, Decision::Kind::merged);
  EXPECT_EQ(older.merged_doc, R"({"v":1,"tags":["a","b","c"]})");
}

TEST(FieldMerge, null_and_missing_fields_erase_nothing) {
  const MergePolicy policy{.union_fields = {"tags"}};
  EXPECT_EQ(merge_fields(R"({"a":1,"b":2})", R"({"a":null})", true, policy), R"({"a":1,"b":2})");
}

TEST(FieldMerge, created_at_keeps_the_earliest) {
  const MergePolicy policy{.earliest_fields = {"created_at"}};
  EXPECT_EQ(merge_fields(R"({"created_at":"2026-01-01T00:00:00Z"})", R"({"created_at":"2026-02-01T00:00:00Z"})", true,
                         policy),
            R"({"created_at":"2026-01-01T00:00:00Z"})");
}

TEST(FieldMerge, a_union_has_at_most_500_items) {
  std::string many = "[0";
  for (int i = 1; i < 600; ++i) many += "," + std::to_string(i);
  const std::string merged = merge_fields("{\"t\":[9999]}", "{\"t\":" + many + "]}", true, {.union_fields = {"t"}});
  EXPECT_EQ(std::ranges::count(merged, ','), 499);
}

/// A version that the store wrote while its own clock was twelve years ahead.
Record stored_ahead() {
  Record record = stored_at(kNow.plus_micros(12L * 365 * 24 * kHour));
  record.committed_at = record.updated_at;
  return record;
}

TEST(Merge, any_edit_is_later_than_a_version_of_a_time_when_the_clock_was_wrong) {
  const Record stored = stored_ahead();
  const Decision decision = merge(&stored, put_at(ago(24 * kHour)), {}, kBob, kNow);
  EXPECT_EQ(decision.kind, Decision::Kind::update);
  EXPECT_EQ(decision.effective_at, ago(24 * kHour));
  EXPECT_EQ(decision.keep, Decision::Keep::stored) << "its author had not seen it";
}

TEST(Merge, what_replaces_a_version_of_a_wrong_clock_has_the_stamp_of_now) {
  const Record stored = stored_ahead();
  EXPECT_EQ(merge(&stored, put_at(std::nullopt), {}, kBob, kNow).effective_at, kNow);
  Op with_base = put_at(ago(kHour));
  with_base.base = stored.seq;
  EXPECT_EQ(merge(&stored, with_base, {}, kBob, kNow).effective_at, ago(kHour));
}

TEST(Merge, a_store_whose_clock_is_behind_takes_no_stamp_of_its_hub_for_a_wrong_one) {
  Record stored = stored_at(kNow.plus_micros(24 * kHour));
  stored.committed_at = kNow;
  EXPECT_EQ(merge(&stored, put_at(ago(1)), {}, kBob, kNow).kind, Decision::Kind::stale);
  EXPECT_EQ(merge(&stored, put_at(std::nullopt), {}, kBob, kNow).effective_at, stored.effective_at.plus_micros(1));
}

TEST(Merge, a_stamp_that_only_a_doubted_clock_confirms_is_shown_but_competes_as_now) {
  const Record stored = stored_at(ago(kHour));
  const MergeTime in_doubt{kNow, kNow.plus_micros(60L * 24 * kHour)};
  const Op op = put_at(in_doubt.latest);

  const Decision decision = merge(&stored, op, {}, kBob, in_doubt);

  EXPECT_EQ(decision.updated_at, in_doubt.latest);
  EXPECT_EQ(decision.effective_at, kNow);
  EXPECT_EQ(merge(&stored, put_at(in_doubt.latest.plus_micros(kHour)), {}, kBob, in_doubt).updated_at, kNow)
      << "no clock confirms this one";
}

}  // namespace
}  // namespace syncline
