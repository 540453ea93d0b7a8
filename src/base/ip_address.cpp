#include "base/ip_address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"

namespace syncline {
namespace {

constexpr std::size_t kV4Bytes = 4;
constexpr std::size_t kV6Bytes = 16;
constexpr std::size_t kCustomerBytes = 8;

/// An IPv6 address that stands for an IPv4 one, as that one.
std::string unmapped(const std::string& address) {
  constexpr std::string_view kMapped("\0\0\0\0\0\0\0\0\0\0\xFF\xFF", kV6Bytes - kV4Bytes);
  return address.size() == kV6Bytes && address.starts_with(kMapped) ? address.substr(kMapped.size()) : address;
}

}  // namespace

std::optional<std::string> parse_ip_address(std::string_view text) {
  const std::string plain(text.substr(0, text.find('%')));  // without its interface
  std::array<char, kV6Bytes> bytes{};
  if (::inet_pton(AF_INET, plain.c_str(), bytes.data()) == 1) return std::string(bytes.data(), kV4Bytes);
  if (::inet_pton(AF_INET6, plain.c_str(), bytes.data()) == 1) return std::string(bytes.data(), kV6Bytes);
  return std::nullopt;
}

bool is_loopback(std::string_view address_text) {
  static const IpNetworks kLoopback = *IpNetworks::parse({"127.0.0.0/8", "::1"}, "");
  return kLoopback.contains(address_text);
}

bool IpNetwork::contains(std::string_view of) const {
  if (of.size() != address.size()) return false;
  for (std::size_t at = 0; at < bits; ++at) {
    const auto mask = static_cast<unsigned char>(0x80U >> at % 8);
    const auto differ = static_cast<unsigned char>(of[at / 8] ^ address[at / 8]);
    if ((differ & mask) != 0) return false;
  }
  return true;
}

std::optional<IpNetwork> parse_ip_network(std::string_view text) {
  const std::size_t slash = text.find('/');
  auto address = parse_ip_address(text.substr(0, slash));
  if (!address) return std::nullopt;
  const auto bits_max = static_cast<std::int64_t>(address->size() * 8);
  const auto bits = slash == std::string_view::npos ? std::optional(bits_max) : parse_integer(text.substr(slash + 1));
  if (!bits || *bits < 0 || *bits > bits_max) return std::nullopt;
  return IpNetwork{*std::move(address), static_cast<std::size_t>(*bits)};
}

Result<IpNetworks> IpNetworks::parse(const std::vector<std::string>& list, std::string_view setting) {
  IpNetworks networks;
  for (const std::string& text : list) {
    auto network = parse_ip_network(text);
    if (!network) {
      return fail(ErrorCode::invalid_argument,
                  std::string(setting) + " must list networks like 10.1.0.0/16 or ::1, not '" + text + "'");
    }
    networks.networks_.push_back(*std::move(network));
  }
  return networks;
}

bool IpNetworks::contains(std::string_view address_text) const {
  if (networks_.empty()) return false;
  auto address = parse_ip_address(address_text);
  if (!address) return false;
  const std::string plain = unmapped(*std::move(address));
  return std::ranges::any_of(networks_, [&](const IpNetwork& network) { return network.contains(plain); });
}

std::string network_of_customer(std::string_view address_text) {
  const auto parsed = parse_ip_address(address_text);
  if (!parsed) return std::string(address_text);
  std::string address = unmapped(*parsed);
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.size() == kV4Bytes) return ::inet_ntop(AF_INET, address.data(), text.data(), text.size());
  std::fill(address.begin() + kCustomerBytes, address.end(), '\0');
  return std::string(::inet_ntop(AF_INET6, address.data(), text.data(), text.size())) + "/64";
}

}  // namespace syncline
