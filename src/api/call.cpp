#include "api/call.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "base/text.hpp"

namespace syncline::api {

std::string_view Call::path() const { return head_.target.substr(0, head_.target.find('?')); }

const std::string& Call::param(std::string_view name) const {
  static const std::string kNone;
  const auto found = std::ranges::find(params_, name, &std::pair<std::string_view, std::string>::first);
  return found == params_.end() ? kNone : found->second;
}

std::optional<std::string> Call::query(std::string_view name) const {
  const std::size_t mark = head_.target.find('?');
  if (mark == std::string_view::npos) return std::nullopt;
  for (const std::string_view part : split(head_.target.substr(mark + 1), '&')) {
    const std::size_t equals = part.find('=');
    if (part.substr(0, equals) != name) continue;
    std::string value(equals == std::string_view::npos ? "" : part.substr(equals + 1));
    std::ranges::replace(value, '+', ' ');
    return percent_decode(value).value_or(std::string(1, '\0'));
  }
  return std::nullopt;
}

Result<std::int64_t> Call::query_integer(std::string_view name, std::int64_t min, std::int64_t max,
                                         std::int64_t missing) const {
  const auto text = query(name);
  if (!text) return missing;
  const auto value = parse_integer(*text);
  if (!value || *value < min) {
    return syncline::fail(ErrorCode::invalid_argument,
                          std::string(name) + " must be a whole number of at least " + std::to_string(min));
  }
  return std::min(*value, max);
}

Result<> error_of(const JsonCheck& check) {
  switch (check.fault) {
    case JsonFault::none: return {};
    case JsonFault::malformed: return fail(ErrorCode::invalid_argument, "the body is not JSON: " + check.detail);
    case JsonFault::not_utf8: return fail(ErrorCode::invalid_argument, "the body is not UTF-8");
    case JsonFault::too_deep: return fail(ErrorCode::invalid_argument, "the body is " + check.detail + " levels");
    case JsonFault::unsupported_value: return fail(ErrorCode::invalid_document, "the body has " + check.detail);
  }
  return {};
}

Result<JsonView> Call::json_object() { return object_of(check_json(body_, limits::kBodyDepthMax)); }

Result<JsonView> Call::repaired_json_object() { return object_of(check_repaired_json(body_)); }

Result<JsonView> Call::object_of(const JsonCheck& check) const {
  CHECK_OK(error_of(check));
  const JsonView json(body_);
  if (!json.is_object()) return syncline::fail(ErrorCode::invalid_argument, "the body must be a JSON object");
  return json;
}

JsonCheck check_repaired_json(std::string& text) {
  JsonCheck check = check_json(text, limits::kBodyDepthMax);
  if (check.fault != JsonFault::unsupported_value) return check;
  replace_lone_surrogates(text);
  return check_json(text, limits::kBodyDepthMax);
}

Problem unauthorized(std::string_view detail, bool had_token) {
  Problem problem;
  problem.status = 401;
  problem.code = "unauthorized";
  problem.title = "Unauthorized";
  problem.detail = detail;
  std::string challenge("Bearer realm=\"syncline\"");
  if (had_token) challenge += ", error=\"invalid_token\", error_description=\"" + std::string(detail) + '"';
  problem.headers.push_back({"WWW-Authenticate", std::move(challenge)});
  return problem;
}

bool Call::fail_if_revoked() {
  if (access_->is_valid(*principal_)) return false;
  fail(unauthorized("the key was revoked", true));
  return true;
}

void Call::start(std::string body, http::Responder respond) {
  body_ = std::move(body);
  responder_.emplace(std::move(respond));
}

http::Response Call::finish(http::Response response) const {
  for (const http::Header& header : extra_headers_) response.headers.push_back(header);
  return response;
}

http::Response Call::problem_response(const Problem& problem) const {
  return finish(make_response(problem, errors_, head_.request_id));
}

void Call::respond(http::Response response) {
  http::Responder responder = std::move(*responder_);
  responder_.reset();
  responder(finish(std::move(response)));
}

void Call::fail(const Problem& problem) { respond(make_response(problem, errors_, head_.request_id)); }

}  // namespace syncline::api
