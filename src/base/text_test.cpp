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

TEST(ToValidUtf8, replaces_only_invalid_characters) {
  EXPECT_EQ(to_valid_utf8("aä€𝄞z"), "aä€𝄞z");
  EXPECT_EQ(to_valid_utf8("a\xFFz"), "a\uFFFDz");
  EXPECT_EQ(to_valid_utf8("\xC3"), "\uFFFD");
  EXPECT_EQ(to_valid_utf8("\xE2\x82"), "\uFFFD\uFFFD");
  EXPECT_EQ(to_valid_utf8("\xED\xA0\x80ä"), "\uFFFD\uFFFD\uFFFDä");
}

TEST(CutUtf8, never_ends_within_a_character) {
  const std::string text = "aä€𝄞z";
  for (std::size_t size = 0; size <= text.size() + 1; ++size) {
    const std::string_view cut = cut_utf8(text, size);
    EXPECT_TRUE(is_utf8(cut)) << size;
    EXPECT_LE(cut.size(), size);
    EXPECT_GE(cut.size() + 3, std::min(size, text.size()));
  }
  EXPECT_EQ(cut_utf8(std::string(10, '\x80'), 5).size(), 5U);
}

}  // namespace
}  // namespace syncline
