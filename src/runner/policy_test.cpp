#include "runner/policy.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "support/environment.hpp"

namespace syncline::runner {
namespace {

using Words = std::vector<std::string>;

class PolicyFile : public testing::Test {
 protected:
  Result<Policy> load(const std::string& text) {
    std::ofstream(path_) << text;
    return load_policy(path_);
  }
  std::string fault(const std::string& text) {
    const auto policy = load(text);
    return policy ? "" : policy.error().text.substr(directory_.path().size() + 1);
  }
  static Order bash(const std::string& line) {
    JsonObject fields;
    fields.set_text("type", "execute_bash");
    fields.set_text("command", line);
    return {"cmd-1", CommandType::execute_bash, std::move(fields)};
  }
  test::TemporaryDirectory directory_;
  const std::string path_ = directory_.path() + "/p.yaml";
};

TEST_F(PolicyFile, errors_name_their_line) {
  EXPECT_EQ(
      fault("versoin: 1\n"),
      "p.yaml:1: unknown key 'versoin'; allowed: version, roots, commands, network, read_only_paths, environment, "
      "limits, concurrency, aws");
  EXPECT_EQ(fault("version: 2\n"), "p.yaml:1: 'version' must be 1");
  EXPECT_EQ(fault("roots: []\n"), "p.yaml:1: 'version' must be 1");
  EXPECT_EQ(fault("version: 1\nroots:\n  - path: relative\n"), "p.yaml:3: 'path' must be absolute");
  EXPECT_EQ(fault("version: 1\nroots:\n  - path: /a\n    wirte: true\n"),
            "p.yaml:4: unknown key 'wirte' in roots[0]; allowed: path, write");
  EXPECT_EQ(fault("version: 1\nroots:\n  - path: /a\n    write: 1\n"), "p.yaml:4: 'write' must be true or false");
  EXPECT_EQ(fault("version: 1\ncommands:\n  read_fiel: allow\n").substr(0, 34), "p.yaml:3: unknown key 'read_fiel' ");
  EXPECT_EQ(fault("version: 1\ncommands:\n  read_file: maybe\n"),
            "p.yaml:3: 'commands.read_file' must be allow, ask, off or a list of rules, not 'maybe'");
  EXPECT_EQ(fault("version: 1\ncommands:\n  execute_bash:\n    - permit: x\n"),
            "p.yaml:4: unknown verdict 'permit'; allowed: allow, ask, deny");
  EXPECT_EQ(fault("version: 1\ncommands:\n  execute_bash:\n    - allow: a; b\n"),
            "p.yaml:4: pattern 'a; b' must not contain ';'");
  EXPECT_EQ(fault("version: 1\nlimits:\n  seconds: fast\n"), "p.yaml:3: 'seconds' must be a whole number, 1 to 86400");
  EXPECT_EQ(fault("version: 1\nlimits: {seconds: 20, seconds_max: 10}\n"),
            "p.yaml:2: 'seconds' must not exceed 'seconds_max'");
  EXPECT_EQ(fault("version: 1\nversion: 1\n"), "p.yaml:2: duplicate key 'version'");
  EXPECT_EQ(fault("version: 1\n  bad: [\n").substr(0, 7), "p.yaml:");
  EXPECT_EQ(load_policy("/nowhere/p.yaml").error().code, ErrorCode::not_found);
}

TEST_F(PolicyFile, denies_unlisted_command_types) {
  const Policy policy = *load("version: 1\n");
  for (std::size_t i = 0; i < kCommandTypeNames.size(); ++i) {
    Order order = bash("true");
    order.type = static_cast<CommandType>(i);
    const Decision decision = decide(policy, order);
    EXPECT_EQ(decision.verdict, Verdict::deny);
    EXPECT_EQ(decision.refusal, "refused by rule commands." + std::string(kCommandTypeNames[i]) +
                                    " (p.yaml): commands of type " + std::string(kCommandTypeNames[i]) + " are off");
  }
}

TEST_F(PolicyFile, takes_the_first_rule_that_matches) {
  const Policy policy = *load(
      "version: 1\n"
      "commands:\n"
      "  execute_bash:\n"
      "    - deny: git push --force *\n"
      "    - ask: git push *\n"
      "    - allow: git *\n");
  const auto verdict = [&](const std::string& line) { return decide(policy, bash(line)).verdict; };
  EXPECT_EQ(verdict("git status"), Verdict::allow);
  EXPECT_EQ(verdict("git push origin"), Verdict::ask);
  EXPECT_EQ(verdict("git push --force origin"), Verdict::deny);
  EXPECT_EQ(verdict("make"), Verdict::deny);
  EXPECT_EQ(decide(policy, bash("git push origin")).rule, "commands.execute_bash[1] (p.yaml:5)");
  EXPECT_EQ(decide(policy, bash("git push origin")).pattern, "git push *");
  EXPECT_EQ(decide(policy, bash("git 'x y'")).words, (Words{"git", "x y"}));
  EXPECT_EQ(decide(policy, bash("git push 'origin'; x")).verdict, Verdict::deny);
  EXPECT_EQ(decide(policy, bash("make\nx")).refusal,
            "refused by rule commands.execute_bash[0] (p.yaml:4): this line needs a shell and might contain a denied "
            "command: 'make x' is denied");
}

TEST_F(PolicyFile, a_pattern_that_stops_a_command_stops_it_in_other_words) {
  const Policy policy =
      *load("version: 1\ncommands: {execute_bash: [{deny: git push --force *}, {ask: git push *}, {allow: git *}]}\n");
  for (const std::string line : {"git -C . push --force", "git push origin --force", "git push '--force'"}) {
    EXPECT_EQ(decide(policy, bash(line)).verdict, Verdict::deny) << line;
  }
  for (const std::string line : {"/usr/bin/git push", "env git push", "sh -c 'git push'", "nice git push"}) {
    EXPECT_NE(decide(policy, bash(line)).verdict, Verdict::allow) << line;
  }
  const Decision moved = decide(policy, bash("git -C . push"));
  EXPECT_EQ(moved.verdict, Verdict::ask);
  EXPECT_TRUE(moved.pattern.starts_with("exactly: git -C . push (")) << "an approval for good covers what it says";
}

TEST_F(PolicyFile, a_policy_whose_patterns_can_be_walked_round_is_refused) {
  const auto fault_of = [&](const std::string& rules) {
    return fault("version: 1\ncommands:\n  execute_bash:\n" + rules);
  };
  const std::string denies = "    - deny: git push --force *\n";
  EXPECT_EQ(
      fault_of(denies + "    - allow: any\n"),
      "p.yaml:5: 'allow: any' would let everything run that 'deny: git push --force *' is to stop, in other words "
      "(sh -c, env, a path); allow patterns instead, or 'ask: any'");
  for (const std::string rule : {"sh *", "bash *", "/bin/sh *", "env *", "xargs *", "python3 *", "eval *", "csh *",
                                 "awk *", "php *", "/usr/bin/python3.11 *", "lua5.4 *", "find *"}) {
    EXPECT_NE(fault_of(denies + "    - allow: " + rule + "\n"), "") << rule;
  }
  EXPECT_NE(fault_of("    - ask: rm *\n    - allow: any\n"), "");
  EXPECT_EQ(fault("version: 1\ncommands: {aws_operation: [{deny: s3api delete-*}, {allow: any}]}\n"), "");
  for (const std::string rules : {"    - allow: any\n", "    - allow: git *\n    - allow: any\n"}) {
    EXPECT_EQ(fault_of(rules), "") << rules;
  }
  for (const std::string rule : {"allow: python3 -m pytest *", "ask: any", "ask: sh *", "deny: any", "allow: make *"}) {
    EXPECT_EQ(fault_of(denies + "    - " + rule + "\n"), "") << rule;
  }
}

TEST_F(PolicyFile, a_shell_line_matches_deny_patterns_but_no_allow_patterns) {
  const Policy any = *load("version: 1\ncommands: {execute_bash: any}\n");
  EXPECT_TRUE(decide(any, bash("ls")).words.empty());  // a shell runs it
  const Policy guarded = *load("version: 1\ncommands: {execute_bash: [{deny: rm *}, {allow: ls *}]}\n");
  EXPECT_EQ(decide(guarded, bash("ls")).verdict, Verdict::allow);
  EXPECT_EQ(decide(guarded, bash("ls; rm x")).verdict, Verdict::deny);
  const Policy asking = *load("version: 1\ncommands: {execute_bash: [{allow: ls *}, {ask: any}]}\n");
  EXPECT_EQ(decide(asking, bash("ls -l")).verdict, Verdict::allow);
  EXPECT_EQ(decide(asking, bash("ls; id")).verdict, Verdict::ask);
}

TEST_F(PolicyFile, a_standing_approval_covers_the_pattern_or_the_exact_command) {
  const Policy policy = *load("version: 1\ncommands: {execute_bash: [{ask: git push *}, {ask: any}]}\n");
  const auto pattern = [&](const std::string& line) { return decide(policy, bash(line)).pattern; };
  EXPECT_EQ(pattern("git push x"), "git push *");
  EXPECT_TRUE(pattern("git push *").starts_with("exactly: git push * ("));
  EXPECT_TRUE(pattern("make").starts_with("exactly: make ("));
  EXPECT_EQ(pattern("git push; id"), pattern("git push; id"));
  EXPECT_NE(pattern("git push; id"), pattern("git push; ip"));
  const std::string long_line(5000, 'x');
  EXPECT_LT(pattern(long_line).size(), 300U);
  EXPECT_NE(pattern(long_line + "a"), pattern(long_line + "b"));
  const auto fingerprint = [](const std::string& json) {
    return make_order("cmd-1", JsonObject(JsonView(json)))->fingerprint();
  };
  const std::string written = R"({"type":"write_file","path":"a","content":"x","status":"pending"})";
  EXPECT_EQ(fingerprint(written), fingerprint(R"({"content":"x","path":"a","type":"write_file","createdAt":7})"));
  EXPECT_NE(fingerprint(written), fingerprint(R"({"type":"write_file","path":"a","content":"y"})"));
  EXPECT_NE(fingerprint(written), fingerprint(R"({"type":"write_file","path":"a","content":"x","workingDir":"b"})"));
  EXPECT_NE(fingerprint(R"({"type":"aws_operation","service":"a","operation":"b","parameters":{"x":1}})"),
            fingerprint(R"({"type":"aws_operation","service":"a","operation":"b","parameters":{"x":2}})"));
}

TEST_F(PolicyFile, reads_every_documented_key) {
  const Policy policy = *load(
      "version: 1\nroots: [{path: /a, write: true}, {path: /b}]\nnetwork: [aws_operation]\nread_only_paths: [/opt/x]\n"
      "environment: {pass: [LANG], set: {CI: 1}}\nconcurrency: 7\naws: {endpoint: 'http://x', region: y}\n"
      "limits: {seconds: 5, seconds_max: 6, memory_mib: 7, processes: 8, output_kib: 9}\n"
      "commands: {read_file: allow, write_file: ask, list_directory: off, aws_operation: [{allow: s3api list-*}]}\n");
  EXPECT_TRUE(policy.roots[0].writable);
  EXPECT_FALSE(policy.roots[1].writable);
  EXPECT_TRUE(policy.has_network(CommandType::aws_operation));
  EXPECT_FALSE(policy.has_network(CommandType::execute_bash));
  EXPECT_EQ(policy.set_environment.at("CI"), "1");
  EXPECT_EQ(policy.concurrency, 7);
  EXPECT_EQ(policy.limits.memory_mib, 7);
  EXPECT_EQ(policy.rules_of(CommandType::write_file).front().verdict, Verdict::ask);
  EXPECT_TRUE(policy.rules_of(CommandType::list_directory).empty());
}

TEST(MakePolicy, allows_the_listed_types_and_nothing_else) {
  const auto policy = make_policy({"/a"}, "read_file, code_search");
  EXPECT_FALSE(policy->rules_of(CommandType::read_file).empty());
  EXPECT_TRUE(policy->rules_of(CommandType::execute_bash).empty());
  EXPECT_FALSE(make_policy({"/a"}, "any")->rules_of(CommandType::execute_bash).empty());
  EXPECT_FALSE(make_policy({"/a"}, "read_fiel"));
  EXPECT_FALSE(make_policy({"/a"}, ""));
}

}  // namespace
}  // namespace syncline::runner
