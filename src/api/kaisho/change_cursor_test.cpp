#include "api/kaisho/change_cursor.hpp"

#include <gtest/gtest.h>

namespace syncline::kaisho {
namespace {

TEST(ChangeCursor, encodes_a_seq_as_a_timestamp) {
  EXPECT_EQ(format_change_cursor({"abc", {123}}), "1970-01-01T00:00:00.000123Z");
  EXPECT_EQ(parse_change_cursor("1970-01-01T00:00:00.000123Z", "abc", {}, {200}), Seq{123});
  EXPECT_EQ(parse_change_cursor("1970-01-01T00:00:00.000123Z", "abc", {}, {100}), Seq{0}) << "past the newest change";
  EXPECT_EQ(parse_change_cursor("1970-01-01T00:00:00Z", "abc", {}, {100}), Seq{0});
}

TEST(ChangeCursor, of_another_history_restarts_from_the_beginning) {
  const std::string restored = format_change_cursor({"rabc", {123}});
  EXPECT_EQ(restored.size(), 30U);
  EXPECT_LT(restored, "1970-01-01T00:00:00Z") << "sorts as low";
  EXPECT_EQ(parse_change_cursor(restored, "rabc", {}, {200}), Seq{123});
  EXPECT_EQ(parse_change_cursor("1970-01-01T00:00:00.000123Z", "rabc", {}, {200}), Seq{0});
  EXPECT_EQ(parse_change_cursor(restored, "abc", {}, {200}), Seq{0});
  EXPECT_EQ(parse_change_cursor(format_change_cursor({"rabd", {123}}), "rabc", {}, {200}), Seq{0});
}

TEST(ChangeCursor, of_an_opening_whose_changes_are_gone_restarts_from_the_beginning) {
  Lineage before;
  before.begin(IncarnationId{0xA}, Seq{0});
  Lineage put_back = before;
  put_back.begin(IncarnationId{0xB}, Seq{100});
  const auto cursor = [](const Lineage& of, Seq seq) {
    return format_change_cursor({.epoch = "abc", .seq = seq, .incarnation = of.at(seq)});
  };
  EXPECT_EQ(cursor(before, Seq{90}).size(), 30U);
  EXPECT_EQ(parse_change_cursor(cursor(before, Seq{90}), "abc", put_back, Seq{200}), Seq{90}) << "both have that one";
  EXPECT_EQ(parse_change_cursor(cursor(before, Seq{110}), "abc", put_back, Seq{200}), Seq{0});
  EXPECT_EQ(parse_change_cursor(cursor(put_back, Seq{110}), "abc", put_back, Seq{200}), Seq{110});
  EXPECT_EQ(parse_change_cursor("1970-01-01T00:00:00.000110Z", "abc", put_back, Seq{200}), Seq{110})
      << "an older store gave it out";
}

}  // namespace
}  // namespace syncline::kaisho
