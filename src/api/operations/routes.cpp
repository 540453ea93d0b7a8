// Routes about the process itself. Open to everybody, except /metrics. They change nothing.
#include "api/operations/routes.hpp"

#include "api/entity_tag.hpp"
#include "api/operations/docs_pages.hpp"
#include "api/operations/open_api.hpp"
#include "api/operations/page.hpp"
#include "api/operations/schemas.hpp"
#include "api/route_builder.hpp"
#include "base/ip_address.hpp"
#include "base/text.hpp"

namespace syncline::operations {
namespace {

http::Response html_page(std::string body) {
  http::Response response = make_page_response();
  response.body = std::move(body);
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

/// 304 if the client has the document already.
void respond_document(const api::CallPtr& call, const Documents::Document& document, http::Response response) {
  response.headers.push_back({"ETag", document.entity_tag});
  if (api::lists_etag(call->header("If-None-Match"), document.entity_tag)) {
    response.status = 304;
    response.content_type = {};
  } else {
    response.body = document.text;
  }
  call->respond(std::move(response));
}

void respond_open_api(const api::CallPtr& call, const Documents::Document& document) {
  http::Response response;
  response.headers.push_back({"Cache-Control", "no-cache"});
  respond_document(call, document, std::move(response));
}

}  // namespace

void Face::get_front_page(const api::CallPtr& call) {
  if (call->header("Accept").find("text/html") != std::string_view::npos) {
    return call->respond(html_page(
        make_page("syncline", "<h1>syncline " + escape_html(facts_.version) +
                                  "</h1><p>The hub is running. <a href=\"/docs\">API documentation</a></p>")));
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
  respond_document(call, *documents_.find_docs(""), make_page_response());
}

void Face::get_docs_of_face(const api::CallPtr& call) {
  const Documents::Document* document = documents_.find_docs(call->param("face"));
  if (document == nullptr) return call->fail(no_such_face());
  respond_document(call, *document, make_page_response());
}

void Face::get_open_api(const api::CallPtr& call) { respond_open_api(call, *documents_.find_open_api("")); }

void Face::get_open_api_of_face(const api::CallPtr& call) {
  constexpr std::string_view kEnding = ".json";
  std::string_view face = call->param("document");
  if (!face.ends_with(kEnding)) return call->fail(Error{ErrorCode::not_found, "the document of a face ends in .json"});
  face.remove_suffix(kEnding.size());
  const Documents::Document* document = documents_.find_open_api(face);
  if (document == nullptr) return call->fail(no_such_face());
  respond_open_api(call, *document);
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
  call->respond(http::make_text(200, "text/plain; version=0.0.4",
                                metrics_.to_text(facts_.store_status(), facts_.quotas, facts_.backups)));
}

Error Face::no_such_face() const {
  return {ErrorCode::not_found, "no API has this name; the APIs are " + join(faces_of(router_.routes()), ", ")};
}

void Face::get_problem(const api::CallPtr& call) {
  auto page = make_problem_page(call->param("code"));
  if (!page) return call->fail(Error{ErrorCode::not_found, "problem type not found"});
  call->respond(html_page(*std::move(page)));
}

std::vector<api::Route> Face::make_routes() {
  constexpr std::string_view kHtml = "text/html; charset=utf-8";
  constexpr std::string_view kKnownDocument = "304 if the document has this ETag";
  api::RouteBuilder routes(*this, "operations", api::kProblemDetails);
  routes.all().with_schemas(kSchemas);
  routes.get("/", {}, "Show name, version and status", &Face::get_front_page)
      .described("HTML for browsers, JSON for others.")
      .answers(200, "name, version, status", "FrontPage")
      .answers_as(200, kHtml, "a page");
  routes.get("/docs", {}, "Read this documentation", &Face::get_docs)
      .header("If-None-Match", kKnownDocument)
      .answers_as(200, kHtml, "the page")
      .answers(304, "not changed");
  routes.get("/docs/{face}", {}, "Read about the routes of one face, with examples", &Face::get_docs_of_face)
      .header("If-None-Match", kKnownDocument)
      .answers_as(200, kHtml, "the page")
      .answers(304, "not changed")
      .answers(404, "no such face; detail names all");
  routes.get("/openapi.json", {}, "Read this documentation as OpenAPI", &Face::get_open_api)
      .header("If-None-Match", kKnownDocument)
      .answers(200, "OpenAPI 3.1, of all faces and under every prefix", "OpenApi")
      .answers(304, "not changed");
  routes.get("/openapi/{document}", {}, "Read about one face as OpenAPI", &Face::get_open_api_of_face)
      .described("The document is the name of a face and .json, like native.json.")
      .header("If-None-Match", kKnownDocument)
      .answers(200, "OpenAPI 3.1, of the face alone; its prefixes are servers", "OpenApi")
      .answers(304, "not changed")
      .answers(404, "no such face; detail names all");
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
