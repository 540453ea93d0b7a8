#include "base/ip_address.hpp"

#include <gtest/gtest.h>

namespace syncline {
namespace {

TEST(IpAddressTest, a_list_of_networks_contains_their_addresses) {
  const auto networks = IpNetworks::parse({"10.1.0.0/16", "192.0.2.7", "2001:db8::/33"}, "proxy.trusted");
  ASSERT_TRUE(networks);
  for (const char* inside : {"10.1.255.3", "192.0.2.7", "::ffff:192.0.2.7", "2001:db8:7fff::1"}) {
    EXPECT_TRUE(networks->contains(inside)) << inside;
  }
  for (const char* outside : {"10.2.0.0", "192.0.2.8", "2001:db8:8000::1", "-", "", "10.1.0"}) {
    EXPECT_FALSE(networks->contains(outside)) << outside;
  }
}

TEST(IpAddressTest, an_entry_that_is_no_network_is_named) {
  for (const char* bad : {"10.1.0.0/33", "10.1.0.0/-1", "10.1.0.0/", "proxy", ""}) {
    const auto networks = IpNetworks::parse({"10.0.0.1", bad}, "proxy.trusted");
    ASSERT_FALSE(networks) << bad;
    EXPECT_NE(networks.error().text.find("proxy.trusted must list networks"), std::string::npos);
  }
}

TEST(IpAddressTest, a_customer_has_an_address_of_ipv4_or_a_network_of_ipv6) {
  EXPECT_EQ(network_of_customer("203.0.113.9"), "203.0.113.9");
  EXPECT_EQ(network_of_customer("::ffff:203.0.113.9"), "203.0.113.9");
  EXPECT_EQ(network_of_customer("2001:db8:1::1"), network_of_customer("2001:db8:1:0:ffff::2"));
  EXPECT_NE(network_of_customer("2001:db8:1::1"), network_of_customer("2001:db8:1:1::1"));
  EXPECT_EQ(network_of_customer("-"), "-");
}

TEST(IpAddressTest, loopback_is_known_in_every_form) {
  for (const char* own : {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"}) EXPECT_TRUE(is_loopback(own)) << own;
  for (const char* other : {"128.0.0.1", "::2", "-"}) EXPECT_FALSE(is_loopback(other)) << other;
}

}  // namespace
}  // namespace syncline
