#include "api/kiro/approval.hpp"

#include "base/bytes.hpp"

namespace syncline::kiro {
namespace {

constexpr std::size_t kTextBytesMax = 4096;

Result<std::string> required_text(JsonView json, std::string_view name) {
  const auto value = json.find(name);
  const auto text = value ? value->as_string() : std::nullopt;
  if (!text || text->empty() || text->size() > kTextBytesMax) {
    return fail(ErrorCode::invalid_argument, "field '" + std::string(name) + "' must be a text");
  }
  return *text;
}

void set_approval(JsonObject& command, std::string_view state, const ApprovalRequest& request,
                  const std::function<void(JsonWriter&)>& more) {
  std::string approval;
  JsonWriter writer(approval);
  writer.begin_object().string("state", state).string("rule", request.rule).string("pattern", request.pattern);
  more(writer);
  writer.end_object();
  command.set("approval", approval);
}

/// Empty if nobody has asked.
JsonObject approval_of(const JsonObject& command) {
  const auto approval = command.find("approval");
  return approval && approval->is_object() ? JsonObject(*approval) : JsonObject();
}

}  // namespace

Result<ApprovalRequest> parse_approval_request(JsonView json) {
  TRY(std::string rule, required_text(json, "rule"));
  TRY(std::string pattern, required_text(json, "pattern"));
  return ApprovalRequest{std::move(rule), std::move(pattern)};
}

Result<ApprovalAnswer> parse_approval_answer(JsonView json) {
  ApprovalAnswer answer;
  TRY(const std::string decision, required_text(json, "decision"));
  if (decision != "approve" && decision != "deny") {
    return fail(ErrorCode::invalid_argument, "field 'decision' must be approve or deny");
  }
  answer.approves = decision == "approve";
  if (const auto always = json.find("always")) {
    const auto value = always->as_boolean();
    if (!value) return fail(ErrorCode::invalid_argument, "field 'always' must be true or false");
    answer.for_good = *value;
  }
  if (json.find("reason")) {
    TRY(answer.reason, required_text(json, "reason"));
  }
  return answer;
}

bool is_held(const JsonObject& command) {
  return status_of(command) == CommandStatus::pending && approval_of(command).text_of("state") == "requested";
}

ApprovalRequest request_of(const JsonObject& command) {
  const JsonObject approval = approval_of(command);
  return {approval.text_of("rule"), approval.text_of("pattern")};
}

std::int64_t held_since(const JsonObject& command) {
  return approval_of(command).integer_of("requestedAt").value_or(0);
}

JsonObject hold(JsonObject command, const ApprovalRequest& request, std::int64_t now_ms) {
  if (command.find("cancelRequested")) {
    set_failed(command, "cancelled", now_ms);
  } else {
    set_status(command, CommandStatus::pending, now_ms);
    set_approval(command, "requested", request, [&](JsonWriter& writer) { writer.integer("requestedAt", now_ms); });
  }
  command.erase("claimedBy");
  command.erase("leaseMs");
  return command;
}

JsonObject approve(JsonObject command, const ApprovalRequest& request, std::string_view by, bool for_good,
                   std::int64_t now_ms) {
  command.set_integer("updatedAt", now_ms);
  set_approval(command, "approved", request,
               [&](JsonWriter& writer) { writer.string("by", by).integer("at", now_ms).boolean("always", for_good); });
  return command;
}

JsonObject deny(JsonObject command, std::string_view by, std::string_view reason, std::int64_t now_ms) {
  set_approval(command, "denied", request_of(command),
               [&](JsonWriter& writer) { writer.string("by", by).integer("at", now_ms); });
  const std::string why = reason.empty() ? "" : ": " + std::string(reason);
  set_failed(command, "denied by " + std::string(by) + why, now_ms);
  return command;
}

std::string approval_id(std::string_view type, std::string_view pattern) {
  const Sha256 hash = sha256(std::string(type) + '\n' + std::string(pattern));
  return to_base64url(as_text(hash).substr(0, 12));
}

std::string make_approval_doc(std::string_view type, std::string_view pattern, std::string_view by,
                              std::int64_t now_ms) {
  std::string doc;
  JsonWriter(doc)
      .begin_object()
      .string("type", type)
      .string("pattern", pattern)
      .string("by", by)
      .integer("at", now_ms)
      .end_object();
  return doc;
}

}  // namespace syncline::kiro
