// syncline runner, and what belongs to it.
#include "app/invocation.hpp"
#include "app/runner_process.hpp"
#include "runner/audit_log.hpp"
#include "runner/policy.hpp"

namespace syncline::app {
namespace {

Result<> verify_audit(Invocation& invocation, const std::string& data) {
  // Before the log is read: a runner that is at work goes on writing.
  TRY(const auto known, runner::IntentLog::read_audit_head(DataDirectory::intent_log_in(data)));
  TRY(const runner::AuditVerdict verdict, runner::verify_audit_log(DataDirectory::audit_log_in(data), known));
  std::string out;
  JsonWriter writer(out);
  writer.begin_object()
      .boolean("ok", verdict.fault.empty())
      .integer("lines", verdict.lines)
      .string("last_hash", verdict.last_hash);
  if (!verdict.fault.empty()) writer.string("fault", verdict.fault);
  writer.end_object();
  print_result(out, invocation.form());
  if (verdict.fault.empty()) return {};
  invocation.exit_code = kExitAuditBroken;
  return fail(ErrorCode::damaged, "the audit log fails verification: " + verdict.fault);
}

const std::string kRunnerDataDefault = "$SYNCLINE_RUNNER_DATA, else ~/.local/state/syncline/runner";

/// What a policy would say to a command line, and why.
Result<> explain(const Invocation& invocation, const std::string& file, const std::string& type,
                 const std::string& line) {
  TRY(const runner::Policy policy, runner::load_policy(file));
  JsonObject fields;
  fields.set_text("type", type);
  const CommandType known = command_type_from_text(type).value_or(CommandType::execute_bash);
  if (known == CommandType::aws_operation) {
    const std::size_t space = line.find(' ');
    fields.set_text("service", line.substr(0, space));
    fields.set_text("operation", space == std::string::npos ? "" : line.substr(space + 1));
    fields.set("parameters", "{}");
  } else {
    fields.set_text("command", line);
  }
  TRY(const runner::Order order, runner::make_order("", std::move(fields)));
  const runner::Decision decision = decide(policy, order);
  const std::string_view verdict = decision.verdict == runner::Verdict::allow ? "allow"
                                   : decision.verdict == runner::Verdict::ask ? "ask"
                                                                              : "deny";
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().string("verdict", verdict).string("rule", decision.rule);
  if (!decision.refusal.empty()) writer.string("refusal", decision.refusal);
  if (!decision.words.empty()) {
    writer.name("words").begin_array();
    for (const std::string& word : decision.words) writer.string(word);
    writer.end_array();
  }
  writer.end_object();
  print_result(out, invocation.form());
  return {};
}

void define_audit(Command runner, Invocation& invocation, const std::shared_ptr<RunnerSettings>& settings) {
  const Command audit = runner.add_group("audit", "Inspect the audit log",
                                         "syncline runner audit verify --data /var/lib/syncline-runner");
  const Command verify = audit.add("verify", "Verify that the audit log is complete and unchanged");
  add_exits(verify, {kExitAuditBroken});
  verify.option("--data DIRECTORY", settings->data, "data directory of the runner")
      .defaults_to(kRunnerDataDefault)
      .common();
  add_json_flag(verify, invocation);
  verify.example("syncline runner audit verify --data /var/lib/syncline-runner");
  verify.on_run([&invocation, settings] { return verify_audit(invocation, settings->data); });
}

void define_policy(Command runner, Invocation& invocation) {
  struct PolicyOptions {
    std::string file;
    std::string type = "execute_bash";
    std::string line;
  };
  const auto options = std::make_shared<PolicyOptions>();
  const Command policy = runner.add("explain", "Show how a policy decides on a command, and which rule applies");
  policy.option("--policy FILE", options->file, "policy file").required();
  policy.option("--type TYPE", options->type, "type of the command")
      .shows_default()
      .one_of({"execute_bash", "aws_operation"});
  policy.option("LINE", options->line, "command line, or 'SERVICE OPERATION'").required();
  add_json_flag(policy, invocation);
  policy.example("syncline runner explain --policy project.yaml 'git push origin main'");
  policy.on_run([&invocation, options] { return explain(invocation, options->file, options->type, options->line); });
}

}  // namespace

void define_runner(Command root, Invocation& invocation) {
  const auto settings = std::make_shared<RunnerSettings>();
  const Command runner = root.add("runner", "Run the commands submitted to a hub, in a sandbox, as a policy allows");
  runner.example("syncline runner --hub https://hub.example.org --key-file runner.key --policy project.yaml");
  runner.example("syncline runner --key-file runner.key --root /srv/project --allow read_file,code_search");
  runner.note(
      "Runs only what a policy on this machine allows: the one of --policy, or the one that --root and --allow make. "
      "docs/runner.md describes policies and the sandbox.");
  add_hub_options(runner, settings->hub);
  runner.option("--data DIRECTORY", settings->data, "data directory of the runner")
      .defaults_to(kRunnerDataDefault)
      .common();
  runner.option("--policy FILE", settings->policy_file, "policy file; SIGHUP reloads it, except for concurrency");
  runner.option("--root DIRECTORY", settings->roots, "directory that commands may read and write");
  runner.option("--allow TYPES", settings->allow, "types of commands to run below the roots; needs --root")
      .known_list({"any", "execute_bash", "read_file", "write_file", "list_directory", "aws_operation", "code_search"});
  runner.flag("--no-sandbox", settings->no_sandbox, "run commands without a sandbox");
  runner.flag("--published-api", settings->published_api, "poll a hub that has only the published Kiro API");
  runner.option("--poll SECONDS", settings->poll_seconds, "seconds between polls, with --published-api")
      .shows_default()
      .in_range(1, 3600);
  runner.option("--concurrency N", settings->concurrency, "number of concurrent commands; overrides the policy")
      .in_range(1, 64);
  runner.option("--drain SECONDS", settings->drain_seconds, "seconds that commands may keep running after SIGTERM")
      .shows_default()
      .in_range(0, 3600);
  add_log_level(runner, settings->log_level);
  add_json_flag(runner, invocation);
  define_audit(runner, invocation, settings);
  define_policy(runner, invocation);
  runner.on_run([settings] { return run_runner(*settings); });
}

}  // namespace syncline::app
