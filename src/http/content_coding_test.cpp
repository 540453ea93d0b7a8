#include "http/content_coding.hpp"

#include <gtest/gtest.h>

namespace syncline::http {
namespace {

TEST(AcceptEncoding, allows_what_it_names_unless_its_weight_is_zero) {
  EXPECT_TRUE(accepts_coding("gzip", "gzip"));
  EXPECT_TRUE(accepts_coding("deflate, GZIP;q=0.5", "gzip"));
  EXPECT_TRUE(accepts_coding("gzip, deflate, br, zstd", "br"));
  EXPECT_TRUE(accepts_coding("br;q=0.001", "br"));
  EXPECT_FALSE(accepts_coding("", "gzip"));
  EXPECT_FALSE(accepts_coding("br, deflate", "gzip"));
  EXPECT_FALSE(accepts_coding("gzip;q=0", "gzip"));
  EXPECT_FALSE(accepts_coding("gzip; q=0.000", "gzip"));
  EXPECT_FALSE(accepts_coding("brotli", "br"));
}

TEST(AcceptEncoding, a_star_stands_for_what_is_not_named) {
  EXPECT_TRUE(accepts_coding("*", "br"));
  EXPECT_TRUE(accepts_coding("gzip;q=0, *", "br"));
  EXPECT_FALSE(accepts_coding("*, gzip;q=0", "gzip"));
  EXPECT_FALSE(accepts_coding("*;q=0", "br"));
}

}  // namespace
}  // namespace syncline::http
