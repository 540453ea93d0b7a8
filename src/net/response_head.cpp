#include "net/response_head.hpp"

#include <algorithm>
#include <array>
#include <ctime>

#include "base/time.hpp"

namespace syncline::net {
namespace {

void add(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

/// Written once a second (RFC 9110, 5.6.7 and 6.6.1).
std::string_view date_now() {
  thread_local std::time_t written_at = -1;
  thread_local std::array<char, 32> text{};
  thread_local std::size_t length = 0;
  const std::time_t now = SystemClock().now().micros / kMicrosPerSecond;
  if (now != written_at) {
    std::tm utc{};
    ::gmtime_r(&now, &utc);
    length = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc);
    written_at = now;
  }
  return {text.data(), length};
}

}  // namespace

std::string make_head(const http::Response& response, const HeadOptions& options) {
  std::string head;
  head.reserve(360);
  head.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ");
  head.append(http::reason_of(response.status)).append("\r\n");
  if (!response.content_type.empty() && options.framing != Framing::none) {
    add(head, "Content-Type", response.content_type);
  }
  switch (options.framing) {
    case Framing::none: break;
    case Framing::length: add(head, "Content-Length", std::to_string(options.body_bytes)); break;
    case Framing::chunked: add(head, "Transfer-Encoding", "chunked"); break;
    case Framing::until_close: break;
  }
  if (options.gzipped) add(head, "Content-Encoding", "gzip");
  bool has_vary = false;
  for (const http::Header& header : response.headers) {
    has_vary = has_vary || header.name == "Vary";
    add(head, header.name, header.value);
  }
  if (options.varies_by_encoding && !has_vary) add(head, "Vary", "Accept-Encoding");
  if (std::ranges::find(response.headers, "Date", &http::Header::name) == response.headers.end()) {
    add(head, "Date", date_now());
  }
  add(head, "X-Request-Id", options.request_id);
  if (!options.keep_alive) add(head, "Connection", "close");
  return head.append("\r\n");
}

}  // namespace syncline::net
