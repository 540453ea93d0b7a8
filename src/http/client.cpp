#include "http/client.hpp"

#include "base/limits.hpp"
#include "base/text.hpp"

namespace syncline::http {

std::string describe(const ClientResponse& response) {
  std::string answered = "the hub answered " + std::to_string(response.status);
  const auto problem = parse_object(response.body);
  if (!problem) return answered;
  const std::string detail = problem->text_of(problem->find("detail") ? "detail" : "error");
  if (detail.empty()) return answered;
  return answered.append(": ").append(cut_utf8(detail, limits::kErrorTextBytesMax));
}

Result<JsonObject> parse_object(std::string body) {
  auto object = parse_json_object(std::move(body), limits::kBodyDepthMax);
  if (!object) return fail(ErrorCode::unavailable, "the hub's answer is not a JSON object");
  return *std::move(object);
}

}  // namespace syncline::http
