#include "api/accounts/routes.hpp"

#include "api/accounts/identity.hpp"
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

}  // namespace

void Face::sign_up(const api::CallPtr& call) {
  if (!sign_up_.open) {
    return call->fail(Error{ErrorCode::forbidden, "sign-up is closed; ask the operator for an account"});
  }
  TRY_CALL(call, const JsonObject body, read(call, {"email", "password"}));
  TRY_CALL(call, const Session session,
           sessions_.sign_up(body.text_of("email"), body.text_of("password"), sign_up_.plan,
                             std::string(call->head().peer)));
  respond_session(call, 201, session);
}

void Face::log_in(const api::CallPtr& call) {
  const JsonCheck check = check_json(call->body(), limits::kBodyDepthMax);
  const JsonView loose(check.fault == JsonFault::none ? std::string_view(call->body()) : "null");
  if (is_key_login(*call, loose)) return log_in_with_key(call, loose);
  TRY_CALL(call, const JsonObject body, read(call, {"email", "password"}));
  TRY_CALL(call, const Session session,
           sessions_.log_in(body.text_of("email"), body.text_of("password"), std::string(call->head().peer)));
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

void Face::reset_password(const api::CallPtr& call) {
  TRY_CALL(call, const JsonObject body, read(call, {"token", "password"}));
  CHECK_CALL(call,
             sessions_.reset_password(body.text_of("token"), body.text_of("password"), std::string(call->head().peer)));
  call->respond_json(200, R"({"ok":true})");
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
  append_key_identity(writer, call->principal());
  writer.end_object();
  call->respond_json(200, std::move(out));
}

void Face::append_identity(JsonWriter& writer, const Principal& principal) {
  writer.string("user_id", user_id(principal.account))
      .string("email", principal.email)
      .string("plan", access_.reported_plan(principal));
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
  constexpr std::string_view kSession = "user_id, email, plan, access_token, refresh_token";
  Routes routes(*this, "accounts", kaisho::kErrors);
  routes.all().heavy().in_any_plan().body_at_most(kBodyBytesMax);
  add_key_routes(routes);
  routes.post("/auth/signup", {}, "Make an account", &Face::sign_up)
      .described("Only where the operator has opened it.")
      .body("email, password (8 bytes or more)")
      .answers(201, kSession)
      .answers(400, "no address or too short a password")
      .answers(403, "closed")
      .answers(409, "the address is taken");
  routes.post("/auth/login", {}, "Log in", &Face::log_in)
      .described(
          "Makes a session: a key of its own with an access token of 7 days. With an API key as bearer, or as api_key, "
          "a session for a device, which lives on while it is used.")
      .body("email, password; or api_key; or nothing")
      .answers(
          200,
          "user_id, email, plan, access_token, refresh_token; with an API key user_id, agent_id, token, token_expires")
      .answers(401, "wrong address or password, or no such key")
      .answers(429, "too many failures");
  routes.post("/auth/refresh", {}, "Renew a session", &Face::refresh)
      .described("The refresh token stays and is good for 90 more days.")
      .body("refresh_token")
      .answers(200, kSession)
      .answers(401, "revoked or over");
  routes.post("/auth/forgot-password", {}, "Ask for a new password", &Face::forgot_password)
      .described("The hub sends no mail; the operator hands out a reset token.")
      .body("email")
      .answers(200, "the same for every address");
  routes.post("/auth/reset-password", {}, "Set a new password", &Face::reset_password)
      .described("Ends all sessions of the account.")
      .body("token, password")
      .answers(200, "done")
      .answers(401, "the token is not valid, was used or is over");
  routes.post("/auth/api-key", Scope::keys, "A new API key", &Face::make_api_key)
      .described("The one before it ends.")
      .answers(200, "api_key: a UUID");
  routes.get("/auth/me", {Scope::read, Scope::keys}, "Who am I", &Face::get_me)
      .answers(200, "user_id, email, plan, agent_id, stack_id, created_at, last_sync_at, tier, usage, limits");
  return routes.take();
}

api::FaceModule make_module(SignUp sign_up) {
  return {.name = "accounts", .prefixes = {"/kaisho", "/kernle"}, .make = [sign_up](const api::FaceParts& parts) {
            return std::make_unique<Face>(parts, sign_up);
          }};
}

}  // namespace syncline::accounts
