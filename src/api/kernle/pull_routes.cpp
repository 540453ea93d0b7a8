// POST /sync/pull and GET /sync/status.
//
// Both need read. Errors: 400 without an agent, or for a wrong since, limit or cursor; 410 for a cursor of another
// history. A pull changes what the hub knows of the session, how far it has pulled and with which label, but no record.
#include "api/kernle/pull_answer.hpp"
#include "api/kernle/request.hpp"
#include "api/kernle/routes.hpp"

namespace syncline::kernle {
namespace {

Result<PullRequest> read_request(const api::Call& call, Spaces& spaces, const SpaceName& space, JsonView body) {
  PullRequest request{.key = call.principal().key, .is_session = is_session(call.principal())};
  TRY(const auto limit, limit_in(body));
  request.limit = limit.value_or(request.limit);
  if (const auto text = body.find_set("cursor")) {
    TRY(const PullCursor cursor, parse_pull_cursor(text->as_string().value_or("?")));
    TRY(request.after, spaces.resume(space, cursor.cursor));
    request.kind = cursor.kind;
    return request;
  }
  const auto full = body.find_set("full");
  if (full && full->as_boolean().value_or(false)) return request;
  const auto since = body.find("since");
  if (!since) return request;
  if (since->kind() == JsonKind::null) {
    request.kind = PullRequest::Kind::whole_but_own;
    return request;
  }
  const auto label = since->as_string();
  if (!label || label->empty() || label->size() > limits::kRecordIdBytesMax) {
    return fail(ErrorCode::invalid_argument, "since must be a time like 2026-11-22T00:10:07Z");
  }
  request.kind = PullRequest::Kind::label;
  request.label = *label;
  return request;
}

/// What the hub knows of an agent and a key.
struct Standing {
  std::optional<PushState> push;
  std::optional<PullState> pull;
  std::int64_t changes = 0;  // that the device has not fetched

  [[nodiscard]] static Result<Standing> read(Snapshot& snapshot, const Principal& principal) {
    Standing standing;
    TRY(standing.push, find_push_state(snapshot, principal.key));
    TRY(standing.pull, find_pull_state(snapshot, principal.key));
    PullPlan rest{.through = snapshot.info().head, .skip_own = is_session(principal)};
    if (standing.pull) rest.from = standing.pull->seen_through();
    if (rest.from.value > 0) rest.deletes_from = rest.from;
    CHECK_OK(snapshot.feed(rest.from, [&](const RecordView& record) {
      standing.changes += is_delivered(rest, principal.key, record) ? 1 : 0;
      return true;
    }));
    return standing;
  }
};

void append_standing(JsonWriter& writer, const std::string& agent, const Standing& standing) {
  const auto time_or_null = [&](std::string_view name, Timestamp time) {
    writer.name(name);
    time.micros == 0 ? writer.null() : writer.string(format_time(time));
  };
  writer.string("agent_id", agent)
      .string("stack_id", agent)
      .integer("pending_operations", standing.push ? standing.push->refused : 0);
  time_or_null("last_push", standing.push ? standing.push->pushed_at : Timestamp{});
  time_or_null("last_pull", standing.pull ? standing.pull->pulled_at : Timestamp{});
  writer.integer("remote_changes_available", standing.changes).string("status", "connected");
}

}  // namespace

void Face::pull(const api::CallPtr& call) {
  TRY_CALL(call, const JsonView body, call->json_object());
  TRY_CALL(call, const std::string agent, agent_in(body));
  TRY_CALL(call, const SpaceName space, call->reach(space_name_of(agent)));
  TRY_CALL(call, const PullRequest request, read_request(*call, spaces_, space, body));
  auto plan = std::make_shared<PullPlan>();
  CHECK_CALL(call, spaces_.read(space, [&](Snapshot& snapshot) -> Result<> {
    TRY(*plan, plan_pull(snapshot, request, spaces_.clock().now()));
    return {};
  }));
  if (!plan->next) return answer_pull(spaces_, call, *plan);
  // What is offered is written down before it goes out, so that it is never offered twice, nor left out, after a crash.
  spaces_.write(
      space, call->principal().key, [request] { return Reads{.values = {pull_value(request.key)}}; },
      [plan, request](SpaceWriter& writer) -> Result<> {
        TRY(*plan, plan_pull(writer.txn(), request, writer.now()));
        if (plan->next) put_pull_state(writer.txn(), request.key, *plan->next);
        return {};
      },
      [this, call, plan](const Result<Cursor>& cursor) {
        if (!cursor) return call->fail(cursor.error());
        workers_.post([this, call, plan] { answer_pull(spaces_, call, *plan); });
      });
}

void Face::get_status(const api::CallPtr& call) {
  TRY_CALL(call, const std::string agent, agent_in_query(*call));
  TRY_CALL(call, const SpaceName space, call->reach(space_name_of(agent)));
  Standing standing;
  CHECK_CALL(call, spaces_.read(space, [&](Snapshot& snapshot) -> Result<> {
    TRY(standing, Standing::read(snapshot, call->principal()));
    return {};
  }));
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().boolean("success", true);
  writer.name("data").begin_object();
  append_standing(writer, agent, standing);
  writer.end_object();
  append_standing(writer, agent, standing);
  append_meta(writer, call->head().request_id, spaces_.clock().now());
  writer.end_object();
  call->respond_json(200, std::move(out));
}

}  // namespace syncline::kernle
