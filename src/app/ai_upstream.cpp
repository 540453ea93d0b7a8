#include "app/ai_upstream.hpp"

#include <algorithm>

#include "app/ca_file.hpp"
#include "app/plan_settings.hpp"
#include "app/secrets.hpp"
#include "base/text.hpp"
#include "net/curl_client.hpp"

namespace syncline::app {
namespace {

/// Sent where the upstream wants none: a bearer token cannot be empty.
constexpr std::string_view kNoKey = "none";

Result<std::string> find_key(const Settings& settings) {
  TRY(auto key,
      find_secret({.file = settings.text("ai.key_file"), .environment = "SYNCLINE_AI_KEY", .credential = "ai-key"}));
  return key ? *std::move(key) : std::string(kNoKey);
}

/// Empty for "auto".
Result<std::string> read_limit_parameter(const Settings& settings) {
  const std::string& name = settings.text("ai.limit_parameter");
  if (name == "auto") return std::string();
  if (name == "max_tokens" || name == "max_completion_tokens") return name;
  return fail(ErrorCode::invalid_argument,
              "ai.limit_parameter must be auto, max_tokens or max_completion_tokens, not '" + name + "'");
}

}  // namespace

Result<AiSettings> read_ai_settings(const Settings& settings) {
  AiSettings ai;
  ai.caps.standard = settings.integer("ai.cap");
  TRY(ai.caps.by_plan, read_plan_numbers(settings, "ai.plan_caps", "TOKENS"));
  if (settings.text("ai.url").empty()) return ai;

  const std::string& standard = settings.text("ai.model");
  const auto model = [&](std::string_view key) { return settings.text(key).empty() ? standard : settings.text(key); };
  ai::Models models{model("ai.model_advisor"), model("ai.model_cron"), standard, settings.text("ai.model_embeddings")};
  if (standard.empty()) return fail(ErrorCode::invalid_argument, "ai.url is set, but ai.model is not; set both");
  TRY(std::string limit_parameter, read_limit_parameter(settings));
  TRY(std::string key, find_key(settings));
  TRY(net::Endpoint endpoint, net::make_endpoint(settings.text("ai.url"), std::move(key)));
  endpoint.ca_file = settings.text("tls.ca_file");
  endpoint.ca_advice = kCaSettingAdvice;
  ai.upstream = ai::Upstream{.connect = net::make_client_factory(std::move(endpoint)),
                             .models = std::move(models),
                             .timeout_ms = settings.integer("ai.timeout_seconds") * 1000,
                             .requests_at_once_max = static_cast<std::size_t>(
                                 std::max<std::int64_t>(1, settings.integer("ai.requests_at_once"))),
                             .limit_parameter = std::move(limit_parameter)};
  return ai;
}

}  // namespace syncline::app
