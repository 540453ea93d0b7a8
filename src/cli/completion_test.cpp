#include "cli/completion.hpp"

#include <gtest/gtest.h>

#include "cli/command_line.hpp"

namespace syncline::cli {
namespace {

/// A program with one of each: a group, an option of each kind, arguments.
class Completion : public testing::Test {
 protected:
  Completion() : line_("tool", {}) {
    const Command root = line_.root();
    root.option("-a,--agent NAME", text_, "agent");
    const Command key = root.add_group("key", "Manage keys", "tool key add");
    key.alias("keys");
    const Command add = key.add("add", "Add a key");
    add.option("--scopes SCOPES", text_, "scopes").known_list({"read", "write", "commands:run"});
    add.option("--plan PLAN", text_, "plan").one_of({"free", "pro"});
    add.option("--file FILE", text_, "file");
    add.option("-n,--count N", number_, "count");
    add.option("--set KEY=VALUE", texts_, "setting").known_beginnings({"listen=", "log.level="});
    add.flag("-j,--json", flag_, "JSON");
    const Command book = root.add("book", "Book");
    book.option("DAY", text_, "day").known_values({"today", "yesterday"});
    book.option("DIRECTORY", text_, "directory");
    root.add("secret", "Hidden").hide();
    line_.add_help_commands();
  }

  [[nodiscard]] std::vector<std::string> words(const std::vector<std::string>& typed) const {
    std::vector<std::string> found;
    for (const Candidate& candidate : complete(line_.table(), typed).words) found.push_back(candidate.word);
    return found;
  }

  [[nodiscard]] Candidates all(const std::vector<std::string>& typed) const { return complete(line_.table(), typed); }

  using Words = std::vector<std::string>;
  CommandLine line_;
  std::string text_;
  std::int64_t number_ = 0;
  std::vector<std::string> texts_;
  bool flag_ = false;
};

TEST_F(Completion, names_commands_that_help_shows) {
  EXPECT_EQ(words({""}), (Words{"key", "book", "help", "version"}));
  EXPECT_EQ(words({"k"}), Words{"key"});
  EXPECT_EQ(words({"key", ""}), Words{"add"});
  EXPECT_EQ(words({"keys", "a"}), Words{"add"});
  EXPECT_EQ(words({"-a", "key", "b"}), Words{"book"}) << "the value of an option names no command";
  EXPECT_EQ(words({"se"}), Words{});
}

TEST_F(Completion, names_the_options_of_the_command_that_were_not_given) {
  EXPECT_EQ(words({"key", "add", "--pl"}), Words{"--plan"});
  EXPECT_EQ(words({"key", "add", "--plan", "pro", "--pl"}), Words{});
  EXPECT_EQ(words({"key", "add", "--set", "listen=1", "--se"}), Words{"--set"}) << "may be given again";
  EXPECT_EQ(words({"key", "add", "--json", "--"}),
            (Words{"--scopes", "--plan", "--file", "--count", "--set", "--help"}));
  EXPECT_EQ(words({"key", "add", "-j"}), Words{"-j"});
  EXPECT_EQ(words({"key", "add", "--", "--pl"}), Words{});
}

TEST_F(Completion, names_the_values_of_an_option) {
  EXPECT_EQ(words({"key", "add", "--plan", ""}), (Words{"free", "pro"}));
  EXPECT_EQ(words({"key", "add", "--plan=p"}), Words{"--plan=pro"});
  EXPECT_EQ(words({"key", "add", "--count", ""}), Words{});
  EXPECT_EQ(words({"key", "add", "--set", "lo"}), Words{"log.level="});
  EXPECT_TRUE(all({"key", "add", "--set", "lo"}).continues);
  EXPECT_FALSE(all({"key", "add", "--plan", "p"}).continues);
}

TEST_F(Completion, completes_the_last_item_of_a_list) {
  EXPECT_EQ(words({"key", "add", "--scopes", "read,"}), (Words{"read,write", "read,commands:run"}));
  EXPECT_EQ(words({"key", "add", "--scopes=read,commands:"}), Words{"--scopes=read,commands:run"});
  EXPECT_TRUE(all({"key", "add", "--scopes", ""}).continues);
}

TEST_F(Completion, leaves_files_and_directories_to_the_shell) {
  EXPECT_EQ(all({"key", "add", "--file", ""}).paths, Candidates::Paths::files);
  EXPECT_EQ(all({"key", "add", "--file="}).paths, Candidates::Paths::files);
  EXPECT_EQ(all({"book", "today", ""}).paths, Candidates::Paths::directories);
  EXPECT_EQ(all({"key", "add", "--plan", ""}).paths, Candidates::Paths::none);
}

TEST_F(Completion, names_the_values_of_arguments_in_their_order) {
  EXPECT_EQ(words({"book", "y"}), Words{"yesterday"});
  EXPECT_EQ(words({"book", "--agent", "y"}), Words{"yesterday"}) << "an option that the command has not";
  EXPECT_EQ(words({"book", "today", "y"}), Words{});
}

TEST_F(Completion, help_is_followed_by_the_words_of_a_command) {
  EXPECT_EQ(words({"help", ""}), (Words{"key", "book", "help", "version"}));
  EXPECT_EQ(words({"help", "key", ""}), Words{"add"});
}

TEST_F(Completion, lines_carry_help_and_what_the_shell_must_do) {
  EXPECT_EQ(to_lines(all({"key", "add", "--fi"})), "--file\tfile\n");
  EXPECT_EQ(to_lines(all({"key", "add", "--file", ""})), ":files\n");
  EXPECT_EQ(to_lines(all({"key", "add", "--scopes", "w"})), "write\n:continues\n");
}

}  // namespace
}  // namespace syncline::cli
