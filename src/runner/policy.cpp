#include "runner/policy.hpp"

#include "base/text.hpp"

namespace syncline::runner {
namespace {

/// A few words of an untrusted text, on one line.
std::string excerpt(std::string_view text) {
  constexpr std::size_t kBytes = 120;
  std::string shown;
  for (const char c : cut_utf8(text, kBytes)) shown += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c;
  return text.size() > kBytes ? shown + "..." : shown;
}

using Words = std::optional<std::vector<std::string>>;

/// What an approval for good would cover: the rule's pattern if it matches word by word, else exactly this command.
std::string approval_pattern(const Rule& rule, const Words& words, const Order& order) {
  if (rule.pattern && words && rule.pattern->matches(*words)) return rule.pattern->text();
  return exact_pattern(excerpt(order.subject()), order.fingerprint());
}

/// A line that only a shell understands might do anything: it is not what an `allow` pattern meant, and may be what a
/// `deny` or `ask` pattern meant. So may a line with the same words in another order.
bool is_meant_by(const Rule& rule, const Words& words) {
  if (!rule.pattern) return true;
  if (rule.verdict == Verdict::allow) return words && rule.pattern->matches(*words);
  return !words || rule.pattern->may_mean(*words);
}

}  // namespace

std::string refused_by(std::string_view rule, std::string_view why) {
  return "refused by rule " + std::string(rule) + ": " + std::string(why);
}

Decision decide(const Policy& policy, const Order& order) {
  const std::string type_rule = "commands." + std::string(to_text(order.type)) + " (" + policy.source + ")";
  const auto& rules = policy.rules_of(order.type);
  Decision decision;
  if (rules.empty()) {
    decision.rule = type_rule;
    decision.refusal = refused_by(type_rule, "commands of type " + std::string(to_text(order.type)) + " are off");
    return decision;
  }
  const Words words = words_of_command(order.type, order.fields);
  for (const Rule& rule : rules) {
    if (!is_meant_by(rule, words)) continue;
    decision.verdict = rule.verdict;
    decision.rule = rule.name;
    decision.pattern = approval_pattern(rule, words, order);
    if (rule.pattern && words) decision.words = *words;
    if (rule.verdict == Verdict::deny) {
      const std::string_view doubt =
          rule.pattern && !words ? "this line needs a shell and might contain a denied command: " : "";
      decision.refusal = refused_by(rule.name, std::string(doubt) + "'" + excerpt(order.subject()) + "' is denied");
    }
    return decision;
  }
  decision.rule = type_rule;
  decision.refusal = refused_by(type_rule, "no pattern allows '" + excerpt(order.subject()) + "'");
  return decision;
}

Result<Policy> make_policy(const std::vector<std::string>& roots, const std::string& allow) {
  Policy policy;
  policy.source = "--allow";
  for (const std::string& root : roots) policy.roots.push_back({root, true, "--root " + root});
  std::vector<std::string_view> names = split(allow, ',');
  if (trim(allow) == "any") names.assign(kCommandTypeNames.begin(), kCommandTypeNames.end());
  for (const std::string_view name : names) {
    const auto type = command_type_from_text(trim(name));
    if (!type) {
      return fail(ErrorCode::invalid_argument, "--allow: unknown command type '" + std::string(trim(name)) +
                                                   "'; allowed: " + join(kCommandTypeNames, ", ") + ", or any");
    }
    policy.rules[static_cast<std::size_t>(*type)] = {
        {Verdict::allow, std::nullopt, "--allow " + std::string(trim(name))}};
  }
  // Without the network there is nothing an AWS command could do.
  policy.network[static_cast<std::size_t>(CommandType::aws_operation)] = true;
  return policy;
}

}  // namespace syncline::runner
