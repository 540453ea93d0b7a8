// Errors as clients see them: RFC 9457 problem details, and in the same body what the clients of one face expect.
#pragma once

#include "base/json.hpp"
#include "base/result.hpp"
#include "http/message.hpp"
#include "http/problem_code.hpp"

namespace syncline::api {

struct Problem {
  int status = 500;
  http::ProblemCode code;
  std::string title;  // of the status
  std::string detail;
  std::optional<std::string> cursor;
  std::optional<std::int64_t> retry_after_s;
  std::vector<http::Header> headers;
  std::vector<std::pair<std::string_view, std::string>> text_members;  // extensions
  std::vector<std::pair<std::string_view, std::string>> json_members;  // extensions that are no strings
};

[[nodiscard]] Problem problem_of(const Error& error);
[[nodiscard]] http::ProblemCode code_of(ErrorCode code);

/// What a face adds to the members that every error has: type, title, status, detail, code, request_id.
struct ErrorFormat {
  /// Writes members of the object that `writer` is in.
  void (*append)(JsonWriter& writer, const Problem& problem, std::string_view request_id);
  std::string_view content_type;
  /// The name of the errors' JSON Schema, and the properties of the members that `append` writes, without braces.
  std::string_view schema_name = "AnyProblem";
  std::string_view schema_properties;
};
/// For a face without clients of its own: "error" is the title.
extern const ErrorFormat kProblemDetails;
[[nodiscard]] http::Response make_response(const Problem& problem, const ErrorFormat& format,
                                           std::string_view request_id);

}  // namespace syncline::api
