#include "net/gzip.hpp"

#include <gtest/gtest.h>

namespace syncline::net {
namespace {

TEST(Gzip, compresses_repetitive_data_and_writes_a_gzip_header) {
  const std::string packed = Gzip().add(std::string(100'000, 'x'), Gzip::Flush::finish);
  EXPECT_LT(packed.size(), 1000U);
  EXPECT_EQ(packed.substr(0, 2), "\x1f\x8b");
}

}  // namespace
}  // namespace syncline::net
