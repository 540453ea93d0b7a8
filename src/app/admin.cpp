#include "app/admin.hpp"

#include <algorithm>
#include <array>

#include "api/native/record_json.hpp"
#include "api/webhooks/routes.hpp"
#include "app/admin_accounts.hpp"
#include "app/admin_audit.hpp"
#include "app/admin_shares.hpp"
#include "app/admin_store.hpp"
#include "base/text.hpp"

namespace syncline::app {
namespace {

using Handler = Result<std::string> (*)(CoreServices&, const JsonObject&);

std::optional<std::string> optional_text(const JsonObject& request, std::string_view name) {
  if (!request.find(name)) return std::nullopt;
  return request.text_of(name);
}

void append_key(JsonWriter& writer, const Key& key, const std::string* token) {
  writer.begin_object().string("id", key.id);
  if (token != nullptr) writer.string("key", *token);
  writer.string("account", key.account_email).string("label", key.label);
  writer.name("scopes").begin_array();
  for (const std::string_view scope : key.scopes.names()) writer.string(scope);
  writer.end_array().name("spaces");
  append_names(writer, key.spaces);
  writer.string("created_at", format_time(key.created_at));
  const auto time_or_null = [&](std::string_view name, const std::optional<Timestamp>& time) {
    writer.name(name);
    if (time) {
      writer.string(format_time(*time));
    } else {
      writer.null();
    }
  };
  time_or_null("expires_at", key.expires_at);
  time_or_null("last_used_at", key.last_used_at);
  time_or_null("revoked_at", key.revoked_at);
  writer.end_object();
}

Result<std::string> key_add(CoreServices& core, const JsonObject& request) {
  TRY(const ScopeSet scopes, parse_scopes(request.text_of("scopes")));
  const auto token = optional_text(request, "token");
  Access::KeyTerms terms;
  if (const auto list = request.find("spaces")) {
    std::vector<std::string> names;
    list->for_each_element([&](JsonView name) { names.push_back(name.as_string().value_or("")); });
    TRY(terms.spaces, SpaceLimit::only(std::move(names)));
  }
  TRY(const NewKey made,
      core.access.add_key(request.text_of("account"), request.text_of("label"), scopes, token, terms));
  std::string out;
  JsonWriter writer(out);
  append_key(writer, made.key, &made.token);
  return out;
}

std::string code_json(const FirstRun::Code& code) {
  std::string out;
  JsonWriter(out)
      .begin_object()
      .string("code", code.text)
      .string("link", code.link)
      .string("expires_at", format_time(code.expires_at))
      .end_object();
  return out;
}

Result<std::string> setup(CoreServices& core, const JsonObject&) {
  TRY(const FirstRun::Code code, core.first_run.code());
  return code_json(code);
}

Result<std::string> setup_again(CoreServices& core, const JsonObject&) {
  TRY(const FirstRun::Code code, core.first_run.renew());
  return code_json(code);
}

Result<std::string> key_list(CoreServices& core, const JsonObject& request) {
  const auto account = optional_text(request, "account");
  TRY(const auto keys, core.access.keys(account));
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().name("keys").begin_array();
  for (const Key& key : keys) append_key(writer, key, nullptr);
  writer.end_array().end_object();
  return out;
}

Result<std::string> key_revoke(CoreServices& core, const JsonObject& request) {
  TRY(const Key key, core.access.revoke_key(request.text_of("id")));
  std::string out;
  JsonWriter writer(out);
  append_key(writer, key, nullptr);
  return out;
}

/// Spaces of one account, or of all, each with its owner's address; without the system's own.
Result<std::vector<std::pair<std::string, SpaceInfo>>> owned_spaces(CoreServices& core, const JsonObject& request) {
  const auto wanted = optional_text(request, "account");
  TRY(const auto accounts, core.access.accounts());
  std::string wanted_email;
  if (wanted) {
    TRY(const Account account, core.access.get_account(*wanted));
    wanted_email = account.email;
  }
  std::vector<std::pair<std::string, SpaceInfo>> found;
  for (const Account& account : accounts) {
    if (wanted && account.email != wanted_email) continue;
    TRY(const auto infos, core.spaces.list(account.number));
    for (const SpaceInfo& info : infos) found.emplace_back(account.email, info);
  }
  return found;
}

Result<std::string> space_list(CoreServices& core, const JsonObject& request) {
  TRY(const auto spaces, owned_spaces(core, request));
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().name("spaces").begin_array();
  for (const auto& [email, info] : spaces) {
    writer.begin_object().string("account", email);
    native::append_space_members(writer, info, core.spaces.cursor(info.name, info.head));
    writer.end_object();
  }
  writer.end_array().end_object();
  return out;
}

struct FoundConflict {
  std::string email;
  SpaceName space;
  Conflict conflict;
  std::optional<Record> winner;
};

Result<std::string> conflict_json(CoreServices& core, const FoundConflict& found) {
  TRY(const std::string label, core.access.label_of(found.conflict.loser.origin));
  std::string inner;
  native::append_conflict(inner, found.conflict, found.winner, label);
  JsonObject json{JsonView(inner)};
  json.set_text("account", found.email);
  json.set_text("space", found.space.name);
  return json.to_text();
}

/// Empty: open.
constexpr std::array<std::string_view, 5> kConflictStates = {"", "open", "restored", "dismissed", "all"};

Result<std::string> conflicts_list(CoreServices& core, const JsonObject& request) {
  constexpr std::size_t kPage = 500;
  TRY(const auto spaces, owned_spaces(core, request));
  const std::string wanted_space = request.text_of("space");
  const std::string state = request.text_of("state");
  if (std::ranges::find(kConflictStates, state) == kConflictStates.end()) {
    return fail(ErrorCode::invalid_argument, "'" + state + "' is no state; use open, restored, dismissed or all");
  }
  std::string out = "{\"conflicts\":[";
  for (const auto& [email, info] : spaces) {
    if (!wanted_space.empty() && info.name.name != wanted_space) continue;
    CHECK_OK(core.spaces.read(info.name, [&](Snapshot& snapshot) -> Result<> {
      for (ConflictNumber after;;) {
        TRY(const auto conflicts, snapshot.conflicts(std::nullopt, after, kPage));
        if (conflicts.empty()) return {};
        after = conflicts.back().number;
        for (const Conflict& conflict : conflicts) {
          if (state != "all" && to_text(conflict.state) != (state.empty() ? "open" : state)) continue;
          TRY(const auto winner, native::find_winner(snapshot, conflict.loser));
          TRY(const std::string json, conflict_json(core, {email, info.name, conflict, winner}));
          if (out.back() != '[') out += ',';
          out += json;
        }
      }
    }));
  }
  return out + "]}";
}

Result<FoundConflict> find_conflict(CoreServices& core, const JsonObject& request) {
  const std::int64_t number = request.integer_of("id").value_or(0);
  TRY(const auto spaces, owned_spaces(core, JsonObject{}));
  for (const auto& [email, info] : spaces) {
    std::optional<FoundConflict> found;
    CHECK_OK(core.spaces.read(info.name, [&](Snapshot& snapshot) -> Result<> {
      TRY(const auto conflict, snapshot.find_conflict({number}));
      if (!conflict) return {};
      TRY(const auto winner, native::find_winner(snapshot, conflict->loser));
      found = FoundConflict{email, info.name, *conflict, winner};
      return {};
    }));
    if (found) return *std::move(found);
  }
  return fail(ErrorCode::not_found, "conflict " + std::to_string(number) +
                                        " not found; 'syncline conflict list --state all' lists conflicts");
}

Result<std::string> conflicts_show(CoreServices& core, const JsonObject& request) {
  TRY(const FoundConflict found, find_conflict(core, request));
  return conflict_json(core, found);
}

Result<std::string> decide(CoreServices& core, const JsonObject& request,
                           Result<Conflict> (SpaceWriter::*decision)(ConflictNumber)) {
  TRY(FoundConflict found, find_conflict(core, request));
  TRY([[maybe_unused]] const Cursor cursor,
      core.spaces.write_and_wait(found.space, KeyNumber{0}, [&](SpaceWriter& writer) -> Result<> {
        TRY(found.conflict, (writer.*decision)(found.conflict.number));
        TRY(found.winner, native::find_winner(writer.txn(), found.conflict.loser));
        return {};
      }));
  return conflict_json(core, found);
}

Result<std::string> conflicts_restore(CoreServices& core, const JsonObject& request) {
  return decide(core, request, &SpaceWriter::restore);
}

Result<std::string> conflicts_dismiss(CoreServices& core, const JsonObject& request) {
  return decide(core, request, &SpaceWriter::dismiss);
}

Result<std::string> webhook_json(const Result<webhooks::Webhook>& webhook, bool with_secret) {
  if (!webhook) return std::unexpected(webhook.error());
  return webhooks::webhook_text(*webhook, with_secret);
}

Result<std::string> webhooks_list(CoreServices& core, const JsonObject& request) {
  std::optional<AccountNumber> wanted;
  if (const auto email = optional_text(request, "account")) {
    TRY(const Account account, core.access.get_account(*email));
    wanted = account.number;
  }
  TRY(const auto accounts, core.access.accounts());
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().name("webhooks").begin_array();
  for (const webhooks::Webhook& webhook : core.webhooks.list(wanted)) {
    const auto owner = std::ranges::find(accounts, webhook.account, &Account::number);
    JsonObject shown{JsonView(webhooks::webhook_text(webhook, false))};
    shown.set_text("account", owner == accounts.end() ? "" : owner->email);
    writer.raw(shown.to_text());
  }
  writer.end_array().end_object();
  return out;
}

Result<std::string> webhooks_add(CoreServices& core, const JsonObject& request) {
  TRY(const Account account, core.access.get_account(request.text_of("account")));
  std::vector<std::string> names;
  const std::string events = request.text_of("events");
  for (const std::string_view name : split(events, ',')) names.emplace_back(trim(name));
  TRY(const EventTypes types, core.webhooks.parse_events(names));
  CHECK_OK(webhooks::check_audience(types, account.role));
  return webhook_json(core.webhooks.add(account.number, request.text_of("url"), types, ""), true);
}

Result<std::string> webhooks_remove(CoreServices& core, const JsonObject& request) {
  const std::string id = request.text_of("id");
  const auto webhook = core.webhooks.find(std::nullopt, id);
  CHECK_OK(core.webhooks.remove(std::nullopt, id));
  if (webhook) return webhook_json(webhook, false);
  std::string out;  // of a damaged one nothing else is known
  JsonWriter(out).begin_object().string("id", id).end_object();
  return out;
}

Result<std::string> webhooks_enable(CoreServices& core, const JsonObject& request) {
  CHECK_OK(core.deliveries.retry_now(request.text_of("id")));
  return webhook_json(
      core.webhooks.change(std::nullopt, request.text_of("id"), {.url = {}, .events = {}, .enabled = true}), false);
}

Result<std::string> webhooks_rotate(CoreServices& core, const JsonObject& request) {
  return webhook_json(core.webhooks.rotate(std::nullopt, request.text_of("id")), true);
}

Result<std::string> webhooks_deliveries(CoreServices& core, const JsonObject& request) {
  constexpr std::size_t kShown = 100;
  TRY(const auto webhook, core.webhooks.find(std::nullopt, request.text_of("id")));
  TRY(const auto deliveries, core.deliveries.list(webhook.id, kShown));
  return webhooks::deliveries_text(deliveries);
}

Result<std::string> webhooks_replay(CoreServices& core, const JsonObject& request) {
  TRY(const auto webhook, core.webhooks.find(std::nullopt, request.text_of("id")));
  const std::string wanted = request.text_of("delivery");
  CHECK_OK(webhooks::check_enabled(webhook));
  std::int64_t count = 1;
  if (wanted == "failed") {
    TRY(count, core.deliveries.replay_failed(webhook.id));
  } else {
    const auto number = parse_integer(wanted);
    if (!number) {
      return fail(ErrorCode::invalid_argument, "the delivery must be an id or 'failed', not '" + wanted +
                                                   "'; 'syncline webhook deliveries " + webhook.id + "' lists ids");
    }
    TRY([[maybe_unused]] const webhooks::Delivery delivery, core.deliveries.replay(webhook.id, *number));
  }
  core.webhooks.on_events();
  std::string out;
  JsonWriter(out).begin_object().string("webhook", webhook.id).integer("replayed", count).end_object();
  return out;
}

Result<std::string> space_history(CoreServices& core, const JsonObject& request) {
  TRY(const Account account, core.access.get_account(request.text_of("account")));
  const SpaceName space{account.number, request.text_of("space")};
  std::string out;
  CHECK_OK(core.spaces.read(space, [&](Snapshot& snapshot) -> Result<> {
    TRY(out, native::history_json(snapshot, core.access, request.text_of("collection"), request.text_of("id")));
    return {};
  }));
  return out;
}

Result<std::string> clock_status(CoreServices& core, const JsonObject&) {
  const ClockStatus status = core.clock.status();
  std::string out;
  JsonWriter(out)
      .begin_object()
      .string("state", to_text(status.state))
      .string("now", format_time(status.now))
      .string("system", format_time(status.wall))
      .integer("off_seconds", status.off_micros / kMicrosPerSecond)
      .integer("agreed_seconds", status.agreed_micros / kMicrosPerSecond)
      .boolean("purging", status.is_trusted())
      .string("advice", status.advice())
      .end_object();
  return out;
}

Result<std::string> clock_accept(CoreServices& core, const JsonObject& request) {
  CHECK_OK(core.clock.accept(*core.store));
  return clock_status(core, request);
}

/// The first of these members that a command's request or answer has, as text.
std::string find_shown(const JsonObject& request, const JsonObject& answer,
                       std::initializer_list<std::string_view> names) {
  for (const JsonObject* json : {&request, &answer}) {
    for (const std::string_view name : names) {
      const auto value = json->find(name);
      if (value) return value->as_string().value_or(std::string(value->raw()));
    }
  }
  return "";
}

void note_command(CoreServices& core, std::string_view action, const JsonObject& request, const std::string& answer) {
  const JsonObject made{JsonView(answer)};
  core.access.audit().note({.action = std::string(action),
                            .account = find_shown(request, made, {"account", "email"}),
                            .target = find_shown(request, made, {"id", "path"}),
                            .detail = {}});
}

struct Named {
  std::string_view name;
  Handler run;
  /// In the audit log, unless what the command does is recorded where it is done, or it changes nothing.
  std::string_view action;
};
constexpr std::array<Named, 40> kHandlers = {{{"setup", setup, "setup.code_shown"},
                                              {"setup again", setup_again, "setup.code_replaced"},
                                              {"account add", account_add},
                                              {"account label", account_label},
                                              {"account undo-wipe", account_undo_wipe, "space.wipe_undone"},
                                              {"account ai-cap", account_ai_cap},
                                              {"account password", account_password},
                                              {"account reset", account_reset},
                                              {"account invite", account_invite},
                                              {"account list", account_list},
                                              {"account plan", account_plan},
                                              {"account remove", account_remove},
                                              {"account role", account_role},
                                              {"key add", key_add},
                                              {"key list", key_list},
                                              {"key revoke", key_revoke},
                                              {"space list", space_list},
                                              {"conflicts list", conflicts_list},
                                              {"conflicts show", conflicts_show},
                                              {"conflicts restore", conflicts_restore, "conflict.restored"},
                                              {"conflicts dismiss", conflicts_dismiss, "conflict.dismissed"},
                                              {"space history", space_history},
                                              {"space share", space_share},
                                              {"space shares", space_shares},
                                              {"space unshare", space_unshare},
                                              {"webhooks list", webhooks_list},
                                              {"webhooks add", webhooks_add, "webhook.created"},
                                              {"webhooks remove", webhooks_remove, "webhook.removed"},
                                              {"webhooks enable", webhooks_enable, "webhook.changed"},
                                              {"webhooks rotate", webhooks_rotate, "webhook.secret_rotated"},
                                              {"webhooks deliveries", webhooks_deliveries},
                                              {"webhooks replay", webhooks_replay, "webhook.replayed"},
                                              {"clock status", clock_status},
                                              {"clock accept", clock_accept, "clock.accepted"},
                                              {"audit list", audit_list},
                                              {"audit verify", audit_verify},
                                              {"backup", back_up_store, "store.backed_up"},
                                              {"backup status", backup_status},
                                              {"rows undeliverable", undeliverable_rows},
                                              {"verify", verify_store}}};

}  // namespace

Result<std::string> run_admin(CoreServices& core, const JsonObject& request) {
  const std::string name = request.text_of("command");
  const ActingAs acting(Actor{.account = std::string(Actor::kOperator), .key = {}, .label = {}, .address = {}});
  for (const Named& handler : kHandlers) {
    if (handler.name != name) continue;
    auto answer = handler.run(core, request);
    if (answer && !handler.action.empty()) note_command(core, handler.action, request, *answer);
    return answer;
  }
  return fail(ErrorCode::invalid_argument, "unknown administration command '" + name +
                                               "'; if a hub is running, it may be an older version: restart it");
}

}  // namespace syncline::app
