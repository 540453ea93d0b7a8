#include "base/text.hpp"

#include <gtest/gtest.h>

namespace syncline {
namespace {

TEST(Text, percent_encoding_round_trips) {
  const std::string text = "a/b c\xC3\xA4%\x01~";
  EXPECT_EQ(percent_decode(percent_encode(text)), text);
  EXPECT_EQ(percent_encode("a/b"), "a%2Fb");
  EXPECT_FALSE(percent_decode("%4"));
  EXPECT_FALSE(percent_decode("%zz"));
}

TEST(Text, splits_and_trims) {
  EXPECT_EQ(split("a,,b", ',').size(), 3U);
  EXPECT_EQ(split("", ',').size(), 1U);
  EXPECT_EQ(trim(" \ta b\n"), "a b");
}

TEST(Text, integers_are_digits_only) {
  EXPECT_EQ(parse_integer("-12"), -12);
  for (const char* text : {"", "1 ", "+1", "1.0", "99999999999999999999", "0x1"})
    EXPECT_FALSE(parse_integer(text)) << text;
}

}  // namespace
}  // namespace syncline
