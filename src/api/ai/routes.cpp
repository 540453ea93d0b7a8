#include "api/ai/routes.hpp"

#include "api/ai/errors.hpp"
#include "api/kaisho/errors.hpp"
#include "api/route_builder.hpp"

namespace syncline::ai {
namespace {

constexpr std::string_view kAlsoAsStream = "Also as a stream. Members it does not know go to the upstream as they are.";

/// What every route in OpenAI's form answers.
api::Route& route_to_upstream(api::Route& route) {
  return route.errors_as(kErrors)
      .answers(200, "the upstream's answer")
      .answers(404, "the upstream has no such route or model")
      .answers(429, "over the month's cap")
      .answers(502, "the upstream failed")
      .answers(503, "no upstream");
}

}  // namespace

Face::Face(const api::FaceParts& parts, const MakeThreads& make_threads, std::optional<Upstream> upstream, Caps caps)
    : access_(parts.access),
      upstream_(std::move(upstream)),
      caps_(std::move(caps)),
      meter_(parts.spaces),
      limit_names_(upstream_ ? upstream_->limit_parameter : ""),
      threads_(make_threads(upstream_ ? upstream_->requests_at_once_max : 0)) {}

std::vector<api::Route> Face::make_routes() {
  api::RouteBuilder routes(*this, "ai", kaisho::kErrors);
  routes.all().in_any_plan().body_at_most(limits::kBodyBytesAi);
  routes.get("/ai/usage", Scope::read, "Tokens of this month", &Face::get_usage)
      .answers(200, "month, input_tokens, output_tokens, total_tokens, request_count, cap");
  routes.post("/ai/complete", Scope::write, "A completion, in Kaisho's form", &Face::complete)
      .body("messages; system, max_tokens (at most 8192), mode (advisor, cron, default), model, tools")
      .answers(200, "text, tool_calls, finish_reason, usage; cut_by if finish_reason is length")
      .answers(400, "not a request")
      .answers(403, "not in this plan")
      .answers(429, "over the month's cap: usage, cap")
      .answers(502, "the upstream failed")
      .answers(503, "no upstream, or too many at once")
      .answers(504, "the upstream did not answer in time");
  route_to_upstream(
      routes.post("/v1/chat/completions", Scope::write, "A completion, in OpenAI's form", &Face::complete_open_ai))
      .described(kAlsoAsStream)
      .body("model, messages, stream and whatever the upstream understands");
  route_to_upstream(routes.post("/v1/responses", Scope::write, "A response, in OpenAI's form", &Face::respond))
      .described(kAlsoAsStream)
      .body("model, input, stream and whatever the upstream understands");
  route_to_upstream(routes.post("/v1/embeddings", Scope::write, "Embeddings, in OpenAI's form", &Face::embed))
      .body("model, input and whatever the upstream understands");
  routes.get("/v1/models", Scope::read, "Models that may be asked for", &Face::list_models)
      .errors_as(kErrors)
      .answers(200, "a list, in OpenAI's form");
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
