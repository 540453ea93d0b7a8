// IP addresses and networks as values: who a peer is, whether it belongs to a list, whom to count it for. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace syncline {

/// 4 bytes of IPv4 or 16 of IPv6, in network order; nothing for a text that is no address.
[[nodiscard]] std::optional<std::string> parse_ip_address(std::string_view text);

/// True for 127.0.0.0/8 and ::1, also where IPv6 stands for IPv4.
[[nodiscard]] bool is_loopback(std::string_view address_text);

struct IpNetwork {
  std::string address;
  std::size_t bits = 0;

  /// `of`: as parse_ip_address returns it.
  [[nodiscard]] bool contains(std::string_view of) const;
};
/// "10.1.0.0/16", or an address alone.
[[nodiscard]] std::optional<IpNetwork> parse_ip_network(std::string_view text);

class IpNetworks {
 public:
  /// invalid_argument naming `setting` and the first entry that is no network.
  [[nodiscard]] static Result<IpNetworks> parse(const std::vector<std::string>& list, std::string_view setting);

  [[nodiscard]] bool empty() const { return networks_.empty(); }
  [[nodiscard]] bool contains(std::string_view address_text) const;

 private:
  std::vector<IpNetwork> networks_;
};

/// Whom an address is counted for: itself, or the /64 of an IPv6 address, which one customer has. Other texts stay.
[[nodiscard]] std::string network_of_customer(std::string_view address_text);

}  // namespace syncline
