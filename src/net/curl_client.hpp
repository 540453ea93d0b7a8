// http::Client over libcurl: TLS, proxies, reuse of connections. For one thread at a time, which it blocks; only the
// stop token may be used by others.
#pragma once

#include "http/client.hpp"

namespace syncline::net {

struct Endpoint {
  std::string url;    // "https://hub.example.org", without a slash at the end
  std::string token;  // sent as Bearer; empty: nothing is
  /// Asked for each address before a connection to it: 4 bytes of IPv4 or 16 of IPv6. With it there is no proxy, and an
  /// answer is read up to the request's answer_bytes_max and not further, which is no error. Null: any address.
  std::function<bool(std::string_view address)> allows_address;
  /// Never through a proxy.
  bool is_direct = false;
  /// Asks for compressed answers.
  bool compresses = false;
  /// PEM file with certificates of CAs that are trusted besides the system's; empty: only the system's are.
  std::string ca_file;
  /// Ends the error about a certificate whose issuer is not trusted: what to do about it. May be empty.
  std::string_view ca_advice;
};

/// invalid_argument unless the URL is http or https with a host and nothing behind the path.
[[nodiscard]] Result<Endpoint> make_endpoint(std::string url, std::string token);

/// Makes clients of one endpoint. Each client is a connection of its own.
[[nodiscard]] http::ClientFactory make_client_factory(Endpoint endpoint);

}  // namespace syncline::net
