// The table of the AI routes. Usage and models need read, completions write. gateway.cpp says what they answer.
#include "api/ai/routes.hpp"

#include "api/ai/errors.hpp"
#include "api/ai/schemas.hpp"
#include "api/kaisho/errors.hpp"
#include "api/route_builder.hpp"

namespace syncline::ai {
namespace {

constexpr std::string_view kAlsoAsStream =
    "With stream: true, as Server-Sent Events. The hub passes on members that it does not know.";

/// What every route in OpenAI's form answers.
api::Route& route_to_upstream(api::Route& route) {
  return route.errors_as(kErrors)
      .answers(200, "the upstream's answer", "OpenAiAnswer")
      .answers(404, "the upstream has no such route or model")
      .answers(429, "the month's tokens are used up")
      .answers(502, "the upstream failed")
      .answers(503, "no upstream is set, or too many requests at once");
}

}  // namespace

Face::Face(const api::FaceParts& parts, const MakeThreads& make_threads, std::optional<Upstream> upstream, Caps caps)
    : access_(parts.access),
      upstream_(std::move(upstream)),
      caps_(std::move(caps)),
      meter_(parts.spaces),
      limit_names_(upstream_ ? upstream_->limit_parameter : ""),
      threads_(make_threads(upstream_ ? upstream_->requests_at_once_max : 0)) {
  access_.offer_ai(upstream_.has_value());
}

std::vector<api::Route> Face::make_routes() {
  api::RouteBuilder routes(*this, "ai", kaisho::kErrors);
  routes.all().with_schemas(kSchemas).in_any_plan().outside_spaces().body_at_most(limits::kBodyBytesAi);
  routes.get("/ai/usage", Scope::read, "Show the tokens used this month", &Face::get_usage)
      .with_cookies()
      .answers(200, "the usage and the cap", "AiUsage");
  routes.post("/ai/complete", Scope::write, "Complete a conversation, in Kaisho's form", &Face::complete)
      .body("messages; optionally system, max_tokens (at most 8192), mode, model, tools", "AiCompletionRequest")
      .answers(200, "the completion; cut_by says what ended it if finish_reason is length", "AiCompletion")
      .answers(400, "not a completion request")
      .answers(403, "the plan does not include AI")
      .answers(429, "the month's tokens are used up: usage, cap")
      .answers(502, "the upstream failed")
      .answers(503, "no upstream is set, or too many requests at once")
      .answers(504, "the upstream did not answer in time");
  route_to_upstream(routes.post("/v1/chat/completions", Scope::write, "Complete a conversation, in OpenAI's form",
                                &Face::complete_open_ai))
      .described(kAlsoAsStream)
      .answers_as(200, "text/event-stream", "the upstream's events")
      .body("model, messages, stream and other parameters of the upstream", "OpenAiChat");
  route_to_upstream(routes.post("/v1/responses", Scope::write, "Create a response, in OpenAI's form", &Face::respond))
      .described(kAlsoAsStream)
      .answers_as(200, "text/event-stream", "the upstream's events")
      .body("model, input, stream and other parameters of the upstream", "OpenAiResponseRequest");
  route_to_upstream(routes.post("/v1/embeddings", Scope::write, "Create embeddings, in OpenAI's form", &Face::embed))
      .body("model, input and other parameters of the upstream", "OpenAiEmbeddingRequest");
  routes.get("/v1/models", Scope::read, "List the models, in OpenAI's form", &Face::list_models)
      .errors_as(kErrors)
      .answers(200, "the models that requests may name", "OpenAiModels");
  return routes.take();
}

api::FaceModule make_module(MakeThreads make_threads, std::optional<Upstream> upstream, Caps caps) {
  return {
      .name = "ai",
      .prefixes = {"/kaisho"},
      .make = [make_threads = std::move(make_threads), upstream = std::move(upstream), caps = std::move(caps)](
                  const api::FaceParts& parts) { return std::make_unique<Face>(parts, make_threads, upstream, caps); }};
}

}  // namespace syncline::ai
