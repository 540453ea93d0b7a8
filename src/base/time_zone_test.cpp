#include "base/time_zone.hpp"

#include <gtest/gtest.h>

namespace syncline {
namespace {

TimeZone zone(const char* name) {
  auto found = TimeZone::find(name);
  EXPECT_TRUE(found) << name;
  return found ? *std::move(found) : TimeZone::utc();
}

std::string midnight(const char* name, const char* day) {
  return format_time(zone(name).moment_of(*parse_day(day))).substr(0, 19);
}

/// A TZif file without transitions, for which the rule alone counts.
std::string file_with_rule(const std::string& rule) {
  const std::string head = "TZif2" + std::string(15, '\0');
  const auto number = [](char value) { return std::string(3, '\0') + value; };
  const std::string types_and_names = number(1) + number(4);
  const std::string one_type = std::string(6, '\0') + std::string("UTC\0", 4);
  const std::string part = head + std::string(16, '\0') + types_and_names + one_type;
  return part + part + "\n" + rule + "\n";
}

std::int64_t offset(const std::string& rule, const char* time) {
  const auto zone = TimeZone::parse("Test/Rule", file_with_rule(rule));
  EXPECT_TRUE(zone) << rule;
  return zone ? zone->offset_at(*parse_time(time)) : -1;
}

TEST(TimeZone, a_day_has_23_or_25_hours_when_clocks_change) {
  EXPECT_EQ(midnight("Europe/Berlin", "2026-03-29"), "2026-03-28T23:00:00");
  EXPECT_EQ(midnight("Europe/Berlin", "2026-03-30"), "2026-03-29T22:00:00");
  EXPECT_EQ(midnight("Europe/Berlin", "2026-10-25"), "2026-10-24T22:00:00");
  EXPECT_EQ(midnight("Europe/Berlin", "2026-10-26"), "2026-10-25T23:00:00");
  EXPECT_EQ(midnight("America/New_York", "2026-03-08"), "2026-03-08T05:00:00");
  EXPECT_EQ(midnight("America/New_York", "2026-03-09"), "2026-03-09T04:00:00");
}

TEST(TimeZone, clocks_change_at_the_very_second) {
  const TimeZone berlin = zone("Europe/Berlin");
  EXPECT_EQ(berlin.offset_at(*parse_time("2026-03-29T00:59:59.999999Z")), 3600);
  EXPECT_EQ(berlin.offset_at(*parse_time("2026-03-29T01:00:00Z")), 7200);
  EXPECT_EQ(berlin.offset_at(*parse_time("2026-10-25T00:59:59Z")), 7200);
  EXPECT_EQ(berlin.offset_at(*parse_time("2026-10-25T01:00:00Z")), 3600);
  EXPECT_EQ(berlin.offset_at(*parse_time("2026-10-25T00:59:59.999999Z")), 7200);
}

TEST(TimeZone, a_time_that_clocks_show_twice_is_the_first_and_a_skipped_one_is_the_change) {
  const TimeZone berlin = zone("Europe/Berlin");
  const std::int64_t half_past_two = 9000;
  EXPECT_EQ(format_time(berlin.moment_of(*parse_day("2026-10-25"), half_past_two)), "2026-10-25T00:30:00.000000Z");
  EXPECT_EQ(format_time(berlin.moment_of(*parse_day("2026-03-29"), half_past_two)), "2026-03-29T01:00:00.000000Z");
  EXPECT_EQ(midnight("America/Sao_Paulo", "2018-11-04"), "2018-11-04T03:00:00") << "midnight is skipped";
}

TEST(TimeZone, what_the_file_does_not_list_follows_its_rule) {
  EXPECT_EQ(midnight("Europe/Berlin", "2090-07-01"), "2090-06-30T22:00:00");
  EXPECT_EQ(midnight("Australia/Sydney", "2090-01-01"), "2089-12-31T13:00:00") << "summer is in January";
  EXPECT_EQ(midnight("Australia/Sydney", "2090-07-01"), "2090-06-30T14:00:00");
  EXPECT_EQ(midnight("Asia/Kathmandu", "2090-07-01"), "2090-06-30T18:15:00");
  EXPECT_EQ(zone("Europe/Berlin").offset_at(*parse_time("1850-01-01T00:00:00Z")), 3208) << "before there were zones";
}

TEST(TimeZone, rules_of_every_form_are_read) {
  EXPECT_EQ(offset("CET-1CEST,M3.5.0,M10.5.0/3", "2026-07-01T00:00:00Z"), 7200);
  EXPECT_EQ(offset("CET-1CEST,M3.5.0,M10.5.0/3", "2026-12-01T00:00:00Z"), 3600);
  EXPECT_EQ(offset("<+0330>-3:30", "2026-07-01T00:00:00Z"), 12'600);
  EXPECT_EQ(offset("IST-1GMT0,M10.5.0,M3.5.0/1", "2026-12-01T00:00:00Z"), 0) << "winter is what is saved";
  EXPECT_EQ(offset("IST-1GMT0,M10.5.0,M3.5.0/1", "2026-07-01T00:00:00Z"), 3600);
  EXPECT_EQ(offset("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29T00:59:59Z"), -7200);
  EXPECT_EQ(offset("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29T01:00:00Z"), -3600);
  EXPECT_EQ(offset("AAA0BBB,J60/0,J300/0", "2028-02-29T12:00:00Z"), 0) << "60 is the first of March in every year";
  EXPECT_EQ(offset("AAA0BBB,J60/0,J300/0", "2028-03-01T00:00:00Z"), 3600);
  EXPECT_EQ(offset("AAA0BBB,59/0,300/0", "2028-02-29T00:00:00Z"), 3600) << "counted from 0, with the leap day";
  EXPECT_EQ(offset("AAA0BBB,59/0,300/0", "2027-02-28T23:59:59Z"), 0);
  for (const char* bad : {"C-1", "CET", "CET-1CEST", "CET-1CEST,M13.1.0,M10.5.0", "CET-1CEST,M3.5.0", "CET-1x"}) {
    EXPECT_FALSE(TimeZone::parse("Test/Rule", file_with_rule(bad))) << bad;
  }
}

TEST(TimeZone, an_unknown_zone_is_an_error_that_names_it) {
  for (const char* bad :
       {"Europe/Atlantis", "", "../../../etc/passwd", "/etc/localtime", "Europe", "zone.tab", "Europe Berlin"}) {
    const auto found = TimeZone::find(bad);
    ASSERT_FALSE(found) << bad;
    EXPECT_EQ(found.error().code, ErrorCode::invalid_argument);
    EXPECT_NE(found.error().text.find("'" + std::string(bad) + "'"), std::string::npos) << found.error().text;
  }
  EXPECT_FALSE(TimeZone::parse("Test/Cut", file_with_rule("CET-1").substr(0, 90)));
  EXPECT_FALSE(TimeZone::parse("Test/Empty", ""));
}

TEST(TimeZone, times_are_written_with_their_offset) {
  const Timestamp time = *parse_time("2026-11-22T23:30:00.5Z");
  EXPECT_EQ(TimeZone::utc().format(time), "2026-11-22T23:30:00Z");
  EXPECT_EQ(zone("Europe/Berlin").format(time), "2026-11-23T00:30:00+01:00");
  EXPECT_EQ(zone("America/St_Johns").format(time), "2026-11-22T20:00:00-03:30");
  EXPECT_EQ(format_day(zone("Europe/Berlin").day_at(time)), "2026-11-23");
  for (const char* bad : {"", "2026-11-31", "2026-11-2", "today", "2026-11-22T00:00:00Z"}) {
    EXPECT_FALSE(parse_day(bad)) << bad;
  }
}

}  // namespace
}  // namespace syncline
