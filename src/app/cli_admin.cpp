// syncline account, key, space, conflict and webhook: what an operator asks of the hub that owns the data directory,
// or of the data itself if none runs.
#include <cstdint>
#include <fstream>
#include <map>
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

/// One administration command: the words of its request, its options and what it sends. The last word names it.
class AdminCommand {
 public:
  AdminCommand(Command group, Invocation& invocation, const std::string& words, const std::string& help,
               Missing missing = Missing::refuse)
      : command_(group.add(words.substr(words.rfind(' ') + 1), help)),
        request_(std::make_shared<JsonObject>()),
        lists_(std::make_shared<Lists>()) {
    request_->set_text("command", words);
    add_common(command_, invocation);
    command_.on_run([&invocation, request = request_, lists = lists_, missing, words]() -> Result<> {
      for (const auto& [field, texts] : *lists) {
        if (!texts.empty()) request->set(field, json_list(texts));
      }
      const bool is_new = missing == Missing::create && !has_store(invocation.data);
      TRY(const std::string answer, run_anywhere(invocation.data, *request, missing));
      if (is_new) {
        print_note("created a new store in " + invocation.data +
                       ", with this account alone; if you expected others, "
                       "check --data",
                   invocation.form());
      }
      print_result(answer, invocation.form(), find_list_view(words));
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

  /// A list: one text each time that the option is given.
  AdminCommand& texts(const std::string& option, const std::string& field, const std::string& help) {
    command_.option(option, (*lists_)[field], help).repeatable();
    return *this;
  }

  /// The first line of a file, for what must not stand among the arguments.
  AdminCommand& file(const std::string& option, const std::string& field, const std::string& help) {
    const auto take = [request = request_, field](const std::string& name) -> Result<> {
      std::ifstream stream(name == "-" ? "/dev/stdin" : name);
      std::string line;
      if (!std::getline(stream, line)) return fail(ErrorCode::invalid_argument, "cannot read a line from " + name);
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

  void example(const std::string& line) { command_.example(line); }

 private:
  Option add_text(const std::string& option, const std::string& field, const std::string& help) {
    const auto take = [request = request_, field](const std::string& value) -> Result<> {
      request->set_text(field, value);
      return {};
    };
    return command_.text_option(option, take, help);
  }

  using Lists = std::map<std::string, std::vector<std::string>>;

  static std::string json_list(const std::vector<std::string>& texts) {
    std::string list;
    JsonWriter writer(list);
    writer.begin_array();
    for (const std::string& text : texts) writer.string(text);
    writer.end_array();
    return list;
  }

  const Command command_;
  const std::shared_ptr<JsonObject> request_;
  const std::shared_ptr<Lists> lists_;
};

void define_accounts(Command root, Invocation& invocation) {
  const std::string email = "email address of the account";
  const std::string plans = "free, companion, pro or team; sync means companion, and sync_ai pro";
  const Command account =
      root.add_group("account", "Manage accounts", "syncline account add me@example.org --plan pro");
  account.alias("accounts");
  AdminCommand(account, invocation, "account add", "Add an account", Missing::create)
      .text("EMAIL", "email", email)
      .text("--plan PLAN", "plan", plans)
      .example("syncline account add me@example.org --plan pro");
  AdminCommand(account, invocation, "account list", "List accounts").example("syncline account list");
  AdminCommand(account, invocation, "account plan", "Change an account's plan")
      .text("EMAIL", "email", email)
      .text("PLAN", "plan", plans)
      .example("syncline account plan me@example.org team");
  AdminCommand(account, invocation, "account role", "Make an account an admin of the hub, or a member")
      .text("EMAIL", "email", email)
      .text("ROLE", "role", "admin or member; only an admin's keys and sessions can have the scope admin")
      .example("syncline account role me@example.org admin");
  AdminCommand(account, invocation, "account label", "Set the plan name that Kaisho clients see")
      .text("EMAIL", "email", email)
      .text("LABEL", "label",
            "plan name, or default; Kaisho desktop 1.7.3 expects sync or sync_ai, 2.x companion or pro")
      .example("syncline account label me@example.org sync_ai");
  AdminCommand(account, invocation, "account password", "Set the password for POST /auth/login")
      .text("EMAIL", "email", email)
      .file("--password-file FILE", "password", "file with the password in its first line; - for standard input")
      .optional_text(
          "--revoke-keys-since TIME", "revoke_keys_since",
          "also revoke API keys and remove passkeys created since then, in case somebody else knew the password")
      .example("syncline account password me@example.org --password-file password.txt");
  AdminCommand(account, invocation, "account reset", "Create a one-time password reset token, valid for one hour")
      .text("EMAIL", "email", email)
      .example("syncline account reset me@example.org");
  AdminCommand(account, invocation, "account invite",
               "Create a one-time invitation, valid for 7 days: whoever has it sets the password; a link with "
               "hub.public_url")
      .text("EMAIL", "email", email + "; added if there is none")
      .optional_text("--plan PLAN", "plan", plans + " (default for a new account: free)")
      .example("syncline account invite friend@example.org --plan pro");
  AdminCommand(account, invocation, "account ai-cap", "Set an account's monthly AI token cap")
      .text("EMAIL", "email", email)
      .text("TOKENS", "tokens", "number of tokens, or default")
      .example("syncline account ai-cap me@example.org 500000");
  AdminCommand(account, invocation, "account undo-wipe", "Restore Kaisho data wiped in the last 7 days")
      .text("EMAIL", "email", email)
      .example("syncline account undo-wipe me@example.org");
  AdminCommand(account, invocation, "account remove", "Revoke an account's keys and permanently erase its data")
      .text("EMAIL", "email", email)
      .confirmation("--yes", "confirm that the data may be erased")
      .example("syncline account remove me@example.org --yes");
}

void define_keys(Command root, Invocation& invocation) {
  const Command key = root.add_group("key", "Manage keys, the bearer tokens of devices and programs",
                                     "syncline key add --account me@example.org --label laptop --scopes read,write");
  key.alias("keys");
  AdminCommand(key, invocation, "key add", "Create a key and print it once")
      .text("--account EMAIL", "account", "email address of the account")
      .text("--label NAME", "label", "name of the device or program")
      .text("--scopes SCOPES", "scopes",
            "comma-separated list of: read, write, keys, commands:submit, commands:run, commands:approve, admin")
      .optional_text("--token TOKEN", "token", "use this token instead of a generated one")
      .texts("--space NAME", "spaces", "limit the key to this space; repeat for several (default: all spaces)")
      .example("syncline key add --account me@example.org --label laptop --scopes read,write --space notes");
  AdminCommand(key, invocation, "key list", "List keys")
      .optional_text("--account EMAIL", "account", "only keys of this account")
      .example("syncline key list --account me@example.org");
  AdminCommand(key, invocation, "key revoke", "Revoke a key immediately, including on open connections")
      .text("ID", "id", "id of the key")
      .example("syncline key revoke k2");
}

void define_spaces_and_conflicts(Command root, Invocation& invocation) {
  const Command space =
      root.add_group("space", "Inspect and share spaces, the named data sets of accounts", "syncline space list");
  space.alias("spaces");
  AdminCommand(space, invocation, "space list", "List spaces")
      .optional_text("--account EMAIL", "account", "only spaces of this account")
      .example("syncline space list --account me@example.org");
  AdminCommand(space, invocation, "space history", "List the stored versions of a record, newest first")
      .text("SPACE", "space", "name of the space")
      .text("COLLECTION", "collection", "collection of the record")
      .text("ID", "id", "id of the record")
      .text("--account EMAIL", "account", "account that owns the space")
      .example("syncline space history kernle/claire notes n1 --account me@example.org");

  const std::string owner = "account that has the space (default: the only one that has such a space)";
  AdminCommand(space, invocation, "space share", "Let another account read or write a space")
      .text("SPACE", "space", "name of the space")
      .text("--with EMAIL", "guest", "account that may use the space, as @<number of the owner>/SPACE")
      .text("--rights RIGHTS", "rights", "read or write; sharing again changes them")
      .optional_text("--owner EMAIL", "owner", owner)
      .example("syncline space share notes --with friend@example.org --rights read");
  AdminCommand(space, invocation, "space unshare", "Stop sharing a space, immediately and on open connections too")
      .text("SPACE", "space", "name of the space")
      .text("--with EMAIL", "guest", "account that may no longer use the space")
      .optional_text("--owner EMAIL", "owner", owner)
      .example("syncline space unshare notes --with friend@example.org");
  AdminCommand(space, invocation, "space shares", "List who may use the spaces of others")
      .optional_text("SPACE", "space", "only spaces of this name")
      .optional_text("--owner EMAIL", "owner", "only spaces of this account")
      .example("syncline space shares --owner me@example.org");

  const Command conflict =
      root.add_group("conflict", "Manage conflicts, the edits that lost a merge", "syncline conflict list");
  conflict.alias("conflicts");
  AdminCommand(conflict, invocation, "conflicts list", "List conflicts")
      .optional_text("--account EMAIL", "account", "only conflicts of this account")
      .optional_text("--space SPACE", "space", "only conflicts of this space")
      .optional_text("--state STATE", "state", "open, restored, dismissed or all (default: open)")
      .example("syncline conflict list --space kaisho --state all");
  AdminCommand(conflict, invocation, "conflicts show", "Show both versions of a conflict")
      .number("ID", "id", "id of the conflict")
      .example("syncline conflict show 7");
  AdminCommand(conflict, invocation, "conflicts restore", "Make the losing version the current one")
      .number("ID", "id", "id of the conflict")
      .example("syncline conflict restore 7");
  AdminCommand(conflict, invocation, "conflicts dismiss", "Keep the winning version and close the conflict")
      .number("ID", "id", "id of the conflict")
      .example("syncline conflict dismiss 7");
}

void define_webhooks(Command root, Invocation& invocation) {
  const std::string id = "id of the webhook";
  const Command webhook =
      root.add_group("webhook", "Manage webhooks", "syncline webhook list --account me@example.org");
  webhook.alias("webhooks");
  AdminCommand(webhook, invocation, "webhooks list", "List webhooks")
      .optional_text("--account EMAIL", "account", "only webhooks of this account")
      .example("syncline webhook list --account me@example.org");
  AdminCommand(webhook, invocation, "webhooks add", "Add a webhook and print its secret once")
      .text("URL", "url", "http or https URL of the receiver")
      .text("--account EMAIL", "account", "email address of the account")
      .text("--events EVENTS", "events",
            "comma-separated list of: sync.completed, memory.created, conflict.detected, record.changed, "
            "command.completed, timer.started, timer.stopped")
      .example("syncline webhook add https://app.example.org/hook --account me@example.org --events record.changed");
  AdminCommand(webhook, invocation, "webhooks remove", "Delete a webhook and its delivery log")
      .text("ID", "id", id)
      .example("syncline webhook remove wh_3f9a1c5e7b20d846");
  AdminCommand(webhook, invocation, "webhooks enable", "Re-enable a disabled webhook")
      .text("ID", "id", id)
      .example("syncline webhook enable wh_3f9a1c5e7b20d846");
  AdminCommand(webhook, invocation, "webhooks rotate",
               "Create a new secret; for 24 hours, deliveries carry both signatures")
      .text("ID", "id", id)
      .example("syncline webhook rotate wh_3f9a1c5e7b20d846");
  AdminCommand(webhook, invocation, "webhooks deliveries", "List deliveries and their outcomes, newest first")
      .text("ID", "id", id)
      .example("syncline webhook deliveries wh_3f9a1c5e7b20d846");
  AdminCommand(webhook, invocation, "webhooks replay", "Send a delivery again")
      .text("ID", "id", id)
      .text("DELIVERY", "delivery", "id of the delivery, or failed for all failed deliveries")
      .example("syncline webhook replay wh_3f9a1c5e7b20d846 failed");
}

}  // namespace

void define_administration(Command root, Invocation& invocation) {
  define_accounts(root, invocation);
  define_keys(root, invocation);
  define_spaces_and_conflicts(root, invocation);
  define_webhooks(root, invocation);
}

}  // namespace syncline::app
