#include "api/kiro/command_rules.hpp"

#include <algorithm>
#include <array>

#include "api/kiro/approval.hpp"
#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"

namespace syncline::kiro {
namespace {

struct Field {
  std::string_view name;
  JsonKind kind;
};

std::vector<Field> required_fields(CommandType type) {
  switch (type) {
    case CommandType::execute_bash: return {{"command", JsonKind::string}};
    case CommandType::read_file:
    case CommandType::list_directory: return {{"path", JsonKind::string}};
    case CommandType::write_file: return {{"path", JsonKind::string}, {"content", JsonKind::string}};
    case CommandType::aws_operation:
      return {{"service", JsonKind::string}, {"operation", JsonKind::string}, {"parameters", JsonKind::object}};
    case CommandType::code_search: return {{"query", JsonKind::string}};
  }
  return {};
}

std::unexpected<Error> refuse(std::string text) { return fail(ErrorCode::invalid_argument, std::move(text)); }

/// A command has a handful of fields; with a great many, each step of its life would be slow for everybody.
constexpr std::size_t kFieldsMax = 256;

/// Of what becomes, or is added to, the document of a command.
Result<> check_size(JsonView object) {
  if (object.depth() > limits::kDocumentDepthMax) {
    return refuse("a command may be nested " + std::to_string(limits::kDocumentDepthMax) + " levels deep");
  }
  std::size_t count = 0;
  object.for_each_member([&](std::string_view, JsonView) { ++count; });
  if (count > kFieldsMax) return refuse("a command may have at most " + std::to_string(kFieldsMax) + " fields");
  return {};
}

Result<> check_fields(JsonView request) {
  CHECK_OK(check_size(request));
  const auto type = request.find("type");
  if (!type) return refuse("field 'type' is missing");
  const auto name = type->as_string();
  if (!name) return refuse("field 'type' must be a string");
  const auto known = command_type_from_text(*name);
  if (!known) {
    return refuse("field 'type': unknown command type '" + *name + "'; known: " + join(kCommandTypeNames, ", "));
  }
  for (const Field& field : required_fields(*known)) {
    const auto value = request.find(field.name);
    if (!value) return refuse("field '" + std::string(field.name) + "' is missing");
    if (value->kind() != field.kind) {
      return refuse("field '" + std::string(field.name) + "' must be " +
                    (field.kind == JsonKind::string ? "a string" : "an object"));
    }
  }
  if (const auto dir = request.find("workingDir"); dir && !dir->is_string()) {
    return refuse("field 'workingDir' must be a string");
  }
  if (const auto timeout = request.find("timeoutMs"); timeout && timeout->as_integer().value_or(0) < 1) {
    return refuse("field 'timeoutMs' must be a whole number of at least 1");
  }
  if (const auto ttl = request.find("ttlMs"); ttl && ttl->as_integer().value_or(-1) < 0) {
    return refuse("field 'ttlMs' must be a whole number of at least 0");
  }
  if (const auto priority = request.find("priority"); priority && !priority->as_integer()) {
    return refuse("field 'priority' must be a whole number");
  }
  return {};
}

bool is_hub_field(std::string_view name) { return std::ranges::find(kHubFields, name) != kHubFields.end(); }

/// What an order can say about what is done. A runner may add none of it: another runner may get the order yet.
bool is_order_field(std::string_view name) {
  constexpr std::array<std::string_view, 17> kNames = {
      "type", "command", "path",       "content",    "encoding",  "service", "operation", "parameters", "query",
      "glob", "regex",   "maxResults", "workingDir", "timeoutMs", "ttlMs",   "priority",  "metadata"};
  return std::ranges::find(kNames, name) != kNames.end();
}

/// Takes over what a runner may say: its result and fields of its own, not those of the order.
bool merge_patch(Command& command, JsonView patch) {
  bool changed = false;
  patch.for_each_member([&](std::string_view name, JsonView value) {
    const bool is_outcome = name == "result" || name == "error";
    const bool from_runner = is_outcome || !is_hub_field(name);
    const auto present = command.document().find(name);
    const bool of_the_order = (present && !is_outcome) || is_order_field(name);
    if (!from_runner || of_the_order) return;
    if (present && same_json(*present, value)) return;
    command.report(name, std::string(value.raw()));
    changed = true;
  });
  return changed;
}

}  // namespace

Result<std::string> make_command(JsonView request, const Principal& submitter, std::int64_t now_ms) {
  CHECK_OK(check_fields(request));
  JsonObject order;
  request.for_each_member([&](std::string_view name, JsonView value) {
    if (!is_hub_field(name)) order.set(name, std::string(value.raw()));
  });
  Command command(std::move(order));
  command.created_at_ms = now_ms;
  command.move_to(CommandStatus::pending, now_ms);
  command.submitter = {submitter.key_id, submitter.label};
  return command.to_text();
}

std::string make_command_id(std::int64_t now_ms) {
  constexpr std::string_view kDigits = "0123456789abcdefghijklmnopqrstuvwxyz";
  std::string random;
  for (const char c : random_bytes(12)) random += kDigits[static_cast<unsigned char>(c) % kDigits.size()];
  return "cmd-" + std::to_string(now_ms) + '-' + random;
}

Result<Step> take_step(Command command, JsonView patch, std::string_view key_id, std::int64_t lease_ms,
                       std::int64_t now_ms) {
  CHECK_OK(check_size(patch));
  const CommandStatus from = command.status;
  CommandStatus to = from;
  if (const auto wanted = patch.find("status")) {
    const auto parsed = command_status_from_text(wanted->as_string().value_or(""));
    if (!parsed) return refuse("field 'status' must be pending, processing, completed or failed");
    to = *parsed;
  }
  if (const auto error = patch.find("error"); error && !error->is_string() && error->kind() != JsonKind::null) {
    return refuse("field 'error' must be a string");
  }

  Step step;
  step.command = std::move(command);
  const auto refused = [&](std::string reason) {
    step.kind = Step::Kind::refused;
    step.reason = std::move(reason);
    return step;
  };
  if (!step.command.claimed_by.empty() && step.command.claimed_by != key_id) {
    step.owned_by_other = true;
    return refused("another runner owns this command");
  }
  if (is_terminal(from)) {
    Command repeated = step.command;
    const bool differs = merge_patch(repeated, patch) || to != from;
    return differs ? refused("the command has ended already: " + std::string(to_text(from))) : step;
  }
  if (to != from && !may_move(from, to)) {
    return refused("a command cannot go from " + std::string(to_text(from)) + " to " + std::string(to_text(to)));
  }
  if (step.command.is_held()) return refused("the command waits for approval");
  if (from == CommandStatus::pending && to == CommandStatus::pending) {
    return refused("the command is not claimed: set status to processing first");
  }
  const bool claims = from == CommandStatus::pending && to == CommandStatus::processing;
  if (claims) claim(step.command, key_id, lease_ms, now_ms);
  const bool merged = merge_patch(step.command, patch);
  if (to != from || merged) {
    step.kind = Step::Kind::changed;
    step.command.move_to(to, now_ms);
  }
  return step;
}

void claim(Command& command, std::string_view key_id, std::int64_t lease_ms, std::int64_t now_ms) {
  command.move_to(CommandStatus::processing, now_ms);
  command.claimed_by = key_id;
  command.lease_ms = lease_ms;
  drop_foreign_approval(command, key_id);
}

std::optional<std::int64_t> expiry_of(const Command& command, std::int64_t ttl_ms) {
  if (command.status != CommandStatus::pending || command.is_held()) return std::nullopt;
  const std::int64_t ttl = command.ttl_ms.value_or(ttl_ms);
  const auto since = command.updated_at_ms ? command.updated_at_ms : command.created_at_ms;
  if (ttl <= 0 || !since || *since > INT64_MAX - ttl) return std::nullopt;
  return *since + ttl;
}

bool expire(Command& command, std::int64_t ttl_ms, std::int64_t now_ms) {
  const auto at_ms = expiry_of(command, ttl_ms);
  if (!at_ms || now_ms < *at_ms) return false;
  const std::int64_t ttl = command.ttl_ms.value_or(ttl_ms);
  const std::string text = ttl % 1000 == 0 ? std::to_string(ttl / 1000) + " s" : std::to_string(ttl) + " ms";
  command.fail("expired: no runner took it within " + text, now_ms);
  return true;
}

void handle_lost_runner(Command& command, std::int64_t now_ms) {
  const auto type = command_type_from_text(command.type);
  if (command.cancel_requested) {
    command.fail("cancelled", now_ms);
  } else if (type && is_safe_to_repeat(*type)) {
    command.move_to(CommandStatus::pending, now_ms);
  } else {
    command.fail("runner lost", now_ms);
  }
  command.release();
}

bool cancel(Command& command, std::int64_t now_ms) {
  if (command.status == CommandStatus::pending) {
    command.fail("cancelled", now_ms);
    return true;
  }
  if (command.status != CommandStatus::processing || command.cancel_requested) return false;
  command.cancel_requested = true;
  command.updated_at_ms = now_ms;
  return true;
}

}  // namespace syncline::kiro
