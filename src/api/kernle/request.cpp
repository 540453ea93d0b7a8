#include "api/kernle/request.hpp"

#include "api/kernle/space.hpp"

namespace syncline::kernle {
namespace {

Result<std::string> agent_of_two(const std::optional<std::string>& agent, const std::optional<std::string>& stack) {
  if (agent && stack && *agent != *stack) {
    return fail(ErrorCode::invalid_argument, "agent_id and stack_id name two different agents");
  }
  if (!agent && !stack) return fail(ErrorCode::invalid_argument, "stack_id (or agent_id) is missing");
  return check_agent_name(agent ? *agent : *stack);
}

}  // namespace

Result<std::string> agent_in(JsonView body) {
  const auto read = [&](std::string_view name) -> Result<std::optional<std::string>> {
    const auto value = body.find_set(name);
    if (!value) return std::nullopt;
    auto text = value->as_string();
    if (!text) return fail(ErrorCode::invalid_argument, std::string(name) + " must be a string");
    return text;
  };
  TRY(const auto agent, read("agent_id"));
  TRY(const auto stack, read("stack_id"));
  return agent_of_two(agent, stack);
}

Result<std::string> agent_in_query(const api::Call& call) {
  return agent_of_two(call.query("agent_id"), call.query("stack_id"));
}

Result<std::optional<std::int64_t>> limit_in(JsonView body) {
  const auto value = body.find_set("limit");
  if (!value) return std::nullopt;
  const auto limit = value->as_integer();
  if (!limit || *limit < 1) return fail(ErrorCode::invalid_argument, "limit must be a positive whole number");
  return limit;
}

std::string client_time(Timestamp time) {
  std::string text = format_time(time);
  return text.replace(text.size() - 1, 1, "+00:00");
}

void append_meta(JsonWriter& writer, std::string_view request_id, Timestamp now) {
  writer.name("meta")
      .begin_object()
      .string("timestamp", format_time(now))
      .string("request_id", request_id)
      .end_object();
}

}  // namespace syncline::kernle
