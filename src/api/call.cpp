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

bool Call::declares(std::string_view parameter) const {
  return declared_ != nullptr && std::ranges::any_of(*declared_, [&](const Parameter& one) {
           return one.in == "query" && one.name == parameter;
         });
}

std::vector<std::string> Call::undeclared_parameters() const {
  std::vector<std::string> names;
  const std::size_t mark = head_.target.find('?');
  if (mark == std::string_view::npos) return names;
  for (const std::string_view part : split(head_.target.substr(mark + 1), '&')) {
    const std::string_view name = part.substr(0, part.find('='));
    if (!name.empty() && !declares(name)) names.push_back(percent_decode(name).value_or(std::string(name)));
  }
  return names;
}

std::optional<std::string> Call::query(std::string_view name) const {
  const std::size_t mark = head_.target.find('?');
  if (!declares(name) || mark == std::string_view::npos) return std::nullopt;
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

namespace {

/// What `check` says of the text when NaN, infinities and lone surrogates have been replaced, if it needs that.
template <class Check>
JsonCheck check_repaired(std::string& text, const Check& check) {
  JsonCheck found = check(text);
  if (found.fault == JsonFault::malformed) {
    replace_non_numbers(text);
    found = check(text);
  }
  if (found.fault != JsonFault::unsupported_value) return found;
  replace_lone_surrogates(text);
  return check(text);
}

}  // namespace

Result<JsonView> Call::json_object() {
  CHECK_OK(error_of(check_repaired_json(body_)));
  const JsonView json(body_);
  if (!json.is_object()) return syncline::fail(ErrorCode::invalid_argument, "the body must be a JSON object");
  return json;
}

Result<JsonParts> Call::json_parts() {
  const auto is_fine = [this] { return check_json(body_, limits::kBodyDepthMax).fault == JsonFault::none; };
  bool is_doubtful = !is_fine();
  if (is_doubtful) {
    const JsonCheck check =
        check_repaired(body_, [](std::string& text) { return explain_json(text, limits::kCheckedDepthMax); });
    // A value that cannot be stored is a matter of its part.
    if (check.fault != JsonFault::unsupported_value) CHECK_OK(error_of(check));
    is_doubtful = !is_fine();
  }
  const JsonView json(body_);
  if (!json.is_object()) return syncline::fail(ErrorCode::invalid_argument, "the body must be a JSON object");
  return JsonParts{json, is_doubtful};
}

Result<> check_part(JsonView part, int depth_max, bool is_doubtful) {
  if (part.depth() > depth_max) {
    return fail(ErrorCode::invalid_document, "is nested deeper than " + std::to_string(depth_max) + " levels");
  }
  if (!is_doubtful) return {};
  const JsonCheck check = explain_json(part.raw(), depth_max);
  if (check.fault != JsonFault::none) return fail(ErrorCode::invalid_document, "has " + check.detail);
  return {};
}

JsonCheck check_repaired_json(std::string& text) {
  return check_repaired(text, [](std::string& body) { return check_json(body, limits::kBodyDepthMax); });
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

const SpaceName& Call::space() const {
  static const SpaceName kNone;
  return reached_.empty() ? kNone : reached_.back();
}

Result<SpaceName> Call::reach(std::string_view name) {
  TRY(SpaceName space, access_->reach(*principal_, name, use()));
  reached_.push_back(space);
  return space;
}

bool Call::fail_unless_valid() {
  const auto valid = access_->check_still(*principal_, {.any_of = any_of_, .spaces = reached_, .use = use()});
  if (valid) return false;
  const bool is_revoked = valid.error().code == ErrorCode::unauthorized;
  fail(is_revoked ? unauthorized("the key was revoked", true) : problem_of(valid.error()));
  return true;
}

void Call::start(std::string body, http::Responder respond) {
  body_ = std::move(body);
  // Some editors and PowerShell put a byte order mark before what they write; it is no part of the text.
  if (body_.starts_with("\xEF\xBB\xBF")) body_.erase(0, 3);
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
