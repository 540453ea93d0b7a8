#include "api/accounts/routes.hpp"

#include "api/accounts/identity.hpp"
#include "base/json_object.hpp"

namespace syncline::accounts {
namespace {

/// Of the key that Kaisho's clients use.
constexpr std::string_view kApiKeyLabel = "kaisho api key";

struct Handlers {
  Sessions& sessions;
  KeyServices services;
  SignUp options;

  void sign_up(const api::CallPtr& call) const {
    if (!options.open) {
      return call->fail(Error{ErrorCode::forbidden, "signing up is closed here: ask the operator for an account"});
    }
    TRY_CALL(call, const JsonObject body, read(call, {"email", "password"}));
    TRY_CALL(call, const Session session,
             sessions.sign_up(body.text_of("email"), body.text_of("password"), options.plan,
                              std::string(call->head().peer)));
    respond_session(call, 201, session);
  }

  void log_in(const api::CallPtr& call) const {
    const JsonCheck check = check_json(call->body(), limits::kBodyDepthMax);
    const JsonView loose(check.fault == JsonFault::none ? std::string_view(call->body()) : "null");
    if (is_key_login(*call, loose)) return log_in_with_key(services, call, loose);
    TRY_CALL(call, const JsonObject body, read(call, {"email", "password"}));
    TRY_CALL(call, const Session session,
             sessions.log_in(body.text_of("email"), body.text_of("password"), std::string(call->head().peer)));
    respond_session(call, 200, session);
  }

  void refresh(const api::CallPtr& call) const {
    TRY_CALL(call, const JsonObject body, read(call, {"refresh_token"}));
    TRY_CALL(call, const Session session, sessions.refresh(body.text_of("refresh_token")));
    respond_session(call, 200, session);
  }

  void forgot_password(const api::CallPtr& call) const {
    TRY_CALL(call, const JsonObject body, read(call, {"email"}));
    // The same for every address. The hub sends no mail: the operator hands out a token.
    call->respond_json(200, R"({"ok":true,"message":"ask the operator of this hub for a reset token"})");
  }

  void reset_password(const api::CallPtr& call) const {
    TRY_CALL(call, const JsonObject body, read(call, {"token", "password"}));
    CHECK_CALL(
        call, sessions.reset_password(body.text_of("token"), body.text_of("password"), std::string(call->head().peer)));
    call->respond_json(200, R"({"ok":true})");
  }

  void make_api_key(const api::CallPtr& call) const {
    TRY_CALL(call, const std::string key, sessions.replace_api_key(call->principal(), kApiKeyLabel));
    std::string out;
    JsonWriter(out).begin_object().string("api_key", key).end_object();
    call->respond_json(200, std::move(out));
  }

  void get_me(const api::CallPtr& call) const {
    std::string out;
    JsonWriter writer(out);
    writer.begin_object();
    append_identity(writer, call->principal());
    append_key_identity(writer, services, call->principal());
    writer.end_object();
    call->respond_json(200, std::move(out));
  }

 private:
  /// The body with these members, all of them strings.
  static Result<JsonObject> read(const api::CallPtr& call, std::initializer_list<std::string_view> names) {
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

  void append_identity(JsonWriter& writer, const Principal& principal) const {
    writer.string("user_id", user_id(principal.account))
        .string("email", principal.email)
        .string("plan", services.access.reported_plan(principal));
  }

  void respond_session(const api::CallPtr& call, int status, const Session& session) const {
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
};

}  // namespace

std::vector<api::Route> make_routes(Sessions& sessions, KeyServices services, SignUp sign_up) {
  const Handlers handlers{sessions, services, sign_up};
  std::vector<api::Route> routes = make_key_routes(services, sign_up);
  const auto add = [&](http::Method method, std::string_view pattern, ScopeSet any_of, api::Description description,
                       void (Handlers::*handle)(const api::CallPtr&) const) {
    routes.push_back(make_account_route(method, pattern, any_of, std::move(description),
                                        [handlers, handle](const api::CallPtr& call) { (handlers.*handle)(call); }));
  };
  constexpr std::string_view kSession = "user_id, email, plan, access_token, refresh_token";
  add(http::Method::post, "/auth/signup", {},
      {"Make an account",
       "Only where the operator has opened it.",
       {},
       "email, password (8 bytes or more)",
       {{201, kSession}, {400, "no address or too short a password"}, {403, "closed"}, {409, "the address is taken"}}},
      &Handlers::sign_up);
  add(http::Method::post, "/auth/login", {},
      {"Log in",
       "Makes a session: a key of its own with an access token of 7 days. With an API key as bearer, or as api_key, a "
       "session for a device, which lives on while it is used.",
       {},
       "email, password; or api_key; or nothing",
       {{200,
         "user_id, email, plan, access_token, refresh_token; with an API key user_id, agent_id, token, "
         "token_expires"},
        {401, "wrong address or password, or no such key"},
        {429, "too many failures"}}},
      &Handlers::log_in);
  add(http::Method::post, "/auth/refresh", {},
      {"Renew a session",
       "The refresh token stays and is good for 90 more days.",
       {},
       "refresh_token",
       {{200, kSession}, {401, "revoked or over"}}},
      &Handlers::refresh);
  add(http::Method::post, "/auth/forgot-password", {},
      {"Ask for a new password",
       "The hub sends no mail; the operator hands out a reset token.",
       {},
       "email",
       {{200, "the same for every address"}}},
      &Handlers::forgot_password);
  add(http::Method::post, "/auth/reset-password", {},
      {"Set a new password",
       "Ends all sessions of the account.",
       {},
       "token, password",
       {{200, "done"}, {401, "the token is not valid, was used or is over"}}},
      &Handlers::reset_password);
  add(http::Method::post, "/auth/api-key", {Scope::keys},
      {"A new API key", "The one before it ends.", {}, "", {{200, "api_key: a UUID"}}}, &Handlers::make_api_key);
  add(http::Method::get, "/auth/me", {Scope::read, Scope::keys},
      {"Who am I",
       "",
       {},
       "",
       {{200, "user_id, email, plan, agent_id, stack_id, created_at, last_sync_at, tier, usage, limits"}}},
      &Handlers::get_me);
  return routes;
}

}  // namespace syncline::accounts
