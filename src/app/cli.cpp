#include "app/cli.hpp"

#include <fstream>

#include <cstring>
#include <filesystem>

#include "app/doctor.hpp"
#include "app/exit_codes.hpp"
#include "app/hub.hpp"
#include "app/invocation.hpp"
#include "app/offline.hpp"
#include "app/output.hpp"
#include "app/progress.hpp"
#include "base/bytes.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "core/cursor.hpp"
#include "store/sqlite/sqlite_store.hpp"

namespace syncline::app {
namespace {

using Missing = DataDirectory::Missing;

Result<Settings> load_settings(const Invocation& invocation) {
  auto flags = invocation.flags;
  for (const std::string& assignment : invocation.assignments) {
    const std::size_t equals = assignment.find('=');
    if (equals == std::string::npos) {
      return fail(ErrorCode::invalid_argument, "--set wants KEY=VALUE, not '" + assignment + "'");
    }
    flags[assignment.substr(0, equals)] = assignment.substr(equals + 1);
  }
  std::string file = invocation.config;
  const std::string beside_data = invocation.data + "/hub.yaml";
  if (file.empty() && std::filesystem::exists(beside_data)) file = beside_data;
  return Settings::load(flags, file);
}

/// Runs an administration command and prints its answer.
Result<> administrate(const Invocation& invocation, const JsonObject& request, Missing missing = Missing::refuse) {
  TRY(const std::string answer, run_anywhere(invocation.data, request, missing));
  print_result(answer, invocation.form());
  return {};
}

void add_settings_options(CLI::App& command, Invocation& invocation) {
  command.add_option("--config", invocation.config, "settings file (hub.yaml in the data directory if there is one)");
  const auto flag = [&](const char* name, const char* key, const char* text) {
    command.add_option_function<std::string>(
        name, [&invocation, key](const std::string& value) { invocation.flags[key] = value; }, text);
  };
  flag("--listen", "listen", "ADDRESS:PORT; port 0 takes any free one");
  flag("--rate-limit", "rate_limit", "requests per minute and key; 0 for no limit");
  flag("--log-level", "log.level", "debug, info, warning, error or off");
  flag("--tls-certificate", "tls.certificate", "PEM file");
  flag("--tls-key", "tls.key", "PEM file");
  command.add_option("--set", invocation.assignments, "any setting as KEY=VALUE; repeatable");
}

/// One administration command: its words, its options and what it sends.
class AdminCommand {
 public:
  AdminCommand(CLI::App& parent, Invocation& invocation, const std::string& words, const std::string& help,
               Missing missing = Missing::refuse)
      : invocation_(invocation),
        command_(*parent.add_subcommand(words.substr(words.rfind(' ') + 1), help)),
        request_(std::make_shared<JsonObject>()) {
    request_->set_text("command", words);
    add_common(command_, invocation);
    command_.callback([&invocation, request = request_, missing] {
      invocation.run = [&invocation, request, missing] { return administrate(invocation, *request, missing); };
    });
  }

  AdminCommand& text(const std::string& option, const std::string& field, const std::string& help,
                     bool required = true) {
    command_
        .add_option_function<std::string>(
            option, [request = request_, field](const std::string& value) { request->set_text(field, value); }, help)
        ->required(required);
    return *this;
  }

  /// The first line of a file, for what must not stand among the arguments.
  AdminCommand& file(const std::string& option, const std::string& field, const std::string& help) {
    command_
        .add_option_function<std::string>(
            option,
            [request = request_, field](const std::string& name) {
              std::ifstream stream(name == "-" ? "/dev/stdin" : name);
              std::string line;
              if (!std::getline(stream, line)) throw CLI::ValidationError(name, "cannot be read");
              request->set_text(field, trim(line));
            },
            help)
        ->required();
    return *this;
  }

  AdminCommand& number(const std::string& option, const std::string& field, const std::string& help) {
    command_
        .add_option_function<std::int64_t>(
            option, [request = request_, field](std::int64_t value) { request->set_integer(field, value); }, help)
        ->required();
    return *this;
  }

  [[nodiscard]] CLI::App& app() { return command_; }

 private:
  Invocation& invocation_;
  CLI::App& command_;
  std::shared_ptr<JsonObject> request_;
};

void define_accounts(CLI::App& app, Invocation& invocation) {
  CLI::App& account =
      *app.add_subcommand("account", "Who owns data: add, list, plan, label, password, ai-cap, undo-wipe, remove");
  account.require_subcommand(1);
  AdminCommand(account, invocation, "account add", "Add an account", Missing::create)
      .text("EMAIL", "email", "address of the owner")
      .text("--plan", "plan", "free, companion, pro or team");
  AdminCommand(account, invocation, "account list", "List accounts");
  AdminCommand(account, invocation, "account plan", "Change the plan")
      .text("EMAIL", "email", "address of the owner")
      .text("PLAN", "plan", "free, companion, pro or team");
  AdminCommand(account, invocation, "account label", "Set what Kaisho clients are told the plan is")
      .text("EMAIL", "email", "address of the owner")
      .text("LABEL", "label",
            "sync_ai, pro, ... or default; desktops 1.7.3 want sync or sync_ai, 2.x companion or pro");
  AdminCommand(account, invocation, "account password", "Set the password for /auth/login")
      .text("EMAIL", "email", "address of the owner")
      .file("--password-file", "password", "file with the password in its first line; - for standard input");
  AdminCommand(account, invocation, "account reset", "Make a token that sets a new password once, within an hour")
      .text("EMAIL", "email", "address of the owner");
  AdminCommand(account, invocation, "account ai-cap", "Set how many AI tokens a month it may use")
      .text("EMAIL", "email", "address of the owner")
      .text("TOKENS", "tokens", "a number, or default");
  AdminCommand(account, invocation, "account undo-wipe", "Put back the Kaisho data wiped in the last 7 days")
      .text("EMAIL", "email", "address of the owner");
  AdminCommand remove(account, invocation, "account remove", "Revoke its keys and erase its data for good");
  remove.text("EMAIL", "email", "address of the owner");
  remove.app().add_flag("--yes")->description("do it")->required();
}

void define_keys(CLI::App& app, Invocation& invocation) {
  CLI::App& key = *app.add_subcommand("key", "Bearer tokens of devices and programs: add, list, revoke");
  key.require_subcommand(1);
  AdminCommand(key, invocation, "key add", "Make a key; it is shown once")
      .text("--account", "account", "address of the owner")
      .text("--label", "label", "which device or program it is for")
      .text("--scopes", "scopes", "some of read,write,keys,commands:submit,commands:run,commands:approve,admin")
      .text("--token", "token", "register this token instead of making one", false);
  AdminCommand(key, invocation, "key list", "List keys").text("--account", "account", "only of this account", false);
  AdminCommand(key, invocation, "key revoke", "End a key at once, also on open connections")
      .text("ID", "id", "id of the key");
}

void define_spaces_and_conflicts(CLI::App& app, Invocation& invocation) {
  CLI::App& space = *app.add_subcommand("space", "Named data sets: list, history");
  space.require_subcommand(1);
  AdminCommand(space, invocation, "space list", "List spaces")
      .text("--account", "account", "only of this account", false);
  AdminCommand(space, invocation, "space history", "All versions of a record that are kept, newest first")
      .text("SPACE", "space", "name of the space, like kernle/claire")
      .text("COLLECTION", "collection", "the record's collection")
      .text("ID", "id", "the record's id")
      .text("--account", "account", "whose space it is");

  CLI::App& conflicts = *app.add_subcommand("conflicts", "Versions that lost: list, show, restore, dismiss");
  conflicts.require_subcommand(1);
  AdminCommand(conflicts, invocation, "conflicts list", "List conflicts")
      .text("--account", "account", "only of this account", false)
      .text("--space", "space", "only of this space", false)
      .text("--state", "state", "open (if absent), restored, dismissed or all", false);
  AdminCommand(conflicts, invocation, "conflicts show", "Show both versions").number("ID", "id", "id of the conflict");
  AdminCommand(conflicts, invocation, "conflicts restore", "Make the losing version the current one")
      .number("ID", "id", "id of the conflict");
  AdminCommand(conflicts, invocation, "conflicts dismiss", "Leave the winner as it is")
      .number("ID", "id", "id of the conflict");
}

void define_webhooks(CLI::App& app, Invocation& invocation) {
  CLI::App& webhooks =
      *app.add_subcommand("webhooks", "Who is told of events: list, add, remove, enable, rotate, deliveries, replay");
  webhooks.require_subcommand(1);
  AdminCommand(webhooks, invocation, "webhooks list", "List webhooks")
      .text("--account", "account", "only of this account", false);
  AdminCommand(webhooks, invocation, "webhooks add", "Post events to a URL; the secret is shown once")
      .text("URL", "url", "http or https")
      .text("--account", "account", "address of the owner")
      .text("--events", "events",
            "some of sync.completed,memory.created,conflict.detected,record.changed,command.completed,timer.started,"
            "timer.stopped");
  AdminCommand(webhooks, invocation, "webhooks remove", "Remove a webhook and its log").text("ID", "id", "the webhook");
  AdminCommand(webhooks, invocation, "webhooks enable", "Go on with one that was given up")
      .text("ID", "id", "the webhook");
  AdminCommand(webhooks, invocation, "webhooks rotate", "Make a new secret; for 24 hours both sign")
      .text("ID", "id", "the webhook");
  AdminCommand(webhooks, invocation, "webhooks deliveries", "What became of its messages, newest first")
      .text("ID", "id", "the webhook");
  AdminCommand(webhooks, invocation, "webhooks replay", "Send a message once more")
      .text("ID", "id", "the webhook")
      .text("DELIVERY", "delivery", "id of the delivery, or: failed");
}

Result<> restore(const Invocation& invocation, const std::string& from) {
  TRY(const DataDirectory directory, DataDirectory::own(invocation.data, Missing::create));
  const std::string epoch = std::string(kRestoredEpochPrefix) + to_hex(random_bytes(6));
  const Progress progress("restoring", invocation.form());
  CHECK_OK(restore_backup(from, directory.store_path(), epoch));
  std::string out;
  JsonWriter(out).begin_object().string("restored", invocation.data).string("epoch", epoch).end_object();
  print_result(out, invocation.form());
  return {};
}

void define_backup(CLI::App& app, Invocation& invocation) {
  const auto path = std::make_shared<std::string>();
  CLI::App& backup = *app.add_subcommand("backup", "Copy the store into a new file, also while the hub runs");
  backup.add_option("OUT", *path, "file to write; must not exist")->required();
  add_common(backup, invocation);
  backup.callback([&invocation, path] {
    invocation.run = [&invocation, path] {
      JsonObject request;
      request.set_text("command", "backup");
      request.set_text("path", std::filesystem::absolute(*path).string());
      const Progress progress("copying", invocation.form());
      return administrate(invocation, request);
    };
  });

  CLI::App& restoring = *app.add_subcommand("restore", "Make a new data directory from a backup, with a new epoch");
  restoring.add_option("IN", *path, "the backup")->required();
  add_common(restoring, invocation);
  restoring.callback(
      [&invocation, path] { invocation.run = [&invocation, path] { return restore(invocation, *path); }; });
}

Result<> verify(const Invocation& invocation) {
  JsonObject request;
  request.set_text("command", "verify");
  const Progress progress("checking", invocation.form());
  TRY(const std::string answer, run_anywhere(invocation.data, request, Missing::refuse));
  print_result(answer, invocation.form());
  const auto ok = JsonView(answer).find("ok");
  if (ok && ok->as_boolean().value_or(false)) return {};
  return fail(ErrorCode::internal, "the store has problems");
}

Result<> show_config(const Invocation& invocation, bool origin) {
  TRY(const Settings settings, load_settings(invocation));
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().name("settings").begin_array();
  for (const SettingInfo& info : all_settings()) {
    const SettingValue& value = settings.values().at(std::string(info.key));
    writer.begin_object().string("key", info.key).string("value", value.text);
    if (origin) writer.string("origin", value.origin);
    writer.string("description", info.description).end_object();
  }
  writer.end_array().end_object();
  print_result(out, invocation.form());
  return {};
}

void define_diagnosis(CLI::App& app, Invocation& invocation) {
  CLI::App& verifying = *app.add_subcommand("verify", "Check the whole store");
  add_common(verifying, invocation);
  verifying.callback([&invocation] { invocation.run = [&invocation] { return verify(invocation); }; });

  CLI::App& doctor = *app.add_subcommand("doctor", "Look for what commonly goes wrong");
  add_common(doctor, invocation);
  add_settings_options(doctor, invocation);
  doctor.callback([&invocation] {
    invocation.run = [&invocation]() -> Result<> {
      TRY(const Settings settings, load_settings(invocation));
      const Diagnosis diagnosis = examine(settings, invocation.data);
      print_result(diagnosis.json, invocation.form());
      if (diagnosis.ok) return {};
      return fail(ErrorCode::internal, "something is wrong; see above");
    };
  });

  CLI::App& config = *app.add_subcommand("config", "Settings: show");
  config.require_subcommand(1);
  CLI::App& show = *config.add_subcommand("show", "Show all settings");
  const auto origin = std::make_shared<bool>(false);
  show.add_flag("--origin", *origin, "say where each value comes from");
  add_common(show, invocation);
  add_settings_options(show, invocation);
  show.callback(
      [&invocation, origin] { invocation.run = [&invocation, origin] { return show_config(invocation, *origin); }; });
}

void define_hub(CLI::App& app, Invocation& invocation) {
  CLI::App& hub = *app.add_subcommand("hub", "Serve; prints its URL when ready");
  hub.footer("Example:\n  syncline hub --data /srv/syncline --listen 127.0.0.1:8080");
  add_common(hub, invocation);
  add_settings_options(hub, invocation);
  hub.callback([&invocation] {
    invocation.run = [&invocation]() -> Result<> {
      TRY(const Settings settings, load_settings(invocation));
      return run_hub(settings, invocation.data);
    };
  });
}

/// Number of edits that make one word of the other, for "did you mean".
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

std::string suggestion_for(const CLI::App& app, const std::vector<std::string>& words) {
  const CLI::App* at = &app;
  for (const std::string& word : words) {
    const CLI::App* next = nullptr;
    std::string nearest;
    std::size_t best = 3;
    for (const CLI::App* sub : at->get_subcommands([](const CLI::App*) { return true; })) {
      if (sub->get_name() == word) next = sub;
      if (const std::size_t d = distance(sub->get_name(), word); d < best) {
        best = d;
        nearest = sub->get_name();
      }
    }
    if (next == nullptr) return nearest.empty() ? "" : "; did you mean '" + nearest + "'?";
    at = next;
  }
  return "";
}

/// Overwrites keys among the arguments: the list of processes shows them to everybody.
void hide_secrets(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word(argv[i]);
    for (const std::string_view option : {"--key", "--token"}) {
      char* secret = nullptr;
      if (word == option && i + 1 < argc) secret = argv[i + 1];
      if (word.starts_with(option) && word.substr(option.size()).starts_with('=')) secret = argv[i] + option.size() + 1;
      if (secret != nullptr) std::memset(secret, '*', std::strlen(secret));
    }
  }
}

}  // namespace

void add_common(CLI::App& command, Invocation& invocation) {
  command.add_option("--data", invocation.data, "data directory")->capture_default_str();
  add_json_flag(command, invocation);
}

void add_json_flag(CLI::App& command, Invocation& invocation) {
  command.add_flag("-j,--json", invocation.json, "one JSON document on standard output, errors as JSON");
}

int run_cli(int argc, char** argv) {
  if (!initialise_crypto()) {
    std::fputs("syncline: the system offers no randomness\n", stderr);
    return kExitFailure;
  }
  set_log_level(LogLevel::warning);
  Invocation invocation;
  CLI::App app{"syncline: your own sync server"};
  app.footer(
      "Examples:\n"
      "  syncline account add me@example.org --plan pro\n"
      "  syncline key add --account me@example.org --label laptop --scopes read,write,commands:submit\n"
      "  syncline hub --listen 127.0.0.1:8080\n"
      "  syncline login http://127.0.0.1:8080 --key-file KEY\n"
      "  syncline -a claire sync full");
  app.set_version_flag("--version", std::string("syncline ") + SYNCLINE_VERSION);
  app.require_subcommand(1);
  define_hub(app, invocation);
  define_accounts(app, invocation);
  define_keys(app, invocation);
  define_spaces_and_conflicts(app, invocation);
  define_webhooks(app, invocation);
  define_backup(app, invocation);
  define_diagnosis(app, invocation);
  define_runner(app, invocation);
  define_commands(app, invocation);
  define_node(app, invocation);
  define_feed(app, invocation);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    std::vector<std::string> words;
    for (int i = 1; i < argc && argv[i][0] != '-'; ++i) words.emplace_back(argv[i]);
    const bool json =
        std::any_of(argv, argv + argc, [](const char* word) { return std::string_view(word) == "--json"; });
    print_error({ErrorCode::invalid_argument, std::string(error.what()) + suggestion_for(app, words)},
                json ? OutputForm::json : OutputForm::text);
    return kExitUsage;
  }
  hide_secrets(argc, argv);
  const auto done = invocation.run();
  if (done) return invocation.exit_code;
  print_error(done.error(), invocation.form());
  return exit_code_of(done.error().code);
}

}  // namespace syncline::app
