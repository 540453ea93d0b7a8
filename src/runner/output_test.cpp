#include <gtest/gtest.h>

#include "base/text.hpp"
#include "runner/captured_output.hpp"
#include "runner/live_text.hpp"

namespace syncline::runner {
namespace {

TEST(CapturedOutput, keeps_output_below_the_limit_unchanged) {
  CapturedOutput output(10);
  output.add("abc");
  output.add("defghij");
  EXPECT_FALSE(output.truncated());
  EXPECT_EQ(output.text(), "abcdefghij");
}

TEST(CapturedOutput, keeps_head_and_tail_for_any_chunking) {
  const std::string all = "0123456789abcdefghijklmnopqrstuvwxyz";
  for (std::size_t piece = 1; piece <= all.size(); ++piece) {
    CapturedOutput output(10);
    for (std::size_t at = 0; at < all.size(); at += piece) output.add(std::string_view(all).substr(at, piece));
    EXPECT_EQ(output.text(), "01234\n[... 26 bytes omitted ...]\nvwxyz") << piece;
  }
}

TEST(CapturedOutput, truncates_at_character_boundaries) {
  std::string all;
  for (int i = 0; i < 50; ++i) all += "ä€𝄞";
  for (std::size_t bytes_max = 2; bytes_max < 60; ++bytes_max) {
    CapturedOutput output(bytes_max);
    output.add(all);
    EXPECT_TRUE(is_utf8(output.text())) << bytes_max;
  }
}

TEST(CapturedOutput, a_character_that_a_kill_cut_is_left_out) {
  const std::string all = "ok ä€𝄞";
  for (std::size_t length = 3; length <= all.size(); ++length) {
    CapturedOutput output(1000);
    output.add(std::string_view(all).substr(0, length));
    output.note_killed();
    EXPECT_TRUE(is_utf8(output.text())) << length;
    EXPECT_TRUE(all.starts_with(output.text()));
    std::string json;
    JsonWriter writer(json);
    writer.begin_object();
    write_output(writer, output, CapturedOutput(10));
    writer.end_object();
    EXPECT_EQ(json.find("base64"), std::string::npos) << json;
  }
  CapturedOutput ended(1000);
  ended.add("ok \xC3");
  EXPECT_EQ(ended.text(), "ok \xC3") << "a program that ended by itself meant it";
  CapturedOutput other(1000);
  other.add("\xFF\xFE");
  other.note_killed();
  EXPECT_EQ(other.text(), "\xFF\xFE") << "no beginning of a character";
  CapturedOutput large(10);
  large.add(std::string(100, 'x') + "\xE2\x82");
  large.note_killed();
  EXPECT_TRUE(is_utf8(large.text()));
}

TEST(LiveText, never_splits_a_character) {
  const std::string all = "aä€𝄞z";
  for (std::size_t piece = 1; piece <= all.size(); ++piece) {
    LiveText live;
    std::string seen;
    for (std::size_t at = 0; at < all.size(); at += piece) {
      live.add(std::string_view(all).substr(at, piece));
      seen += live.take(1000, false);
      ASSERT_TRUE(is_utf8(seen));
    }
    EXPECT_EQ(seen, all);
  }
}

TEST(LiveText, replaces_invalid_utf8) {
  LiveText live;
  live.add("a\xFF\xC3(\xE2\x82");
  EXPECT_EQ(live.take(1000, false), "a\uFFFD\uFFFD(");
  EXPECT_FALSE(live.empty());
  EXPECT_EQ(live.take(1000, true), "\uFFFD\uFFFD");
  EXPECT_TRUE(live.empty());
}

TEST(LiveText, reports_omitted_bytes) {
  LiveText live;
  live.add(std::string(300UL << 10U, 'x'));
  EXPECT_TRUE(live.take(1UL << 20U, true).starts_with("\n[... 45056 bytes omitted ...]\nxxx"));
}

}  // namespace
}  // namespace syncline::runner
