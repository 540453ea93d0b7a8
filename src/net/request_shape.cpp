#include "net/request_shape.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"

namespace syncline::net {
namespace {

std::unexpected<Error> refuse(std::string_view why) { return fail(ErrorCode::invalid_argument, std::string(why)); }

bool is_host_character(char c) {
  constexpr std::string_view kMarks = "-._~%!$&'()*+;=:[]";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || kMarks.contains(c);
}

/// The length of "http://" or "https://" at the beginning; 0 without.
std::size_t scheme_bytes(std::string_view target) {
  constexpr std::array<std::string_view, 2> kSchemes = {"http://", "https://"};
  for (const std::string_view scheme : kSchemes) {
    if (equal_ignoring_case(target.substr(0, scheme.size()), scheme)) return scheme.size();
  }
  return 0;
}

}  // namespace

Result<> check_shape(const RequestShape& shape) {
  if (shape.hosts > 1) return refuse("the request has more than one Host");
  if (shape.hosts == 0 && !shape.is_http_1_0) return refuse("the request has no Host");
  if (!std::ranges::all_of(shape.host, is_host_character)) return refuse("Host is not the name of a host");
  if (shape.transfer_encodings > 0) {
    // A server that skipped the encodings it does not know would read the body as the next request.
    if (shape.is_http_1_0) return refuse("HTTP/1.0 has no Transfer-Encoding");
    if (shape.transfer_encodings > 1 || !equal_ignoring_case(shape.transfer_encoding, "chunked")) {
      return refuse("the only supported Transfer-Encoding is chunked");
    }
  }
  const bool is_plain = std::ranges::all_of(shape.target, [](char c) { return c > ' ' && c < 0x7F; });
  if (!is_plain) return refuse("the target has characters that must be percent-encoded");
  if (scheme_bytes(shape.target) == 0) return {};
  const auto absolute = parse_absolute_target(shape.target);
  if (absolute->host.empty() || !std::ranges::all_of(absolute->host, is_host_character)) {
    return refuse("the target does not name a host");
  }
  return {};
}

bool has_folded_line(std::string_view head) {
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n", at + 2)) {
    if (at + 2 < head.size() && (head[at + 2] == ' ' || head[at + 2] == '\t')) return true;
  }
  return false;
}

std::optional<AbsoluteTarget> parse_absolute_target(std::string_view target) {
  const std::size_t scheme = scheme_bytes(target);
  if (scheme == 0) return std::nullopt;
  target.remove_prefix(scheme);
  const std::size_t end = std::min(target.find_first_of("/?#"), target.size());
  std::string path(target.substr(end));
  if (!path.starts_with('/')) path.insert(0, 1, '/');
  return AbsoluteTarget{target.substr(0, end), std::move(path)};
}

}  // namespace syncline::net
