#include "net/gzip.hpp"

#include <gtest/gtest.h>

namespace syncline::net {
namespace {

TEST(Gzip, compresses_repetitive_data_and_writes_a_gzip_header) {
  const std::string packed = Gzip().add(std::string(100'000, 'x'), Gzip::Flush::finish);
  EXPECT_LT(packed.size(), 1000U);
  EXPECT_EQ(packed.substr(0, 2), "\x1f\x8b");
}

TEST(AcceptEncoding, accepts_gzip_unless_its_weight_is_zero) {
  EXPECT_TRUE(accepts_gzip("gzip"));
  EXPECT_TRUE(accepts_gzip("deflate, GZIP;q=0.5"));
  EXPECT_FALSE(accepts_gzip(""));
  EXPECT_FALSE(accepts_gzip("br, deflate"));
  EXPECT_FALSE(accepts_gzip("gzip;q=0"));
}

}  // namespace
}  // namespace syncline::net
