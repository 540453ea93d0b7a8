// Who sent a request: the peer of its connection, or, where that is a trusted proxy, who the proxy says it was. Only
// the configured header is believed: most proxies pass on the other one as the client sent it. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/ip_address.hpp"

namespace syncline::net {

struct ProxyTrust {
  IpNetworks proxies;
  bool by_forwarded = false;  // RFC 7239's header; else X-Forwarded-For

  [[nodiscard]] std::string_view header() const { return by_forwarded ? "Forwarded" : "X-Forwarded-For"; }
};

/// `list`: all fields of that header, in their order, joined by commas. The proxies appended to it, so the client is
/// the last address that is no trusted proxy; what stands before it is the client's own claim. An entry that is no
/// address ends the search at the proxy that wrote it.
[[nodiscard]] std::string client_of(std::string_view peer, std::string_view list, const ProxyTrust& trust);

}  // namespace syncline::net
