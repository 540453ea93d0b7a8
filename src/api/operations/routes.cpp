#include "api/operations/routes.hpp"

#include <array>

#include "api/operations/open_api.hpp"

namespace syncline::operations {
namespace {

using api::CallPtr;
using api::Route;
using http::Method;

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

void front_page(const CallPtr& call, const std::string& version) {
  if (call->header("Accept").find("text/html") != std::string_view::npos) {
    return call->respond(html_page(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
        "content=\"width=device-width, initial-scale=1\"><title>syncline</title></head><body style=\"font:16px/1.5 "
        "system-ui,sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark\">"
        "<h1>syncline " +
        version +
        "</h1><p>The hub is running. <a href=\"/docs\">API documentation</a></p>"
        "</body></html>\n"));
  }
  std::string body;
  JsonWriter(body)
      .begin_object()
      .string("service", "syncline")
      .string("version", version)
      .string("status", "running")
      .raw("mobile", "null")
      .string("docs", "/docs")
      .end_object();
  call->respond_json(200, std::move(body));
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

void problem_page(const CallPtr& call) {
  for (const ProblemText& problem : kProblems) {
    if (problem.code != call->param("code")) continue;
    return call->respond(html_page("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>" +
                                   std::string(problem.code) + "</title></head><body><h1>" + std::string(problem.code) +
                                   "</h1><p>" + std::string(problem.text) + "</p></body></html>\n"));
  }
  call->fail(Error{ErrorCode::not_found, "there is no such problem type"});
}

}  // namespace

std::vector<Route> make_routes(const api::Router& router, Access& access, Metrics& metrics, Facts facts) {
  const auto shared = std::make_shared<const Facts>(std::move(facts));
  std::vector<Route> routes = {
      {.method = Method::get,
       .pattern = "/",
       .description = {"What runs here", "HTML for browsers, else JSON", {}, "", {{200, "name, version, status"}}},
       .handle = [shared](const CallPtr& call) { front_page(call, shared->version); }},
      {.method = Method::get,
       .pattern = "/docs",
       .description = {"This description, for people", "", {}, "", {{200, "HTML"}}},
       .handle =
           [shared, &router](const CallPtr& call) {
             call->respond(html_page(make_docs_page(router.routes(), shared->version)));
           }},
      {.method = Method::get,
       .pattern = "/openapi.json",
       .description = {"This description, for programs", "", {}, "", {{200, "OpenAPI 3.1"}}},
       .handle =
           [shared, &router](const CallPtr& call) {
             call->respond_json(200, make_open_api(router.routes(), shared->version));
           }},
      {.method = Method::get,
       .pattern = "/health",
       .description = {"Is the process alive", "", {}, "", {{200, "status ok; database: connected, or failing"}}},
       .handle =
           [shared](const CallPtr& call) {
             const bool good = shared->store_status().failing.empty();
             std::string body;
             JsonWriter(body)
                 .begin_object()
                 .string("status", "ok")
                 .string("database", good ? "connected" : "failing")
                 .end_object();
             call->respond_json(200, std::move(body));
           }},
      {.method = Method::get,
       .pattern = "/ready",
       .description = {"Can it take writes", "", {}, "", {{200, "status ready"}, {503, "detail says why not"}}},
       .handle =
           [shared](const CallPtr& call) {
             const auto reason = shared->not_ready();
             call->respond_json(reason ? 503 : 200, status_json(reason ? "not ready" : "ready", reason.value_or("")));
           }},
      {.method = Method::get,
       .pattern = "/metrics",
       .description = {"Figures for Prometheus",
                       "Open to this machine; from elsewhere with a key of scope admin",
                       {},
                       "",
                       {{200, "text, version 0.0.4"}, {403, "not from here"}}},
       .handle =
           [shared, &access, &metrics](const CallPtr& call) {
             if (!may_see_metrics(*call, access)) {
               return call->fail(Error{ErrorCode::forbidden, "figures are for this machine or a key with scope admin"});
             }
             call->respond(http::make_text(200, "text/plain; version=0.0.4", metrics.to_text(shared->store_status())));
           }},
      {.method = Method::get,
       .pattern = "/problems/{code}",
       .description = {"What an error's type means", "", {}, "", {{200, "HTML"}, {404, "unknown"}}},
       .handle = problem_page},
  };
  for (Route& route : routes) route.face = "operations";
  return routes;
}

}  // namespace syncline::operations
