// /command: submit, wait, claim, report, cancel, list, live output.
//
// An IDE needs commands:submit, a runner commands:run; every scope of commands, and read, may look. Errors: 400 for a
// field with a wrong value, 404 for an unknown command, 409 for a step that the state does not allow or that belongs to
// another runner. Changes one command at a time, and its lease; a command that ends emits command.completed.
#include <algorithm>

#include "api/idempotency.hpp"
#include "api/kiro/routes.hpp"
#include "api/long_poll.hpp"

namespace syncline::kiro {
namespace {

/// As many of the first in the queue are offered to one claim: others may be taking them at the same moment.
constexpr std::size_t kCandidatesMax = 64;
/// A runner that is at work sends its next request within that time.
constexpr std::int64_t kRunnerPauseMs = 10'000;

/// The command, and the head of the space that it was seen at.
Result<std::pair<std::optional<Command>, Seq>> look_up(Spaces& spaces, const SpaceName& space, const std::string& id) {
  std::optional<Command> command;
  Seq head;
  CHECK_OK(spaces.read(space, [&](Snapshot& snapshot) -> Result<> {
    head = snapshot.info().head;
    TRY(const auto record, snapshot.find(kCommands, id));
    if (record && !record->deleted) command.emplace(JsonView(record->doc));
    return {};
  }));
  return std::pair(std::move(command), head);
}

Result<std::optional<Command>> find_command(Spaces& spaces, const SpaceName& space, const std::string& id) {
  TRY(auto found, look_up(spaces, space, id));
  return std::move(found.first);
}

/// What a step of the command looks up.
NameReads reads_of_step(const api::CallPtr& call) {
  return [call] { return Reads{.records = {RecordKey{std::string(kCommands), call->param("id")}}}; };
}

/// A command without what may be long: neither content nor result.
std::string summary_of(std::string_view id, const Command& command) {
  constexpr std::array<std::string_view, 14> kShown = {
      "type",   "command",   "path",      "query",     "service",          "operation", "workingDir",
      "status", "createdAt", "updatedAt", "claimedBy", "submittedByLabel", "approval",  "error"};
  std::string summary;
  JsonWriter writer(summary);
  writer.begin_object().string("commandId", id);
  for (const std::string_view name : kShown) {
    if (const auto value = command.document().find(name)) writer.raw(name, value->raw());
  }
  writer.end_object();
  return summary;
}

}  // namespace

struct Face::CommandRequest {
  api::CallPtr call;
  SpaceName space;
  std::string id;
  std::optional<CommandStatus> seen;
  std::optional<api::LongPoll> poll;
};

struct Face::ClaimRequest {
  api::CallPtr call;
  SpaceName space;
  std::optional<api::LongPoll> poll;
  std::optional<Claimed> claimed;
  std::shared_ptr<Runners::Waiting> waiting;
};

void Face::note_runner(const api::Call& call, std::int64_t for_ms) {
  const std::int64_t now_ms = spaces_.clock().now().millis();
  runners_.note(space_of(call), call.principal().key_id, now_ms + for_ms, now_ms);
}

void Face::fail_command(const api::CallPtr& call, const Error& error) {
  api::Problem problem = api::problem_of(error);
  if (problem.status == 404) problem.title = "Command not found";
  call->fail(problem);
}

void Face::submit(const api::CallPtr& call) {
  struct Submission {
    api::Idempotency idempotency;
    std::string answer;
    std::optional<Receipt> replayed;
  };
  auto submission = std::make_shared<Submission>();
  TRY_CALL(call, const JsonView json, call->json_object());
  TRY_CALL(call, submission->idempotency, api::Idempotency::of(*call));
  const std::size_t runners =
      runners_.count(space_of(*call), commands_.lease_holders(space_of(*call)), spaces_.clock().now().millis());
  spaces_.write(
      space_of(*call), call->principal().key,
      [submission] {
        Reads reads;
        submission->idempotency.declare(reads);
        return reads;
      },
      [this, call, json, submission, runners](SpaceWriter& writer) -> Result<> {
        TRY(submission->replayed, submission->idempotency.find(writer.txn()));
        if (submission->replayed) return {};
        TRY(std::string doc, make_command(json, call->principal(), writer.now().millis()));
        const std::string id = make_command_id(writer.now().millis());
        CHECK_OK(commands_.add(writer, id, std::move(doc)));
        submission->answer.clear();
        JsonWriter(submission->answer)
            .begin_object()
            .string("commandId", id)
            .string("status", "pending")
            .integer("runners", static_cast<std::int64_t>(runners))
            .end_object();
        submission->idempotency.keep(writer.txn(), 200, submission->answer);
        return {};
      },
      [call, submission](Result<Cursor> cursor) {
        if (!cursor) return call->fail(cursor.error());
        if (submission->replayed) return call->respond(api::replay(*std::move(submission->replayed)));
        call->respond_json(200, std::move(submission->answer));
      });
}

void Face::claim(const api::CallPtr& call) {
  auto request = std::make_shared<ClaimRequest>();
  request->call = call;
  request->space = space_of(*call);
  TRY_CALL(call, request->poll, api::LongPoll::of(call, spaces_));
  note_runner(*call, kRunnerPauseMs);
  request->waiting = runners_.wait(request->space, call->principal().key_id);
  try_claim(request);
}

void Face::try_claim(const std::shared_ptr<ClaimRequest>& request) {
  std::vector<std::string> candidates;
  Seq head;
  if (request->call->head().headers->peer_has_left()) {  // nobody would run what is claimed now
    return request->call->respond_empty();
  }
  const auto looked = views_.with(request->space, [&](StateView& view) {
    head = view.seq();
    for (const CommandIndex::Pending& pending : view.command_index().pending()) {
      if (candidates.size() == kCandidatesMax) break;
      candidates.push_back(pending.id);
    }
  });
  if (!looked) return fail_command(request->call, looked.error());
  if (candidates.empty()) return wait_for_command(request, head);
  spaces_.write(
      request->space, request->call->principal().key,
      [candidates] {
        Reads reads;
        for (const std::string& id : candidates) reads.records.push_back({std::string(kCommands), id});
        return reads;
      },
      [this, request, candidates](SpaceWriter& writer) -> Result<> {
        TRY(request->claimed, commands_.claim_first(writer, candidates, request->call->principal()));
        return {};
      },
      [this, request, head](Result<Cursor> cursor) {
        if (!cursor) return fail_command(request->call, cursor.error());
        if (!request->claimed) return wait_for_command(request, head);
        note_runner(*request->call, kRunnerPauseMs);
        Claimed& claimed = *request->claimed;
        commands_.note_lease(request->space, claimed.id, claimed.command, request->call->principal());
        std::string body;
        JsonWriter writer(body);
        writer.begin_object().string("commandId", claimed.id);
        const JsonObject command = claimed.command.to_object();
        for (const JsonObject::Member& member : command.members()) writer.raw(member.name, member.value);
        writer.end_object();
        request->call->respond_json(200, std::move(body));
      });
}

void Face::wait_for_command(const std::shared_ptr<ClaimRequest>& request, Seq head) {
  if (request->poll->is_over()) {
    note_runner(*request->call, kRunnerPauseMs);
    return request->call->respond_empty();
  }
  request->poll->wait(request->space, head, [this, request] { try_claim(request); }, &workers_);
}

void Face::get_command(const api::CallPtr& call) {
  auto request = std::make_shared<CommandRequest>();
  request->call = call;
  request->space = space_of(*call);
  request->id = call->param("id");
  TRY_CALL(call, request->poll, api::LongPoll::of(call, spaces_));
  answer_command(request);
}

void Face::answer_command(const std::shared_ptr<CommandRequest>& request) {
  const auto found = look_up(spaces_, request->space, request->id);
  if (!found) return fail_command(request->call, found.error());
  const auto& [command, head] = *found;
  if (!command) return fail_command(request->call, {ErrorCode::not_found, "command " + request->id + " not found"});
  const CommandStatus status = command->status;
  const bool changed = request->seen && *request->seen != status;
  // Its runner waits to hear of a cancellation.
  const bool cancels = command->cancel_requested && command->claimed_by == request->call->principal().key_id;
  if (is_terminal(status) || changed || cancels || request->poll->is_over())
    return request->call->respond_json(200, command->to_text());
  request->seen = status;
  request->poll->wait(request->space, head, [this, request] { answer_command(request); });
}

void Face::patch_command(const api::CallPtr& call) {
  auto step = std::make_shared<Step>();
  TRY_CALL(call, const JsonView patch, call->json_object());
  note_runner(*call, kRunnerPauseMs);
  spaces_.write(
      space_of(*call), call->principal().key, reads_of_step(call),
      [this, call, patch, step](SpaceWriter& writer) -> Result<> {
        TRY(*step, commands_.patch(writer, call->param("id"), patch, call->principal()));
        return {};
      },
      [this, call, step](Result<Cursor> cursor) {
        if (!cursor) return fail_command(call, cursor.error());
        if (step->kind != Step::Kind::refused) {
          commands_.note_lease(space_of(*call), call->param("id"), step->command, call->principal());
          return call->respond_json(200, step->command.to_text());
        }
        api::Problem problem = api::problem_of({ErrorCode::conflict, step->reason});
        problem.title = step->reason;
        if (step->owned_by_other) {
          TRY_CALL(call, std::string owner, access_.label_of_key_id(step->command.claimed_by));
          problem.text_members.emplace_back("owner", std::move(owner));
        }
        call->fail(problem);
      });
}

void Face::cancel_command(const api::CallPtr& call) {
  auto command = std::make_shared<Command>();
  spaces_.write(
      space_of(*call), call->principal().key, reads_of_step(call),
      [this, call, command](SpaceWriter& writer) -> Result<> {
        TRY(*command, commands_.cancel(writer, call->param("id")));
        return {};
      },
      [call, command](Result<Cursor> cursor) {
        if (!cursor) return fail_command(call, cursor.error());
        call->respond_json(200, command->to_text());
      });
}

void Face::list_commands(const api::CallPtr& call) {
  const std::string wanted = call->query("status").value_or("");
  if (!wanted.empty() && wanted != "held" && !command_status_from_text(wanted)) {
    return call->fail(Error{ErrorCode::invalid_argument,
                            "parameter 'status' must be held, pending, processing, completed or failed"});
  }
  TRY_CALL(call, const std::int64_t limit, call->query_integer("limit", 1, limits::kCommandsListedMax, 100));
  std::vector<std::pair<std::int64_t, std::string>> rows;
  CHECK_CALL(call, spaces_.read(space_of(*call), [&](Snapshot& snapshot) {
    return snapshot.scan(kCommands, "", [&](const RecordView& record) {
      if (record.deleted) return true;
      const Command command{JsonView(record.doc)};
      const std::string_view shown = command.is_held() ? "held" : to_text(command.status);
      if (wanted.empty() || wanted == shown) {
        rows.emplace_back(command.created_at_ms.value_or(0), summary_of(record.id, command));
      }
      return true;
    });
  }));
  std::ranges::sort(rows, std::greater());
  if (rows.size() > static_cast<std::size_t>(limit)) rows.resize(static_cast<std::size_t>(limit));
  std::string body;
  JsonWriter writer(body);
  writer.begin_object().name("commands").begin_array();
  for (const auto& [at, row] : rows) writer.raw(row);
  writer.end_array().end_object();
  call->respond_json(200, std::move(body));
}

void Face::read_output(const api::CallPtr& call) {
  const auto command = find_command(spaces_, space_of(*call), call->param("id"));
  if (!command) return fail_command(call, command.error());
  if (!*command) return fail_command(call, {ErrorCode::not_found, "command not found"});
  http::Response response;
  response.content_type = "text/event-stream";
  response.headers = {{"Cache-Control", "no-store"}, {"X-Accel-Buffering", "no"}};
  if (call->fail_unless_valid()) return;
  response.body = outputs_.open(space_of(*call), call->param("id"), access_, call->shared_principal());
  call->respond(std::move(response));
}

void Face::append_output(const api::CallPtr& call) {
  TRY_CALL(call, const JsonView json, call->json_object());
  const auto stream = json.find("stream");
  const auto data = json.find("data");
  const std::string name = stream ? stream->as_string().value_or("") : "";
  if ((name != "stdout" && name != "stderr") || !data || !data->is_string()) {
    return call->fail(Error{ErrorCode::invalid_argument, "the body must be {\"stream\": stdout or stderr, \"data\"}"});
  }
  const auto command = find_command(spaces_, space_of(*call), call->param("id"));
  if (!command) return fail_command(call, command.error());
  if (!*command) return fail_command(call, {ErrorCode::not_found, "command not found"});
  if (!(*command)->is_run_by(call->principal().key_id)) {
    return call->fail(Error{ErrorCode::conflict, "this key does not run the command"});
  }
  outputs_.append(space_of(*call), call->param("id"), JsonObject(json).to_text());
  call->respond_empty();
}

}  // namespace syncline::kiro
