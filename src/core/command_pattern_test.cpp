#include "core/command_pattern.hpp"

#include <gtest/gtest.h>

namespace syncline {
namespace {

using Words = std::vector<std::string>;

TEST(SplitSimpleLine, splits_words_and_quotes_like_a_shell) {
  EXPECT_EQ(split_simple_line("git  log -n 5"), (Words{"git", "log", "-n", "5"}));
  EXPECT_EQ(split_simple_line(R"(git commit -m 'a b' "c \"d\" \\ e" f\ g)"),
            (Words{"git", "commit", "-m", "a b", "c \"d\" \\ e", "f g"}));
  EXPECT_EQ(split_simple_line("echo ''"), (Words{"echo", ""}));
  EXPECT_EQ(split_simple_line("echo a'b'\"c\""), (Words{"echo", "abc"}));
  EXPECT_EQ(split_simple_line("echo größe"), (Words{"echo", "größe"}));
}

class NotSimple : public testing::TestWithParam<std::string_view> {};
TEST_P(NotSimple, is_passed_to_a_shell) { EXPECT_EQ(split_simple_line(GetParam()), std::nullopt); }
INSTANTIATE_TEST_SUITE_P(Lines, NotSimple,
                         testing::Values("", "   ", "git status; rm -rf x", "git status && x", "git status | x",
                                         "git status & x", "a\nb", "a\rb", "a > b", "a < b", "a $(b)", "a `b`", "a $b",
                                         "a \"$b\"", "a \"`b`\"", "a *", "a ?", "a [b]", "a {b,c}", "a ~/b", "A=b c",
                                         "a # b", "(a)", "! a", "a 'b", "a \"b", "a \\", "a\tb", "a \"\\n\"", "'' a",
                                         "a \"b!c\"", "a ^b", "a\\\nb", std::string_view("a\0b", 3)));

TEST(Pattern, matches_word_by_word) {
  const auto matches = [](std::string_view pattern, std::string_view line) {
    return Pattern::parse(pattern)->matches(*split_simple_line(line));
  };
  EXPECT_TRUE(matches("git status", "git status"));
  EXPECT_TRUE(matches("git status", "git 'status'"));
  EXPECT_FALSE(matches("git status", "git status -s"));
  EXPECT_FALSE(matches("git status", "git"));
  EXPECT_TRUE(matches("git log *", "git log"));
  EXPECT_TRUE(matches("git log *", "git log -n 5 --oneline"));
  EXPECT_FALSE(matches("git log *", "git push"));
  EXPECT_TRUE(matches("npm run test:*", "npm run test:unit"));
  EXPECT_TRUE(matches("npm run test:*", "npm run 'test:; rm'"));
  EXPECT_FALSE(matches("npm run test:*", "npm run test:unit extra"));
  EXPECT_TRUE(matches("a *b*c x", "a bbc x"));
  EXPECT_FALSE(matches("a *b*c x", "a bbd x"));
  EXPECT_FALSE(matches("git status", "xgit status"));
}

TEST(Pattern, must_name_its_program_and_contain_no_shell_syntax) {
  for (const std::string_view bad : {"", "  ", "*", "g* status", "git status; x", "git $x", "git 'status'", "a | b"}) {
    EXPECT_FALSE(Pattern::parse(bad)) << bad;
  }
}

TEST(Pattern, may_mean_the_same_words_in_another_order_or_by_a_path) {
  const auto may_mean = [](std::string_view pattern, std::string_view line) {
    return Pattern::parse(pattern)->may_mean(*split_simple_line(line));
  };
  for (const std::string_view line : {"git push --force", "git push --force origin", "git -C . push --force",
                                      "git push origin --force", "/usr/bin/git push --force", "./git push --force"}) {
    EXPECT_TRUE(may_mean("git push --force *", line)) << line;
  }
  for (const std::string_view line : {"git push", "git log", "git", "legit push --force", "git/x push --force"}) {
    EXPECT_FALSE(may_mean("git push --force *", line)) << line;
  }
  EXPECT_FALSE(may_mean("git push", "git push origin"));
  EXPECT_TRUE(may_mean("/opt/git push *", "/opt/git push"));
  EXPECT_FALSE(may_mean("/opt/git push *", "git push"));
}

JsonObject command_of(const std::string& json) { return JsonObject(JsonView(json)); }

TEST(PatternCovers, the_command_that_it_matches_or_names_exactly) {
  const JsonObject push = command_of(R"({"type":"execute_bash","command":"git push origin"})");
  EXPECT_TRUE(pattern_covers("git push *", CommandType::execute_bash, push));
  EXPECT_FALSE(pattern_covers("git pull *", CommandType::execute_bash, push));
  EXPECT_FALSE(pattern_covers("rm *", CommandType::execute_bash, push));
  EXPECT_FALSE(pattern_covers("*", CommandType::execute_bash, push));
  EXPECT_FALSE(pattern_covers("", CommandType::execute_bash, push));
  const JsonObject line = command_of(R"({"type":"execute_bash","command":"git push; id"})");
  EXPECT_FALSE(pattern_covers("git push *", CommandType::execute_bash, line));
  const std::string exact = exact_pattern("whatever", fingerprint_of_command(CommandType::execute_bash, line));
  EXPECT_TRUE(pattern_covers(exact, CommandType::execute_bash, line));
  EXPECT_FALSE(pattern_covers(exact, CommandType::execute_bash, push));
  const JsonObject written = command_of(R"({"type":"write_file","path":"a","content":"x"})");
  EXPECT_FALSE(pattern_covers("a *", CommandType::write_file, written));
  const JsonObject aws = command_of(R"({"service":"s3api","operation":"ListObjects","parameters":{}})");
  EXPECT_TRUE(pattern_covers("s3api list-*", CommandType::aws_operation, aws));
  const JsonObject spelled = command_of(R"({"service":"s3api","operation":"list-objects","parameters":{}})");
  EXPECT_EQ(fingerprint_of_command(CommandType::aws_operation, aws),
            fingerprint_of_command(CommandType::aws_operation, spelled));
}

}  // namespace
}  // namespace syncline
