#include "service/public_url.hpp"

#include <algorithm>

#include "base/ip_address.hpp"
#include "base/text.hpp"

namespace syncline {
namespace {

bool is_host(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']'))
    return parse_ip_address(host.substr(1, host.size() - 2)).has_value();
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  };
  return !host.empty() && std::ranges::all_of(host, fits);
}

bool has_port(std::string_view authority) {
  return authority.find(':') != std::string_view::npos && !authority.ends_with(']');
}

}  // namespace

Result<std::string> parse_public_url(std::string_view text) {
  const std::unexpected<Error> refused =
      fail(ErrorCode::invalid_argument,
           "hub.public_url must be like https://hub.example.org, without a path, not '" + to_valid_utf8(text) + "'");
  const std::string url = lower_case(text);
  const bool is_https = url.starts_with("https://");
  if (!is_https && !url.starts_with("http://")) return refused;
  const std::string_view scheme = is_https ? "https://" : "http://";
  std::string_view rest = std::string_view(url).substr(scheme.size());
  if (rest.ends_with('/')) rest.remove_suffix(1);
  const std::size_t colon = rest.rfind(':');
  const std::string_view host = has_port(rest) ? rest.substr(0, colon) : rest;
  if (!is_host(host)) return refused;
  if (!has_port(rest)) return std::string(scheme) + std::string(host);
  const auto port = parse_integer(rest.substr(colon + 1));
  if (!port || *port < 1 || *port > 65535) return refused;
  std::string origin = std::string(scheme) + std::string(host);
  if (*port != (is_https ? 443 : 80)) origin += ':' + std::to_string(*port);
  return origin;
}

std::string host_of_public_url(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return {};
  const std::string_view authority = url.substr(scheme + 3);
  return std::string(has_port(authority) ? authority.substr(0, authority.rfind(':')) : authority);
}

Result<> PublicUrl::set(const std::string& url) {
  CHECK_OK(keep_(url));
  {
    const MutexLock lock(mutex_);
    url_ = url;
  }
  if (hear_) hear_(url);
  return {};
}

}  // namespace syncline
