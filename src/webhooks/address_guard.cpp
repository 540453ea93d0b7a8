#include "webhooks/address_guard.hpp"

#include <algorithm>
#include <array>

namespace syncline::webhooks {
namespace {

constexpr std::size_t kV4Bytes = 4;
constexpr std::size_t kV6Bytes = 16;

struct Block {
  const char* network;
  std::size_t bits;
};
/// RFC 6890 and its registry, and multicast.
constexpr std::array<Block, 15> kNotPublicV4 = {{{"0.0.0.0", 8},
                                                 {"10.0.0.0", 8},
                                                 {"100.64.0.0", 10},
                                                 {"127.0.0.0", 8},
                                                 {"169.254.0.0", 16},
                                                 {"172.16.0.0", 12},
                                                 {"192.0.0.0", 24},
                                                 {"192.0.2.0", 24},
                                                 {"192.88.99.0", 24},
                                                 {"192.168.0.0", 16},
                                                 {"198.18.0.0", 15},
                                                 {"198.51.100.0", 24},
                                                 {"203.0.113.0", 24},
                                                 {"224.0.0.0", 4},
                                                 {"240.0.0.0", 4}}};
/// Within 2000::/3, outside of which nothing is public: protocols (with Teredo), documents, 6to4, a test bed, SRv6.
constexpr std::array<Block, 5> kNotPublicV6 = {
    {{"2001::", 23}, {"2001:db8::", 32}, {"2002::", 16}, {"3fff::", 20}, {"5f00::", 16}}};

template <std::size_t Size>
bool is_in_any(std::string_view address, const std::array<Block, Size>& blocks) {
  return std::ranges::any_of(blocks, [&](const Block& block) {
    const auto network = parse_ip_address(block.network);
    return network && IpNetwork{*network, block.bits}.contains(address);
  });
}

}  // namespace

bool is_public_address(std::string_view address) {
  if (address.size() == kV4Bytes) return !is_in_any(address, kNotPublicV4);
  if (address.size() != kV6Bytes) return false;
  constexpr std::size_t kEmbeddedAt = kV6Bytes - kV4Bytes;
  // ::ffff:0:0/96 and 64:ff9b::/96 stand for an IPv4 address.
  constexpr std::array<Block, 2> kEmbedding = {{{"::ffff:0:0", 96}, {"64:ff9b::", 96}}};
  if (is_in_any(address, kEmbedding)) return is_public_address(address.substr(kEmbeddedAt));
  constexpr std::array<Block, 1> kGlobalUnicast = {{{"2000::", 3}}};
  return is_in_any(address, kGlobalUnicast) && !is_in_any(address, kNotPublicV6);
}

Result<AddressGuard> AddressGuard::make(const std::vector<std::string>& allowed) {
  AddressGuard guard;
  for (const std::string& text : allowed) {
    auto network = parse_ip_network(text);
    if (!network) {
      return fail(ErrorCode::invalid_argument,
                  "webhooks.allow must list networks like 10.1.0.0/16 or ::1, not '" + text + "'");
    }
    guard.allowed_.push_back(*std::move(network));
  }
  return guard;
}

bool AddressGuard::allows(std::string_view address) const {
  if (is_public_address(address)) return true;
  return std::ranges::any_of(allowed_, [&](const IpNetwork& network) { return network.contains(address); });
}

}  // namespace syncline::webhooks
