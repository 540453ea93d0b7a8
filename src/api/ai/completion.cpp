#include "api/ai/completion.hpp"

#include <algorithm>

namespace syncline::ai {
namespace {

constexpr std::string_view kAdvisor = "kaisho:advisor";
constexpr std::string_view kCron = "kaisho:cron";
constexpr std::int64_t kOutputTokensDefault = 4096;
constexpr std::int64_t kKaishoOutputTokensMax = 8192;
/// No single answer takes so many: whoever says so is wrong.
constexpr std::int64_t kTokensMax = 1'000'000'000;

std::unexpected<Error> refuse(std::string text) { return fail(ErrorCode::invalid_argument, std::move(text)); }

Result<JsonView> get_messages(JsonView body) {
  const auto messages = body.find("messages");
  bool good = messages && messages->is_array();
  std::int64_t count = 0;
  if (good) {
    messages->for_each_element([&](JsonView message) {
      count += 1;
      const auto role = message.is_object() ? message.find("role") : std::nullopt;
      good = good && role && role->is_string();
    });
  }
  if (!good || count == 0) return refuse("messages must be a list of objects with a role");
  return *messages;
}

Result<std::optional<std::int64_t>> find_limit(JsonView body, std::string_view name) {
  const auto value = body.find(name);
  if (!value || value->kind() == JsonKind::null) return std::nullopt;
  const auto limit = value->as_integer();
  if (!limit || *limit <= 0) return refuse(std::string(name) + " must be a positive whole number");
  return *limit;
}

/// The first choice's "message", or a chunk's "delta".
std::optional<JsonView> find_message(JsonView answer) {
  const auto choices = answer.find("choices");
  if (!choices || !choices->is_array()) return std::nullopt;
  std::optional<JsonView> message;
  choices->for_each_element([&](JsonView choice) {
    if (message || !choice.is_object()) return;
    message = choice.find("message");
    if (!message) message = choice.find("delta");
  });
  return message && message->is_object() ? message : std::nullopt;
}

}  // namespace

std::vector<std::string> Models::names() const {
  std::vector<std::string> all = {std::string(kAdvisor), std::string(kCron)};
  for (const std::string& name : {advisor, cron, standard}) {
    if (!name.empty() && std::ranges::find(all, name) == all.end()) all.push_back(name);
  }
  return all;
}

Result<std::string> Models::resolve(const std::string& name) const {
  if (name.empty()) return standard;
  if (name == kAdvisor) return advisor;
  if (name == kCron) return cron;
  if (name == advisor || name == cron || name == standard) return name;
  return fail(ErrorCode::not_found, "the model '" + name + "' is not offered here");
}

std::string Completion::to_text(const Tokens& reserved) const {
  JsonObject copy = body;
  copy.set_integer(limit_member, reserved.output);
  return copy.to_text();
}

Result<Completion> read_kaisho_request(JsonView body, const Models& models) {
  TRY(const JsonView messages, get_messages(body));
  const std::string mode = body.text_of("mode");
  if (!mode.empty() && mode != "advisor" && mode != "cron" && mode != "default") {
    return refuse("mode must be advisor, cron or default");
  }
  Completion completion;
  const std::string by_mode = mode == "advisor" ? models.advisor : mode == "cron" ? models.cron : models.standard;
  const std::string asked = body.text_of("model");
  std::string model = by_mode;
  if (!asked.empty()) {
    const auto resolved = models.resolve(asked);
    if (!resolved) return refuse(resolved.error().text);
    model = *resolved;
  }
  completion.body.set_text("model", model);

  std::string all = "[";
  if (const std::string system = body.text_of("system"); !system.empty()) {
    JsonWriter(all).begin_object().string("role", "system").string("content", system).end_object();
  }
  messages.for_each_element([&](JsonView message) {
    if (all.size() > 1) all += ',';
    all += message.raw();
  });
  completion.estimate.input = estimate_tokens(all.size());
  completion.body.set("messages", all + ']');
  const auto tools = body.find("tools");
  if (tools && tools->kind() != JsonKind::null) {
    if (!tools->is_array()) return refuse("tools must be a list");
    completion.estimate.input += estimate_tokens(tools->raw().size());
    if (tools->raw() != "[]") completion.body.set("tools", std::string(tools->raw()));
  }
  TRY(const auto limit, find_limit(body, "max_tokens"));
  completion.estimate.output = std::min(limit.value_or(kOutputTokensDefault), kKaishoOutputTokensMax);
  return completion;
}

Result<Completion> read_open_ai_request(JsonView body, const Models& models) {
  TRY([[maybe_unused]] const JsonView messages, get_messages(body));
  Completion completion;
  completion.body = JsonObject{body};
  TRY(const std::string model, models.resolve(body.text_of("model")));
  completion.body.set_text("model", model);
  TRY(const auto old_limit, find_limit(body, "max_tokens"));
  TRY(const auto limit, find_limit(body, "max_completion_tokens"));
  if (limit) {  // one limit, or an upstream might go by the other
    completion.limit_member = "max_completion_tokens";
    completion.body.erase("max_tokens");
  }
  for (const std::string_view several : {"n", "best_of"}) {
    const auto count = body.find(several);
    const bool is_one = !count || count->kind() == JsonKind::null || count->as_integer() == 1;
    if (!is_one) return refuse(std::string(several) + " must be 1");
  }
  completion.estimate = {estimate_tokens(body.raw().size()),
                         std::min(limit ? *limit : old_limit.value_or(kOutputTokensDefault), kTokensMax)};
  const auto stream = body.find("stream");
  const bool says_stream = stream && stream->kind() != JsonKind::null;
  if (says_stream && stream->kind() != JsonKind::boolean) return refuse("stream must be true or false");
  completion.streams = says_stream && stream->as_boolean().value_or(false);
  if (!completion.streams) return completion;
  const auto options = body.find("stream_options");
  JsonObject asked = options && options->is_object() ? JsonObject{*options} : JsonObject{};
  const auto wanted = asked.find("include_usage");
  completion.wants_usage = wanted && wanted->as_boolean().value_or(false);
  asked.set("include_usage", "true");
  completion.body.set("stream_options", asked.to_text());
  return completion;
}

std::optional<Tokens> find_usage(JsonView answer) {
  const auto usage = answer.find("usage");
  if (!usage || !usage->is_object()) return std::nullopt;
  const auto count = [&](std::string_view name) {
    const auto value = usage->find(name);
    return value ? value->as_integer() : std::nullopt;
  };
  const auto input = count("prompt_tokens");
  const auto output = count("completion_tokens");
  const auto is_sensible = [](const std::optional<std::int64_t>& tokens) {
    return tokens && *tokens >= 0 && *tokens <= kTokensMax;
  };
  if (!is_sensible(input) || !is_sensible(output)) return std::nullopt;
  return Tokens{*input, *output};
}

std::size_t output_bytes(JsonView answer) {
  const auto message = find_message(answer);
  if (!message) return 0;
  const auto calls = message->find("tool_calls");
  return message->text_of("content").size() + (calls && calls->is_array() ? calls->raw().size() : 0);
}

std::optional<std::string> kaisho_answer(JsonView answer, const Tokens& used) {
  const auto message = find_message(answer);
  if (!message) return std::nullopt;
  std::string finish_reason;
  answer.find("choices")->for_each_element([&](JsonView choice) {
    if (finish_reason.empty() && choice.is_object()) finish_reason = choice.text_of("finish_reason");
  });
  const auto calls = message->find("tool_calls");
  const bool has_calls = calls && calls->is_array() && calls->raw() != "[]";
  // The client stops at "stop", whatever calls there are.
  if (has_calls && (finish_reason.empty() || finish_reason == "stop")) finish_reason = "tool_calls";
  std::string out;
  JsonWriter writer(out);
  writer.begin_object()
      .string("text", message->text_of("content"))
      .raw("tool_calls", has_calls ? calls->raw() : "null")
      .string("finish_reason", finish_reason.empty() ? "stop" : finish_reason)
      .name("usage")
      .begin_object()
      .integer("input_tokens", used.input)
      .integer("output_tokens", used.output)
      .end_object()
      .end_object();
  return out;
}

}  // namespace syncline::ai
