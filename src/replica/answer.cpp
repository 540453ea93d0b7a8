#include "replica/answer.hpp"

#include "base/limits.hpp"

namespace syncline::replica {

std::unexpected<Error> not_understood(std::string_view what) {
  return fail(ErrorCode::unavailable, "invalid answer from the hub: " + std::string(what));
}

Result<std::unique_ptr<std::string>> check_answer(std::string body, bool* has_doubtful_values) {
  auto owned = std::make_unique<std::string>(std::move(body));
  // An answer wraps documents of up to kBodyDepthMax levels no deeper than a request does.
  const JsonFault fault = check_json(*owned, limits::kBodyDepthMax).fault;
  const bool is_doubtful = fault == JsonFault::unsupported_value && has_doubtful_values != nullptr;
  if (is_doubtful) *has_doubtful_values = true;
  if ((fault != JsonFault::none && !is_doubtful) || !JsonView(*owned).is_object()) {
    return not_understood("it is not a JSON object");
  }
  return owned;
}

std::optional<std::string_view> text_in(std::deque<std::string>& texts, JsonView json, std::string_view name) {
  const auto value = json.find(name);
  if (!value || !value->is_string()) return std::nullopt;
  if (const auto plain = value->as_plain_string()) return plain;
  return texts.emplace_back(*value->as_string());
}

bool is_json_object(const std::string& body) { return parse_json_object(body, limits::kBodyDepthMax).has_value(); }

Error error_of(const http::ClientResponse& response) {
  const std::string text = http::describe(response);
  const auto problem = parse_json_object(response.body, limits::kBodyDepthMax);
  const std::string code = problem ? problem->text_of("code") : "";
  if (code == "epoch_changed") return {ErrorCode::epoch_changed, text};
  if (code == "cursor_ahead") return {ErrorCode::cursor_ahead, text};
  if (code == "cursor_expired") return {ErrorCode::cursor_expired, text};
  // The published APIs say "error" or "detail".
  const bool has_words = problem && (problem->find("code") || problem->find("error") || problem->find("detail"));
  if (!has_words && response.status != 413) return {ErrorCode::unavailable, text + ", which is not a hub's answer"};
  if (response.status == 401 || response.status == 403) return {ErrorCode::unauthorized, text};
  if (response.status == 408 || response.status == 429 || response.status >= 500) {
    return {ErrorCode::unavailable, text};
  }
  const bool is_about_the_request = response.status == 400 || response.status == 413 || response.status == 422;
  return {is_about_the_request ? ErrorCode::invalid_argument : ErrorCode::not_found, text};
}

}  // namespace syncline::replica
