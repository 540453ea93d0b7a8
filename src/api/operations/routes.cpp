// Routes about the process itself. Open to everybody, except /metrics. They change nothing.
#include "api/operations/routes.hpp"

#include <array>

#include "api/operations/open_api.hpp"
#include "api/operations/schemas.hpp"
#include "api/route_builder.hpp"
#include "base/ip_address.hpp"
#include "base/text.hpp"

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

/// A page in a browser speaks to us by a name, also where its name has been pointed at this machine. Programs use the
/// address.
bool is_asked_by_address(const api::Call& call) {
  std::string_view host = call.header("Host");
  if (host.starts_with('[')) {
    host = host.substr(1, host.find(']') == std::string_view::npos ? 0 : host.find(']') - 1);
  } else {
    host = host.substr(0, host.find(':'));
  }
  return equal_ignoring_case(host, "localhost") || parse_ip_address(host).has_value();
}

Result<> check_is_this_machine(const api::Call& call) {
  if (is_loopback(call.head().peer) && is_asked_by_address(call) && call.header("X-Forwarded-For").empty() &&
      call.header("Forwarded").empty()) {
    return {};
  }
  return fail(ErrorCode::forbidden, "a node serves metrics only to programs on its own machine");
}

struct ProblemText {
  std::string_view code;
  std::string_view text;
};
constexpr std::array<ProblemText, 33> kProblems = {{
    {"invalid_argument",
     "The request does not have the form that the route expects; detail names the part. Correct it."},
    {"unknown_parameter", "The route does not take this query parameter; detail names the nearest one, or all."},
    {"invalid_document", "The hub stores documents unchanged and cannot store this one. Correct it."},
    {"not_found", "The route or the resource does not exist."},
    {"method_not_allowed", "The path does not support this method; see the Allow header."},
    {"conflict", "The request conflicts with the stored state. Read the state again and decide."},
    {"precondition_failed", "The resource has changed since the version that the request names. Read it again."},
    {"unauthorized", "The request has no valid key. Log in again."},
    {"insufficient_scope", "The key lacks the scope. Ask for a key that has it."},
    {"forbidden", "The hub does not allow this; detail says why."},
    {"own_command",
     "A key does not approve a command that it submitted. Use a key of another label, or sign in with a password."},
    {"space_not_allowed",
     "The key is limited to some spaces, which detail names. Use a key for this space, or for all spaces."},
    {"foreign_origin",
     "A cookie counts only for requests that pages of the hub make. Programs and other pages use a bearer token."},
    {"unsupported_media_type", "With a cookie, a body must be JSON and say so in its Content-Type."},
    {"pairing_over",
     "The code was used, has expired, or its maker has signed out. Make a new one where the first was made."},
    {"passkeys_unavailable",
     "Browsers offer passkeys for a host name that is reached by https. Set hub.public_url, and sign in with a "
     "password or a key until then."},
    {"public_url_set",
     "hub.public_url is set where the hub runs, to something else. Change it there, or leave public_url out."},
    {"already_set_up", "The hub has an admin. Sign in, or ask the admin for an invitation."},
    {"plan_too_small", "The account's plan does not include this."},
    {"too_large", "The body or document is larger than the limit."},
    {"epoch_changed",
     "The store was restored from a backup, has lost commits, or was replaced by an older copy. Push everything you "
     "have again, then read from 0. Do not delete what the hub no longer has."},
    {"cursor_expired", "Deletions after the cursor have been purged. Read from the beginning."},
    {"cursor_ahead", "The cursor is past the newest change. Push everything you have again, then read from 0."},
    {"idempotency_key_reused", "The Idempotency-Key was used for another request. Use a new one."},
    {"rate_limited", "Too many requests. Wait for the seconds in Retry-After."},
    {"busy", "The hub is busy. Try again in a moment."},
    {"storage_full", "The disk is full and nothing was written. Try again when there is space."},
    {"quota_exceeded",
     "The account has stored as much as its plan allows; nothing was written. Delete something, or ask the operator."},
    {"damaged", "The stored record is damaged. Write it again, or wait until a device that has it sends it."},
    {"unavailable", "The hub is stopping, or cannot read or reach what it needs. Try again in a moment."},
    {"timed_out", "No answer came in time. Try again."},
    {"clock_in_doubt", "The system clock is probably wrong. The operator must set or accept it."},
    {"internal", "This is a defect of the hub. The operator finds the reason in the log."},
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
  const bool good = facts_.store_status().trouble().empty();
  std::string body;
  JsonWriter(body)
      .begin_object()
      .string("status", "ok")
      .string("database", good ? "connected" : "failing")
      .end_object();
  call->respond_json(200, std::move(body));
}

void Face::get_ready(const api::CallPtr& call) {
  if (const auto reason = facts_.not_ready()) return call->respond_json(503, status_json("not ready", *reason));
  std::string degraded = facts_.in_doubt ? facts_.in_doubt() : "";
  for (const std::string& warning :
       {facts_.store_status().warning, facts_.backups != nullptr ? facts_.backups->warning() : std::string()}) {
    if (!warning.empty()) degraded += (degraded.empty() ? "" : "; ") + warning;
  }
  call->respond_json(200, status_json(degraded.empty() ? "ready" : "degraded", degraded));
}

void Face::get_metrics(const api::CallPtr& call) {
  if (facts_.metrics_for == MetricsFor::this_machine) CHECK_CALL(call, check_is_this_machine(*call));
  respond_metrics(call);
}

void Face::get_open_metrics(const api::CallPtr& call) {
  if (!is_asked_by_address(*call)) {
    return call->fail(Error{ErrorCode::forbidden, "use the address of this machine in the URL, not a name"});
  }
  respond_metrics(call);
}

void Face::respond_metrics(const api::CallPtr& call) {
  call->respond(
      http::make_text(200, "text/plain; version=0.0.4", metrics_.to_text(facts_.store_status(), facts_.quotas, facts_.backups)));
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
  constexpr std::string_view kHtml = "text/html; charset=utf-8";
  api::RouteBuilder routes(*this, "operations", api::kProblemDetails);
  routes.all().with_schemas(kSchemas);
  routes.get("/", {}, "Show name, version and status", &Face::get_front_page)
      .described("HTML for browsers, JSON for others.")
      .answers(200, "name, version, status", "FrontPage");
  routes.get("/docs", {}, "Read this documentation", &Face::get_docs).answers_as(200, kHtml, "the page");
  routes.get("/openapi.json", {}, "Read this documentation as OpenAPI", &Face::get_open_api)
      .answers(200, "OpenAPI 3.1", "OpenApi");
  routes.get("/health", {}, "Check that the process is alive", &Face::get_health)
      .answers(200, "status ok; database: connected, or failing", "Health");
  routes.get("/ready", {}, "Check that the process can read and write", &Face::get_ready)
      .answers(200, "status ready; or degraded: it serves, and detail says what is wrong", "Ready")
      .answers(503, "detail says why not", "Ready");
  routes.get("/metrics", Scope::admin, "Read metrics for Prometheus", &Face::get_metrics)
      .in_any_plan()
      .described("A node needs no key and answers only programs on its own machine.")
      .answers_as(200, "text/plain; version=0.0.4", "the metrics")
      .answers(403, "the key lacks the scope admin");
  routes.get("/problems/{code}", {}, "Explain an error code", &Face::get_problem)
      .answers_as(200, kHtml, "the page")
      .answers(404, "unknown");
  return routes.take();
}

std::vector<api::Route> Face::make_metrics_routes() {
  api::RouteBuilder routes(*this, "operations", api::kProblemDetails);
  routes.get("/metrics", {}, "Read metrics for Prometheus", &Face::get_open_metrics)
      .answers_as(200, "text/plain; version=0.0.4", "the metrics")
      .answers(403, "asked by a name");
  return routes.take();
}

}  // namespace syncline::operations
