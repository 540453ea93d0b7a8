// Errors as clients see them: RFC 9457 problem details, with the members that the published APIs expect in the same
// body ("error" of Kiro).
#pragma once

#include "base/result.hpp"
#include "http/message.hpp"

namespace syncline::api {

struct Problem {
  int status = 500;
  std::string code;   // stable, snake_case
  std::string title;  // "error" of the Kiro shape, too
  std::string detail;
  std::optional<std::string> cursor;
  std::optional<std::int64_t> retry_after_s;
  std::vector<http::Header> headers;
  std::vector<std::pair<std::string_view, std::string>> text_members;  // extensions
  std::vector<std::pair<std::string_view, std::string>> json_members;  // extensions that are no strings
};

[[nodiscard]] Problem problem_of(const Error& error);
[[nodiscard]] std::string_view code_of(ErrorCode code);
/// {message, type, param, code}, as OpenAI's clients read it.
[[nodiscard]] std::string error_object(const Problem& problem);

/// How an error is said. The published faces keep application/json; "error" is its title for Kiro's clients, its
/// detail for Kaisho's, an object for OpenAI's, and an object in an envelope for Kernle's.
enum class ErrorStyle { problem_details, plain_json, detail_json, error_object, envelope };
[[nodiscard]] http::Response make_response(const Problem& problem, ErrorStyle style, std::string_view request_id);

}  // namespace syncline::api
