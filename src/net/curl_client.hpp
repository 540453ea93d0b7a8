// http::Client over libcurl: TLS, proxies, reuse of connections.
#pragma once

#include "http/client.hpp"

namespace syncline::net {

struct Endpoint {
  std::string url;    // "https://hub.example.org", without a slash at the end
  std::string token;  // sent as Bearer
};

/// invalid_argument unless the URL is http or https with a host and nothing behind the path.
[[nodiscard]] Result<Endpoint> make_endpoint(std::string url, std::string token);

/// Makes clients of one endpoint. Each client is a connection of its own.
[[nodiscard]] http::ClientFactory make_client_factory(Endpoint endpoint);

}  // namespace syncline::net
