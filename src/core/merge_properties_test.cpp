// The algebra of the merge: whatever the order in which ops arrive and however often each does, the outcome is the
// same. Ops are drawn from few stamps and few contents, so that ties, echoes and lowered clocks meet often.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <random>

#include "base/limits.hpp"
#include "core/merge.hpp"

namespace syncline {
namespace {

constexpr Timestamp kMergedAt{1'800'000'000'000'000};

struct DrawnOp {
  std::int64_t offset_s = 0;
  int content = 0;  // 0 deletes

  [[nodiscard]] std::string doc() const { return content == 0 ? "" : "{\"v\":" + std::to_string(content) + "}"; }
};

std::ostream& operator<<(std::ostream& out, const DrawnOp& op) {
  return out << "{stamp now" << (op.offset_s < 0 ? "" : "+") << op.offset_s << "s, content " << op.content << "}";
}

std::vector<DrawnOp> draw_ops() {
  // Before now, now, within the clock guard, and beyond it.
  const auto offset = rc::gen::element<std::int64_t>(-200, -100, 0, 100, 300, 301, 1000, 100'000);
  return *rc::gen::container<std::vector<DrawnOp>>(rc::gen::apply(
      [](std::int64_t offset_s, int content) { return DrawnOp{offset_s, content}; }, offset, rc::gen::inRange(0, 4)));
}

/// What counts of a record: content and the stamps that later merges compare.
struct Outcome {
  std::string doc;
  bool deleted = false;
  std::int64_t effective_at = 0;
  std::int64_t claimed_at = 0;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

std::optional<Outcome> apply_all(const std::vector<DrawnOp>& ops) {
  std::optional<Record> stored;
  std::int64_t seq = 0;
  for (const DrawnOp& drawn : ops) {
    const std::string doc = drawn.doc();
    const Op op{.collection = "c",
                .id = "i",
                .updated_at = kMergedAt.plus_micros(drawn.offset_s * kMicrosPerSecond),
                .deleted = doc.empty(),
                .doc = doc};
    const Decision decision = merge(stored ? &*stored : nullptr, op, {}, {KeyNumber{9}, Seq{}}, kMergedAt);
    if (!stored) stored.emplace();
    if (decision.takes_seq()) {
      stored->seq = {++seq};
      stored->doc = doc;
      stored->deleted = op.deleted;
      stored->updated_at = decision.updated_at;
    }
    stored->effective_at = decision.effective_at;
    stored->claimed_at = decision.claimed_at;
  }
  if (!stored) return std::nullopt;
  return Outcome{stored->doc, stored->deleted, stored->effective_at.micros, stored->claimed_at.micros};
}

RC_GTEST_PROP(MergeAlgebra, any_order_leads_to_the_same_state, ()) {
  const auto ops = draw_ops();
  auto shuffled = ops;
  std::mt19937 random(*rc::gen::arbitrary<std::uint32_t>());
  std::ranges::shuffle(shuffled, random);
  RC_ASSERT(apply_all(ops) == apply_all(shuffled));
}

RC_GTEST_PROP(MergeAlgebra, any_duplication_leads_to_the_same_state, ()) {
  const auto ops = draw_ops();
  auto repeated = ops;
  for (const DrawnOp& op : ops) {
    if (*rc::gen::arbitrary<bool>()) repeated.push_back(op);
  }
  RC_ASSERT(apply_all(ops) == apply_all(repeated));
}

RC_GTEST_PROP(MergeAlgebra, a_repeated_op_takes_no_seq, ()) {
  auto ops = draw_ops();
  RC_PRE(!ops.empty());
  const auto once = apply_all(ops);
  ops.push_back(ops[*rc::gen::inRange<std::size_t>(0, ops.size())]);
  RC_ASSERT(apply_all(ops) == once);
}

}  // namespace
}  // namespace syncline
