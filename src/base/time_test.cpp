#include "base/time.hpp"

#include <gtest/gtest.h>

namespace syncline {
namespace {

TEST(Time, writes_utc_with_six_digits) {
  EXPECT_EQ(format_time({1'795'306'207'004'670}), "2026-11-22T00:10:07.004670Z");
  EXPECT_EQ(format_time({0}), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(format_time({-1}), "1969-12-31T23:59:59.999999Z");
}

TEST(Time, writes_each_second_as_its_own) {
  std::string out;
  append_time(out, {1'795'306'207'999'999});
  append_time(out, {1'795'306'208'000'000});
  append_time(out, {-1'000'000});
  append_time(out, {-1'000'001});
  EXPECT_EQ(out,
            "2026-11-22T00:10:07.999999Z2026-11-22T00:10:08.000000Z"
            "1969-12-31T23:59:59.000000Z1969-12-31T23:59:58.999999Z");
}

TEST(Time, reads_offsets_and_any_number_of_digits) {
  EXPECT_EQ(parse_time("2026-11-22T00:10:07.004670Z")->micros, 1'795'306'207'004'670);
  EXPECT_EQ(parse_time("2026-11-22T02:10:07.00467+02:00")->micros, 1'795'306'207'004'670);
  EXPECT_EQ(parse_time("2026-11-22t00:10:07.0046709z")->micros, 1'795'306'207'004'670);
  EXPECT_EQ(parse_time("2026-11-22T00:10:07Z")->micros, 1'795'306'207'000'000);
}

TEST(Time, rejects_invalid_timestamps) {
  for (const char* text :
       {"", "2026-11-22", "2026-11-22T00:10:07", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-11-22T24:00:00Z",
        "2026-11-22T00:10:07.Z", "2026-11-22T00:10:07Zx", "0000-01-01T00:00:00Z", "now", "2026-11-22T00:10:07+2:00"}) {
    EXPECT_FALSE(parse_time(text)) << text;
  }
}

TEST(Time, round_trips) {
  for (const std::int64_t micros :
       {kTimestampMin.micros, std::int64_t{-1}, std::int64_t{951'782'400'000'001}, kTimestampMax.micros}) {
    EXPECT_EQ(parse_time(format_time({micros}))->micros, micros);
  }
}

}  // namespace
}  // namespace syncline
