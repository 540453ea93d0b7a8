// /console: the page of the web console under each of its addresses, and /console/a, the files that it loads.
//
// Open to everybody: the page has no data, and signs in at /v1/session. Errors: 404 for an unknown file, which is never
// answered with the page, and for every address in a build without a console. Changes nothing.
#include "api/console/routes.hpp"

#include "api/entity_tag.hpp"
#include "api/route_builder.hpp"
#include "base/text.hpp"
#include "http/content_coding.hpp"

namespace syncline::console {
namespace {

constexpr std::string_view kHtml = "text/html; charset=utf-8";
/// Names of files have a hash of their content. The page has not: it names the files of one build.
constexpr std::string_view kForGood = "public, max-age=31536000, immutable";
constexpr std::string_view kAskAgain = "no-cache";

/// No script but the console's files, no markup from strings, no frame, no request to anybody else.
constexpr std::string_view kContentPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'";

constexpr std::string_view kNoConsole =
    "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
    "content=\"width=device-width, initial-scale=1\"><title>No console - syncline</title></head><body><main>"
    "<h1>This hub has no console</h1><p>It was built without one. Install npm and build it again with "
    "<code>./dev build</code>, or start it with <code>--ui-dir DIR</code>, where DIR has the files of a console that "
    "was built elsewhere.</p><p>Everything else works: <a href=\"/docs\">API documentation</a>.</p></main></body>"
    "</html>\n";

/// The form of a file that a request gets.
struct Form {
  std::string_view coding;  // empty: as it is
  std::shared_ptr<const std::string> bytes;
};

Form choose_form(const Asset& asset, std::string_view accept_encoding) {
  if (asset.brotli && http::accepts_coding(accept_encoding, "br")) return {"br", asset.brotli};
  if (asset.gzip && http::accepts_coding(accept_encoding, "gzip")) return {"gzip", asset.gzip};
  return {{}, asset.plain};
}

std::vector<http::Header> security_headers() {
  return {{"Content-Security-Policy", std::string(kContentPolicy)},
          {"X-Frame-Options", "DENY"},
          {"X-Content-Type-Options", "nosniff"},
          {"Referrer-Policy", "no-referrer"},
          {"Cross-Origin-Opener-Policy", "same-origin"},
          {"Cross-Origin-Resource-Policy", "same-origin"},
          {"Permissions-Policy", "camera=(), microphone=(), geolocation=()"}};
}

void respond_asset(const api::CallPtr& call, const Asset& asset, std::string_view caching) {
  Form form = choose_form(asset, call->header("Accept-Encoding"));
  http::Response response;
  response.content_type = asset.content_type;
  response.headers = security_headers();
  response.headers.push_back({"Cache-Control", std::string(caching)});
  response.headers.push_back({"Vary", "Accept-Encoding"});
  if (!asset.hash.empty()) {
    const std::string form_name = form.coding.empty() ? std::string() : "-" + std::string(form.coding);
    const std::string etag = '"' + asset.hash + form_name + '"';
    response.headers.push_back({"ETag", etag});
    if (api::lists_etag(call->header("If-None-Match"), etag)) {
      response.status = 304;
      return call->respond(std::move(response));
    }
  }
  if (!form.coding.empty()) response.headers.push_back({"Content-Encoding", std::string(form.coding)});
  response.body = std::move(form.bytes);
  call->respond(std::move(response));
}

}  // namespace

void Face::show_page(const api::CallPtr& call) {
  const std::shared_ptr<const Asset> page = assets_.find("index.html");
  if (page) return respond_asset(call, *page, kAskAgain);
  auto response = http::make_text(404, kHtml, std::string(kNoConsole));
  response.headers = security_headers();
  response.headers.push_back({"Cache-Control", std::string(kAskAgain)});
  call->respond(std::move(response));
}

void Face::get_asset(const api::CallPtr& call) {
  const std::shared_ptr<const Asset> asset = assets_.find("a/" + call->param("file"));
  if (!asset) return call->fail(Error{ErrorCode::not_found, "no such file of the console"});
  // In a directory, a file may change without its name.
  respond_asset(call, *asset, asset->hash.empty() ? kAskAgain : kForGood);
}

std::vector<api::Route> Face::make_routes() {
  api::RouteBuilder routes(*this, "console", api::kProblemDetails);
  routes.get("/console/a/{file}", {}, "Get a file of the console", &Face::get_asset)
      .described("Scripts and styles. A name belongs to one content for good.")
      .answers_as(200, "text/javascript; charset=utf-8", "the file, brotli or gzip where the request allows it")
      .answers(304, "the request has it")
      .answers(404, "unknown");
  // An address of the console has up to three parts, which its own script reads.
  for (const std::string_view pattern :
       {"/console", "/console/{screen}", "/console/{screen}/{of}", "/console/{screen}/{of}/{part}"}) {
    routes.get(pattern, {}, "Open the console", &Face::show_page)
        .answers_as(200, kHtml, "the page")
        .answers(304, "the request has it")
        .answers_as(404, kHtml, "the hub was built without a console");
  }
  return routes.take();
}

api::FaceModule make_module(Assets assets) {
  return {.name = "console",
          .make = [assets = std::move(assets)](const api::FaceParts&) { return std::make_unique<Face>(assets); }};
}

}  // namespace syncline::console
