// /v1/session: how a browser signs in and out, and what its session may do.
//
// POST is open to everybody, but not to pages of other origins, nor where the cookie would cross a network in clear
// text: 403. Errors: 400 for a field with a wrong value, 401 for a wrong password or key, 429 after too many failures.
// POST adds a session, in place of the one whose cookie the request has; DELETE ends the one that asks.
#include "api/accounts/identity.hpp"
#include "api/people/passkey_json.hpp"
#include "api/people/routes.hpp"
#include "api/people/schemas.hpp"

namespace syncline::people {

Result<bool> is_phone_in(JsonView body) {
  TRY(const std::string kind, text_in(body, "kind"));
  if (kind != "desk" && kind != "phone") return fail(ErrorCode::invalid_argument, "kind must be desk or phone");
  return kind == "phone";
}

namespace {

Result<bool> flag_in(JsonView body, std::string_view name) {
  const auto value = body.find_set(name);
  if (!value) return false;
  const auto flag = value->as_boolean();
  if (!flag) return fail(ErrorCode::invalid_argument, std::string(name) + " must be true or false");
  return *flag;
}

Result<BrowserTerms> terms_in(JsonView body) {
  BrowserTerms terms;
  TRY(terms.keep, flag_in(body, "keep"));
  if (body.find_set("kind")) {
    TRY(terms.is_phone, is_phone_in(body));
  }
  if (body.find_set("label")) {
    TRY(terms.label, text_in(body, "label"));
  }
  return terms;
}

/// Whose session it is, and what it may do.
struct Shown {
  std::string_view email;
  Role role;
  ScopeSet scopes;
  const SpaceLimit& spaces;
  std::optional<Timestamp> end;
};

std::string session_json(const Shown& session) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().string("account", session.email).string("role", to_text(session.role));
  writer.name("scopes").begin_array();
  for (const std::string_view scope : session.scopes.names()) writer.string(scope);
  writer.end_array().name("spaces");
  append_names(writer, session.spaces);
  writer.name("expires_at");
  session.end ? writer.string(format_time(*session.end)) : writer.null();
  writer.end_object();
  return out;
}

}  // namespace

void Face::respond_browser_session(const api::CallPtr& call, const BrowserSession& session) {
  const auto seconds = session.keep ? std::optional(BrowserSessions::kSecondsMax) : std::nullopt;
  respond_secret(call, 200,
                 session_json({.email = session.account.email,
                               .role = session.account.role,
                               .scopes = session.scopes,
                               .spaces = session.spaces,
                               .end = session.expires_at}),
                 {cookies_.make(session.token, seconds)});
}

void Face::sign_in(const api::CallPtr& call) {
  CHECK_CALL(call, cookies_.check_sign_in(*call));
  TRY_CALL(call, const JsonView body, call->json_object());
  if (body.find_set("key") || body.find_set("passkey")) return check_sign_in(call);  // no password to hash
  const std::string client = counted_peer(std::string(call->head().client));
  CHECK_CALL(call, passwords_.post(client, [this, call] { check_sign_in(call); }));
}

void Face::check_sign_in(const api::CallPtr& call) {
  TRY_CALL(call, const JsonView body, call->json_object());
  TRY_CALL(call, const BrowserTerms terms, terms_in(body));
  const Caller caller = accounts::caller_of(*call);
  Result<BrowserSession> session = fail(ErrorCode::invalid_argument, "send email and password, key, or passkey");
  if (body.find_set("passkey")) {
    const auto site = passkey_site(public_url_.get());
    if (!site) return fail_without_passkeys(call, site.error());
    TRY_CALL(call, const passkey::Assertion assertion, assertion_in(body));
    session = passkeys_.sign_in(*site, assertion, terms, caller);
  } else if (body.find_set("key")) {
    TRY_CALL(call, const std::string key, text_in(body, "key"));
    session = browser_sessions_.sign_in_with_key(key, terms, caller);
  } else {
    TRY_CALL(call, const std::string email, text_in(body, "email"));
    TRY_CALL(call, const std::string password, text_in(body, "password"));
    session = browser_sessions_.sign_in(email, password, terms, caller);
  }
  if (!session) return call->fail(session.error());
  // The browser forgets the cookie of the session before, which nobody could end any more.
  if (const auto before = cookies_.find(*call)) CHECK_CALL(call, browser_sessions_.end(*before));
  respond_browser_session(call, *session);
}

void Face::show_session(const api::CallPtr& call) {
  const Principal& principal = call->principal();
  respond_secret(call, 200,
                 session_json({.email = principal.email,
                               .role = principal.role,
                               .scopes = principal.scopes,
                               .spaces = principal.spaces,
                               .end = principal.expires_at}));
}

void Face::sign_out(const api::CallPtr& call) {
  CHECK_CALL(call, own_.end_session(call->principal(), call->principal().key_id));
  http::Response response;
  response.status = 204;
  response.headers = {cookies_.clear()};
  call->respond(std::move(response));
}

void Face::add_session_routes(Routes& routes) {
  const ScopeSet any = scopes_of(Role::admin);
  routes.post("/v1/session", {}, "Sign in with a cookie", &Face::sign_in)
      .described(
          "For pages of the hub, by https or at localhost. The cookie is HttpOnly and SameSite=Strict, and no bearer "
          "token. A session that was opened with a password may do what the role of its account may; one that was "
          "opened with a key may do what the key may, and ends with it. The options for a passkey come from POST "
          "/v1/session/passkey-options. The session of the cookie that the request "
          "brings ends. Idempotency-Key has no effect: a repeated request opens another session.")
      .body("email and password, key, or passkey; optionally keep, kind and label", "SignIn")
      .answers(200, "the session, with Set-Cookie", "SignedIn")
      .answers(400, "a field has a wrong value")
      .answers(401, "wrong address, password, key or passkey")
      .answers(403, "a page of another origin, or plain http from another machine")
      .answers(409, "a passkey, and browsers offer none for hub.public_url")
      .answers(429, "too many failed attempts")
      .answers(503, "too many requests that hash a password");
  routes.get("/v1/session", any, "Show who is signed in", &Face::show_session)
      .outside_spaces()
      .quick()
      .answers(200, "the session or key that asks", "SignedIn");
  routes.del("/v1/session", any, "Sign out", &Face::sign_out)
      .outside_spaces()
      .described("Ends the session that asks, at once and on open connections too, and clears the cookie.")
      .answers(204, "ended")
      .answers(404, "the key that asks is no session");
}

}  // namespace syncline::people
