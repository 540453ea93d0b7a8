#include "app/plain_words.hpp"

#include <gtest/gtest.h>

#include "app/command_times.hpp"
#include "support/zone.hpp"

namespace syncline::app {
namespace {

TEST(PlainWords, names_of_members_become_words) {
  for (const auto& [member, words] : std::vector<std::pair<std::string, std::string>>{{"id", "id"},
                                                                                      {"created_at", "created at"},
                                                                                      {"createdAt", "created at"},
                                                                                      {"commandId", "command id"},
                                                                                      {"URL", "URL"}}) {
    EXPECT_EQ(to_words(member), words);
  }
}

TEST(PlainWords, a_time_is_shown_in_the_zone_of_the_process) {
  const test::Zone zone("Asia/Kolkata");
  EXPECT_EQ(local_zone(), "Asia/Kolkata");
  EXPECT_EQ(to_cell("at", JsonView(R"("2026-11-22T20:00:00.004670Z")")), "2026-11-23 01:30:00");
  EXPECT_EQ(to_cell("at", JsonView(R"("2026-11-22T20:00:00+01:00")")), "2026-11-23 00:30:00");
  EXPECT_EQ(to_local_time({-1}), "1970-01-01 05:29:59") << "a moment before 1970";
}

TEST(PlainWords, a_zone_without_a_name_has_its_abbreviation) {
  for (const auto& [set, name] : std::vector<std::pair<const char*, std::string>>{
           {"UTC", "UTC"}, {":Etc/UTC", "UTC"}, {"", "UTC"}, {"XYZ-3", "XYZ"}, {":Europe/Berlin", "Europe/Berlin"}}) {
    const test::Zone zone(set);
    EXPECT_EQ(local_zone(), name) << set;
  }
}

TEST(PlainWords, what_only_resembles_a_time_stays_as_it_is) {
  for (const char* text : {"2026-11-22", "2026-11-22T20:00:00", "2026-13-22T20:00:00Z", "2026-11-22 20:00:00Z..."}) {
    const std::string json = '"' + std::string(text) + '"';
    EXPECT_EQ(to_cell("at", JsonView(json)), text);
  }
}

TEST(PlainWords, a_text_shows_its_quotes_as_they_are_and_line_ends_escaped) {
  EXPECT_EQ(to_cell("text", JsonView(R"("Now, \"quoted\" \\\"\n")")), R"(Now, "quoted" \\"\n)");
}

TEST(PlainWords, sizes_have_a_unit_and_counts_have_none) {
  EXPECT_EQ(to_cell("history_bytes", JsonView("1500000")), "1.5 MB");
  EXPECT_EQ(to_cell("bytes_max", JsonView("900")), "900 bytes");
  EXPECT_EQ(to_cell("records", JsonView("1500000")), "1500000");
  EXPECT_EQ(to_cell("bytes", JsonView("null")), "-");
}

TEST(CommandTimes, milliseconds_become_text_except_in_results) {
  const JsonObject command{
      JsonView(R"({"commandId":"cmd-1","createdAt":1795327635597,"timeoutMs":5000,"updatedAt":0,)"
               R"("approval":{"state":"approved","at":1795327635000},"result":{"createdAt":1795327635597}})")};
  EXPECT_EQ(
      with_text_times(command),
      R"({"commandId":"cmd-1","createdAt":"2026-11-22T06:07:15.597000Z","timeoutMs":5000,"updatedAt":0,)"
      R"("approval":{"state":"approved","at":"2026-11-22T06:07:15.000000Z"},"result":{"createdAt":1795327635597}})");
}

}  // namespace
}  // namespace syncline::app
