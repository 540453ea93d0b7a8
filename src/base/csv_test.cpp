#include "base/csv.hpp"

#include <gtest/gtest.h>

namespace syncline {
namespace {

std::string row(std::initializer_list<std::string_view> cells) {
  std::string out;
  append_csv_row(out, std::vector<std::string_view>(cells));
  return out;
}

TEST(Csv, cells_are_quoted_where_rfc_4180_asks_for_it) {
  EXPECT_EQ(row({"a", "", "b c"}), "a,,b c\r\n");
  EXPECT_EQ(row({"a,b", "say \"hi\"", "two\nlines", "x\ry"}), "\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\",\"x\ry\"\r\n");
  EXPECT_EQ(row({"Zürich", "東京"}), "Zürich,東京\r\n");
}

TEST(Csv, no_cell_is_a_formula) {
  EXPECT_EQ(row({"=1+1", "+49", "-1", "@SUM(A1)", "\tx", "a=b"}), "'=1+1,'+49,'-1,'@SUM(A1),'\tx,a=b\r\n");
  EXPECT_EQ(row({"\n=1"}), "\"'\n=1\"\r\n");
  EXPECT_EQ(row({"=HYPERLINK(\"http://x\",\"y\")"}), "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\"\r\n");
  EXPECT_EQ(row({"\r=1"}), "\"'\r=1\"\r\n");
}

}  // namespace
}  // namespace syncline
