#include "api/ai/completion.hpp"

#include <algorithm>

namespace syncline::ai {
namespace {

constexpr std::string_view kAdvisor = "kaisho:advisor";
constexpr std::string_view kCron = "kaisho:cron";
/// What an answer is expected to take at most where nobody limits it: while less is left of the month's cap, the
/// gateway sets a limit. More: fewer requests at once near the cap; less: answers that go further past it.
constexpr std::int64_t kFullAnswerTokens = 16'384;
constexpr std::int64_t kKaishoOutputTokensMax = 8192;

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

void set_limit(Completion& completion, std::optional<std::int64_t> limit) {
  completion.limit = limit;
  if (limit) completion.limit = std::min(*limit, kTokensMax);
  completion.estimate.output = completion.limit.value_or(kFullAnswerTokens);
}

/// A request that goes to the upstream as it is, but for the model's name.
Result<Completion> pass_on(Form form, JsonView body, const Result<std::string>& model) {
  if (!model) return std::unexpected(model.error());
  Completion completion;
  completion.form = form;
  completion.body = JsonObject{body};
  completion.body.set_text("model", *model);
  completion.estimate.input = estimate_tokens(body.raw().size());
  return completion;
}

Result<bool> find_flag(JsonView body, std::string_view name) {
  const auto flag = body.find(name);
  if (!flag || flag->kind() == JsonKind::null) return false;
  const auto value = flag->kind() == JsonKind::boolean ? flag->as_boolean() : std::nullopt;
  if (!value) return refuse(std::string(name) + " must be true or false");
  return *value;
}

}  // namespace

std::vector<std::string> Models::names() const {
  std::vector<std::string> all = {std::string(kAdvisor), std::string(kCron)};
  for (const std::string& name : {advisor, cron, standard, embeddings}) {
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

Result<std::string> Models::resolve_embeddings(const std::string& name) const {
  if (embeddings.empty()) return resolve(name);
  if (name.empty() || name == embeddings) return embeddings;
  return resolve(name);
}

std::string_view Completion::target() const {
  if (form == Form::responses) return "/responses";
  return form == Form::embeddings ? "/embeddings" : "/chat/completions";
}

std::optional<std::int64_t> Completion::limit_within(const Tokens& reserved) const {
  return limit || is_near_cap(reserved) ? std::optional(reserved.output) : std::nullopt;
}

std::string Completion::to_text(const Tokens& reserved) const {
  JsonObject copy = body;
  if (const auto sent = limit_within(reserved)) copy.set_integer(limit_name, *sent);
  return copy.to_text();
}

std::string_view Completion::cut_by(const Tokens& reserved) const {
  if (is_near_cap(reserved)) return "monthly_cap";
  return limit ? "request_limit" : "model";
}

Result<Completion> read_kaisho_request(JsonView body, const Models& models) {
  TRY(const JsonView messages, get_messages(body));
  const std::string mode = body.text_of("mode");
  if (!mode.empty() && mode != "advisor" && mode != "cron" && mode != "default") {
    return refuse("mode must be advisor, cron or default");
  }
  Completion completion;
  completion.form = Form::kaisho;
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
  TRY(auto limit, find_limit(body, "max_tokens"));
  if (limit) limit = std::min(*limit, kKaishoOutputTokensMax);
  set_limit(completion, limit);
  return completion;
}

Result<Completion> read_open_ai_request(JsonView body, const Models& models) {
  TRY([[maybe_unused]] const JsonView messages, get_messages(body));
  TRY(Completion completion, pass_on(Form::chat, body, models.resolve(body.text_of("model"))));
  TRY(const auto old_limit, find_limit(body, "max_tokens"));
  TRY(const auto limit, find_limit(body, "max_completion_tokens"));
  // One limit, or an upstream might go by the other.
  if (limit) completion.limit_name = "max_completion_tokens";
  completion.body.erase("max_tokens");
  completion.body.erase("max_completion_tokens");
  set_limit(completion, limit ? limit : old_limit);
  for (const std::string_view several : {"n", "best_of"}) {
    const auto count = body.find(several);
    const bool is_one = !count || count->kind() == JsonKind::null || count->as_integer() == 1;
    if (!is_one) return refuse(std::string(several) + " must be 1");
  }
  TRY(completion.streams, find_flag(body, "stream"));
  if (!completion.streams) return completion;
  const auto options = body.find("stream_options");
  JsonObject asked = options && options->is_object() ? JsonObject{*options} : JsonObject{};
  const auto wanted = asked.find("include_usage");
  completion.wants_usage = wanted && wanted->as_boolean().value_or(false);
  asked.set("include_usage", "true");
  completion.body.set("stream_options", asked.to_text());
  return completion;
}

Result<Completion> read_responses_request(JsonView body, const Models& models) {
  TRY(Completion completion, pass_on(Form::responses, body, models.resolve(body.text_of("model"))));
  completion.limit_name = "max_output_tokens";
  TRY(const bool in_background, find_flag(body, "background"));
  if (in_background) return refuse("background must be false: the answer would come without its usage");
  TRY(const auto limit, find_limit(body, "max_output_tokens"));
  completion.body.erase("max_output_tokens");
  set_limit(completion, limit);
  TRY(completion.streams, find_flag(body, "stream"));
  return completion;
}

Result<Completion> read_embeddings_request(JsonView body, const Models& models) {
  TRY(Completion completion, pass_on(Form::embeddings, body, models.resolve_embeddings(body.text_of("model"))));
  if (!body.find_set("input")) return refuse("input is missing");
  return completion;
}

}  // namespace syncline::ai
