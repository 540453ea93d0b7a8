// syncline account, key, space, conflict and webhook: what an operator asks of the hub that owns the data directory,
// or of the data itself if none runs.
#include <cstdint>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

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
    add_exits(command_, {kExitNotFound, kExitConflict});
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

  /// What the option or argument that was added last may be.
  AdminCommand& values(const std::vector<std::string>& words) {
    last_->known_values(words);
    return *this;
  }
  AdminCommand& list_of(const std::vector<std::string>& words) {
    last_->known_list(words);
    return *this;
  }
  AdminCommand& defaults_to(const std::string& text) {
    last_->defaults_to(text);
    return *this;
  }

  AdminCommand& note(const std::string& text) {
    command_.note(text);
    return *this;
  }

  void example(const std::string& line) { command_.example(line); }

 private:
  Option& add_text(const std::string& option, const std::string& field, const std::string& help) {
    const auto take = [request = request_, field](const std::string& value) -> Result<> {
      request->set_text(field, value);
      return {};
    };
    return last_.emplace(command_.text_option(option, take, help));
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
  std::optional<Option> last_;  // added
};

/// `sync` and `sync_ai`, the names of earlier plans, are accepted as well.
const std::vector<std::string> kPlans = {"free", "companion", "pro", "team"};

void define_accounts(Command root, Invocation& invocation) {
  const std::string email = "email address of the account";
  const std::string plan = "plan of the account";
  const Command account =
      root.add_group("account", "Manage accounts", "syncline account add me@example.org --plan pro");
  account.alias("accounts");
  AdminCommand(account, invocation, "account add", "Add an account", Missing::create)
      .text("EMAIL", "email", email)
      .text("--plan PLAN", "plan", plan)
      .values(kPlans)
      .example("syncline account add me@example.org --plan pro");
  AdminCommand(account, invocation, "account list", "List accounts").example("syncline account list");
  AdminCommand(account, invocation, "account plan", "Change an account's plan")
      .text("EMAIL", "email", email)
      .text("PLAN", "plan", plan)
      .values(kPlans)
      .example("syncline account plan me@example.org team");
  AdminCommand(account, invocation, "account role", "Make an account an admin of the hub, or a member")
      .text("EMAIL", "email", email)
      .text("ROLE", "role", "new role")
      .values({"admin", "member"})
      .note("Only keys and sessions of an admin can have the scope admin. A hub always keeps at least one admin.")
      .example("syncline account role me@example.org admin");
  AdminCommand(account, invocation, "account label", "Set the plan name that Kaisho clients see")
      .text("EMAIL", "email", email)
      .text("LABEL", "label", "plan name to show, or default for the name of the account's plan")
      .note("Kaisho desktop 1.7.3 expects sync or sync_ai; version 2 expects companion or pro.")
      .example("syncline account label me@example.org sync_ai");
  AdminCommand(account, invocation, "account password", "Set an account's password")
      .text("EMAIL", "email", email)
      .file("--password-file FILE", "password", "file with the password in its first line; - for standard input")
      .optional_text(
          "--revoke-keys-since TIME", "revoke_keys_since",
          "also revoke the API keys and remove the passkeys and linked identities that were created since TIME, like "
          "2026-11-22T10:00:00Z")
      .note("Use --revoke-keys-since if somebody else knew the password: what they created stays valid otherwise.")
      .example("syncline account password me@example.org --password-file password.txt");
  AdminCommand(account, invocation, "account reset", "Create a one-time password reset token, valid for one hour")
      .text("EMAIL", "email", email)
      .example("syncline account reset me@example.org");
  AdminCommand(account, invocation, "account invite",
               "Create a one-time invitation to set a password, valid for 7 days")
      .text("EMAIL", "email", email + ", which is added if there is none")
      .optional_text("--plan PLAN", "plan", "plan of a new account")
      .values(kPlans)
      .defaults_to("free")
      .note(
          "The invitation is a link if hub.public_url is set, else a token. The hub sends no e-mail: hand the link "
          "to one person yourself.")
      .example("syncline account invite friend@example.org --plan pro");
  AdminCommand(account, invocation, "account ai-cap", "Set an account's monthly AI token cap")
      .text("EMAIL", "email", email)
      .text("TOKENS", "tokens", "AI tokens per month, or default for those of the plan")
      .example("syncline account ai-cap me@example.org 500000");
  AdminCommand(account, invocation, "account undo-wipe", "Restore Kaisho data wiped in the last 7 days")
      .text("EMAIL", "email", email)
      .example("syncline account undo-wipe me@example.org");
  AdminCommand(account, invocation, "account remove", "Revoke an account's keys and permanently erase its data")
      .text("EMAIL", "email", email)
      .confirmation("--yes", "confirm that you want to erase the data")
      .example("syncline account remove me@example.org --yes");
}

void define_keys(Command root, Invocation& invocation) {
  const Command key = root.add_group("key", "Manage keys, the bearer tokens of devices and programs",
                                     "syncline key add --account me@example.org --label laptop --scopes read,write");
  key.alias("keys");
  AdminCommand(key, invocation, "key add", "Create a key and print it once")
      .text("--account EMAIL", "account", "email address of the account")
      .text("--label NAME", "label", "name of the device or program")
      .text("--scopes SCOPES", "scopes", "what the key may do")
      .list_of({"read", "write", "keys", "commands:submit", "commands:run", "commands:approve", "admin"})
      .optional_text("--token TOKEN", "token", "use this token instead of a generated one")
      .texts("--space NAME", "spaces", "limit the key to this space")
      .note("Without --space, the key reaches all spaces of the account.")
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
      .text("--account EMAIL", "account", "account that has the space")
      .example("syncline space history kernle/claire notes n1 --account me@example.org");

  const std::string owner = "account that has the space";
  const std::string only_owner = "the only account that has such a space";
  AdminCommand(space, invocation, "space share", "Let another account read or write a space")
      .text("SPACE", "space", "name of the space")
      .text("--with EMAIL", "guest", "account that may use the space")
      .text("--rights RIGHTS", "rights", "what that account may do")
      .values({"read", "write"})
      .optional_text("--owner EMAIL", "owner", owner)
      .defaults_to(only_owner)
      .note(
          "The other account reaches the space as @NUMBER/SPACE, where NUMBER is that of the owner. Share the space "
          "again to change the rights.")
      .example("syncline space share notes --with friend@example.org --rights read");
  AdminCommand(space, invocation, "space unshare", "Stop sharing a space, immediately and on open connections too")
      .text("SPACE", "space", "name of the space")
      .text("--with EMAIL", "guest", "account that may no longer use the space")
      .optional_text("--owner EMAIL", "owner", owner)
      .defaults_to(only_owner)
      .example("syncline space unshare notes --with friend@example.org");
  AdminCommand(space, invocation, "space shares", "List which accounts may use the spaces of others")
      .optional_text("SPACE", "space", "only spaces of this name")
      .optional_text("--owner EMAIL", "owner", "only spaces of this account")
      .example("syncline space shares --owner me@example.org");

  const Command conflict =
      root.add_group("conflict", "Manage conflicts, the edits that lost a merge", "syncline conflict list");
  conflict.alias("conflicts");
  AdminCommand(conflict, invocation, "conflicts list", "List conflicts")
      .optional_text("--account EMAIL", "account", "only conflicts of this account")
      .optional_text("--space SPACE", "space", "only conflicts of this space")
      .optional_text("--state STATE", "state", "only conflicts in this state")
      .values({"open", "restored", "dismissed", "all"})
      .defaults_to("open")
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
      .text("--events EVENTS", "events", "events that the hub sends; those of backups are for admins")
      .list_of({"sync.completed", "memory.created", "conflict.detected", "record.changed", "command.completed",
                "timer.started", "timer.stopped", "backup.failed", "backup.overdue", "backup.ok"})
      .example("syncline webhook add https://app.example.org/hook --account me@example.org --events record.changed");
  AdminCommand(webhook, invocation, "webhooks remove", "Delete a webhook and its delivery log")
      .text("ID", "id", id)
      .example("syncline webhook remove wh_3f9a1c5e7b20d846");
  AdminCommand(webhook, invocation, "webhooks enable", "Re-enable a disabled webhook")
      .text("ID", "id", id)
      .example("syncline webhook enable wh_3f9a1c5e7b20d846");
  AdminCommand(webhook, invocation, "webhooks rotate", "Replace a webhook's secret, and print the new one once")
      .text("ID", "id", id)
      .note("For 24 hours, deliveries carry the signatures of both secrets.")
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
