#include "net/client_address.hpp"

#include <gtest/gtest.h>

namespace syncline::net {
namespace {

ProxyTrust trust(bool by_forwarded = false) {
  return {*IpNetworks::parse({"127.0.0.1", "10.0.0.0/8", "fd00::/8"}, "proxy.trusted"), by_forwarded};
}

TEST(ClientAddressTest, only_trusted_proxies_are_believed) {
  EXPECT_EQ(client_of("203.0.113.9", "198.51.100.1", trust()), "203.0.113.9");
  EXPECT_EQ(client_of("127.0.0.1", "198.51.100.1", trust()), "198.51.100.1");
  EXPECT_EQ(client_of("::ffff:127.0.0.1", "198.51.100.1", trust()), "198.51.100.1");
  EXPECT_EQ(client_of("127.0.0.1", "198.51.100.1", {}), "127.0.0.1");
}

TEST(ClientAddressTest, the_client_is_the_last_address_that_is_no_trusted_proxy) {
  EXPECT_EQ(client_of("127.0.0.1", "1.2.3.4, 198.51.100.1", trust()), "198.51.100.1") << "1.2.3.4 is a claim";
  EXPECT_EQ(client_of("127.0.0.1", "1.2.3.4,198.51.100.1 , 10.1.1.1", trust()), "198.51.100.1");
  EXPECT_EQ(client_of("127.0.0.1", "10.1.1.2, 10.1.1.1", trust()), "10.1.1.2") << "a client inside of the network";
}

TEST(ClientAddressTest, what_is_no_address_ends_the_search) {
  EXPECT_EQ(client_of("127.0.0.1", "", trust()), "127.0.0.1");
  EXPECT_EQ(client_of("127.0.0.1", "1.2.3.4, unknown, 10.1.1.1", trust()), "10.1.1.1");
  EXPECT_EQ(client_of("127.0.0.1", "1.2.3.4, ", trust()), "127.0.0.1");
  EXPECT_EQ(client_of("127.0.0.1", "[1.2.3.4", trust()), "127.0.0.1");
}

TEST(ClientAddressTest, ports_and_brackets_are_removed) {
  EXPECT_EQ(client_of("127.0.0.1", "198.51.100.1:4711", trust()), "198.51.100.1");
  EXPECT_EQ(client_of("127.0.0.1", "[2001:db8::17]:4711", trust()), "2001:db8::17");
  EXPECT_EQ(client_of("fd00::1", "2001:db8::17", trust()), "2001:db8::17");
}

TEST(ClientAddressTest, forwarded_is_read_as_its_standard_says) {
  const auto client = [](std::string_view list) { return client_of("127.0.0.1", list, trust(true)); };
  EXPECT_EQ(client("for=192.0.2.60;proto=http;by=203.0.113.43"), "192.0.2.60");
  EXPECT_EQ(client("For=\"[2001:db8:cafe::17]:4711\""), "2001:db8:cafe::17");
  EXPECT_EQ(client("for=1.2.3.4, proto=https; FOR = \"198.51.100.1:80\""), "198.51.100.1");
  EXPECT_EQ(client("for=1.2.3.4, for=_hidden"), "127.0.0.1");
  EXPECT_EQ(client("for=\"a, for=1.2.3.4\""), "127.0.0.1") << "a comma in quotes separates nothing";
  EXPECT_EQ(client("host=x"), "127.0.0.1");
}

}  // namespace
}  // namespace syncline::net
