// POST /sync/push, and the pushing half of POST /sync/full.
//
// A push needs write; a full sync needs read, and write if it has operations. Errors: 400 without an agent or a list of
// operations, 413 for too many operations; an operation that cannot be stored is rejected in the answer instead.
// Changes the records of the agent's space and what the hub knows of the key's last push; emits sync.completed and
// memory.created.
#include <algorithm>

#include "api/kernle/pull_answer.hpp"
#include "api/kernle/request.hpp"
#include "api/kernle/routes.hpp"
#include "wire/kernle_operation.hpp"

namespace syncline::kernle {
namespace {

/// One operation and what became of it.
struct JudgedOperation {
  Operation operation;
  OpResult result;

  /// Why it was not stored: for its form, or by the rules of its table. Null if it was.
  [[nodiscard]] const Error* refusal() const {
    if (operation.refusal) return &*operation.refusal;
    return result.error ? &*result.error : nullptr;
  }
  [[nodiscard]] bool is_refused() const { return refusal() != nullptr; }
};

/// A push in progress. Owns what the operations point into.
struct Push {
  api::CallPtr call;
  std::string agent;
  std::deque<std::string> texts;
  std::vector<JudgedOperation> verdicts;
  std::int64_t remaining = 0;  // beyond the request's own limit

  [[nodiscard]] std::int64_t refused() const { return std::ranges::count_if(verdicts, &JudgedOperation::is_refused); }
  [[nodiscard]] std::int64_t accepted() const { return static_cast<std::int64_t>(verdicts.size()) - refused(); }
};

Result<> read_operations(Push& push, const api::JsonParts& parts) {
  const JsonView body = parts.json;
  TRY(const auto asked, limit_in(body));
  const std::int64_t limit = asked.value_or(INT64_MAX);
  const auto operations = body.find("operations");
  if (!operations || !operations->is_array()) {
    return fail(ErrorCode::invalid_argument, "operations must be a list");
  }
  operations->for_each_element([&](JsonView json) {
    if (static_cast<std::int64_t>(push.verdicts.size()) >= limit) {
      push.remaining += 1;
    } else if (push.verdicts.size() < limits::kKernleOpsMax + 1) {
      push.verdicts.push_back({read_operation(json, push.texts, parts.is_doubtful), {}});
    }
  });
  if (push.verdicts.size() > limits::kKernleOpsMax) {
    return fail(ErrorCode::too_large, "a push may have " + std::to_string(limits::kKernleOpsMax) + " operations");
  }
  return {};
}

void emit_sync_completed(const Push& push, SpaceWriter& writer) {
  if (push.accepted() == 0 || !writer.wants(kSyncCompleted)) return;
  const auto merged = std::ranges::count_if(push.verdicts, [](const JudgedOperation& verdict) {
    return !verdict.is_refused() && verdict.result.status == OpStatus::merged;
  });
  writer.emit(kSyncCompleted, [&](JsonWriter& data) {
    data.string("key_id", push.call->principal().key_id)
        .integer("pushed", push.accepted())
        .integer("failed", push.refused())
        .integer("merged", merged)
        .integer("seq", writer.txn().info().head.value);
  });
}

Reads reads_of(const Push& push) {
  Reads reads{.values = {pull_value(push.call->principal().key)}};
  for (const JudgedOperation& verdict : push.verdicts) {
    const Op& op = verdict.operation.op;
    if (!verdict.operation.refusal) reads.records.push_back({std::string(op.collection), std::string(op.id)});
  }
  return reads;
}

Result<> apply(Push& push, SpaceWriter& writer) {
  const KeyNumber key = push.call->principal().key;
  TRY(const auto pulled, find_pull_state(writer.txn(), key));
  if (pulled) writer.note_seen_through(pulled->seen_through());
  std::vector<PullState::Row> winners;
  for (JudgedOperation& verdict : push.verdicts) {
    if (verdict.operation.refusal) continue;
    const Op& op = verdict.operation.op;
    TRY(verdict.result, writer.apply(op));
    verdict.result.record.reset();  // the answer does not show it
    const bool had_winner = pulled && verdict.result.lost && verdict.result.seq <= pulled->seen_through();
    if (had_winner) winners.push_back({std::string(op.collection), std::string(op.id)});
  }
  if (push.verdicts.empty()) return {};
  if (!winners.empty()) send_again(writer.txn(), key, *pulled, winners);
  put_push_state(writer.txn(), key, {writer.now(), push.refused()});
  emit_sync_completed(push, writer);
  return {};
}

std::string_view status_of(const JudgedOperation& verdict) {
  if (verdict.is_refused()) return "rejected";
  switch (verdict.result.status) {
    case OpStatus::merged: return "merged";
    case OpStatus::stale: return "stale";
    default: return "synced";
  }
}

/// Who won, seen from the device that pushed; nothing if nobody had to lose.
std::string_view resolution_of(const OpResult& result) {
  const bool merged = result.status == OpStatus::merged;
  if (result.status != OpStatus::stale && !merged && !result.conflict) return {};
  if (result.incoming_won && result.status != OpStatus::stale)
    return merged ? "local_wins_arrays_merged" : "local_wins";
  return merged ? "cloud_wins_arrays_merged" : "cloud_wins";
}

void append_target(JsonWriter& writer, const Operation& operation) {
  writer.string("table", operation.table_as_sent).string("record_id", operation.id);
}

void append_results(JsonWriter& writer, const Push& push) {
  writer.name("results").begin_array();
  for (const JudgedOperation& verdict : push.verdicts) {
    writer.begin_object();
    append_target(writer, verdict.operation);
    writer.string("operation", verdict.operation.verb).string("status", status_of(verdict));
    if (verdict.is_refused()) {
      writer.string("error", verdict.refusal()->text);
    } else {
      writer.string("remote_id", "cloud_" + std::string(verdict.operation.id))
          .integer("version", verdict.result.seq.value)
          .integer("seq", verdict.result.seq.value);
    }
    writer.end_object();
  }
  writer.end_array();
}

void append_refusals(JsonWriter& writer, const Push& push) {
  writer.name("conflicts").begin_array();
  for (const JudgedOperation& verdict : push.verdicts) {
    if (!verdict.is_refused()) continue;
    writer.begin_object();
    append_target(writer, verdict.operation);
    writer.string("operation", verdict.operation.verb)
        .string("error", verdict.refusal()->text)
        .string("code", api::code_of(verdict.refusal()->code))
        .end_object();
  }
  writer.end_array();
}

void append_acknowledged(JsonWriter& writer, const Push& push) {
  writer.name("acknowledged_operations").begin_array();
  for (const JudgedOperation& verdict : push.verdicts) {
    if (verdict.is_refused()) continue;
    writer.begin_object();
    append_target(writer, verdict.operation);
    writer.end_object();
  }
  writer.end_array();
}

void append_merges(JsonWriter& writer, const Push& push) {
  writer.name("merges").begin_array();
  for (const JudgedOperation& verdict : push.verdicts) {
    const std::string_view resolution = verdict.is_refused() ? "" : resolution_of(verdict.result);
    if (resolution.empty()) continue;
    writer.begin_object();
    append_target(writer, verdict.operation);
    writer.string("resolution", resolution).name("conflict_id");
    if (verdict.result.conflict) {
      writer.string(std::to_string(verdict.result.conflict->value));
    } else {
      writer.null();
    }
    writer.end_object();
  }
  writer.end_array();
}

/// What a push answers beside its `data`.
void append_push_members(JsonWriter& writer, const Push& push) {
  writer.integer("synced", push.accepted());
  append_refusals(writer, push);
  append_acknowledged(writer, push);
  append_merges(writer, push);
}

void answer_push(const Push& push, const Cursor& cursor, Timestamp now) {
  constexpr std::size_t kBytesPerOperation = 400;
  std::string out;
  out.reserve(500 + push.verdicts.size() * kBytesPerOperation);
  JsonWriter writer(out);
  writer.begin_object().boolean("success", true);
  writer.name("data").begin_object();
  writer.integer("pushed", push.accepted()).integer("failed", push.refused()).integer("remaining", push.remaining);
  append_results(writer, push);
  writer.end_object();
  append_push_members(writer, push);
  writer.string("server_time", format_time(now)).string("cursor", cursor.to_text());
  append_meta(writer, push.call->head().request_id, now);
  writer.end_object();
  push.call->respond_json(200, std::move(out));
}

/// The members that a full sync adds to what a pull answers.
FullSync describe_full(const Push& push) {
  FullSync full;
  JsonWriter writer(full.push_members);
  writer.begin_object();
  append_push_members(writer, push);
  writer.end_object();
  full.pushed = push.accepted();
  for (const JudgedOperation& verdict : push.verdicts) {
    if (verdict.is_refused()) continue;
    full.pushed_tables.emplace(verdict.operation.table_as_sent);
    if (!resolution_of(verdict.result).empty()) full.conflicts_resolved += 1;
  }
  return full;
}

}  // namespace

void Face::push(const api::CallPtr& call) {
  auto push = std::make_shared<Push>();
  push->call = call;
  TRY_CALL(call, const api::JsonParts parts, call->json_parts());
  TRY_CALL(call, push->agent, agent_in(parts.json));
  CHECK_CALL(call, read_operations(*push, parts));
  TRY_CALL(call, const SpaceName space, call->reach(space_name_of(push->agent)));
  spaces_.write(
      space, call->principal().key, [push] { return reads_of(*push); },
      [push](SpaceWriter& writer) { return apply(*push, writer); },
      [push, this](const Result<Cursor>& cursor) {
        if (!cursor) return push->call->fail(cursor.error());
        answer_push(*push, *cursor, spaces_.clock().now());
      });
}

void Face::sync_full(const api::CallPtr& call) {
  auto push = std::make_shared<Push>();
  push->call = call;
  TRY_CALL(call, const api::JsonParts parts, call->json_parts());
  TRY_CALL(call, push->agent, agent_in(parts.json));
  if (parts.json.find_set("operations")) {
    if (!call->principal().scopes.has(Scope::write)) {
      return call->fail(Error{ErrorCode::forbidden, "a full sync with operations needs a key with scope write"});
    }
    CHECK_CALL(call, read_operations(*push, parts));
  }
  TRY_CALL(call, const SpaceName space, call->reach(space_name_of(push->agent)));
  auto plan = std::make_shared<PullPlan>();
  const PullRequest request{.key = call->principal().key, .is_session = is_session(call->principal())};
  spaces_.write(
      space, call->principal().key, [push] { return reads_of(*push); },
      [push, plan, request](SpaceWriter& writer) -> Result<> {
        CHECK_OK(apply(*push, writer));
        TRY(*plan, plan_pull(writer.txn(), request, writer.now()));
        return request.is_session ? note_full_pull_offer(writer.txn(), request.key, plan->through, writer.now())
                                  : Result<>{};
      },
      [push, plan, this](const Result<Cursor>& cursor) {
        if (!cursor) return push->call->fail(cursor.error());
        workers_.post([push, plan, this] { answer_pull(spaces_, push->call, *plan, describe_full(*push)); });
      });
}

}  // namespace syncline::kernle
