#include "api/kernle/pull_plan.hpp"

#include <algorithm>

#include "api/kernle/limits.hpp"
#include "base/json.hpp"

namespace syncline::kernle {
namespace {

/// Labels remembered beside the last one, and records that are sent again: a device that has more of either is far
/// away.
constexpr std::size_t kMarksMax = 32;
constexpr std::size_t kAgainMax = 1000;
constexpr std::string_view kWholeCursor = "whole.";
constexpr std::string_view kWholeButOwnCursor = "others.";

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
  const auto time = parse_iso_or_utc_time(label);
  if (!time) return fail(ErrorCode::invalid_argument, "since must be a time like 2026-11-22T00:10:07Z");
  return seq_at(snapshot, time->plus_micros(-limits::kPullMarginMicros));
}

/// True if the label may be the time at which the answer to a whole pull was applied. Of a device that sends a label
/// for the first time it may as well be one from before.
bool may_confirm_full_pull(const PullState& state, const std::string& label) {
  if (!state.offered_whole) return false;
  if (!state.label.empty()) return true;
  const auto time = parse_iso_or_utc_time(label);
  return time && time->micros >= state.offered_whole_at.micros - limits::kPullMarginMicros;
}

/// Another label than the last one: the device has applied what it was offered.
void confirm(PullState& state, bool has_whole) {
  const bool is_first = state.label.empty();
  const auto whole = has_whole ? state.offered_whole : std::nullopt;
  if (state.offered) {
    // With both offered it cannot be told which was applied: the lesser one, so nothing is missed.
    state.applied = std::max(state.applied, whole ? std::min(*state.offered, *whole) : *state.offered);
    state.deletes = std::max(state.deletes, *state.offered);
  } else if (whole) {
    state.applied = std::max(state.applied, *whole);
    if (is_first) state.deletes = state.offered_whole_first;  // before that it had nothing that could be deleted
  }
  state.again.erase(state.again.begin(), state.again.begin() + state.again_offered);
  state.again_offered = 0;
}

/// A session's state once it is known which of the answers its device has applied.
Result<PullState> advance(Snapshot& snapshot, PullState state, const std::string& label) {
  if (state.label == label) return state;
  const auto mark = std::ranges::find(state.marks, label, &PullState::Mark::label);
  const bool has_whole = may_confirm_full_pull(state, label);
  if (mark != state.marks.end()) {
    state.applied = state.deletes = mark->applied;
    state.marks.erase(mark, state.marks.end());
  } else if (state.label.empty() && !has_whole) {
    TRY(state.applied, seq_of_label(snapshot, label));
    state.deletes = state.applied;
  } else {
    confirm(state, has_whole);
  }
  state.marks.push_back({label, state.applied});
  if (state.marks.size() > kMarksMax) state.marks.erase(state.marks.begin());
  state.label = label;
  state.offered.reset();
  state.offered_whole.reset();
  return state;
}

/// Finds out whether there is anything to deliver, and where an answer with a limit ends.
Result<> look_ahead(Snapshot& snapshot, const PullRequest& request, PullPlan& plan) {
  std::int64_t left = request.limit;
  Seq last = plan.begin();
  plan.is_empty = plan.again.empty();
  const bool has_limit = request.limit != INT64_MAX;
  bool is_cut = false;
  CHECK_OK(snapshot.feed(plan.begin(), [&](const RecordView& record) {
    if (record.seq > plan.through) return false;
    if (!is_delivered(plan, request.key, record)) return true;
    plan.is_empty = false;
    if (!has_limit) return false;
    is_cut = left == 0;
    if (is_cut) return false;
    last = record.seq;
    left -= 1;
    return true;
  }));
  if (is_cut) plan.through = last;
  plan.has_more = is_cut;
  return {};
}

/// Drops what has a new version that the device has not been sent: that comes by itself.
Result<> drop_changed(Snapshot& snapshot, PullState& state) {
  std::vector<PullState::Row> kept;
  std::int64_t kept_offered = 0;
  snapshot.expect([&] {
    Reads reads;
    for (const PullState::Row& row : state.again) reads.records.push_back({row.collection, row.id});
    return reads;
  });
  for (std::size_t i = 0; i < state.again.size(); ++i) {
    TRY(const auto record, snapshot.find_undamaged(state.again[i].collection, state.again[i].id));
    if (!record || record->rule == Rule::wiped || record->seq > state.applied) continue;
    kept_offered += static_cast<std::int64_t>(i) < state.again_offered ? 1 : 0;
    kept.push_back(state.again[i]);
  }
  state.again = std::move(kept);
  state.again_offered = kept_offered;
  return {};
}

/// The answer to a label: the range that was offered under it before, if it was; else what is new.
Result<> plan_label(Snapshot& snapshot, const PullRequest& request, PullState& next, PullPlan& plan) {
  TRY(next, advance(snapshot, std::move(next), request.label));
  CHECK_OK(drop_changed(snapshot, next));
  plan.from = next.applied;
  plan.deletes_from = next.deletes;
  const bool is_offered = next.offered.has_value();
  const auto offered_again = static_cast<std::size_t>(next.again_offered);
  const std::size_t again = is_offered ? offered_again : next.again.size();
  plan.again.assign(next.again.begin(), next.again.begin() + static_cast<std::ptrdiff_t>(again));
  if (is_offered) plan.through = std::min(plan.through, *next.offered);
  CHECK_OK(look_ahead(snapshot, request, plan));
  if (is_offered && plan.is_empty) {  // all of it has moved on meanwhile
    plan.through = snapshot.info().head;
    plan.again = next.again;
    CHECK_OK(look_ahead(snapshot, request, plan));
  }
  next.again_offered = static_cast<std::int64_t>(plan.again.size());
  if (plan.is_empty) {
    next.applied = next.deletes = plan.through;
    next.offered.reset();
  } else {
    next.offered = plan.through;
  }
  return {};
}

/// Further pages prove that the one before was applied.
void note_page(PullState& next, const PullRequest& request, const PullPlan& plan) {
  if (next.offered == request.after) next.offered = plan.through;
  if (next.offered_whole == request.after) next.offered_whole = plan.through;
}

void offer_full_pull(PullState& state, Seq through, Timestamp now) {
  if (state.offered_whole || through.value == 0) return;  // the first one counts: a later one may be lost
  state.offered_whole = through;
  state.offered_whole_at = now;
  state.offered_whole_first = through;
}

std::string push_value(KeyNumber key) { return "kernle/push/" + std::to_string(key.value); }

}  // namespace

std::string pull_value(KeyNumber key) { return "kernle/pull/" + std::to_string(key.value); }

Seq PullState::seen_through() const {
  return std::max({applied, offered.value_or(Seq{}), offered_whole.value_or(Seq{})});
}

bool is_delivered(const PullPlan& plan, KeyNumber key, const RecordView& record) {
  if (record.seq > plan.through || record.rule == Rule::wiped) return false;
  if (record.deleted ? !plan.deletes_from || record.seq <= *plan.deletes_from : record.seq <= plan.from) return false;
  // What the device itself wrote would only overwrite what it has edited since; what the hub made of it is news.
  const bool is_own = record.origin == key && record.rule != Rule::field_union && record.rule != Rule::restored;
  return !(plan.skip_own && is_own);
}

Result<PullPlan> plan_pull(Snapshot& snapshot, const PullRequest& request, Timestamp now) {
  using Kind = PullRequest::Kind;
  PullPlan plan{.through = snapshot.info().head, .kind = request.kind};
  plan.skip_own = request.is_session && request.kind != Kind::whole;
  std::optional<PullState> stored;
  if (request.is_session) {
    TRY(stored, find_pull_state(snapshot, request.key));
  }
  PullState next = stored.value_or(PullState{});
  if (request.kind == Kind::label && request.is_session) {
    CHECK_OK(plan_label(snapshot, request, next, plan));
  } else {
    plan.from = request.after;
    if (request.kind == Kind::label) {
      TRY(plan.from, seq_of_label(snapshot, request.label));
    }
    const bool is_whole = request.kind == Kind::whole || request.kind == Kind::whole_but_own;
    if (!is_whole) plan.deletes_from = plan.from;
    CHECK_OK(look_ahead(snapshot, request, plan));
    if (request.after.value > 0) {
      note_page(next, request, plan);
    } else if (is_whole && !plan.is_empty) {
      offer_full_pull(next, plan.through, now);
    }
  }
  if (!request.is_session) return plan;
  const bool has_news = !plan.is_empty && request.kind != Kind::after;
  if (next != stored.value_or(PullState{}) || has_news) {
    next.pulled_at = now;
    plan.next = std::move(next);
  }
  return plan;
}

std::string format_pull_cursor(const PullPlan& plan, const Cursor& cursor) {
  const bool goes_on = plan.has_more && plan.kind == PullRequest::Kind::whole;
  const bool goes_on_but_own = plan.has_more && plan.kind == PullRequest::Kind::whole_but_own;
  const std::string_view prefix = goes_on ? kWholeCursor : goes_on_but_own ? kWholeButOwnCursor : std::string_view{};
  return std::string(prefix) + cursor.to_text();
}

Result<PullCursor> parse_pull_cursor(std::string_view text) {
  PullCursor cursor;
  for (const auto& [prefix, kind] : {std::pair(kWholeCursor, PullRequest::Kind::whole),
                                     std::pair(kWholeButOwnCursor, PullRequest::Kind::whole_but_own)}) {
    if (!text.starts_with(prefix)) continue;
    cursor.kind = kind;
    text.remove_prefix(prefix.size());
    break;
  }
  TRY(cursor.cursor, parse_cursor(text));
  return cursor;
}

Result<std::optional<PullState>> find_pull_state(Snapshot& snapshot, KeyNumber key) {
  TRY(const auto text, snapshot.find_value(pull_value(key)));
  if (!text) return std::nullopt;
  const JsonView json(*text);
  const auto integer = [&](JsonView of, std::string_view name) -> std::optional<std::int64_t> {
    const auto value = of.find(name);
    return value ? value->as_integer() : std::nullopt;
  };
  const auto seq = [&](std::string_view name) -> std::optional<Seq> {
    const auto value = integer(json, name);
    if (!value) return std::nullopt;
    return Seq{*value};
  };
  PullState state{.label = json.text_of("label"),
                  .applied = seq("applied").value_or(Seq{}),
                  .deletes = seq("deletes").value_or(Seq{}),
                  .offered = seq("offered"),
                  .offered_whole = seq("offered_whole"),
                  .offered_whole_at = {integer(json, "offered_whole_at").value_or(0)},
                  .offered_whole_first = seq("offered_whole_first").value_or(Seq{}),
                  .again = {},
                  .again_offered = integer(json, "again_offered").value_or(0),
                  .marks = {},
                  .pulled_at = {integer(json, "pulled_at").value_or(0)}};
  json.find("again")->for_each_element(
      [&](JsonView row) { state.again.push_back({row.text_of("collection"), row.text_of("id")}); });
  json.find("marks")->for_each_element([&](JsonView mark) {
    state.marks.push_back({mark.text_of("label"), Seq{integer(mark, "applied").value_or(0)}});
  });
  return state;
}

void put_pull_state(Txn& txn, KeyNumber key, const PullState& state) {
  std::string text;
  JsonWriter writer(text);
  writer.begin_object()
      .string("label", state.label)
      .integer("applied", state.applied.value)
      .integer("deletes", state.deletes.value);
  if (state.offered) writer.integer("offered", state.offered->value);
  if (state.offered_whole) writer.integer("offered_whole", state.offered_whole->value);
  writer.integer("offered_whole_at", state.offered_whole_at.micros)
      .integer("offered_whole_first", state.offered_whole_first.value)
      .name("again")
      .begin_array();
  for (const PullState::Row& row : state.again) {
    writer.begin_object().string("collection", row.collection).string("id", row.id).end_object();
  }
  writer.end_array().integer("again_offered", state.again_offered).name("marks").begin_array();
  for (const PullState::Mark& mark : state.marks) {
    writer.begin_object().string("label", mark.label).integer("applied", mark.applied.value).end_object();
  }
  writer.end_array().integer("pulled_at", state.pulled_at.micros).end_object();
  txn.put_value(pull_value(key), std::move(text));
}

Result<> note_full_pull_offer(Txn& txn, KeyNumber key, Seq through, Timestamp now) {
  TRY(const auto known, find_pull_state(txn, key));
  PullState state = known.value_or(PullState{});
  offer_full_pull(state, through, now);
  state.pulled_at = now;
  put_pull_state(txn, key, state);
  return {};
}

void send_again(Txn& txn, KeyNumber key, PullState state, const std::vector<PullState::Row>& winners) {
  for (const PullState::Row& row : winners) {
    if (state.again.size() >= kAgainMax) break;
    const auto not_offered = state.again.begin() + state.again_offered;
    if (std::find(not_offered, state.again.end(), row) == state.again.end()) state.again.push_back(row);
  }
  put_pull_state(txn, key, state);
}

Result<std::optional<PushState>> find_push_state(Snapshot& snapshot, KeyNumber key) {
  TRY(const auto text, snapshot.find_value(push_value(key)));
  if (!text) return std::nullopt;
  const JsonView json(*text);
  const auto integer = [&](std::string_view name) {
    const auto value = json.find(name);
    return value ? value->as_integer().value_or(0) : 0;
  };
  return PushState{{integer("pushed_at")}, integer("refused")};
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
