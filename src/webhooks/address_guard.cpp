#include "webhooks/address_guard.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"

namespace syncline::webhooks {
namespace {

constexpr std::size_t kV4Bytes = 4;
constexpr std::size_t kV6Bytes = 16;

/// 4 or 16 bytes; nothing for a text that is no address.
std::optional<std::string> parse_address(const std::string& text) {
  std::array<char, kV6Bytes> bytes{};
  if (::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) return std::string(bytes.data(), kV4Bytes);
  if (::inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return std::string(bytes.data(), kV6Bytes);
  return std::nullopt;
}

bool is_in(std::string_view address, std::string_view network, std::size_t bits) {
  if (address.size() != network.size()) return false;
  for (std::size_t at = 0; at < bits; ++at) {
    const auto mask = static_cast<unsigned char>(0x80U >> at % 8);
    const auto differ = static_cast<unsigned char>(address[at / 8] ^ network[at / 8]);
    if ((differ & mask) != 0) return false;
  }
  return true;
}

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
    const auto network = parse_address(block.network);
    return network && is_in(address, *network, block.bits);
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
    const std::size_t slash = text.find('/');
    const auto address = parse_address(text.substr(0, slash));
    const auto bits_max = static_cast<std::int64_t>(address ? address->size() * 8 : 0);
    const auto bits = slash == std::string::npos ? std::optional(bits_max) : parse_integer(text.substr(slash + 1));
    if (!address || !bits || *bits < 0 || *bits > bits_max) {
      return fail(ErrorCode::invalid_argument,
                  "webhooks.allow must list networks like 10.1.0.0/16 or ::1, not '" + text + "'");
    }
    guard.allowed_.push_back({*address, static_cast<std::size_t>(*bits)});
  }
  return guard;
}

bool AddressGuard::allows(std::string_view address) const {
  if (is_public_address(address)) return true;
  return std::ranges::any_of(allowed_,
                             [&](const Network& network) { return is_in(address, network.address, network.bits); });
}

}  // namespace syncline::webhooks
