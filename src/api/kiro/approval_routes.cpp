// Approvals: a runner asks, a person answers, and an answer may stand for later commands of the same pattern.
//
// A runner asks with commands:run; all else needs commands:approve. Errors: 400 for a field with a wrong value, 404 for
// an unknown command or approval, 403 for an approver who submitted the command, 409 if the command does not wait for
// approval or another runner has it. Changes the command, and the list of standing approvals.
#include "api/kiro/routes.hpp"

namespace syncline::kiro {

void Face::ask_approval(const api::CallPtr& call) {
  TRY_CALL(call, const JsonView json, call->json_object());
  TRY_CALL(call, ApprovalRequest request, parse_approval_request(json));
  auto command = std::make_shared<Command>();
  spaces_.write(
      space_of(*call), call->principal().key,
      [call] { return Reads{.records = {RecordKey{std::string(kCommands), call->param("id")}}}; },
      [this, call, command, request = std::move(request)](SpaceWriter& writer) -> Result<> {
        TRY(*command, commands_.ask_approval(writer, call->param("id"), request, call->principal()));
        return {};
      },
      [this, call, command](Result<Cursor> cursor) {
        if (!cursor) return fail_command(call, cursor.error());
        commands_.note_lease(space_of(*call), call->param("id"), *command, call->principal());
        const JsonObject answered = command->to_object();
        call->respond_json(200, std::string(answered.find("approval").value_or(JsonView("{}")).raw()));
      });
}

void Face::answer_approval(const api::CallPtr& call) {
  TRY_CALL(call, const JsonView json, call->json_object());
  TRY_CALL(call, const ApprovalAnswer answer, parse_approval_answer(json));
  const std::string& id = call->param("id");
  Command command;
  const auto answered = spaces_.write_and_wait(
      space_of(*call), call->principal().key, [&] { return Reads{.records = {RecordKey{std::string(kCommands), id}}}; },
      [&](SpaceWriter& writer) -> Result<> {
        TRY(command, commands_.answer_approval(writer, id, answer, call->principal(), access_));
        return {};
      });
  if (!answered && answered.error().code == ErrorCode::forbidden) {
    note_answer(*call, "command.approved", id, "the approver submitted it", false);
    api::Problem problem = api::problem_of(answered.error());
    problem.code = "own_command";
    return call->fail(problem);
  }
  if (!answered) return fail_command(call, answered.error());
  const ApprovalRequest& request = command.approval->request;
  // Not the pattern: it may be the whole line, with whatever secrets that has.
  std::string detail = command.type + "; " + request.rule;
  if (answer.approves && answer.for_good) detail += "; always, as approval " + approval_id(command.type, request);
  note_answer(*call, answer.approves ? "command.approved" : "command.denied", id, detail, true);
  call->respond_json(200, command.to_text());
}

void Face::note_answer(const api::Call& call, std::string_view action, const std::string& target,
                       const std::string& detail, bool succeeded) {
  AuditEvent event{
      .action = std::string(action), .account = call.principal().email, .target = target, .detail = detail};
  if (succeeded) return access_.audit().note(std::move(event));
  access_.audit().note_refusal(std::move(event));
}

void Face::list_approvals(const api::CallPtr& call) {
  std::string body;
  JsonWriter writer(body);
  writer.begin_object().name("approvals").begin_array();
  CHECK_CALL(call, spaces_.read(space_of(*call), [&](Snapshot& snapshot) {
    return snapshot.scan(kApprovals, "", [&](const RecordView& record) {
      if (record.deleted) return true;
      writer.begin_object().string("id", record.id);
      JsonView(record.doc).for_each_member([&](std::string_view name, JsonView value) {
        writer.raw(name, value.raw());
      });
      writer.end_object();
      return true;
    });
  }));
  writer.end_array().end_object();
  call->respond_json(200, std::move(body));
}

void Face::forget_approval(const api::CallPtr& call) {
  const std::string& id = call->param("id");
  TRY_CALL(call, [[maybe_unused]] const Cursor cursor,
           spaces_.write_and_wait(
               space_of(*call), call->principal().key,
               [&] { return Reads{.records = {RecordKey{std::string(kApprovals), id}}}; },
               [&](SpaceWriter& writer) { return commands_.forget_approval(writer, id); }));
  note_answer(*call, "approval.withdrawn", id, "", true);
  call->respond_empty();
}

}  // namespace syncline::kiro
