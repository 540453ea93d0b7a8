// Approvals: a runner asks, somebody answers, patterns that are approved for good.
#include "api/kiro/handlers.hpp"

namespace syncline::kiro {

void Handlers::ask_approval(const api::CallPtr& call) {
  TRY_CALL(call, const JsonView json, call->json_object());
  TRY_CALL(call, ApprovalRequest request, parse_approval_request(json));
  auto command = std::make_shared<Command>();
  spaces.write(
      space_of(*call), call->principal().key,
      [on = *this, call, command, request = std::move(request)](SpaceWriter& writer) mutable -> Result<> {
        TRY(*command, on.commands.ask_approval(writer, call->param("id"), request, call->principal()));
        return {};
      },
      [on = *this, call, command](Result<Cursor> cursor) {
        if (!cursor) return fail_command(call, cursor.error());
        on.commands.note_lease(space_of(*call), call->param("id"), *command, call->principal());
        const JsonObject answered = command->to_object();
        call->respond_json(200, std::string(answered.find("approval").value_or(JsonView("{}")).raw()));
      });
}

void Handlers::answer_approval(const api::CallPtr& call) {
  TRY_CALL(call, const JsonView json, call->json_object());
  TRY_CALL(call, ApprovalAnswer answer, parse_approval_answer(json));
  auto command = std::make_shared<Command>();
  spaces.write(
      space_of(*call), call->principal().key,
      [on = *this, call, command, answer = std::move(answer)](SpaceWriter& writer) mutable -> Result<> {
        TRY(*command, on.commands.answer_approval(writer, call->param("id"), answer, call->principal()));
        return {};
      },
      [call, command](Result<Cursor> cursor) {
        if (!cursor) return fail_command(call, cursor.error());
        call->respond_json(200, command->to_text());
      });
}

void Handlers::list_approvals(const api::CallPtr& call) {
  std::string body;
  JsonWriter writer(body);
  writer.begin_object().name("approvals").begin_array();
  CHECK_CALL(call, spaces.read(space_of(*call), [&](Snapshot& snapshot) {
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

void Handlers::forget_approval(const api::CallPtr& call) {
  spaces.write(
      space_of(*call), call->principal().key,
      [on = *this, call](SpaceWriter& writer) mutable {
        return on.commands.forget_approval(writer, call->param("id"));
      },
      [call](Result<Cursor> cursor) {
        if (!cursor) return call->fail(cursor.error());
        call->respond_empty();
      });
}

}  // namespace syncline::kiro
