#include "api/kiro/command.hpp"

namespace syncline::kiro {
namespace {

using State = Approval::State;

std::string_view to_text(State state) {
  switch (state) {
    case State::requested: return "requested";
    case State::approved: return "approved";
    case State::denied: return "denied";
  }
  return "denied";
}

State state_from_text(std::string_view text) {
  if (text == "requested") return State::requested;
  return text == "approved" ? State::approved : State::denied;
}

std::optional<Approval> parse_approval(const JsonObject& command) {
  const auto json = command.find("approval");
  if (!json || !json->is_object()) return std::nullopt;
  const JsonObject object(*json);
  Approval approval;
  approval.state = state_from_text(object.text_of("state"));
  approval.request = {object.text_of("rule"), object.text_of("pattern"), object.text_of("runner"),
                      object.text_of("hash")};
  approval.at_ms = object.integer_of(approval.state == State::requested ? "requestedAt" : "at").value_or(0);
  approval.by = object.text_of("by");
  const auto always = object.find("always");
  approval.for_good = always && always->as_boolean().value_or(false);
  return approval;
}

// A member that says the same already keeps its bytes.

void write(JsonObject& to, std::string_view name, std::string_view text) {
  const auto stored = to.find(name);
  if (!stored || stored->as_string() != text) to.set_text(name, text);
}

void write(JsonObject& to, std::string_view name, std::int64_t value) {
  if (to.integer_of(name) != value) to.set_integer(name, value);
}

}  // namespace

std::string to_json(const Approval& approval) {
  std::string json;
  JsonWriter writer(json);
  writer.begin_object()
      .string("state", to_text(approval.state))
      .string("rule", approval.request.rule)
      .string("pattern", approval.request.pattern);
  if (!approval.request.runner.empty()) writer.string("runner", approval.request.runner);
  if (!approval.request.hash.empty()) writer.string("hash", approval.request.hash);
  if (approval.state == State::requested) {
    writer.integer("requestedAt", approval.at_ms);
  } else {
    writer.string("by", approval.by).integer("at", approval.at_ms);
  }
  if (approval.state == State::approved) writer.boolean("always", approval.for_good);
  writer.end_object();
  return json;
}

Command::Command(JsonObject document) : document_(std::move(document)) {
  type = document_.text_of("type");
  priority = document_.integer_of("priority").value_or(0);
  status = command_status_from_text(document_.text_of("status")).value_or(CommandStatus::failed);
  ttl_ms = document_.integer_of("ttlMs");
  created_at_ms = document_.integer_of("createdAt");
  updated_at_ms = document_.integer_of("updatedAt");
  claimed_by = document_.text_of("claimedBy");
  lease_ms = document_.integer_of("leaseMs");
  cancel_requested = document_.find("cancelRequested").has_value();
  approval = parse_approval(document_);
}

void Command::fail(std::string_view error, std::int64_t now_ms) {
  move_to(CommandStatus::failed, now_ms);
  std::string json;
  append_json_string(json, error);
  report("error", std::move(json));
}

JsonObject Command::to_object() const {
  JsonObject out = document_;
  write(out, "status", syncline::to_text(status));
  if (created_at_ms) write(out, "createdAt", *created_at_ms);
  if (updated_at_ms) write(out, "updatedAt", *updated_at_ms);
  if (submitter) {
    write(out, "submittedBy", submitter->key_id);
    write(out, "submittedByLabel", submitter->label);
  }
  if (!claimed_by.empty()) write(out, "claimedBy", claimed_by);
  if (lease_ms) write(out, "leaseMs", *lease_ms);
  if (cancel_requested && !out.find("cancelRequested")) out.set("cancelRequested", "true");
  if (approval && approval != parse_approval(out)) out.set("approval", to_json(*approval));
  if (!approval && parse_approval(out)) out.erase("approval");
  if (claimed_by.empty()) out.erase("claimedBy");
  if (!lease_ms) out.erase("leaseMs");
  for (const JsonObject::Member& member : reported_.members()) out.set(member.name, member.value);
  return out;
}

}  // namespace syncline::kiro
