#include "api/ai/errors.hpp"

namespace syncline::ai {

std::string error_object(const api::Problem& problem) {
  std::string_view type = "server_error";
  if (problem.status == 429) {
    type = problem.code == "rate_limited" ? std::string_view("rate_limit_exceeded") : problem.code.text();
  } else if (problem.status < 500) {
    type = "invalid_request_error";
  }
  std::string object;
  JsonWriter(object)
      .begin_object()
      .string("message", problem.detail)
      .string("type", type)
      .raw("param", "null")
      .string("code", problem.code)
      .end_object();
  return object;
}

const api::ErrorFormat kErrors{[](JsonWriter& writer, const api::Problem& problem, std::string_view) {
                                 writer.raw("error", error_object(problem));
                               },
                               "application/json", "OpenAiProblem",
                               R"("error":{"type":"object","required":["message","type"],"properties":{"message":)"
                               R"({"type":"string"},"type":{"type":"string"},"param":{"type":"null"},"code":)"
                               R"({"type":"string"}}})"};

}  // namespace syncline::ai
