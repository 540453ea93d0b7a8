#include "api/operations/routes.hpp"

#include <array>

#include "api/operations/open_api.hpp"
#include "api/route_builder.hpp"

namespace syncline::operations {
namespace {

http::Response html_page(std::string body) {
  auto response = http::make_text(200, "text/html; charset=utf-8", std::move(body));
  response.headers = {{"Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"},
                      {"X-Content-Type-Options", "nosniff"}};
  return response;
}

std::string status_json(std::string_view status, std::string_view detail) {
  std::string body;
  JsonWriter writer(body);
  writer.begin_object().string("status", status);
  if (!detail.empty()) writer.string("detail", detail);
  writer.end_object();
  return body;
}

/// Figures are for the operator: this machine itself, unless a proxy speaks for others, or a key with scope admin.
bool may_see_metrics(const api::Call& call, Access& access) {
  const std::string_view peer = call.head().peer;
  const bool local = (peer.starts_with("127.") || peer == "::1") && call.header("X-Forwarded-For").empty() &&
                     call.header("Forwarded").empty();
  if (local) return true;
  const std::string_view header = call.header("Authorization");
  if (header.size() <= 7) return false;
  const auto principal = access.authenticate(header.substr(7));
  return principal && (*principal)->scopes.has(Scope::admin);
}

struct ProblemText {
  std::string_view code;
  std::string_view text;
};
constexpr std::array<ProblemText, 19> kProblems = {{
    {"invalid_argument", "The request is not what the route expects; detail names the part. Correct it."},
    {"invalid_document", "The document cannot be stored as it is, and is never changed to fit. Correct it."},
    {"not_found", "There is no such route or thing."},
    {"method_not_allowed", "The path exists for other methods; see the Allow header."},
    {"conflict", "The stored state forbids it. Read it again and decide."},
    {"precondition_failed", "It has changed since the version that the request names. Read it again."},
    {"unauthorized", "There is no valid key in the request. Sign in again."},
    {"insufficient_scope", "The key may not do this. Ask for a key with the scope."},
    {"forbidden", "This is not allowed here."},
    {"plan_too_small", "The account's plan does not include it."},
    {"too_large", "The body or document is larger than the limit."},
    {"epoch_changed", "The store was restored from a backup. Read from the beginning, then send what is missing."},
    {"cursor_expired", "Deletions after the cursor have been purged. Read from the beginning."},
    {"cursor_ahead", "The cursor is past the newest change. Read from the beginning."},
    {"idempotency_key_reused", "The Idempotency-Key stands for another request. Use a new one."},
    {"rate_limited", "Too many requests. Wait as long as Retry-After says."},
    {"busy", "Too much is waiting. Try again in a moment."},
    {"storage_full", "The disk is full. Nothing was written; try again when there is room."},
    {"unavailable", "The hub is stopping or cannot reach what it needs. Try again in a moment."},
}};

}  // namespace

void Face::get_front_page(const api::CallPtr& call) {
  if (call->header("Accept").find("text/html") != std::string_view::npos) {
    return call->respond(html_page(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
        "content=\"width=device-width, initial-scale=1\"><title>syncline</title></head><body style=\"font:16px/1.5 "
        "system-ui,sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark\">"
        "<h1>syncline " +
        facts_.version +
        "</h1><p>The hub is running. <a href=\"/docs\">API documentation</a></p>"
        "</body></html>\n"));
  }
  std::string body;
  JsonWriter(body)
      .begin_object()
      .string("service", "syncline")
      .string("version", facts_.version)
      .string("status", "running")
      .raw("mobile", "null")
      .string("docs", "/docs")
      .end_object();
  call->respond_json(200, std::move(body));
}

void Face::get_docs(const api::CallPtr& call) {
  call->respond(html_page(make_docs_page(router_.routes(), facts_.version)));
}

void Face::get_open_api(const api::CallPtr& call) {
  call->respond_json(200, make_open_api(router_.routes(), facts_.version));
}

void Face::get_health(const api::CallPtr& call) {
  const bool good = facts_.store_status().failing.empty();
  std::string body;
  JsonWriter(body)
      .begin_object()
      .string("status", "ok")
      .string("database", good ? "connected" : "failing")
      .end_object();
  call->respond_json(200, std::move(body));
}

void Face::get_ready(const api::CallPtr& call) {
  const auto reason = facts_.not_ready();
  call->respond_json(reason ? 503 : 200, status_json(reason ? "not ready" : "ready", reason.value_or("")));
}

void Face::get_metrics(const api::CallPtr& call) {
  if (!may_see_metrics(*call, access_)) {
    return call->fail(Error{ErrorCode::forbidden, "metrics need a loopback client or a key with scope admin"});
  }
  call->respond(http::make_text(200, "text/plain; version=0.0.4", metrics_.to_text(facts_.store_status())));
}

void Face::get_problem(const api::CallPtr& call) {
  for (const ProblemText& problem : kProblems) {
    if (problem.code != call->param("code")) continue;
    return call->respond(html_page("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>" +
                                   std::string(problem.code) + "</title></head><body><h1>" + std::string(problem.code) +
                                   "</h1><p>" + std::string(problem.text) + "</p></body></html>\n"));
  }
  call->fail(Error{ErrorCode::not_found, "problem type not found"});
}

std::vector<api::Route> Face::make_routes() {
  api::RouteBuilder routes(*this, "operations", api::kProblemDetails);
  routes.get("/", {}, "What runs here", &Face::get_front_page)
      .described("HTML for browsers, else JSON")
      .answers(200, "name, version, status");
  routes.get("/docs", {}, "This description, for people", &Face::get_docs).answers(200, "HTML");
  routes.get("/openapi.json", {}, "This description, for programs", &Face::get_open_api).answers(200, "OpenAPI 3.1");
  routes.get("/health", {}, "Is the process alive", &Face::get_health)
      .answers(200, "status ok; database: connected, or failing");
  routes.get("/ready", {}, "Can it take writes", &Face::get_ready)
      .answers(200, "status ready")
      .answers(503, "detail says why not");
  routes.get("/metrics", {}, "Figures for Prometheus", &Face::get_metrics)
      .described("Open to this machine; from elsewhere with a key of scope admin")
      .answers(200, "text, version 0.0.4")
      .answers(403, "not from here");
  routes.get("/problems/{code}", {}, "What an error's type means", &Face::get_problem)
      .answers(200, "HTML")
      .answers(404, "unknown");
  return routes.take();
}

}  // namespace syncline::operations
