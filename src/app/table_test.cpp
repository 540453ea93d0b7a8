#include "app/table.hpp"

#include <gtest/gtest.h>

namespace syncline::app {
namespace {

std::string row(const std::string& id, const std::string& what) {
  return R"({"id":")" + id + R"(","state":"done","what":")" + what + R"(","n":7})";
}

TEST(Table, columns_are_aligned_by_characters) {
  const std::string rows = "[" + row("a", "ä€𝄞") + "," + row("bcd", "x") + "]";
  EXPECT_EQ(format_table(JsonView(rows), std::nullopt),
            "id   state  what  n\n"
            "a    done   ä€𝄞   7\n"
            "bcd  done   x     7\n");
  EXPECT_EQ(format_table(JsonView("[]"), 80), "");
}

TEST(Table, a_long_cell_is_cut_and_pads_no_row) {
  const std::string rows = "[" + row("a", std::string(16UL << 20U, 'x')) + "," + row("b", "short") + "]";
  const std::string table = format_table(JsonView(rows), std::nullopt);
  EXPECT_LT(table.size(), 3 * (kCellCharactersMax + 40));
  EXPECT_NE(table.find("xxx\u2026  7\n"), std::string::npos);
}

TEST(Table, lines_fit_the_terminal_and_ids_stay_whole) {
  const std::string id = "cmd-1795327635597-r15zlr2xj827";
  const std::string rows = "[" + row(id, std::string(300, 'y')) + "," + row(id, "ä" + std::string(90, 'z')) + "]";
  const std::string table = format_table(JsonView(rows), 80);
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

}  // namespace
}  // namespace syncline::app
