#include "core/lineage.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"

namespace syncline {
namespace {

constexpr IncarnationId kA{0xA};
constexpr IncarnationId kB{0xB};
constexpr IncarnationId kC{0xC};

Lineage two_openings() {
  Lineage lineage;
  lineage.begin(kA, Seq{0});
  lineage.begin(kB, Seq{100});
  return lineage;
}

TEST(Lineage, knows_which_opening_made_a_change) {
  const Lineage lineage = two_openings();
  EXPECT_EQ(lineage.at(Seq{1}), kA);
  EXPECT_EQ(lineage.at(Seq{100}), kA);
  EXPECT_EQ(lineage.at(Seq{101}), kB);
  EXPECT_EQ(lineage.at(Seq{0}), IncarnationId{}) << "nothing was made before the first change";
  EXPECT_EQ(Lineage().at(Seq{5}), IncarnationId{});
}

TEST(Lineage, changes_past_the_next_opening_are_another_history) {
  const Lineage lineage = two_openings();
  EXPECT_TRUE(lineage.contains(kA, Seq{0}));
  EXPECT_TRUE(lineage.contains(kA, Seq{100}));
  EXPECT_FALSE(lineage.contains(kA, Seq{101}));
  EXPECT_TRUE(lineage.contains(kB, Seq{500})) << "the last one has no end yet";
  EXPECT_FALSE(lineage.contains(kC, Seq{1}));
  EXPECT_FALSE(Lineage().contains(kA, Seq{1}));
}

TEST(Lineage, forgets_the_oldest_opening_when_there_are_too_many) {
  Lineage lineage;
  for (std::size_t i = 0; i <= limits::kIncarnationsMax; ++i) {
    const auto number = static_cast<std::int64_t>(i);
    lineage.begin(IncarnationId{number + 1}, Seq{number * 10});
  }
  EXPECT_EQ(lineage.entries().size(), limits::kIncarnationsMax);
  EXPECT_FALSE(lineage.contains(IncarnationId{1}, Seq{1}));
  EXPECT_EQ(lineage.at(Seq{5}), IncarnationId{});
  EXPECT_TRUE(lineage.contains(IncarnationId{2}, Seq{20}));
  EXPECT_EQ(lineage.at(Seq{11}), IncarnationId{2});
}

TEST(Lineage, an_incarnation_is_twelve_digits) {
  EXPECT_EQ(to_text(IncarnationId{0xAB}), "0000000000ab");
  EXPECT_EQ(parse_incarnation("0000000000ab"), IncarnationId{0xAB});
  for (const char* text : {"", "ab", "0000000000aG", "-000000000ab", "00000000000000ab"}) {
    EXPECT_EQ(parse_incarnation(text), IncarnationId{}) << text;
  }
}

}  // namespace
}  // namespace syncline
