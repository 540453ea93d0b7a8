#include "api/kiro/approval.hpp"

#include "base/bytes.hpp"
#include "core/command_pattern.hpp"

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

}  // namespace

Result<ApprovalRequest> parse_approval_request(JsonView json) {
  TRY(std::string rule, required_text(json, "rule"));
  TRY(std::string pattern, required_text(json, "pattern"));
  ApprovalRequest request{.rule = std::move(rule), .pattern = std::move(pattern), .runner = {}, .hash = {}};
  if (json.find("hash")) {
    TRY(request.hash, required_text(json, "hash"));
  }
  return request;
}

Result<> check_approval_request(const Command& command, const ApprovalRequest& request) {
  const auto type = command_type_from_text(command.type);
  if (!type) return fail(ErrorCode::invalid_argument, "unknown command type '" + command.type + "'");
  if (!pattern_covers(request.pattern, *type, command.document())) {
    return fail(ErrorCode::invalid_argument, "the pattern does not match the command");
  }
  if (!request.hash.empty() && request.hash != fingerprint_of_command(*type, command.document())) {
    return fail(ErrorCode::invalid_argument, "the hash is that of another command");
  }
  return {};
}

void drop_foreign_approval(Command& command, std::string_view runner) {
  if (command.approval && command.approval->request.runner != runner) command.approval.reset();
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

Result<> check_approver(const Command& command, const Principal& approver, const std::optional<Key>& submitter,
                        const std::optional<Key>& origin) {
  if (approver.is_person) return {};
  const std::string id = command.document().text_of("submittedBy");
  const std::string label = command.document().text_of("submittedByLabel");
  const auto is_submitter = [&](const std::string& key_id, const std::string& key_label) {
    const bool same_key = key_id == id || (submitter && submitter->id == key_id);
    const bool same_label = key_label == label || (submitter && submitter->label == key_label);
    return same_key || (same_label && !key_label.empty());
  };
  const bool is_own =
      is_submitter(approver.key_id, approver.label) || (origin && is_submitter(origin->id, origin->label));
  if (!is_own) return {};
  return fail(
      ErrorCode::forbidden,
      "the command was submitted with this key, or one of the same label ('" + label +
          "'); approve it with a key of another label that has the scope commands:approve, or as a person who is "
          "signed in with a password");
}

void hold(Command& command, const ApprovalRequest& request, std::int64_t now_ms) {
  if (command.cancel_requested) {
    command.fail("cancelled", now_ms);
  } else {
    command.move_to(CommandStatus::pending, now_ms);
    command.approval = {.state = Approval::State::requested, .request = request, .at_ms = now_ms};
  }
  command.release();
}

void approve(Command& command, const ApprovalRequest& request, std::string_view by, bool for_good,
             std::int64_t now_ms) {
  command.updated_at_ms = now_ms;
  command.approval = {.state = Approval::State::approved,
                      .request = request,
                      .at_ms = now_ms,
                      .by = std::string(by),
                      .for_good = for_good};
}

void deny(Command& command, std::string_view by, std::string_view reason, std::int64_t now_ms) {
  command.approval = {.state = Approval::State::denied,
                      .request = command.approval ? command.approval->request : ApprovalRequest{},
                      .at_ms = now_ms,
                      .by = std::string(by)};
  const std::string why = reason.empty() ? "" : ": " + std::string(reason);
  command.fail("denied by " + std::string(by) + why, now_ms);
}

std::string approval_id(std::string_view type, const ApprovalRequest& request) {
  const Sha256 hash = sha256(std::string(type) + '\n' + request.runner + '\n' + request.pattern);
  return to_base64url(as_text(hash).substr(0, 12));
}

std::string make_approval_doc(std::string_view type, const ApprovalRequest& request, std::string_view by,
                              std::int64_t now_ms) {
  std::string doc;
  JsonWriter(doc)
      .begin_object()
      .string("type", type)
      .string("pattern", request.pattern)
      .string("runner", request.runner)
      .string("by", by)
      .integer("at", now_ms)
      .end_object();
  return doc;
}

}  // namespace syncline::kiro
