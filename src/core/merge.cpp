#include "core/merge.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "base/json.hpp"

namespace syncline {
namespace {

/// The stamp an op competes with, after the clock guard.
struct Stamp {
  Timestamp at;
  /// What the writer's clock said if that was lowered, else 0.
  Timestamp claim;

  [[nodiscard]] bool lowered() const { return claim.micros != 0; }
};

Stamp stamp_of(const Op& op, const Record* stored, Timestamp now) {
  if (!op.updated_at) {
    const Timestamp after_stored = stored != nullptr ? standing_stamp(*stored, now).plus_micros(1) : now;
    return {std::max(now, after_stored), {}};
  }
  if (is_too_far_ahead(*op.updated_at, now)) return {now, *op.updated_at};
  return {*op.updated_at, {}};
}

bool same_content(const Record& stored, const Op& op) { return stored.deleted == op.deleted && stored.doc == op.doc; }

struct Outcome {
  bool incoming_wins;
  Rule rule;
};

/// Equal stamps, different content.
Outcome break_tie(const Record& stored, const Op& op, MergePolicy::Tie tie) {
  if (tie == MergePolicy::Tie::stored_stays) return {false, Rule::stored_stays};
  if (stored.deleted != op.deleted) return {stored.deleted, Rule::live_wins};
  if (tie == MergePolicy::Tie::smaller_hash) {
    const Sha256 old_hash = sha256(canonical_json(JsonView(stored.doc)));
    return {as_text(sha256(canonical_json(JsonView(op.doc)))) < as_text(old_hash), Rule::smaller_hash};
  }
  return {as_text(sha256(op.doc)) > as_text(sha256(stored.doc)), Rule::greater_hash};
}

Outcome compare(const Record& stored, const Op& op, const Stamp& stamp, const MergePolicy& policy, Timestamp standing) {
  if (op.base && *op.base == stored.seq) return {true, Rule::base};
  if (!op.updated_at) return {true, Rule::direct};
  const bool same_moment = stamp.at == standing;
  if (same_moment) return break_tie(stored, op, policy.tie);
  // A lowered clock wins only once: not again when repeated, and not with a lesser claim.
  if (stamp.lowered() && stamp.claim <= stored.claimed_at) return {false, Rule::clock_guard};
  return {stamp.at > standing, Rule::later_stamp};
}

bool has_seen(const Record& stored, const Op& op, const Stamp& stamp, const MergePolicy& policy, const Author& author) {
  if (policy.seen == MergePolicy::Seen::pulled_before_edit && !op.base) {
    if (!op.updated_at) return true;
    return author.seen_through >= stored.seq && *op.updated_at > stored.committed_at && !stamp.lowered();
  }
  // Who names what was edited means nothing else: several devices may share a key.
  if (op.base) return *op.base == stored.seq;
  return stored.origin == author.key || author.seen_through >= stored.seq;
}

/// The stamp that is shown for a version that wins over `stored`, or is the first.
Timestamp visible_stamp(const Record* stored, const Op& op, const MergePolicy& policy, Timestamp effective_at,
                        const MergeTime& time) {
  if (policy.ahead == MergePolicy::Ahead::lowered) {
    // While the hub doubts its own clock, the writer's may be the right one: what it says is shown.
    const bool may_be_right = time.latest > time.now && op.updated_at && !is_too_far_ahead(*op.updated_at, time.latest);
    return may_be_right ? std::max(*op.updated_at, effective_at) : effective_at;
  }
  const Timestamp sent = op.updated_at.value_or(effective_at);
  if (stored == nullptr) return sent;
  return std::max(sent, std::max(stored->updated_at, stored->claimed_at).plus_micros(1));
}

Decision decide_same(const Record& stored, const Stamp& stamp, const MergePolicy& policy, Decision decision) {
  decision.kind = Decision::Kind::noop;
  decision.rule = stored.rule;
  const bool repeated_claim = stamp.lowered() && stamp.claim <= stored.claimed_at;
  if (policy.ahead == MergePolicy::Ahead::kept) decision.claimed_at = std::max(decision.claimed_at, stamp.at);
  if (policy.echo == MergePolicy::Echo::lifts_stamp && !repeated_claim) {
    decision.effective_at = std::max(stored.effective_at, stamp.at);
  }
  return decision;
}

}  // namespace

Timestamp standing_stamp(const Record& stored, Timestamp now) {
  const Timestamp latest = now.plus_micros(limits::kClockStepMicrosMax);
  // The stamp alone says nothing: on a device whose own clock is behind, that of every version from the hub is ahead.
  const bool is_of_a_wrong_clock = stored.effective_at > latest && stored.committed_at > latest;
  return is_of_a_wrong_clock ? kTimestampMin : stored.effective_at;
}

Decision merge(const Record* stored, const Op& op, const MergePolicy& policy, const Author& author,
               const MergeTime& time) {
  const Timestamp now = time.now;
  if (stored != nullptr && stored->rule == Rule::wiped) stored = nullptr;
  const Stamp stamp = stamp_of(op, stored, now);
  Decision decision;
  decision.clock_lowered = stamp.lowered();
  if (stored == nullptr) {
    decision.effective_at = stamp.at;
    decision.updated_at = visible_stamp(stored, op, policy, stamp.at, time);
    decision.claimed_at = stamp.claim;
    return decision;
  }

  decision.updated_at = stored->updated_at;
  decision.effective_at = stored->effective_at;
  decision.claimed_at = std::max(stored->claimed_at, stamp.claim);
  if (same_content(*stored, op)) return decide_same(*stored, stamp, policy, std::move(decision));

  const Timestamp standing = standing_stamp(*stored, now);
  const Outcome outcome = compare(*stored, op, stamp, policy, standing);
  decision.rule = outcome.rule;
  const bool both_live = !stored->deleted && !op.deleted;
  bool adds_nothing = false;  // of the incoming version all is in the stored one
  if (policy.merges_fields() && both_live) {
    std::string merged = merge_fields(stored->doc, op.doc, outcome.incoming_wins, policy);
    if (same_fields(merged, stored->doc)) {
      decision.kind = Decision::Kind::stale;
      adds_nothing = outcome.incoming_wins || same_fields(merge_fields(stored->doc, op.doc, true, policy), stored->doc);
    } else if (merged == op.doc) {
      decision.kind = Decision::Kind::update;
    } else {
      decision.kind = Decision::Kind::merged;
      decision.merged_doc = std::move(merged);
    }
  } else {
    decision.kind = outcome.incoming_wins ? Decision::Kind::update : Decision::Kind::stale;
  }

  const bool seen = has_seen(*stored, op, stamp, policy, author);
  if (outcome.incoming_wins) {
    const bool causal = outcome.rule == Rule::base;
    decision.effective_at = causal ? std::max(stamp.at, standing.plus_micros(1)) : stamp.at;
    decision.updated_at = visible_stamp(stored, op, policy, decision.effective_at, time);
    // Whoever pulls a version that is shown ahead of time has a copy with that stamp: it is no new claim.
    const bool is_shown_ahead = policy.ahead == MergePolicy::Ahead::kept && decision.updated_at > now;
    if (is_shown_ahead) decision.claimed_at = std::max(decision.claimed_at, decision.updated_at);
    decision.keep = seen || adds_nothing ? Decision::Keep::nothing : Decision::Keep::stored;
  } else {
    decision.keep = adds_nothing ? Decision::Keep::nothing : Decision::Keep::incoming;
  }
  return decision;
}

}  // namespace syncline
