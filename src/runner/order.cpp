#include "runner/order.hpp"

#include "base/bytes.hpp"
#include "base/text.hpp"
#include "core/command_pattern.hpp"

namespace syncline::runner {
namespace {

Result<> require(const JsonObject& fields, std::string_view name, JsonKind kind) {
  const auto value = fields.find(name);
  if (value && value->kind() == kind) return {};
  return fail(ErrorCode::invalid_argument, "field '" + std::string(name) + "' is missing or has the wrong type");
}

Result<> check_optional(const JsonObject& fields, std::string_view name, JsonKind kind) {
  const auto value = fields.find(name);
  return value && value->kind() != JsonKind::null ? require(fields, name, kind) : Result<>{};
}

}  // namespace

std::string Order::subject() const {
  switch (type) {
    case CommandType::execute_bash: return text("command");
    case CommandType::aws_operation: return text("service") + ' ' + text("operation");
    case CommandType::code_search: return text("query");
    default: return text("path");
  }
}

std::string Order::fingerprint() const { return fingerprint_of_command(type, fields); }

bool Order::is_cancelled() const { return fields.find("cancelRequested").has_value(); }

std::string Order::submitter() const {
  const std::string key = text("submittedBy");
  const std::string label = text("submittedByLabel");
  return label.empty() ? key : key + " (" + label + ")";
}

std::optional<std::string> Order::approved_pattern() const {
  const auto approval = fields.find("approval");
  if (!approval || !approval->is_object()) return std::nullopt;
  const JsonObject answer(*approval);
  if (answer.text_of("state") != "approved") return std::nullopt;
  // What was approved is this order, if the hub says what it was.
  const std::string hash = answer.text_of("hash");
  if (!hash.empty() && hash != fingerprint()) return std::nullopt;
  return answer.text_of("pattern");
}

Result<Order> make_order(std::string id, JsonObject fields) {
  const auto type = command_type_from_text(fields.text_of("type"));
  if (!type) return fail(ErrorCode::invalid_argument, "unknown command type '" + fields.text_of("type") + "'");
  switch (*type) {
    case CommandType::execute_bash: CHECK_OK(require(fields, "command", JsonKind::string)); break;
    case CommandType::write_file: CHECK_OK(require(fields, "content", JsonKind::string)); [[fallthrough]];
    case CommandType::read_file:
    case CommandType::list_directory: CHECK_OK(require(fields, "path", JsonKind::string)); break;
    case CommandType::aws_operation:
      CHECK_OK(require(fields, "service", JsonKind::string));
      CHECK_OK(require(fields, "operation", JsonKind::string));
      CHECK_OK(require(fields, "parameters", JsonKind::object));
      // One spelling from here on: what a policy judges is what is run.
      fields.set_text("operation", to_option_name(fields.text_of("operation")));
      break;
    case CommandType::code_search:
      CHECK_OK(require(fields, "query", JsonKind::string));
      CHECK_OK(check_optional(fields, "path", JsonKind::string));
      CHECK_OK(check_optional(fields, "glob", JsonKind::string));
      break;
  }
  CHECK_OK(check_optional(fields, "workingDir", JsonKind::string));
  return Order{std::move(id), *type, std::move(fields)};
}

Outcome completed(std::string result) { return {CommandStatus::completed, std::move(result), "", std::nullopt}; }

Outcome failed(std::string_view error, std::string result) {
  return {CommandStatus::failed, std::move(result), to_valid_utf8(error), std::nullopt};
}

}  // namespace syncline::runner
