#include "net/problem.hpp"

#include <string>
#include <utility>

#include "base/json.hpp"
#include "http/problem_code.hpp"

namespace syncline::net {
namespace {

http::ProblemCode code_of(int status) {
  switch (status) {
    case 400: return "malformed_request";
    case 403: return "forbidden";
    case 408: return "request_timeout";
    case 415: return "unsupported_media_type";
    case 426: return "upgrade_required";
    case 431: return "headers_too_large";
    case 503: return "busy";
    default: return "internal";
  }
}

}  // namespace

http::Response make_problem(int status, std::string_view detail, std::string_view request_id) {
  const std::string_view reason = http::reason_of(status);
  std::string body;
  JsonWriter json(body);
  const std::string_view code = code_of(status);
  json.begin_object()
      .string("type", "/problems/" + std::string(code))
      .string("title", reason)
      .integer("status", status)
      .string("detail", detail)
      .string("code", code)
      .string("request_id", request_id)
      .string("error", reason)
      .end_object();
  return http::make_text(status, "application/problem+json", std::move(body));
}

}  // namespace syncline::net
