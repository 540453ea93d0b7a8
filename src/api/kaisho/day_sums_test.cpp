#include "api/kaisho/day_sums.hpp"

#include <gtest/gtest.h>

namespace syncline::kaisho {
namespace {

Timestamp at(const char* time) { return *parse_time(time); }

DaySums sums_of(const char* zone, const char* from, const char* until) {
  return *DaySums::make(*TimeZone::find(zone), {at(from), at(until)});
}

TEST(DaySums, work_over_midnight_counts_for_both_days) {
  DaySums sums = sums_of("Europe/Berlin", "2026-11-20T23:00:00Z", "2026-11-23T23:00:00Z");
  sums.add(at("2026-11-21T21:30:00Z"), at("2026-11-21T23:15:01Z"));
  sums.add(at("2026-11-22T08:00:00Z"), at("2026-11-22T09:00:00Z"));
  EXPECT_EQ(sums.to_json(),
            R"({"zone":"Europe/Berlin","seconds":9901,"days":[{"date":"2026-11-21","seconds":5400,"entries":1},)"
            R"({"date":"2026-11-22","seconds":4501,"entries":2}]})");
}

TEST(DaySums, the_days_on_which_clocks_change_have_23_and_25_hours) {
  DaySums spring = sums_of("Europe/Berlin", "2026-03-27T23:00:00Z", "2026-03-30T22:00:00Z");
  spring.add(at("2026-03-28T12:00:00Z"), at("2026-03-30T12:00:00Z"));
  EXPECT_EQ(spring.to_json(),
            R"({"zone":"Europe/Berlin","seconds":172800,"days":[{"date":"2026-03-28","seconds":39600,"entries":1},)"
            R"({"date":"2026-03-29","seconds":82800,"entries":1},{"date":"2026-03-30","seconds":50400,"entries":1}]})");
  DaySums autumn = sums_of("Europe/Berlin", "2026-10-23T22:00:00Z", "2026-10-26T23:00:00Z");
  autumn.add(at("2026-10-24T12:00:00Z"), at("2026-10-26T12:00:00Z"));
  EXPECT_EQ(autumn.to_json(),
            R"({"zone":"Europe/Berlin","seconds":172800,"days":[{"date":"2026-10-24","seconds":36000,"entries":1},)"
            R"({"date":"2026-10-25","seconds":90000,"entries":1},{"date":"2026-10-26","seconds":46800,"entries":1}]})");
}

TEST(DaySums, what_lies_outside_of_the_period_counts_for_no_day) {
  DaySums sums = sums_of("UTC", "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z");
  sums.add(at("1900-01-01T00:00:00Z"), at("2200-01-01T00:00:00Z"));
  sums.add(at("2026-11-21T23:00:00Z"), at("2026-11-22T00:00:00Z"));
  sums.add(at("2026-11-23T00:00:00Z"), at("2026-11-23T01:00:00Z"));
  sums.add(at("2026-11-22T10:00:00Z"), at("2026-11-22T09:00:00Z"));
  EXPECT_EQ(sums.to_json(),
            R"({"zone":"UTC","seconds":86400,"days":[{"date":"2026-11-22","seconds":86400,"entries":1}]})");
  DaySums part = sums_of("UTC", "2026-11-22T12:00:00Z", "2026-11-22T13:00:00Z");
  part.add(at("2026-11-22T11:30:00Z"), at("2026-11-22T12:30:00Z"));
  EXPECT_TRUE(part.to_json().contains(R"("seconds":1800)")) << part.to_json();
}

TEST(DaySums, a_day_that_a_zone_skipped_has_no_work) {
  DaySums sums = sums_of("Pacific/Apia", "2011-12-29T10:00:00Z", "2011-12-31T10:00:00Z");
  sums.add(at("2011-12-30T09:00:00Z"), at("2011-12-30T11:00:00Z"));
  EXPECT_EQ(sums.to_json(),
            R"({"zone":"Pacific/Apia","seconds":7200,"days":[{"date":"2011-12-29","seconds":3600,"entries":1},)"
            R"({"date":"2011-12-31","seconds":3600,"entries":1}]})");
}

TEST(DaySums, a_period_has_at_most_400_days) {
  EXPECT_TRUE(DaySums::make(TimeZone::utc(), {at("2026-01-01T00:00:00Z"), at("2027-02-05T00:00:00Z")}));
  const auto longer = DaySums::make(TimeZone::utc(), {kTimestampMin, kTimestampMax});
  ASSERT_FALSE(longer);
  EXPECT_EQ(longer.error().code, ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace syncline::kaisho
