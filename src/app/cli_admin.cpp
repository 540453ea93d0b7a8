// syncline account, key, space, conflicts and webhooks: what an operator asks of the hub that owns the data directory,
// or of the data itself if none runs.
#include <cstdint>
#include <fstream>
#include <memory>
#include <string>

#include "app/data_directory.hpp"
#include "app/invocation.hpp"
#include "app/offline.hpp"
#include "base/json_object.hpp"
#include "base/text.hpp"

namespace syncline::app {
namespace {

using Missing = DataDirectory::Missing;

/// One administration command: its words, its options and what it sends.
class AdminCommand {
 public:
  AdminCommand(Command group, Invocation& invocation, const std::string& words, const std::string& help,
               Missing missing = Missing::refuse)
      : command_(group.add(words.substr(words.rfind(' ') + 1), help)), request_(std::make_shared<JsonObject>()) {
    request_->set_text("command", words);
    add_common(command_, invocation);
    command_.on_run([&invocation, request = request_, missing]() -> Result<> {
      TRY(const std::string answer, run_anywhere(invocation.data, *request, missing));
      print_result(answer, invocation.form());
      return {};
    });
  }

  AdminCommand& text(const std::string& option, const std::string& field, const std::string& help) {
    add_text(option, field, help).required();
    return *this;
  }

  AdminCommand& optional_text(const std::string& option, const std::string& field, const std::string& help) {
    add_text(option, field, help);
    return *this;
  }

  /// The first line of a file, for what must not stand among the arguments.
  AdminCommand& file(const std::string& option, const std::string& field, const std::string& help) {
    const auto take = [request = request_, field](const std::string& name) -> Result<> {
      std::ifstream stream(name == "-" ? "/dev/stdin" : name);
      std::string line;
      if (!std::getline(stream, line)) return fail(ErrorCode::invalid_argument, name + ": cannot be read");
      request->set_text(field, trim(line));
      return {};
    };
    command_.text_option(option, take, help).required();
    return *this;
  }

  AdminCommand& number(const std::string& option, const std::string& field, const std::string& help) {
    const auto take = [request = request_, field](std::int64_t value) { request->set_integer(field, value); };
    command_.integer_option(option, take, help).required();
    return *this;
  }

  /// A flag that must be given, for what cannot be undone.
  AdminCommand& confirmation(const std::string& option, const std::string& help) {
    command_.flag(option, help).required();
    return *this;
  }

 private:
  Option add_text(const std::string& option, const std::string& field, const std::string& help) {
    const auto take = [request = request_, field](const std::string& value) -> Result<> {
      request->set_text(field, value);
      return {};
    };
    return command_.text_option(option, take, help);
  }

  const Command command_;
  const std::shared_ptr<JsonObject> request_;
};

void define_accounts(Command root, Invocation& invocation) {
  const Command account =
      root.add_group("account", "Who owns data: add, list, plan, label, password, ai-cap, undo-wipe, remove");
  AdminCommand(account, invocation, "account add", "Add an account", Missing::create)
      .text("EMAIL", "email", "address of the owner")
      .text("--plan", "plan", "free, companion, pro or team");
  const AdminCommand list(account, invocation, "account list", "List accounts");
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
  AdminCommand(account, invocation, "account remove", "Revoke its keys and erase its data for good")
      .text("EMAIL", "email", "address of the owner")
      .confirmation("--yes", "do it");
}

void define_keys(Command root, Invocation& invocation) {
  const Command key = root.add_group("key", "Bearer tokens of devices and programs: add, list, revoke");
  AdminCommand(key, invocation, "key add", "Make a key; it is shown once")
      .text("--account", "account", "address of the owner")
      .text("--label", "label", "which device or program it is for")
      .text("--scopes", "scopes", "some of read,write,keys,commands:submit,commands:run,commands:approve,admin")
      .optional_text("--token", "token", "register this token instead of making one");
  AdminCommand(key, invocation, "key list", "List keys").optional_text("--account", "account", "only of this account");
  AdminCommand(key, invocation, "key revoke", "End a key at once, also on open connections")
      .text("ID", "id", "id of the key");
}

void define_spaces_and_conflicts(Command root, Invocation& invocation) {
  const Command space = root.add_group("space", "Named data sets: list, history");
  AdminCommand(space, invocation, "space list", "List spaces")
      .optional_text("--account", "account", "only of this account");
  AdminCommand(space, invocation, "space history", "All versions of a record that are kept, newest first")
      .text("SPACE", "space", "name of the space, like kernle/claire")
      .text("COLLECTION", "collection", "the record's collection")
      .text("ID", "id", "the record's id")
      .text("--account", "account", "whose space it is");

  const Command conflicts = root.add_group("conflicts", "Versions that lost: list, show, restore, dismiss");
  AdminCommand(conflicts, invocation, "conflicts list", "List conflicts")
      .optional_text("--account", "account", "only of this account")
      .optional_text("--space", "space", "only of this space")
      .optional_text("--state", "state", "open (if absent), restored, dismissed or all");
  AdminCommand(conflicts, invocation, "conflicts show", "Show both versions").number("ID", "id", "id of the conflict");
  AdminCommand(conflicts, invocation, "conflicts restore", "Make the losing version the current one")
      .number("ID", "id", "id of the conflict");
  AdminCommand(conflicts, invocation, "conflicts dismiss", "Leave the winner as it is")
      .number("ID", "id", "id of the conflict");
}

void define_webhooks(Command root, Invocation& invocation) {
  const Command webhooks =
      root.add_group("webhooks", "Who is told of events: list, add, remove, enable, rotate, deliveries, replay");
  AdminCommand(webhooks, invocation, "webhooks list", "List webhooks")
      .optional_text("--account", "account", "only of this account");
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

}  // namespace

void define_administration(Command root, Invocation& invocation) {
  define_accounts(root, invocation);
  define_keys(root, invocation);
  define_spaces_and_conflicts(root, invocation);
  define_webhooks(root, invocation);
}

}  // namespace syncline::app
