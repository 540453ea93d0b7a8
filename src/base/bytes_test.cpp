#include "base/bytes.hpp"

#include <gtest/gtest.h>

namespace syncline {
namespace {

TEST(Bytes, computes_standard_sha256) {
  EXPECT_EQ(to_hex(as_text(sha256("abc"))), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(crc32("123456789"), 0xCBF43926U);
}

TEST(Bytes, compares_all_bytes) {
  EXPECT_TRUE(equal_in_constant_time("abc", "abc"));
  EXPECT_FALSE(equal_in_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_in_constant_time("abc", "abcd"));
}

TEST(Bytes, base64url_has_no_padding) { EXPECT_EQ(to_base64url("\xfb\xff\xfe?"), "-__-Pw"); }

TEST(Uuid7, sorts_by_time_and_names_its_version) {
  const std::string early = make_uuid7(1'000);
  const std::string late = make_uuid7(1'001);
  EXPECT_LT(early, late);
  EXPECT_EQ(early.size(), 36U);
  EXPECT_EQ(early[14], '7');
  EXPECT_NE(make_uuid7(1'000), early);
}

}  // namespace
}  // namespace syncline
