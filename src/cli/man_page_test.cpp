#include "cli/man_page.hpp"

#include <gtest/gtest.h>

#include "cli/wrap.hpp"

namespace syncline::cli {
namespace {

TEST(ManPage, text_is_never_taken_for_a_request) {
  ManPage page("tool", 1, "a tool", {"2026-01-02", "tool 1"});
  const std::size_t head = page.text().size();
  page.section("OPTIONS").paragraph("--all 'x' \\n").paragraph(".TH").term("-\"q\"", "'.'");
  EXPECT_EQ(page.text().substr(head),
            ".SH OPTIONS\n"
            "\\-\\-all \\(aqx\\(aq \\en\n"
            ".PP\n"
            "\\&.TH\n"
            ".TP\n.B \"\\-\\(dqq\\(dq\"\n"
            "\\(aq.\\(aq\n");
}

TEST(Wrap, breaks_at_spaces_and_keeps_line_ends) {
  const auto lines = [](std::string_view text) { return wrap(text, 10); };
  using Lines = std::vector<std::string>;
  EXPECT_EQ(lines("one two six"), (Lines{"one two", "six"}));
  EXPECT_EQ(lines("one\ntwo"), (Lines{"one", "two"}));
  EXPECT_EQ(lines("a longer-than-ten word"), (Lines{"a", "longer-than-ten", "word"}));
}

TEST(Wrap, a_label_that_reaches_the_text_has_its_own_line) {
  EXPECT_EQ(labelled("-a", "one two", 2, 8, 14), "  -a    one\n        two\n");
  EXPECT_EQ(labelled("--long", "one", 2, 8, 20), "  --long\n        one\n");
}

TEST(Wrap, a_long_command_line_goes_on_behind_a_backslash) {
  EXPECT_EQ(continued("tool --one --two", 16), (std::vector<std::string>{"tool --one --two"}));
  EXPECT_EQ(continued("tool --one 1 --two 2", 16), (std::vector<std::string>{"tool --one 1 \\", "    --two 2"}));
  EXPECT_EQ(continued("tool -a 'b c d e f' g", 14),
            (std::vector<std::string>{"tool \\", "    -a 'b c d e f' \\", "    g"}));
}

}  // namespace
}  // namespace syncline::cli
