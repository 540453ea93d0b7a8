#include "net/problem.hpp"

#include <string>
#include <utility>

#include "base/json.hpp"

namespace syncline::net {

http::Response make_problem(int status, std::string_view detail, std::string_view request_id) {
  const std::string_view reason = http::reason_of(status);
  std::string body;
  JsonWriter json(body);
  json.begin_object()
      .string("type", "about:blank")
      .string("title", reason)
      .integer("status", status)
      .string("detail", detail)
      .string("error", reason);
  if (!request_id.empty()) json.string("request_id", request_id);
  json.end_object();
  return http::make_text(status, "application/problem+json", std::move(body));
}

}  // namespace syncline::net
