// The policy as YAML: every key is known, every value has its kind, every error names its line.
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <filesystem>

#include "base/text.hpp"
#include "runner/policy.hpp"

namespace syncline::runner {
namespace {

std::unexpected<Error> wrong(const std::string& file, const YAML::Node& node, const std::string& what) {
  return fail(ErrorCode::invalid_argument, file + ':' + std::to_string(node.Mark().line + 1) + ": " + what);
}

/// Reads the nodes of one file.
class PolicyReader {
 public:
  explicit PolicyReader(std::string file)
      : file_(std::move(file)), name_(std::filesystem::path(file_).filename().string()) {}

  Result<Policy> read(const YAML::Node& root) {
    policy_.source = name_;
    if (!root.IsMap()) return wrong(file_, root, "a policy must be a map with 'version: 1'");
    CHECK_OK(check_keys(
        root, "",
        {"version", "roots", "commands", "network", "read_only_paths", "environment", "limits", "concurrency", "aws"}));
    TRY(const std::int64_t version, integer(root, "version", 0, 0, INT64_MAX));
    if (version != 1) return wrong(file_, root["version"] ? root["version"] : root, "'version' must be 1");
    CHECK_OK(read_roots(root["roots"]));
    CHECK_OK(read_commands(root["commands"]));
    CHECK_OK(read_network(root["network"]));
    CHECK_OK(read_shown(root["read_only_paths"]));
    CHECK_OK(read_environment(root["environment"]));
    CHECK_OK(read_limits(root["limits"]));
    TRY(policy_.concurrency, integer(root, "concurrency", policy_.concurrency, 1, 64));
    CHECK_OK(read_aws(root["aws"]));
    return std::move(policy_);
  }

 private:
  Result<> check_keys(const YAML::Node& map, const std::string& where, const std::vector<std::string_view>& known) {
    std::vector<std::string> seen;
    for (const auto& member : map) {
      const std::string key = member.first.as<std::string>();
      if (std::ranges::find(known, key) == known.end()) {
        return wrong(
            file_, member.first,
            "unknown key '" + key + "'" + (where.empty() ? "" : " in " + where) + "; allowed: " + join(known, ", "));
      }
      if (std::ranges::find(seen, key) != seen.end()) return wrong(file_, member.first, "duplicate key '" + key + "'");
      seen.push_back(key);
    }
    return {};
  }

  Result<std::int64_t> integer(const YAML::Node& map, const std::string& key, std::int64_t missing, std::int64_t min,
                               std::int64_t max) {
    const YAML::Node node = map[key];
    if (!node) return missing;
    const auto number = node.IsScalar() ? parse_integer(node.Scalar()) : std::nullopt;
    if (!number || *number < min || *number > max) {
      const std::string bounds =
          max == INT64_MAX ? "at least " + std::to_string(min) : std::to_string(min) + " to " + std::to_string(max);
      return wrong(file_, node, "'" + key + "' must be a whole number, " + bounds);
    }
    return *number;
  }

  Result<bool> boolean(const YAML::Node& node, const std::string& key) {
    if (node.IsScalar() && (node.Scalar() == "true" || node.Scalar() == "false")) return node.Scalar() == "true";
    return wrong(file_, node, "'" + key + "' must be true or false");
  }

  Result<> read_texts(const YAML::Node& node, const std::string& key, std::vector<std::string>& texts) {
    if (!node) return {};
    if (!node.IsSequence()) return wrong(file_, node, "'" + key + "' must be a list");
    for (const auto& element : node) {
      if (!element.IsScalar()) return wrong(file_, element, "'" + key + "' must be a list of strings");
      texts.push_back(element.Scalar());
    }
    return {};
  }

  [[nodiscard]] std::string place(const YAML::Node& node) const {
    return " (" + name_ + ':' + std::to_string(node.Mark().line + 1) + ')';
  }

  Result<> read_roots(const YAML::Node& roots) {
    if (!roots) return {};
    if (!roots.IsSequence()) return wrong(file_, roots, "'roots' must be a list");
    std::size_t index = 0;
    for (const auto& root : roots) {
      const std::string name = "roots[" + std::to_string(index++) + ']';
      if (!root.IsMap()) return wrong(file_, root, name + " must be a map with 'path'");
      CHECK_OK(check_keys(root, name, {"path", "write"}));
      if (!root["path"] || !root["path"].IsScalar()) return wrong(file_, root, name + " needs a 'path'");
      RootRule rule{root["path"].Scalar(), false, name + place(root)};
      if (!rule.path.starts_with('/')) return wrong(file_, root["path"], "'path' must be absolute");
      if (root["write"]) {
        TRY(rule.writable, boolean(root["write"], "write"));
      }
      policy_.roots.push_back(std::move(rule));
    }
    return {};
  }

  Result<> read_shown(const YAML::Node& paths) {
    std::vector<std::string> texts;
    CHECK_OK(read_texts(paths, "read_only_paths", texts));
    for (std::size_t i = 0; i < texts.size(); ++i) {
      if (!texts[i].starts_with('/')) return wrong(file_, paths[i], "'read_only_paths' must be absolute paths");
      policy_.read_only_paths.push_back(
          {texts[i], false, "read_only_paths[" + std::to_string(i) + ']' + place(paths[i])});
    }
    return {};
  }

  Result<> read_commands(const YAML::Node& commands) {
    if (!commands) return {};
    if (!commands.IsMap()) return wrong(file_, commands, "'commands' must be a map of command types");
    CHECK_OK(check_keys(commands, "commands", {kCommandTypeNames.begin(), kCommandTypeNames.end()}));
    for (const auto& member : commands) {
      const CommandType type = *command_type_from_text(member.first.Scalar());
      const std::string name = "commands." + member.first.Scalar();
      auto& rules = policy_.rules[static_cast<std::size_t>(type)];
      if (member.second.IsScalar()) {
        CHECK_OK(read_word(member.second, name, rules));
      } else if (!member.second.IsSequence()) {
        return wrong(file_, member.second, "'" + name + "' must be allow, ask, off or a list of rules");
      } else if (type != CommandType::execute_bash && type != CommandType::aws_operation) {
        return wrong(file_, member.second,
                     "'" + name +
                         "' must be allow, ask or off: only execute_bash and "
                         "aws_operation have patterns");
      } else {
        CHECK_OK(read_rules(member.second, type, name, rules));
      }
    }
    return {};
  }

  Result<> read_word(const YAML::Node& node, const std::string& name, std::vector<Rule>& rules) {
    const std::string& word = node.Scalar();
    if (word == "off" || word == "false") return {};
    if (word == "allow" || word == "any") {
      rules.push_back({Verdict::allow, std::nullopt, name + place(node)});
    } else if (word == "ask") {
      rules.push_back({Verdict::ask, std::nullopt, name + place(node)});
    } else {
      return wrong(file_, node, "'" + name + "' must be allow, ask, off or a list of rules, not '" + word + "'");
    }
    return {};
  }

  Result<> read_rules(const YAML::Node& list, CommandType type, const std::string& name, std::vector<Rule>& rules) {
    static const std::map<std::string, Verdict> kVerdicts = {
        {"allow", Verdict::allow}, {"ask", Verdict::ask}, {"deny", Verdict::deny}};
    for (const auto& element : list) {
      const std::string rule_name = name + '[' + std::to_string(rules.size()) + ']' + place(element);
      if (!element.IsMap() || element.size() != 1) {
        return wrong(file_, element, "a rule must be 'allow: PATTERN', 'ask: PATTERN' or 'deny: PATTERN'");
      }
      const std::string word = element.begin()->first.as<std::string>();
      const auto verdict = kVerdicts.find(word);
      if (verdict == kVerdicts.end()) {
        return wrong(file_, element, "unknown verdict '" + word + "'; allowed: allow, ask, deny");
      }
      const YAML::Node value = element.begin()->second;
      if (!value.IsScalar()) return wrong(file_, value, "a pattern must be a string");
      if (value.Scalar() == "any") {
        CHECK_OK(check_guards(value, type, verdict->second, rules));
        rules.push_back({verdict->second, std::nullopt, rule_name});
        continue;
      }
      auto pattern = Pattern::parse(value.Scalar());
      if (!pattern) return wrong(file_, value, pattern.error().text);
      if (starts_any_program(*pattern)) CHECK_OK(check_guards(value, type, verdict->second, rules));
      rules.push_back({verdict->second, *std::move(pattern), rule_name});
    }
    return {};
  }

  /// Programs that start others, whichever they are told to. By any path, and in any version: "python3.11".
  static bool starts_any_program(const Pattern& pattern) {
    static constexpr std::array kStarters = std::to_array<std::string_view>(
        {"sh",      "bash",  "dash",    "zsh",    "ksh",     "mksh",   "ash",   "csh",    "tcsh",   "fish",
         "busybox", "env",   "eval",    "exec",   "command", "time",   "nice",  "sudo",   "doas",   "su",
         "xargs",   "nohup", "timeout", "setsid", "stdbuf",  "script", "watch", "find",   "perl",   "ruby",
         "node",    "deno",  "bun",     "php",    "lua",     "luajit", "tclsh", "expect", "awk",    "gawk",
         "mawk",    "nawk",  "pypy",    "ssh",    "vim",     "vi",     "gdb",   "strace", "python", "parallel"});
    std::string_view program = pattern.whole_program();
    program = program.substr(program.rfind('/') + 1);
    if (const std::size_t end = program.find_last_not_of("0123456789."); end != std::string_view::npos) {
      program = program.substr(0, end + 1);
    }
    return std::ranges::find(kStarters, program) != kStarters.end();
  }

  /// A pattern names words, and whoever may run anything has others: "sh -c", "env", "eval", a path, a link. To let
  /// such a policy pass would promise what it does not keep.
  Result<> check_guards(const YAML::Node& node, CommandType type, Verdict verdict, const std::vector<Rule>& before) {
    // An AWS operation has one name.
    if (verdict != Verdict::allow || type != CommandType::execute_bash) return {};
    const auto guard =
        std::ranges::find_if(before, [](const Rule& rule) { return rule.pattern && rule.verdict != Verdict::allow; });
    if (guard == before.end()) return {};
    const std::string pattern =
        std::string(guard->verdict == Verdict::deny ? "deny: " : "ask: ") + guard->pattern->text();
    return wrong(file_, node,
                 "'allow: " + node.Scalar() + "' would let everything run that '" + pattern +
                     "' is to stop, in other words (sh -c, env, a path); allow patterns instead, or 'ask: any'");
  }

  Result<> read_network(const YAML::Node& node) {
    if (!node) return {};
    if (node.IsScalar()) {
      TRY(const bool all, boolean(node, "network"));
      policy_.network.fill(all);
      return {};
    }
    std::vector<std::string> names;
    CHECK_OK(read_texts(node, "network", names));
    for (const std::string& name : names) {
      const auto type = command_type_from_text(name);
      if (!type) return wrong(file_, node, "unknown command type '" + name + "'");
      policy_.network[static_cast<std::size_t>(*type)] = true;
    }
    return {};
  }

  Result<> read_environment(const YAML::Node& node) {
    if (!node) return {};
    if (!node.IsMap()) return wrong(file_, node, "'environment' must be a map with 'pass' and 'set'");
    CHECK_OK(check_keys(node, "environment", {"pass", "set"}));
    CHECK_OK(read_texts(node["pass"], "environment.pass", policy_.passed_environment));
    if (!node["set"]) return {};
    if (!node["set"].IsMap()) return wrong(file_, node["set"], "'environment.set' must be a map");
    for (const auto& member : node["set"]) {
      if (!member.second.IsScalar()) return wrong(file_, member.second, "a variable's value must be a string");
      policy_.set_environment[member.first.as<std::string>()] = member.second.Scalar();
    }
    return {};
  }

  Result<> read_limits(const YAML::Node& node) {
    if (!node) return {};
    if (!node.IsMap()) return wrong(file_, node, "'limits' must be a map");
    Limits& limits = policy_.limits;
    struct Bound {
      std::string_view key;
      std::int64_t& value;
      std::int64_t max;
    };
    const std::array<Bound, 9> bounds = {{{"seconds", limits.seconds, 86'400},
                                          {"seconds_max", limits.seconds_max, 86'400},
                                          {"cpu_seconds", limits.cpu_seconds, 864'000},
                                          {"memory_mib", limits.memory_mib, 1'048'576},
                                          {"processes", limits.processes, 100'000},
                                          {"output_kib", limits.output_kib, 2048},
                                          {"file_mib", limits.file_mib, 8},
                                          {"written_file_mib", limits.written_file_mib, 1'048'576},
                                          {"temporary_mib", limits.temporary_mib, 1'048'576}}};
    std::vector<std::string_view> known;
    known.reserve(bounds.size());
    for (const Bound& bound : bounds) known.push_back(bound.key);
    CHECK_OK(check_keys(node, "limits", known));
    for (const Bound& bound : bounds) {
      TRY(bound.value, integer(node, std::string(bound.key), bound.value, 1, bound.max));
    }
    if (limits.seconds > limits.seconds_max) return wrong(file_, node, "'seconds' must not exceed 'seconds_max'");
    return {};
  }

  Result<> read_aws(const YAML::Node& node) {
    if (!node) return {};
    if (!node.IsMap()) return wrong(file_, node, "'aws' must be a map");
    CHECK_OK(check_keys(node, "aws", {"endpoint", "region"}));
    for (const auto& member : node) {
      if (!member.second.IsScalar())
        return wrong(file_, member.second, "'" + member.first.as<std::string>() + "' must be a string");
    }
    if (node["endpoint"]) policy_.aws.endpoint = node["endpoint"].Scalar();
    if (node["region"]) policy_.aws.region = node["region"].Scalar();
    return {};
  }

  const std::string file_;
  const std::string name_;
  Policy policy_;
};

}  // namespace

Result<Policy> load_policy(const std::string& file) {
  try {
    return PolicyReader(file).read(YAML::LoadFile(file));
  } catch (const YAML::BadFile&) {
    return fail(ErrorCode::not_found, "cannot read the policy file " + file);
  } catch (const YAML::Exception& exception) {
    return fail(ErrorCode::invalid_argument,
                file + ':' + std::to_string(exception.mark.line + 1) + ": " + exception.msg);
  }
}

}  // namespace syncline::runner
