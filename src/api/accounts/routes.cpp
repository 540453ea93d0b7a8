// /auth for Kaisho's clients: sign-up, login, sessions, passwords, the account of a key.
//
// Open to everybody, except /auth/api-key (keys) and /auth/me (read or keys). Errors: 400 for a field with a wrong
// value, 401 for wrong credentials, 403 while sign-up is closed, 409 for an address that has an account, 429 after too
// many failures. Changes accounts and keys: a sign-up adds an account, a login or a refresh a session; a reset replaces
// the password and ends all sessions.
#include "api/accounts/routes.hpp"

#include "api/accounts/identity.hpp"
#include "api/accounts/schemas.hpp"
#include "api/kaisho/errors.hpp"
#include "base/json_object.hpp"

namespace syncline::accounts {
namespace {

/// E-mail addresses, passwords and keys: nothing here is long.
constexpr std::size_t kBodyBytesMax = 16UL << 10U;
/// Of the key that Kaisho's clients use.
constexpr std::string_view kApiKeyLabel = "kaisho api key";

/// The body with these members, all of them strings.
Result<JsonObject> read(const api::CallPtr& call, std::initializer_list<std::string_view> names) {
  TRY(const JsonView json, call->json_object());
  JsonObject body{json};
  for (const std::string_view name : names) {
    const auto value = body.find(name);
    if (!value || !value->is_string()) {
      return fail(ErrorCode::invalid_argument, std::string(name) + " must be a string");
    }
  }
  return body;
}

void append_keys(JsonWriter& writer, std::string_view name, const std::vector<Key>& keys) {
  writer.name(name).begin_array();
  for (const Key& key : keys) {
    writer.begin_object()
        .string("id", key.id)
        .string("name", key.label)
        .string("created_at", format_time(key.created_at))
        .end_object();
  }
  writer.end_array();
}

}  // namespace

void Face::sign_up(const api::CallPtr& call) {
  if (!sign_up_.open) {
    return call->fail(Error{ErrorCode::forbidden, "sign-up is closed; ask the operator for an account"});
  }
  queue_password(call, &Face::make_account);
}

void Face::make_account(const api::CallPtr& call) {
  TRY_CALL(call, const JsonObject body, read(call, {"email", "password"}));
  TRY_CALL(call, const Session session,
           sessions_.sign_up(body.text_of("email"), body.text_of("password"), sign_up_.plan, caller_of(*call)));
  respond_session(call, 201, session);
}

void Face::log_in(const api::CallPtr& call) {
  const JsonCheck check = check_json(call->body(), limits::kBodyDepthMax);
  const JsonView loose(check.fault == JsonFault::none ? std::string_view(call->body()) : "null");
  if (is_key_login(*call, loose)) return log_in_with_key(call, loose);
  queue_password(call, &Face::log_in_with_password);
}

void Face::log_in_with_password(const api::CallPtr& call) {
  TRY_CALL(call, const JsonObject body, read(call, {"email", "password"}));
  TRY_CALL(call, const Session session,
           sessions_.log_in(body.text_of("email"), body.text_of("password"), caller_of(*call)));
  respond_session(call, 200, session);
}

void Face::refresh(const api::CallPtr& call) {
  TRY_CALL(call, const JsonObject body, read(call, {"refresh_token"}));
  TRY_CALL(call, const Session session, sessions_.refresh(body.text_of("refresh_token")));
  respond_session(call, 200, session);
}

void Face::forgot_password(const api::CallPtr& call) {
  TRY_CALL(call, const JsonObject body, read(call, {"email"}));
  // The same for every address. The hub sends no mail: the operator hands out a token.
  call->respond_json(200, R"({"ok":true,"message":"ask the operator of this hub for a reset token"})");
}

void Face::reset_password(const api::CallPtr& call) { queue_password(call, &Face::replace_password); }

void Face::replace_password(const api::CallPtr& call) {
  TRY_CALL(call, const JsonObject body, read(call, {"token", "password"}));
  std::optional<Timestamp> since;
  if (body.find("revoke_keys_since")) {
    TRY_CALL(call, since, parse_iso_or_utc_time(body.text_of("revoke_keys_since")));
  }
  TRY_CALL(call, const auto replaced,
           sessions_.reset_password(body.text_of("token"), body.text_of("password"), since,
                                    std::string(call->head().client)));
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().boolean("ok", true);
  append_keys(writer, "revoked_keys", replaced.revoked);
  append_keys(writer, "keys", replaced.kept);
  writer.end_object();
  call->respond_json(200, std::move(out));
}

void Face::queue_password(const api::CallPtr& call, void (Face::*run)(const api::CallPtr&)) {
  const std::string client = counted_peer(std::string(call->head().client));
  CHECK_CALL(call, passwords_.post(client, [this, call, run] { (this->*run)(call); }));
}

void Face::make_api_key(const api::CallPtr& call) {
  TRY_CALL(call, const std::string key, sessions_.replace_api_key(call->principal(), kApiKeyLabel));
  std::string out;
  JsonWriter(out).begin_object().string("api_key", key).end_object();
  call->respond_json(200, std::move(out));
}

void Face::get_me(const api::CallPtr& call) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  append_identity(writer, call->principal());
  CHECK_CALL(call, append_key_identity(writer, call->principal()));
  writer.end_object();
  call->respond_json(200, std::move(out));
}

void Face::append_identity(JsonWriter& writer, const Principal& principal) {
  writer.string("user_id", user_id(principal.account))
      .string("email", principal.email)
      .string("plan", access_.shown_plan(principal));
}

void Face::respond_session(const api::CallPtr& call, int status, const Session& session) {
  const Principal principal{.account = session.account.number,
                            .email = session.account.email,
                            .plan = session.account.plan,
                            .plan_label = session.account.plan_label};
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  append_identity(writer, principal);
  writer.string("access_token", session.access_token).string("refresh_token", session.refresh_token).end_object();
  auto response = http::make_text(status, "application/json", std::move(out));
  response.headers.push_back({"Cache-Control", "no-store"});
  call->respond(std::move(response));
}

std::vector<api::Route> Face::make_routes() {
  Routes routes(*this, "accounts", kaisho::kErrors);
  routes.all().with_schemas(kSchemas).heavy().in_any_plan().outside_spaces().body_at_most(kBodyBytesMax);
  add_key_routes(routes);
  routes.post("/auth/signup", {}, "Create an account", &Face::sign_up)
      .described("Available only if the setting accounts.signup is true.")
      .body("email, and a password of at least 8 bytes", "SignUp")
      .answers(201, "a session of the new account", "Session")
      .answers(400, "not an email address, or the password is too short")
      .answers(403, "sign-up is closed")
      .answers(409, "the address already has an account")
      .answers(503, "too many requests that hash a password");
  routes.post("/auth/login", {}, "Log in", &Face::log_in)
      .described(
          "Opens a session: a key of its own with an access token of 7 days. With an API key as bearer token or as "
          "api_key, it opens the session of a device, which stays valid while it is used.")
      .body("email and password; or api_key; or nothing", "LogIn")
      .answers(200, "the session; with an API key, the session of a device",
               R"({"anyOf":[{"$ref":"#/components/schemas/Session"},{"$ref":"#/components/schemas/DeviceSession"}]})")
      .answers(401, "wrong address or password, or an unknown key")
      .answers(429, "too many failed attempts")
      .answers(503, "too many requests that hash a password");
  routes.post("/auth/refresh", {}, "Renew a session", &Face::refresh)
      .described(
          "Returns a new refresh token, valid for 90 days. The old one stays valid until the new one is used. Using a "
          "replaced token ends the session, because somebody has a copy.")
      .body("the refresh token", "Refresh")
      .answers(200, "the session with new tokens", "Session")
      .answers(401, "the refresh token is revoked, replaced or has expired");
  routes.post("/auth/forgot-password", {}, "Ask for a new password", &Face::forgot_password)
      .described("The hub sends no email; ask the operator for a reset token.")
      .body("email", "ForgotPassword")
      .answers(200, "the same answer for every address", "Done");
  routes.post("/auth/reset-password", {}, "Set a new password", &Face::reset_password)
      .described(
          "Ends all sessions of the account. API keys stay, except for those made at revoke_keys_since or later: use "
          "it "
          "if somebody else knew the password.")
      .body("the reset token and the new password, and optionally revoke_keys_since", "ResetPassword")
      .answers(200, "the password is set; the keys that were revoked, and those that stay", "PasswordReset")
      .answers(400, "the password is too short, or revoke_keys_since is no time")
      .answers(401, "the token is invalid, used or expired")
      .answers(503, "too many requests that hash a password");
  routes.post("/auth/api-key", Scope::keys, "Replace the API key", &Face::make_api_key)
      .described("The previous API key stops working.")
      .answers(200, "the new key, a UUID", "ApiKey");
  routes.get("/auth/me", {Scope::read, Scope::keys}, "Show the account of this key", &Face::get_me)
      .answers(200, "the account, its agent, plan and usage", "Identity");
  return routes.take();
}

api::FaceModule make_module(SignUp sign_up) {
  return {.name = "accounts", .prefixes = {"/kaisho", "/kernle"}, .make = [sign_up](const api::FaceParts& parts) {
            return std::make_unique<Face>(parts, sign_up);
          }};
}

}  // namespace syncline::accounts
