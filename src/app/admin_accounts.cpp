#include "app/admin_accounts.hpp"

#include "api/kaisho/wipe.hpp"
#include "app/public_url.hpp"
#include "base/text.hpp"
#include "wire/kaisho_rows.hpp"

namespace syncline::app {
namespace {

void append_account_members(JsonWriter& writer, const Account& account) {
  writer.string("account", account.email)
      .string("plan", to_text(account.plan))
      .string("role", to_text(account.role))
      .string("label", account.plan_label.empty() ? "default" : account.plan_label)
      .string("created_at", format_time(account.created_at));
}

/// What the plan allows; null without a limit.
void append_quota(JsonWriter& writer, const Quotas::Limits& limits) {
  const auto append = [&](std::string_view name, std::int64_t limit) {
    writer.name(name);
    limit > 0 ? writer.integer(limit) : writer.null();
  };
  append("bytes_max", limits.bytes);
  append("records_max", limits.records);
  append("requests_per_minute_max", limits.requests_per_minute);
}

void append_account(JsonWriter& writer, const Account& account) {
  writer.begin_object();
  append_account_members(writer, account);
  writer.end_object();
}

/// Where the token is used in a browser, if the hub knows where people reach it.
void append_link(JsonWriter& writer, std::string_view public_url, std::string_view token) {
  if (const std::string link = password_link(public_url, token); !link.empty()) writer.string("link", link);
}

Result<std::string> account_json(const Result<Account>& account) {
  if (!account) return std::unexpected(account.error());
  std::string out;
  JsonWriter writer(out);
  append_account(writer, *account);
  return out;
}

}  // namespace

Result<std::string> account_add(CoreServices& core, const JsonObject& request) {
  TRY(const Plan plan, parse_plan(request.text_of("plan")));
  return account_json(core.access.add_account(request.text_of("email"), plan));
}

Result<std::string> account_plan(CoreServices& core, const JsonObject& request) {
  TRY(const Plan plan, parse_plan(request.text_of("plan")));
  return account_json(core.access.set_plan(request.text_of("email"), plan));
}

Result<std::string> account_role(CoreServices& core, const JsonObject& request) {
  TRY(const Role role, parse_role(request.text_of("role")));
  return account_json(core.access.set_role(request.text_of("email"), role));
}

Result<std::string> account_remove(CoreServices& core, const JsonObject& request) {
  return account_json(core.access.remove_account(request.text_of("email")));
}

Result<std::string> account_label(CoreServices& core, const JsonObject& request) {
  const std::string label = request.text_of("label");
  return account_json(core.access.set_plan_label(request.text_of("email"), label == "default" ? "" : label));
}

Result<std::string> account_undo_wipe(CoreServices& core, const JsonObject& request) {
  TRY(const Account account, core.access.get_account(request.text_of("email")));
  std::int64_t restored = 0;
  TRY([[maybe_unused]] const Cursor cursor,
      core.spaces.write_and_wait({account.number, std::string(kaisho::kSpace)}, KeyNumber{0},
                                 [&](SpaceWriter& writer) -> Result<> {
                                   constexpr std::int64_t kMicros = limits::kWipeUndoDays * 86'400 * kMicrosPerSecond;
                                   TRY(restored, kaisho::undo_wipe(writer, writer.now().plus_micros(-kMicros)));
                                   return {};
                                 }));
  std::string out;
  JsonWriter(out).begin_object().string("account", account.email).integer("restored", restored).end_object();
  return out;
}

Result<std::string> account_password(CoreServices& core, const JsonObject& request) {
  std::optional<Timestamp> since;
  if (request.find("revoke_keys_since")) {
    TRY(since, parse_iso_or_utc_time(request.text_of("revoke_keys_since")));
  }
  TRY(const auto replaced, core.sessions.set_password(request.text_of("email"), request.text_of("password"), since));
  TRY(const Account account, core.access.get_account(request.text_of("email")));
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  append_account_members(writer, account);
  writer.name("revoked_keys").begin_array();
  for (const Key& key : replaced.revoked) writer.string(key.id);
  writer.end_array().end_object();
  return out;
}

Result<std::string> account_reset(CoreServices& core, const JsonObject& request) {
  TRY(const std::string public_url, core.public_url());
  TRY(const std::string token, core.sessions.make_reset_token(request.text_of("email")));
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().string("account", request.text_of("email")).string("reset_token", token);
  append_link(writer, public_url, token);
  writer.end_object();
  return out;
}

Result<std::string> account_invite(CoreServices& core, const JsonObject& request) {
  TRY(const std::string public_url, core.public_url());
  const std::string email = request.text_of("email");
  TRY(const auto known, core.access.find_account(email));
  const std::string wanted = request.text_of("plan");
  TRY(const Plan plan, parse_plan(wanted.empty() ? "free" : wanted));
  if (known && !wanted.empty() && known->plan != plan) {
    return fail(ErrorCode::conflict, known->email + " has the plan " + std::string(to_text(known->plan)) +
                                         "; 'syncline account plan " + known->email + ' ' + std::string(to_text(plan)) +
                                         "' changes it");
  }
  if (!known) {
    TRY([[maybe_unused]] const Account added, core.access.add_account(email, plan));
  }
  TRY(const std::string token, core.sessions.make_reset_token(email, Sessions::kInvitationSeconds));
  TRY(const Account account, core.access.get_account(email));
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  append_account_members(writer, account);
  writer.string("invitation", token);
  append_link(writer, public_url, token);
  writer
      .string("expires_at", format_time(core.clock.now().plus_micros(Sessions::kInvitationSeconds * kMicrosPerSecond)))
      .end_object();
  return out;
}

Result<std::string> account_ai_cap(CoreServices& core, const JsonObject& request) {
  const std::string text = request.text_of("tokens");
  const auto tokens = parse_integer(text);
  if (text != "default" && (!tokens || *tokens < 0)) {
    return fail(ErrorCode::invalid_argument, "the cap must be a number of tokens or 'default', not '" + text + "'");
  }
  return account_json(core.access.set_ai_cap(request.text_of("email"), tokens));
}

Result<std::string> account_list(CoreServices& core, const JsonObject&) {
  TRY(const auto accounts, core.access.accounts());
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().name("accounts").begin_array();
  for (const Account& account : accounts) {
    TRY(const auto spaces, core.spaces.list(account.number));
    std::int64_t bytes = 0;
    std::int64_t records = 0;
    std::int64_t history_bytes = 0;
    for (const SpaceInfo& space : spaces) {
      bytes += space.bytes;
      records += space.records;
      history_bytes += space.history_bytes;
    }
    writer.begin_object();
    append_account_members(writer, account);
    writer.integer("bytes", bytes).integer("records", records).integer("history_bytes", history_bytes);
    writer.integer("requests_today", core.meter.usage(account.number).today);
    append_quota(writer, core.quotas.of(account.plan));
    writer.end_object();
  }
  writer.end_array().end_object();
  return out;
}

}  // namespace syncline::app
