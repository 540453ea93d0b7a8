#include "http/message.hpp"

#include <algorithm>
#include <array>

namespace syncline::http {
namespace {

struct NamedMethod {
  Method method;
  std::string_view text;
};
constexpr std::array<NamedMethod, 7> kMethods = {{{Method::get, "GET"},
                                                  {Method::head, "HEAD"},
                                                  {Method::post, "POST"},
                                                  {Method::put, "PUT"},
                                                  {Method::patch, "PATCH"},
                                                  {Method::del, "DELETE"},
                                                  {Method::options, "OPTIONS"}}};

}  // namespace

std::string_view to_text(Method method) {
  const auto found = std::ranges::find(kMethods, method, &NamedMethod::method);
  return found == kMethods.end() ? "OTHER" : found->text;
}

Method method_from_text(std::string_view text) {
  const auto found = std::ranges::find(kMethods, text, &NamedMethod::text);
  return found == kMethods.end() ? Method::other : found->method;
}

std::string_view reason_of(int status) {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 204: return "No Content";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 422: return "Unprocessable Content";
    case 426: return "Upgrade Required";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 507: return "Insufficient Storage";
    default: return "Status";
  }
}

Response make_text(int status, std::string_view content_type, std::string body) {
  Response response;
  response.status = status;
  response.content_type = content_type;
  response.body = std::move(body);
  return response;
}

Responder::~Responder() {
  constexpr std::string_view kProblem =
      R"({"type":"/problems/internal","title":"Internal Server Error","status":500,"detail":"no answer was made",)"
      R"("code":"internal","request_id":"","error":"Internal Server Error"})";
  if (send_) send_(make_text(500, "application/problem+json", std::string(kProblem)));
}

void Responder::operator()(Response response) { std::exchange(send_, nullptr)(std::move(response)); }

}  // namespace syncline::http
