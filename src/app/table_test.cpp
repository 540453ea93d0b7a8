#include "app/table.hpp"

#include <gtest/gtest.h>

#include "support/zone.hpp"

namespace syncline::app {
namespace {

std::string row(const std::string& id, const std::string& what) {
  return R"({"id":")" + id + R"(","state":"done","what":")" + what + R"(","n":7})";
}

TEST(Table, columns_are_aligned_by_characters) {
  const std::string rows = "[" + row("a", "ä€𝄞") + "," + row("bcd", "x") + "]";
  EXPECT_EQ(format_table(JsonView(rows), {}),
            "ID   STATE  WHAT  N\n"
            "a    done   ä€𝄞   7\n"
            "bcd  done   x     7\n");
  EXPECT_EQ(format_table(JsonView("[]"), {.width = 80, .members = {}}), "");
  EXPECT_EQ(format_table(JsonView("[]"), {.width = 80, .members = {"id"}}), "");
}

TEST(Table, a_long_cell_is_cut_and_pads_no_row) {
  const std::string rows = "[" + row("a", std::string(16UL << 20U, 'x')) + "," + row("b", "short") + "]";
  const std::string table = format_table(JsonView(rows), {});
  EXPECT_LT(table.size(), 3 * (kCellCharactersMax + 40));
  EXPECT_NE(table.find("xxx\u2026  7\n"), std::string::npos);
}

TEST(Table, lines_fit_the_terminal_and_ids_stay_whole) {
  const std::string id = "cmd-1795327635597-r15zlr2xj827";
  const std::string rows = "[" + row(id, std::string(300, 'y')) + "," + row(id, "ä" + std::string(90, 'z')) + "]";
  const std::string table = format_table(JsonView(rows), {.width = 80, .members = {}});
  std::size_t begin = 0;
  for (std::size_t end = table.find('\n'); end != std::string::npos; end = table.find('\n', begin)) {
    const std::string line = table.substr(begin, end - begin);
    std::size_t characters = 0;
    for (const char c : line) characters += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U ? 1 : 0;
    EXPECT_LE(characters, 80U) << line;
    const bool is_head = begin == 0;
    EXPECT_TRUE(is_head || line.starts_with(id)) << line;
    begin = end + 1;
  }
}

TEST(Table, members_are_chosen_ordered_and_named_and_absent_ones_are_dashes) {
  const std::string rows = R"([{"id":"a","bytes_max":1500000,"doc":{"v":1}},{"id":"b","bytes_max":null}])";
  EXPECT_EQ(format_table(JsonView(rows), {.width = std::nullopt, .members = {"doc", "bytes_max=limit", "id"}}),
            "DOC      LIMIT   ID\n"
            "{\"v\":1}  1.5 MB  a\n"
            "-        -       b\n");
}

TEST(Table, the_first_column_of_times_names_the_zone_and_a_time_among_texts_stays_as_it_is) {
  const test::Zone zone("Asia/Kolkata");
  const std::string rows =
      R"([{"n":"2026-11-22T20:00:00.000000Z","at":"2026-11-22T20:00:00.000000Z","ended_at":"2026-11-22T20:00:01.000000Z"},)"
      R"({"n":"","at":null,"ended_at":"2026-11-22T20:00:02.000000Z"}])";
  EXPECT_EQ(format_table(JsonView(rows), {}),
            "N                            AT (Asia/Kolkata)    ENDED AT\n"
            "2026-11-22T20:00:00.000000Z  2026-11-23 01:30:00  2026-11-23 01:30:01\n"
            "-                            -                    2026-11-23 01:30:02\n");
}

TEST(Table, columns_that_do_not_fit_are_left_out_on_the_right_and_counted) {
  const std::string rows = R"([{"id":"0123456789abcdef","a":"aaaaaaaaaaaaaaaa","b":"bbbbbbbbbbbbbbbb","c":"c"}])";
  EXPECT_EQ(format_table(JsonView(rows), {.width = 30, .members = {}}),
            "ID                A\n"
            "0123456789abcdef  aaaaaaaaaaa\u2026\n"
            "(2 more columns; --json has all)\n");
  EXPECT_EQ(format_table(JsonView(rows), {.width = 5, .members = {"id"}}), "ID\n0123456789abcdef\n");
}

TEST(Table, colour_stands_around_words_and_changes_none) {
  const std::string rows = R"([{"state":"ok","n":1},{"state":"failed","n":2}])";
  EXPECT_EQ(format_table(JsonView(rows), {.width = std::nullopt, .members = {}, .is_coloured = true}),
            "\x1b[1mSTATE\x1b[0m   \x1b[1mN\x1b[0m\n"
            "\x1b[32mok\x1b[0m      1\n"
            "\x1b[31mfailed\x1b[0m  2\n");
}

}  // namespace
}  // namespace syncline::app
