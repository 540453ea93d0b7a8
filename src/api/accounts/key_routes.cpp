// /auth for Kernle's clients: registration, login with an API key, the keys of an account, usage.
//
// Registration and login are open to everybody; the rest needs the scope keys, or read for what only shows. Errors: 400
// for a field with a wrong value, 401 for an unknown key, 403 while sign-up is closed, 404 for an unknown id, 409 for
// an address that has an account, 429 after too many failures. Changes accounts and keys only; a revoked key stops
// working within a second.
#include <algorithm>

#include "api/accounts/identity.hpp"
#include "api/accounts/routes.hpp"
#include "api/kernle/space.hpp"
#include "base/text.hpp"

namespace syncline::accounts {
namespace {

constexpr std::string_view kDefaultAgent = "default";
constexpr std::string_view kDefaultKeyName = "Default";

/// The bearer token of the header, or the api_key of the body.
std::string key_in(const api::Call& call, JsonView body) {
  constexpr std::string_view kScheme = "bearer ";
  const std::string_view header = call.header("Authorization");
  if (header.size() > kScheme.size() && equal_ignoring_case(header.substr(0, kScheme.size()), kScheme)) {
    return std::string(trim(header.substr(kScheme.size())));
  }
  return body.text_of("api_key");
}

/// The body as an object; an empty one for an empty body.
Result<JsonView> optional_body(api::Call& call) {
  if (trim(call.body()).empty()) return JsonView("{}");
  return call.json_object();
}

/// The agent that a key speaks for, to people who have one: the one it was made for, else the first that it is for.
Result<std::string> agent_of_key(Spaces& spaces, AccountNumber account, const std::string& agent,
                                 const SpaceLimit& limit) {
  if (!agent.empty()) return agent;
  TRY(const auto infos, spaces.list(account));
  for (const SpaceInfo& info : infos) {
    const auto name = kernle::agent_of(info.name.name);
    if (name && limit.allows(info.name.name)) return std::string(*name);
  }
  return std::string(kDefaultAgent);
}

void append_limits(JsonWriter& writer) {
  // There is no quota.
  writer.name("limits").begin_object().raw("daily_limit", "null").raw("monthly_limit", "null").end_object();
}

void append_usage(JsonWriter& writer, const RequestMeter::Usage& usage) {
  writer.name("usage")
      .begin_object()
      .integer("daily_requests", usage.today)
      .integer("monthly_requests", usage.this_month)
      .string("daily_reset_at", format_time(usage.day_ends))
      .string("monthly_reset_at", format_time(usage.month_ends))
      .end_object();
}

std::string shown_prefix(const Key& key) { return key.prefix.empty() ? "sl_" + key.id : key.prefix; }

void append_key(JsonWriter& writer, const Key& key) {
  writer.begin_object()
      .string("id", key.id)
      .string("name", key.label)
      .string("key_prefix", shown_prefix(key))
      .string("prefix", shown_prefix(key))
      .string("created_at", format_time(key.created_at))
      .name("last_used_at");
  key.last_used_at ? writer.string(format_time(*key.last_used_at)) : writer.null();
  writer.boolean("is_active", !key.revoked_at).end_object();
}

/// What is said once of a new key, without the braces.
void append_new_key(JsonWriter& writer, const NewKey& made) {
  writer.string("id", made.key.id)
      .string("key_id", made.key.id)
      .string("name", made.key.label)
      .string("key", made.token)
      .string("api_key", made.token)
      .string("key_prefix", shown_prefix(made.key))
      .string("created_at", format_time(made.key.created_at));
}

void respond_secret(const api::CallPtr& call, int status, std::string body) {
  auto response = http::make_text(status, "application/json", std::move(body));
  response.headers.push_back({"Cache-Control", "no-store"});
  call->respond(std::move(response));
}

void append_token(JsonWriter& writer, const DeviceSession& session, const std::string& agent, Timestamp now) {
  writer.string("access_token", session.token)
      .string("token_type", "bearer")
      .integer("expires_in", (session.expires_at.micros - now.micros + kMicrosPerSecond - 1) / kMicrosPerSecond)
      .string("user_id", user_id(session.account.number))
      .string("agent_id", agent)
      .string("stack_id", agent)
      .string("token", session.token)
      .string("token_expires", format_time(session.expires_at));
}

}  // namespace

void Face::register_account(const api::CallPtr& call) {
  if (!sign_up_.open) {
    return call->fail(Error{ErrorCode::forbidden, "registration is closed; ask the operator for an account"});
  }
  TRY_CALL(call, const JsonView body, call->json_object());
  const std::string named = body.text_of(body.find_set("stack_id") ? "stack_id" : "agent_id");
  std::string agent;
  if (!named.empty()) {
    TRY_CALL(call, agent, kernle::check_agent_name(named));
  }
  TRY_CALL(call, const auto registered,
           device_keys_.sign_up(body.text_of("email"), agent, sign_up_.plan, std::string(call->head().client)));
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().boolean("success", true);
  const std::string shown = agent.empty() ? std::string(kDefaultAgent) : agent;
  append_token(writer, registered.session, shown, spaces_.clock().now());
  writer.string("secret", registered.secret).string("api_key", registered.secret).end_object();
  respond_secret(call, 201, std::move(out));
}

void Face::get_token(const api::CallPtr& call) {
  TRY_CALL(call, const JsonView body, call->json_object());
  TRY_CALL(call, const DeviceSession session,
           device_keys_.log_in(body.text_of("secret"), std::string(call->head().client)));
  std::string agent = body.text_of(body.find_set("stack_id") ? "stack_id" : "agent_id");
  if (agent.empty()) {
    TRY_CALL(call, agent, agent_of_key(spaces_, session.account.number, session.key.agent, session.key.spaces));
  }
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().boolean("success", true);
  append_token(writer, session, agent, spaces_.clock().now());
  writer.end_object();
  respond_secret(call, 200, std::move(out));
}

void Face::log_out(const api::CallPtr& call) {
  CHECK_CALL(call, device_keys_.log_out(call->principal()));
  call->respond_json(200, R"({"success":true,"status":"logged_out"})");
}

void Face::get_usage(const api::CallPtr& call) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().string("tier", to_text(call->principal().plan));
  append_limits(writer);
  append_usage(writer, meter_.usage(call->principal().account));
  writer.raw("daily_remaining", "null").raw("monthly_remaining", "null").end_object();
  call->respond_json(200, std::move(out));
}

void Face::list_keys(const api::CallPtr& call) {
  TRY_CALL(call, const auto keys, device_keys_.list(call->principal().email));
  std::string list;
  JsonWriter writer(list);
  writer.begin_array();
  for (const Key& key : keys) append_key(writer, key);
  writer.end_array();
  // Clients go through the body itself; the documents show it in an object.
  if (call->query("format").value_or("") != "object") return call->respond_json(200, std::move(list));
  std::string out;
  JsonWriter(out)
      .begin_object()
      .boolean("success", true)
      .raw("keys", list)
      .raw("data", "{\"keys\":" + list + "}")
      .end_object();
  call->respond_json(200, std::move(out));
}

void Face::create_key(const api::CallPtr& call) {
  TRY_CALL(call, const JsonView body, optional_body(*call));
  const auto name = body.find_set("name");
  if (name && !name->is_string()) return call->fail(Error{ErrorCode::invalid_argument, "name must be a string"});
  TRY_CALL(
      call, const NewKey made,
      device_keys_.create(call->principal(), name ? name->as_string().value_or("") : std::string(kDefaultKeyName)));
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  append_new_key(writer, made);
  writer.end_object();
  respond_secret(call, 201, std::move(out));
}

void Face::revoke_key(const api::CallPtr& call) {
  CHECK_CALL(call, device_keys_.revoke(call->principal(), call->param("id")));
  call->respond_empty();
}

void Face::cycle_key(const api::CallPtr& call) {
  TRY_CALL(call, const NewKey made, device_keys_.cycle(call->principal(), call->param("id")));
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  append_new_key(writer, made);
  writer.string("old_key_id", call->param("id")).name("new_key").begin_object();
  append_new_key(writer, made);
  writer.end_object().end_object();
  respond_secret(call, 200, std::move(out));
}

bool Face::is_key_login(const api::Call& call, JsonView body) {
  if (body.find_set("email") || body.find_set("password")) return false;
  return !call.header("Authorization").empty() || body.find_set("api_key").has_value();
}

void Face::log_in_with_key(const api::CallPtr& call, JsonView body) {
  TRY_CALL(call, const DeviceSession session, device_keys_.log_in(key_in(*call, body), caller_of(*call)));
  TRY_CALL(call, const std::string agent,
           agent_of_key(spaces_, session.account.number, session.key.agent, session.key.spaces));
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().boolean("success", true);
  append_token(writer, session, agent, spaces_.clock().now());
  writer.name("data")
      .begin_object()
      .string("user_id", user_id(session.account.number))
      .string("token", session.token)
      .string("expires_at", format_time(session.expires_at))
      .end_object()
      .end_object();
  respond_secret(call, 200, std::move(out));
}

Result<> Face::append_key_identity(JsonWriter& writer, const Principal& principal) {
  TRY(const std::string agent, agent_of_key(spaces_, principal.account, principal.agent, principal.spaces));
  TRY(const auto account, access_.find_account(principal.email));
  TRY(const auto infos, spaces_.list(principal.account));
  Timestamp last;
  for (const SpaceInfo& info : infos) {
    if (kernle::agent_of(info.name.name) && principal.spaces.allows(info.name.name))
      last = std::max(last, info.updated_at);
  }
  writer.string("agent_id", agent).string("stack_id", agent).string("display_name", agent);
  writer.string("created_at", format_time(account ? account->created_at : Timestamp{}));
  writer.name("last_sync_at");
  last.micros == 0 ? writer.null() : writer.string(format_time(last));
  writer.string("tier", to_text(principal.plan));
  append_usage(writer, meter_.usage(principal.account));
  append_limits(writer);
  return {};
}

void Face::add_key_routes(Routes& routes) {
  routes.post("/auth/register", {}, "Create an account with an API key", &Face::register_account)
      .described("Available only if the setting accounts.signup is true.")
      .body("email, and optionally stack_id (or agent_id)", "Registration")
      .answers(201, "a session, and the API key as secret, which is shown once", "DeviceSession")
      .answers(400, "not an email address, or not the name of an agent")
      .answers(403, "registration is closed")
      .answers(409, "the address already has an account")
      .answers(429, "too many registrations");
  routes.post("/auth/token", {}, "Open a session with an API key", &Face::get_token)
      .body("secret, and optionally stack_id (or agent_id)", "TokenRequest")
      .answers(200, "the session", "DeviceSession")
      .answers(401, "unknown key");
  routes.post("/auth/logout", {Scope::read, Scope::write, Scope::keys}, "End this session", &Face::log_out)
      .described("An API key stays valid.")
      .answers(200, "logged out", "LoggedOut");
  routes.get("/auth/usage", {Scope::read, Scope::keys}, "Count the requests of this account", &Face::get_usage)
      .described("The hub counts requests; it has no daily or monthly limit.")
      .answers(200, "tier, limits and usage", "Usage");
  routes.get("/auth/keys", Scope::keys, "List the keys of this account", &Face::list_keys)
      .described("The list does not include device sessions.")
      .query("format", "object: the list as a member of an object")
      .answers(200, "the keys", "Keys");
  routes.post("/auth/keys", Scope::keys, "Add a key", &Face::create_key)
      .described("It gets the scopes of the key that makes the request.")
      .body("optionally a name", "KeyRequest")
      .answers(201, "the key, which is shown once", "NewKey")
      .answers(400, "not a valid name");
  routes.del("/auth/keys/{id}", Scope::keys, "Revoke a key", &Face::revoke_key)
      .described("Ends the sessions that were opened with it, too.")
      .answers(204, "revoked")
      .answers(404, "unknown key");
  routes.post("/auth/keys/{id}/cycle", Scope::keys, "Replace a key", &Face::cycle_key)
      .described("The old key stops working in the same step.")
      .answers(200, "the new key, and old_key_id", "CycledKey")
      .answers(400, "the key is already revoked")
      .answers(404, "unknown key");
}

}  // namespace syncline::accounts
