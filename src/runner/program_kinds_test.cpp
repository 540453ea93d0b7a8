#include "runner/program_kinds.hpp"

#include <gtest/gtest.h>

#include "support/environment.hpp"

namespace syncline::runner {
namespace {

using Words = std::vector<std::string>;

Order order_of(const std::string& json) { return *make_order("cmd-1", JsonObject(JsonView(json))); }

TEST(SearchArguments, pass_the_query_as_one_argument) {
  test::TemporaryDirectory directory;
  Policy policy;
  policy.roots = {{directory.path(), false, "roots[0]"}};
  const Roots roots = *Roots::open(policy, {});
  const auto argv = make_search_argv(roots, order_of(R"({"type":"code_search","query":"--pre=x y","glob":"-z"})"));
  EXPECT_EQ((*argv)[6], "--fixed-strings");
  EXPECT_EQ((*argv)[7], "--glob=-z");
  EXPECT_EQ((*argv)[8], "--regexp=--pre=x y");
  EXPECT_EQ((*argv)[9], "--");
  EXPECT_FALSE(make_search_argv(roots, order_of(R"({"type":"code_search","query":"x","path":"../.."})")));
}

TEST(BashArguments, are_one_line_for_the_shell_or_the_words_of_a_pattern) {
  const Order order = order_of(R"({"type":"execute_bash","command":"a; b"})");
  EXPECT_EQ(*make_bash_argv(order, {}), (Words{"bash", "--noprofile", "--norc", "-c", "a; b"}));
  Decision decision;
  decision.words = {"git", "status"};
  EXPECT_EQ(*make_bash_argv(order, decision), (Words{"git", "status"}));
}

TEST(SearchOutcome, lists_matches_up_to_the_limit) {
  ProgramEnd end{0, "", CapturedOutput(1 << 20), CapturedOutput(100)};
  end.out.add(R"({"type":"begin","data":{}})"
              "\n");
  for (int line = 1; line <= 3; ++line) {
    end.out.add(R"({"type":"match","data":{"path":{"text":"./a.txt"},"lines":{"text":"hit\n"},"line_number":)" +
                std::to_string(line) + "}}\n");
  }
  EXPECT_EQ(
      make_search_outcome(end, 2).result,
      R"({"matches":[{"path":"a.txt","line":1,"text":"hit"},{"path":"a.txt","line":2,"text":"hit"}],"truncated":true})");
  ProgramEnd nothing{1, "", CapturedOutput(100), CapturedOutput(100)};
  EXPECT_EQ(make_search_outcome(nothing, 2).result, R"({"matches":[],"truncated":false})");
  ProgramEnd broken{2, "", CapturedOutput(100), CapturedOutput(100)};
  broken.err.add("regex parse error");
  EXPECT_EQ(make_search_outcome(broken, 2).error, "the search failed: regex parse error");
}

}  // namespace
}  // namespace syncline::runner
