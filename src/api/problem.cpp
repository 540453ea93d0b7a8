#include "api/problem.hpp"

namespace syncline::api {
namespace {

int status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument:
    case ErrorCode::invalid_document: return 400;
    case ErrorCode::not_found: return 404;
    case ErrorCode::conflict: return 409;
    case ErrorCode::precondition_failed: return 412;
    case ErrorCode::unauthorized: return 401;
    case ErrorCode::forbidden:
    case ErrorCode::space_not_allowed: return 403;
    case ErrorCode::too_large: return 413;
    case ErrorCode::too_many: return 429;
    case ErrorCode::epoch_changed:
    case ErrorCode::cursor_expired:
    case ErrorCode::cursor_ahead: return 410;
    case ErrorCode::key_reused: return 422;
    case ErrorCode::storage_full:
    case ErrorCode::quota_exceeded: return 507;
    case ErrorCode::timed_out: return 504;
    case ErrorCode::busy:
    case ErrorCode::locked:
    case ErrorCode::storage_broken:
    case ErrorCode::storage_damaged:
    case ErrorCode::damaged:
    case ErrorCode::wrong_store:
    case ErrorCode::newer_store:
    case ErrorCode::answer_too_large:
    case ErrorCode::unavailable: return 503;
    case ErrorCode::clock_in_doubt:
    case ErrorCode::internal: return 500;
  }
  return 500;
}

/// The text of such an error is the database's.
bool is_about_store(ErrorCode code) {
  return code == ErrorCode::storage_broken || code == ErrorCode::storage_damaged || code == ErrorCode::wrong_store ||
         code == ErrorCode::newer_store;
}

void append_title(JsonWriter& writer, const Problem& problem, std::string_view) {
  writer.string("error", problem.title);
}

}  // namespace

const ErrorFormat kProblemDetails{append_title, "application/problem+json", "Problem", R"("error":{"type":"string"})"};

http::ProblemCode code_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument: return "invalid_argument";
    case ErrorCode::invalid_document: return "invalid_document";
    case ErrorCode::not_found: return "not_found";
    case ErrorCode::conflict: return "conflict";
    case ErrorCode::precondition_failed: return "precondition_failed";
    case ErrorCode::unauthorized: return "unauthorized";
    case ErrorCode::forbidden: return "forbidden";
    case ErrorCode::space_not_allowed: return "space_not_allowed";
    case ErrorCode::too_large: return "too_large";
    case ErrorCode::too_many: return "rate_limited";
    case ErrorCode::epoch_changed: return "epoch_changed";
    case ErrorCode::cursor_expired: return "cursor_expired";
    case ErrorCode::cursor_ahead: return "cursor_ahead";
    case ErrorCode::key_reused: return "idempotency_key_reused";
    case ErrorCode::busy: return "busy";
    case ErrorCode::storage_full: return "storage_full";
    case ErrorCode::quota_exceeded: return "quota_exceeded";
    case ErrorCode::timed_out: return "timed_out";
    case ErrorCode::damaged: return "damaged";
    case ErrorCode::clock_in_doubt: return "clock_in_doubt";
    // What is wrong with the store is for the operator, who has the log.
    case ErrorCode::locked:
    case ErrorCode::storage_broken:
    case ErrorCode::storage_damaged:
    case ErrorCode::wrong_store:
    case ErrorCode::newer_store:
    case ErrorCode::answer_too_large:
    case ErrorCode::unavailable: return "unavailable";
    case ErrorCode::internal: return "internal";
  }
  return "internal";
}

Problem problem_of(const Error& error) {
  Problem problem;
  problem.status = status_of(error.code);
  problem.code = code_of(error.code);
  problem.title = http::reason_of(problem.status);
  problem.detail = is_about_store(error.code) ? "the store cannot be used at the moment; try again later" : error.text;
  if (problem.status == 503 || advice_of(error.code) == Advice::retry_later) {
    problem.retry_after_s = error.code == ErrorCode::too_many ? 300 : 2;
  }
  return problem;
}

http::Response make_response(const Problem& problem, const ErrorFormat& format, std::string_view request_id) {
  std::string body;
  JsonWriter writer(body);
  writer.begin_object()
      .string("type", "/problems/" + std::string(problem.code.text()))
      .string("title", problem.title)
      .integer("status", problem.status)
      .string("detail", problem.detail)
      .string("code", problem.code)
      .string("request_id", request_id);
  format.append(writer, problem, request_id);
  if (problem.cursor) writer.string("cursor", *problem.cursor);
  if (problem.retry_after_s) writer.integer("retry_after", *problem.retry_after_s);
  for (const auto& [name, text] : problem.text_members) writer.string(name, text);
  for (const auto& [name, json] : problem.json_members) writer.raw(name, json);
  writer.end_object();
  auto response = http::make_text(problem.status, format.content_type, std::move(body));
  response.headers = problem.headers;
  response.headers.push_back({"Cache-Control", "no-store"});
  if (problem.retry_after_s) response.headers.push_back({"Retry-After", std::to_string(*problem.retry_after_s)});
  return response;
}

}  // namespace syncline::api
