#include "replica/dialect.hpp"

#include "base/limits.hpp"
#include "service/principal.hpp"

namespace syncline::replica {
namespace {

constexpr std::int64_t kAnswerMs = 15'000;

/// True for the error of a hub: whatever stands between answers 403, too.
bool is_problem(const std::string& body) {
  const auto problem = parse_json_object(body, limits::kBodyDepthMax);
  return problem && (problem->find("code") || problem->find("error") || problem->find("detail"));
}

}  // namespace

Result<http::ClientResponse> Inquiry::ask(http::Method method, std::string_view target,
                                          std::size_t answer_bytes_max) const {
  return client.send({method, std::string(target), "", {}, kAnswerMs, answer_bytes_max}, stop);
}

Result<std::optional<JsonObject>> Inquiry::find_object(std::string_view target) const {
  TRY(const auto answer, ask(http::Method::get, target));
  if (answer.status == 404) return std::nullopt;
  if (answer.status == 401) return fail(ErrorCode::unauthorized, http::describe(answer));
  if (answer.status == 403 && is_problem(answer.body)) return fail(ErrorCode::forbidden, http::describe(answer));
  if (answer.status != 200) return fail(ErrorCode::unavailable, http::describe(answer));
  TRY(JsonObject object, http::parse_object(answer.body));
  return object;
}

bool plan_includes_sync(std::string_view plan) {
  const auto parsed = parse_plan(plan);
  return parsed && *parsed != Plan::free;
}

}  // namespace syncline::replica
