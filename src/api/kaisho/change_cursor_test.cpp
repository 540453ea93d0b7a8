#include "api/kaisho/change_cursor.hpp"

#include <gtest/gtest.h>

namespace syncline::kaisho {
namespace {

TEST(ChangeCursor, encodes_a_seq_as_a_timestamp) {
  EXPECT_EQ(format_change_cursor({123}, "abc"), "1970-01-01T00:00:00.000123Z");
  EXPECT_EQ(parse_change_cursor("1970-01-01T00:00:00.000123Z", "abc", {200}), Seq{123});
  EXPECT_EQ(parse_change_cursor("1970-01-01T00:00:00.000123Z", "abc", {100}), Seq{0}) << "past the newest change";
  EXPECT_EQ(parse_change_cursor("1970-01-01T00:00:00Z", "abc", {100}), Seq{0});
}

TEST(ChangeCursor, of_another_history_restarts_from_the_beginning) {
  const std::string restored = format_change_cursor({123}, "rabc");
  EXPECT_EQ(restored.size(), 30U);
  EXPECT_LT(restored, "1970-01-01T00:00:00Z") << "sorts as low";
  EXPECT_EQ(parse_change_cursor(restored, "rabc", {200}), Seq{123});
  EXPECT_EQ(parse_change_cursor("1970-01-01T00:00:00.000123Z", "rabc", {200}), Seq{0});
  EXPECT_EQ(parse_change_cursor(restored, "abc", {200}), Seq{0});
  EXPECT_EQ(parse_change_cursor(format_change_cursor({123}, "rabd"), "rabc", {200}), Seq{0});
}

}  // namespace
}  // namespace syncline::kaisho
