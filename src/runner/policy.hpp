// What a runner may do: deny by default. The policy is read from a file on the runner's machine, or made from flags;
// nothing that comes from a hub can widen it. docs/runner.md describes the file.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "core/command_pattern.hpp"
#include "runner/order.hpp"

namespace syncline::runner {

enum class Verdict { allow, ask, deny };

/// One line of the policy that speaks about commands of one type.
struct Rule {
  Verdict verdict = Verdict::deny;
  std::optional<Pattern> pattern;  // nothing: any command of the type
  std::string name;                // as a refusal names it: "commands.execute_bash[2] (project.yaml:14)"
};

struct RootRule {
  std::string path;
  bool writable = false;
  std::string name;
};

struct Limits {
  std::int64_t seconds = 30;             // if a command does not ask for another time
  std::int64_t seconds_max = 600;        // the most that a command may ask for
  std::int64_t cpu_seconds = 600;        // of each process
  std::int64_t memory_mib = 512;         // of all processes of a command together
  std::int64_t processes = 64;           // of a command
  std::int64_t output_kib = 1024;        // of standard output and of standard error, each
  std::int64_t file_mib = 4;             // the most that read_file returns
  std::int64_t written_file_mib = 1024;  // the largest file that a process may write
  std::int64_t temporary_mib = 64;       // of the sandbox's own /tmp, and of its /dev/shm
};

struct AwsOptions {
  std::string endpoint;  // instead of Amazon's
  std::string region;
};

struct Policy {
  std::vector<RootRule> roots;
  /// By type. A type without rules is off.
  std::array<std::vector<Rule>, kCommandTypeNames.size()> rules;
  /// By type: whether its programs may use the network.
  std::array<bool, kCommandTypeNames.size()> network{};
  std::vector<RootRule> read_only_paths;  // shown to programs besides the system's own
  std::vector<std::string> passed_environment;
  std::map<std::string, std::string> set_environment;
  Limits limits;
  std::int64_t concurrency = 2;
  AwsOptions aws;
  std::string source;  // the file's name, or "--allow"

  [[nodiscard]] const std::vector<Rule>& rules_of(CommandType type) const {
    return rules[static_cast<std::size_t>(type)];
  }
  [[nodiscard]] bool has_network(CommandType type) const { return network[static_cast<std::size_t>(type)]; }
};

/// Reads and checks a policy file. Errors name the file, the line and what is wrong there.
[[nodiscard]] Result<Policy> load_policy(const std::string& file);
/// The policy of `--root` and `--allow`: the listed types below the roots, nothing else. `allow` is a list of types
/// separated by commas, or "any".
[[nodiscard]] Result<Policy> make_policy(const std::vector<std::string>& roots, const std::string& allow);

struct Decision {
  Verdict verdict = Verdict::deny;
  std::string rule;     // the rule that decided
  std::string pattern;  // what an approval for good covers: the rule's pattern, or exactly this command
  std::string refusal;  // of a denial: what the IDE is told
  /// Program and arguments, if a pattern has matched them: they are run as they are, not by a shell.
  std::vector<std::string> words;
};
/// The first rule of the type that matches decides. Paths are not judged here but where they are opened.
[[nodiscard]] Decision decide(const Policy& policy, const Order& order);

/// The words of a refusal: "refused by rule NAME: WHY".
[[nodiscard]] std::string refused_by(std::string_view rule, std::string_view why);

}  // namespace syncline::runner
