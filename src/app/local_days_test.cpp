#include "app/local_days.hpp"

#include <gtest/gtest.h>

#include "support/zone.hpp"

namespace syncline::app {
namespace {

class LocalDaysTest : public testing::Test {
 protected:
  static std::string range(const std::string& zone, std::string_view period, std::string_view now) {
    EXPECT_TRUE(use_zone(zone));
    const auto days = days_of_period(period, *parse_time(now));
    return days ? format_time(days->first).substr(0, 16) + " " + format_time(days->last).substr(0, 16) : "(none)";
  }

  const test::Zone zone_;  // commands change it
};

TEST_F(LocalDaysTest, a_day_begins_at_midnight_of_the_zone) {
  const auto now = "2026-11-22T23:30:00Z";  // a Sunday
  EXPECT_EQ(range("UTC", "today", now), "2026-11-22T00:00 2026-11-22T23:59");
  EXPECT_EQ(range("Europe/Berlin", "today", now), "2026-11-22T23:00 2026-11-23T22:59");
  EXPECT_EQ(range("Europe/Berlin", "week", now), "2026-11-22T23:00 2026-11-29T22:59") << "it is Monday there";
  EXPECT_EQ(range("America/Los_Angeles", "week", now), "2026-11-16T08:00 2026-11-23T07:59");
  EXPECT_EQ(range("America/Los_Angeles", "month", now), "2026-11-01T07:00 2026-12-01T07:59") << "summer time ended";
  EXPECT_EQ(range("Asia/Kolkata", "year", now), "2025-12-31T18:30 2026-12-31T18:29");
  EXPECT_EQ(range("UTC", "decade", now), "(none)");
}

TEST_F(LocalDaysTest, noon_is_noon_of_the_zone) {
  ASSERT_TRUE(use_zone("Pacific/Kiritimati"));
  EXPECT_EQ(format_time(*noon_of_day("2026-11-22")), "2026-11-21T22:00:00.000000Z");
  for (const char* bad : {"", "today", "2026-11-31", "2026-11-22T00:00:00Z"}) EXPECT_FALSE(noon_of_day(bad)) << bad;
}

TEST_F(LocalDaysTest, a_zone_that_is_none_is_an_error) {
  for (const char* bad : {"Europe/Berlim", "../../../etc/passwd", "/etc/passwd", "Europe"}) {
    EXPECT_FALSE(use_zone(bad)) << bad;
  }
  EXPECT_TRUE(use_zone(""));
}

}  // namespace
}  // namespace syncline::app
