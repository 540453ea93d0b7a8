// Which addresses a webhook may reach. Anybody with a key may name a URL, and the hub may stand in a network with much
// that must not be asked by strangers: so only public addresses, but for those that the operator allows. What is
// checked is the address that the connection goes to, not the name, which may mean something else a moment later.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/ip_address.hpp"

namespace syncline::webhooks {

class AddressGuard {
 public:
  /// `allowed`: networks that may be reached although they are not public, as "10.1.0.0/16", "::1" or "127.0.0.1".
  [[nodiscard]] static Result<AddressGuard> make(const std::vector<std::string>& allowed);

  /// `address`: 4 bytes of IPv4 or 16 of IPv6, in network order.
  [[nodiscard]] bool allows(std::string_view address) const;

 private:
  std::vector<IpNetwork> allowed_;
};

/// False for addresses that are not of the public Internet: private, loopback, link-local, shared, reserved, for
/// documents, multicast (RFC 6890), and IPv6 addresses that stand for such an IPv4 address.
[[nodiscard]] bool is_public_address(std::string_view address);

}  // namespace syncline::webhooks
