// syncline command: remote commands from the command line of any machine that has a key.
#include "api/kiro/command.hpp"
#include "app/command_run.hpp"
#include "app/command_times.hpp"
#include "app/hub_access.hpp"
#include "app/invocation.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"
#include "base/time.hpp"

namespace syncline::app {
namespace {

struct CommandOptions {
  HubOptions hub;
  std::string id;
  std::string status;
  std::int64_t limit = 100;
  bool always = false;
  std::string reason;
};
using OptionsPtr = std::shared_ptr<CommandOptions>;

Result<std::string> ask(const CommandOptions& options, const http::ClientRequest& request) {
  TRY(const http::ClientFactory clients, reach_hub(options.hub));
  return ask_hub(*clients(), request);
}

/// One row for each command, the same columns for all types.
std::string make_rows(const JsonObject& answer) {
  std::string rows;
  JsonWriter writer(rows);
  writer.begin_object().name("commands").begin_array();
  answer.find("commands")->for_each_element([&](JsonView element) {
    const JsonObject command(element);
    std::string subject;
    for (const std::string_view name : {"command", "path", "query", "service", "operation"}) {
      if (command.find(name)) subject += (subject.empty() ? "" : " ") + command.text_of(name);
    }
    const kiro::Command order(command);
    const std::string pattern = order.is_held() ? order.approval->request.pattern : "";
    writer.begin_object()
        .string("id", command.text_of("commandId"))
        .string("status", order.is_held() ? "held" : command.text_of("status"))
        .string("created", format_time(Timestamp::from_millis(command.integer_of("createdAt").value_or(0))))
        .string("by", command.text_of("submittedByLabel"))
        .string("type", command.text_of("type"))
        .string("what", subject)
        .string("asks_for", pattern)
        .end_object();
  });
  writer.end_array().end_object();
  return rows;
}

/// A command, or a list of commands or approvals, with times as text: the published API has milliseconds.
std::string with_times(const JsonObject& answer) {
  for (const std::string_view name : {"commands", "approvals"}) {
    const auto list = answer.find(name);
    if (!list || !list->is_array()) continue;
    std::string rows = "[";
    list->for_each_element([&](JsonView row) {
      if (rows.size() > 1) rows += ',';
      rows += with_text_times(JsonObject(row));
    });
    JsonObject shown = answer;
    shown.set(name, rows + ']');
    return shown.to_text();
  }
  return with_text_times(answer);
}

Result<> list(const Invocation& invocation, const CommandOptions& options) {
  const std::string query =
      "?limit=" + std::to_string(options.limit) + (options.status.empty() ? "" : "&status=" + options.status);
  TRY(const std::string body, ask(options, {http::Method::get, "/command" + query, "", {}}));
  TRY(const JsonObject answer, http::parse_object(body));
  const auto commands = answer.find("commands");
  if (!commands || !commands->is_array()) {
    return fail(ErrorCode::unavailable, "unexpected answer: it lists no commands; is this the URL of a hub?");
  }
  print_result(invocation.json ? with_times(answer) : make_rows(answer), invocation.form(),
               find_list_view("command list"));
  return {};
}

/// A command, or what else the hub answers about one.
Result<> print_command(const Invocation& invocation, const std::string& answer) {
  TRY(const JsonObject object, http::parse_object(answer));
  print_result(with_times(object), invocation.form(), find_list_view("command approvals"));
  return {};
}

/// What an approval for good lets pass from now on, for whoever gave it.
void say_what_is_approved(const std::string& answer) {
  const auto object = parse_json_object(answer, limits::kBodyDepthMax);
  if (!object) return;
  const kiro::Command command(*object);
  if (!command.approval) return;
  std::fprintf(stderr, "approved: every later %s command of this runner that matches '%s'\n",
               to_terminal_line(command.type).c_str(), to_terminal_line(command.approval->request.pattern).c_str());
}

Result<> answer_approval(const Invocation& invocation, const CommandOptions& options, std::string_view decision) {
  std::string body;
  JsonWriter writer(body);
  writer.begin_object().string("decision", decision);
  if (options.always) writer.boolean("always", true);
  if (!options.reason.empty()) writer.string("reason", options.reason);
  writer.end_object();
  TRY(const std::string answer, ask(options, {http::Method::post, command_path(options.id) + "/approval", body, {}}));
  if (options.always && !invocation.json) say_what_is_approved(answer);
  return print_command(invocation, answer);
}

/// A command that has ended otherwise stays as it is, and whoever wanted it to stop must know.
Result<> cancel(const Invocation& invocation, const CommandOptions& options) {
  TRY(const std::string answer, ask(options, {http::Method::del, command_path(options.id), "", {}}));
  CHECK_OK(print_command(invocation, answer));
  TRY(const JsonObject command, http::parse_object(answer));
  const std::string status = command.text_of("status");
  const bool has_ended = status == "completed" || status == "failed";
  if (!has_ended || command.text_of("error") == "cancelled") return {};
  return fail(ErrorCode::conflict, "the command has ended already (" + status + "), so there is nothing to cancel");
}

/// A command that sends one request and prints the answer.
Result<> print_answer(const Invocation& invocation, const CommandOptions& options, const http::ClientRequest& request) {
  TRY(const std::string answer, ask(options, request));
  // The hub says nothing of what it has removed.
  return print_command(invocation, answer.empty() ? R"({"ok":true})" : answer);
}

class Definer {
 public:
  Definer(Command command, Invocation& invocation, OptionsPtr options)
      : command_(command), invocation_(invocation), options_(std::move(options)) {}

  Command add(const std::string& name, const std::string& help, const std::string& example, const std::string& id_help,
              std::function<Result<>(const Invocation&, const CommandOptions&)> run) {
    const Command sub = command_.add(name, help);
    if (!id_help.empty()) sub.option("ID", options_->id, id_help).required();
    add_hub_options(sub, options_->hub);
    add_json_flag(sub, invocation_);
    add_exits(sub, {kExitNotFound, kExitConflict});
    sub.example(example);
    sub.on_run(
        [&invocation = invocation_, options = options_, run = std::move(run)] { return run(invocation, *options); });
    return sub;
  }

 private:
  const Command command_;
  Invocation& invocation_;
  const OptionsPtr options_;
};

void define_run(Command command, Invocation& invocation) {
  const auto options = std::make_shared<CommandRun>();
  const Command run = command.add("run", "Run a command line on a runner, and stream its output");
  run.note("Exits with the exit code of the command line, or with one of those below.");
  run.option("LINE", options->words, "command line; several words are joined with spaces").required();
  run.option("--dir DIRECTORY", options->working_dir, "working directory on the runner's machine");
  run.option("--timeout SECONDS", options->timeout_seconds,
             "seconds to wait for a runner, and seconds that the command may run")
      .in_range(1, 86400);
  run.flag("--detach", options->detach, "print the command's id and return immediately");
  add_hub_options(run, options->hub);
  add_json_flag(run, invocation);
  add_exits(run, {kExitTimedOut, kExitInterrupted});
  run.example("syncline command run --hub https://hub.example.org 'make test'");
  run.on_run([&invocation, options]() -> Result<> {
    TRY(invocation.exit_code, run_command(*options, invocation.form()));
    return {};
  });
}

}  // namespace

void define_commands(Command root, Invocation& invocation) {
  const auto options = std::make_shared<CommandOptions>();
  const Command command =
      root.add_group("command", "Submit and manage remote commands", "syncline command run 'make test'");
  command.alias("commands");
  command.example("syncline command list --status held");
  command.example("syncline command approve cmd-1795327635597-r15zlr2xj827 --always");
  command.note("SYNCLINE_HUB and SYNCLINE_KEY in the environment set the hub and the key.");
  Definer definer(command, invocation, options);
  const std::string id = "id of the command";
  const std::string some = "cmd-1795327635597-r15zlr2xj827";
  const Command listing =
      definer.add("list", "List commands, newest first", "syncline command list --status held", "", list);
  listing.option("--status STATUS", options->status, "only commands with this status")
      .one_of({"held", "pending", "processing", "completed", "failed"});
  listing.option("--limit N", options->limit, "maximum number of commands to list").shows_default();
  definer.add("show", "Show a command and its result", "syncline command show " + some, id,
              [](const Invocation& how, const CommandOptions& what) {
                return print_answer(how, what, {http::Method::get, command_path(what.id), "", {}});
              });
  definer.add("cancel", "Cancel a command, and stop it if it is running", "syncline command cancel " + some, id,
              cancel);
  const Command approving = definer.add(
      "approve", "Approve a held command", "syncline command approve " + some + " --always", id,
      [](const Invocation& how, const CommandOptions& what) { return answer_approval(how, what, "approve"); });
  approving.flag("--always", options->always, "also approve later commands that match the same pattern");
  const Command denying =
      definer.add("deny", "Deny a held command", "syncline command deny " + some + " --reason 'not on Friday'", id,
                  [](const Invocation& how, const CommandOptions& what) { return answer_approval(how, what, "deny"); });
  denying.option("--reason REASON", options->reason, "reason shown to the submitter");
  definer.add("approvals", "List approvals made with --always", "syncline command approvals", "",
              [](const Invocation& how, const CommandOptions& what) {
                return print_answer(how, what, {http::Method::get, "/command/approvals", "", {}});
              });
  definer.add("forget", "Revoke an approval made with --always", "syncline command forget X2v9c1QmZ0aR7tLk",
              "id of the approval", [](const Invocation& how, const CommandOptions& what) {
                return print_answer(how, what,
                                    {http::Method::del, "/command/approvals/" + percent_encode(what.id), "", {}});
              });
  define_run(command, invocation);
}

}  // namespace syncline::app
