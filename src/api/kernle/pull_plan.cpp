#include "api/kernle/pull_plan.hpp"

#include "api/kernle/operation.hpp"
#include "base/json_object.hpp"
#include "base/limits.hpp"

namespace syncline::kernle {
namespace {

std::string pull_value(KeyNumber key) { return "kernle/pull/" + std::to_string(key.value); }
std::string push_value(KeyNumber key) { return "kernle/push/" + std::to_string(key.value); }

/// The last seq whose record was committed at that time or before. Commit stamps rise with seq.
Result<Seq> seq_at(Snapshot& snapshot, Timestamp time) {
  std::int64_t low = 0;
  std::int64_t high = snapshot.info().head.value;
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    std::int64_t next = high + 1;
    bool is_before = false;
    CHECK_OK(snapshot.feed(Seq{middle}, [&](const RecordView& record) {
      next = record.seq.value;
      is_before = record.committed_at <= time;
      return false;
    }));
    if (is_before) {
      low = next;
    } else {
      high = middle;
    }
  }
  return Seq{low};
}

Result<Seq> seq_of_label(Snapshot& snapshot, const std::string& label) {
  const auto time = parse_client_time(label);
  if (!time) return fail(ErrorCode::invalid_argument, "since must be a time like 2026-11-22T00:10:07Z");
  return seq_at(snapshot, time->plus_micros(-limits::kPullMarginMicros));
}

/// A session's state once it is known which of the answers its device has applied.
Result<PullState> advance(Snapshot& snapshot, std::optional<PullState> known, const std::string& label) {
  PullState state = known.value_or(PullState{});
  if (state.label == label) {
    state.offered_whole.reset();
    return state;
  }
  const bool is_new = state.label.empty() && !state.offered_whole;
  if (is_new) {
    TRY(state.applied, seq_of_label(snapshot, label));
  } else {
    // With both offered it cannot be told which was applied: the one that came first covers less, so nothing is missed.
    state.applied = state.offered.value_or(state.offered_whole.value_or(state.applied));
  }
  state.label = label;
  state.offered.reset();
  state.offered_whole.reset();
  return state;
}

/// Finds out whether there is anything to deliver, and where an answer with a limit ends.
Result<> look_ahead(Snapshot& snapshot, const PullRequest& request, PullPlan& plan) {
  std::int64_t left = request.limit;
  Seq last = plan.from;
  plan.is_empty = true;
  const bool has_limit = request.limit != INT64_MAX;
  CHECK_OK(snapshot.feed(plan.from, [&](const RecordView& record) {
    if (!is_delivered(plan, request.key, record)) return true;
    plan.is_empty = false;
    if (!has_limit) return false;
    plan.has_more = left == 0;
    if (plan.has_more) return false;
    last = record.seq;
    left -= 1;
    return true;
  }));
  if (plan.has_more) plan.through = last;
  return {};
}

}  // namespace

bool is_delivered(const PullPlan& plan, KeyNumber key, const RecordView& record) {
  if (record.seq > plan.through || record.rule == Rule::wiped) return false;
  if (record.deleted && !plan.tombstones) return false;
  // What the device itself wrote would only overwrite what it has edited since; what the hub made of it is news.
  const bool is_own = record.origin == key && record.rule != Rule::field_union && record.rule != Rule::restored;
  return !(plan.skip_own && is_own);
}

Result<PullPlan> plan_pull(Snapshot& snapshot, const PullRequest& request, Timestamp now) {
  PullPlan plan;
  plan.through = snapshot.info().head;
  std::optional<PullState> stored;
  if (request.is_session) {
    TRY(stored, find_pull_state(snapshot, request.key));
  }
  PullState next = stored.value_or(PullState{});
  switch (request.since) {
    case PullRequest::Since::absent: break;  // everything, to restore a device
    case PullRequest::Since::null: plan.skip_own = request.is_session; break;
    case PullRequest::Since::cursor:
      plan.from = request.cursor.seq;
      plan.tombstones = plan.from.value > 0;
      plan.skip_own = request.is_session;
      break;
    case PullRequest::Since::label:
      plan.tombstones = true;
      plan.skip_own = request.is_session;
      if (request.is_session) {
        TRY(next, advance(snapshot, stored, request.label));
        plan.from = next.applied;
      } else {
        TRY(plan.from, seq_of_label(snapshot, request.label));
      }
      break;
  }
  CHECK_OK(look_ahead(snapshot, request, plan));
  if (!request.is_session || request.since == PullRequest::Since::cursor) return plan;

  if (request.since == PullRequest::Since::label) {
    if (plan.is_empty) {
      next.applied = plan.through;
      next.offered.reset();
    } else {
      next.offered = plan.through;
    }
  } else if (!plan.is_empty) {
    next.offered_whole = plan.through;
  }
  if (next != stored.value_or(PullState{}) || !plan.is_empty) {
    next.pulled_at = now;
    plan.next = std::move(next);
  }
  return plan;
}

Result<std::optional<PullState>> find_pull_state(Snapshot& snapshot, KeyNumber key) {
  TRY(const auto text, snapshot.find_value(pull_value(key)));
  if (!text) return std::nullopt;
  const JsonObject json{JsonView(*text)};
  const auto seq = [&](std::string_view name) -> std::optional<Seq> {
    const auto value = json.integer_of(name);
    if (!value) return std::nullopt;
    return Seq{*value};
  };
  return PullState{.label = json.text_of("label"),
                   .applied = seq("applied").value_or(Seq{}),
                   .offered = seq("offered"),
                   .offered_whole = seq("offered_whole"),
                   .pulled_at = {json.integer_of("pulled_at").value_or(0)}};
}

void put_pull_state(Txn& txn, KeyNumber key, const PullState& state) {
  std::string text;
  JsonWriter writer(text);
  writer.begin_object().string("label", state.label).integer("applied", state.applied.value);
  if (state.offered) writer.integer("offered", state.offered->value);
  if (state.offered_whole) writer.integer("offered_whole", state.offered_whole->value);
  writer.integer("pulled_at", state.pulled_at.micros).end_object();
  txn.put_value(pull_value(key), std::move(text));
}

Result<> note_whole_offer(Txn& txn, KeyNumber key, Seq through, Timestamp now) {
  TRY(const auto known, find_pull_state(txn, key));
  PullState state = known.value_or(PullState{});
  if (through.value > 0) state.offered_whole = through;
  state.pulled_at = now;
  put_pull_state(txn, key, state);
  return {};
}

Result<std::optional<PushState>> find_push_state(Snapshot& snapshot, KeyNumber key) {
  TRY(const auto text, snapshot.find_value(push_value(key)));
  if (!text) return std::nullopt;
  const JsonObject json{JsonView(*text)};
  return PushState{{json.integer_of("pushed_at").value_or(0)}, json.integer_of("refused").value_or(0)};
}

void put_push_state(Txn& txn, KeyNumber key, const PushState& state) {
  std::string text;
  JsonWriter(text)
      .begin_object()
      .integer("pushed_at", state.pushed_at.micros)
      .integer("refused", state.refused)
      .end_object();
  txn.put_value(push_value(key), std::move(text));
}

}  // namespace syncline::kernle
