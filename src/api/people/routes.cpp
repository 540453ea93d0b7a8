// Sessions, keys and the password of the account that asks.
//
// Scope keys. Errors: 400 for a field with a wrong value, 403 for a wrong password or a right that the asking key
// lacks, 404 for a key of another account. Changes keys, and the password.
#include "api/people/routes.hpp"

#include <algorithm>

#include "api/accounts/identity.hpp"
#include "api/idempotency.hpp"
#include "api/names_in.hpp"
#include "api/people/pages.hpp"
#include "api/people/schemas.hpp"
#include "base/json_object.hpp"
#include "base/text.hpp"

namespace syncline::people {

Result<std::string> text_in(JsonView body, std::string_view name) {
  const auto value = body.find(name);
  if (!value || !value->is_string()) return fail(ErrorCode::invalid_argument, std::string(name) + " must be a string");
  return value->as_string().value_or("");
}

Result<ScopeSet> scopes_in(JsonView body) {
  const auto list = body.find("scopes");
  ScopeSet scopes;
  Result<> good = list && list->kind() == JsonKind::array
                      ? Result<>{}
                      : fail(ErrorCode::invalid_argument, "scopes must be a list of names");
  CHECK_OK(good);
  list->for_each_element([&](JsonView item) {
    const auto named = parse_scopes(item.as_string().value_or(""));
    if (!named) {
      good = std::unexpected(named.error());
    } else {
      scopes.add_all(*named);
    }
  });
  CHECK_OK(good);
  return scopes;
}

Result<SpaceLimit> spaces_in(JsonView body) {
  TRY(auto names, api::names_in(body, "spaces"));
  return names ? SpaceLimit::only(*std::move(names)) : SpaceLimit{};
}

void respond_secret(const api::CallPtr& call, int status, std::string body, std::vector<http::Header> headers) {
  auto response = http::make_text(status, "application/json", std::move(body));
  response.headers = std::move(headers);
  response.headers.push_back({"Cache-Control", "no-store"});
  call->respond(std::move(response));
}

namespace {

constexpr std::size_t kBodyBytesMax = 16UL << 10U;

void append_time(JsonWriter& writer, std::string_view name, const std::optional<Timestamp>& time) {
  writer.name(name);
  time ? writer.string(format_time(*time)) : writer.null();
}

void append_text(JsonWriter& writer, std::string_view name, const std::string& text) {
  writer.name(name);
  text.empty() ? writer.null() : writer.string(text);
}

void append_key(JsonWriter& writer, const Key& key, std::int64_t sessions, const std::string* token) {
  writer.begin_object().string("id", key.id);
  if (token != nullptr) writer.string("key", *token);
  writer.string("label", key.label).name("scopes").begin_array();
  for (const std::string_view scope : key.scopes.names()) writer.string(scope);
  writer.end_array().name("spaces");
  append_names(writer, key.spaces);
  writer.name("maker");
  if (key.maker.empty()) {
    writer.null();
  } else {
    writer.begin_object().string("id", key.maker).string("label", key.maker_label).end_object();
  }
  writer.string("created_at", format_time(key.created_at));
  append_time(writer, "expires_at", key.expires_at);
  append_time(writer, "last_used_at", key.last_used_at);
  append_text(writer, "last_address", key.last_address);
  append_time(writer, "revoked_at", key.revoked_at);
  writer.integer("sessions", sessions).end_object();
}

Result<std::optional<Timestamp>> end_in(JsonView body) {
  if (!body.find_set("expires_at")) return std::nullopt;
  TRY(const std::string text, text_in(body, "expires_at"));
  TRY(const Timestamp end, parse_time(text));
  return end;
}

Result<OwnKeys::Change> change_in(JsonView body) {
  OwnKeys::Change change;
  if (body.find_set("label")) {
    TRY(change.label, text_in(body, "label"));
  }
  if (body.find_set("scopes")) {
    TRY(change.scopes, scopes_in(body));
  }
  if (body.find_set("spaces")) {
    TRY(change.spaces, spaces_in(body));
  }
  if (body.find("expires_at")) {
    TRY(change.expires_at, end_in(body));
  }
  if (change.label || !change.is_label_alone()) return change;
  return fail(ErrorCode::invalid_argument, "name what to change: label, scopes, spaces or expires_at");
}

}  // namespace

void Face::list_sessions(const api::CallPtr& call) {
  TRY_CALL(call, const auto sessions, own_.sessions(call->principal()));
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().name("sessions").begin_array();
  for (const Key& session : sessions) {
    writer.begin_object().string("id", session.id).string("label", session.label);
    append_text(writer, "user_agent", session.client);
    append_text(writer, "address", session.address);
    writer.string("created_at", format_time(session.created_at));
    append_time(writer, "last_used_at", session.last_used_at);
    append_time(writer, "expires_at", session.expires_at);
    writer.boolean("current", session.number == call->principal().key).end_object();
  }
  writer.end_array().end_object();
  call->respond_json(200, std::move(out));
}

void Face::end_session(const api::CallPtr& call) {
  CHECK_CALL(call, own_.end_session(call->principal(), call->param("id")));
  call->respond_empty();
}

void Face::end_other_sessions(const api::CallPtr& call) {
  TRY_CALL(call, const std::int64_t ended, own_.end_other_sessions(call->principal()));
  call->respond_json(200, "{\"ended\":" + std::to_string(ended) + "}");
}

void Face::list_keys(const api::CallPtr& call) {
  TRY_CALL(call, const auto keys, own_.keys(call->principal()));
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().name("keys").begin_array();
  for (const OwnKeys::WithSessions& own : keys) append_key(writer, own.key, own.sessions, nullptr);
  writer.end_array().end_object();
  call->respond_json(200, std::move(out));
}

std::string Face::credential_of(const api::Call& call) const {
  const std::string_view header = call.header("Authorization");
  if (header.empty()) return std::string(cookies_.find(call).value_or(""));
  return std::string(trim(header.substr(std::min(header.size(), header.find(' ')))));
}

void Face::add_key(const api::CallPtr& call) {
  TRY_CALL(call, const auto idempotency, api::Idempotency::of(*call));
  TRY_CALL(call, const JsonView body, call->json_object());
  OwnKeys::Wanted wanted;
  TRY_CALL(call, wanted.label, text_in(body, "label"));
  TRY_CALL(call, wanted.scopes, scopes_in(body));
  if (body.find_set("token")) {
    TRY_CALL(call, wanted.token, text_in(body, "token"));
  }
  TRY_CALL(call, wanted.spaces, spaces_in(body));
  TRY_CALL(call, wanted.expires_at, end_in(body));
  if (idempotency.is_active()) {
    wanted.request = {
        .name = idempotency.name(), .fingerprint = idempotency.fingerprint(), .credential = credential_of(*call)};
  }
  TRY_CALL(call, const NewKey made, own_.add(call->principal(), wanted));
  std::string out;
  JsonWriter writer(out);
  append_key(writer, made.key, 0, &made.token);
  std::vector<http::Header> headers;
  if (made.is_repeated) headers.push_back({"Idempotent-Replayed", "true"});
  respond_secret(call, 201, std::move(out), std::move(headers));
}

void Face::change_key(const api::CallPtr& call) {
  TRY_CALL(call, const JsonView body, call->json_object());
  TRY_CALL(call, const OwnKeys::Change change, change_in(body));
  TRY_CALL(call, const OwnKeys::WithSessions changed, own_.change(call->principal(), call->param("id"), change));
  std::string out;
  JsonWriter writer(out);
  append_key(writer, changed.key, changed.sessions, nullptr);
  call->respond_json(200, std::move(out));
}

void Face::revoke_key(const api::CallPtr& call) {
  CHECK_CALL(call, own_.revoke(call->principal(), call->param("id")));
  call->respond_empty();
}

void Face::change_password(const api::CallPtr& call) {
  const std::string client = counted_peer(std::string(call->head().client));
  CHECK_CALL(call, passwords_.post(client, [this, call] { replace_password(call); }));
}

void Face::replace_password(const api::CallPtr& call) {
  TRY_CALL(call, const JsonView body, call->json_object());
  TRY_CALL(call, const std::string current, text_in(body, "current"));
  TRY_CALL(call, const std::string next, text_in(body, "new"));
  if (call->principal().is_cookie) {
    TRY_CALL(call, const BrowserSession session,
             browser_sessions_.change_password(call->principal(), current, next, accounts::caller_of(*call)));
    return respond_browser_session(call, session);
  }
  TRY_CALL(call, const Session session,
           sessions_.change_password(call->principal(), current, next, accounts::caller_of(*call)));
  std::string out;
  JsonWriter(out)
      .begin_object()
      .string("access_token", session.access_token)
      .string("refresh_token", session.refresh_token)
      .end_object();
  respond_secret(call, 200, std::move(out));
}

void Face::show_set_password(const api::CallPtr& call) { call->respond(set_password_page()); }

std::vector<api::Route> Face::make_routes() {
  api::RouteBuilder routes(*this, "people", api::kProblemDetails);
  routes.all().with_schemas(kSchemas).heavy().in_any_plan().with_cookies().body_at_most(kBodyBytesMax);
  add_session_routes(routes);
  add_setup_routes(routes);
  add_share_routes(routes);
  add_pairing_routes(routes);
  add_passkey_routes(routes);
  routes.get("/v1/sessions", Scope::keys, "List the sessions of this account", &Face::list_sessions)
      .outside_spaces()
      .described(
          "Sessions that people opened with a password, a passkey or a code, and devices with a key; last used first.")
      .answers(200, "the sessions that stand", "OwnSessions");
  routes.del("/v1/sessions/{id}", Scope::keys, "End a session", &Face::end_session)
      .outside_spaces()
      .answers(204, "ended")
      .answers(404, "no session of this account");
  routes.post("/v1/sessions/end-others", Scope::keys, "End all sessions but this one", &Face::end_other_sessions)
      .outside_spaces()
      .described("Keys stay; they are revoked one by one. A repeated request ends what has begun since.")
      .answers(200, "how many have ended", "EndedSessions");
  routes.get("/v1/keys", Scope::keys, "List the keys of this account", &Face::list_keys)
      .outside_spaces()
      .described("Oldest first, revoked ones too, without sessions.")
      .answers(200, "the keys", "OwnKeys");
  routes.post("/v1/keys", Scope::keys, "Create a key", &Face::add_key)
      .outside_spaces()
      .described(
          "At most with the scopes and for the spaces of the key or session that asks. The hub does not store the "
          "token: a repeated request gets the same one, because it follows from the access token or cookie that asks.")
      .header("Idempotency-Key", "a second request with this key gets the key of the first one, for 24 hours")
      .body("label, scopes; optionally spaces (absent: all), expires_at and token", "NewOwnKey")
      .answers(201, "the key with its token, which is shown once", "OwnKey")
      .answers(400, "not a label, scope, space or time")
      .answers(403, "a scope that the asking key lacks, or a space that it is not for")
      .answers(409, "the token is already registered, or the access token is another one than at the first request")
      .answers(422, "Idempotency-Key reused");
  routes.patch("/v1/keys/{id}", Scope::keys, "Rename a key, or take rights away from it", &Face::change_key)
      .outside_spaces()
      .described(
          "Scopes and spaces can only be taken away, at once and from the key's sessions too. expires_at is any time "
          "to "
          "come, or null for no end; a later end needs all rights that the key has.")
      .body("any of label, scopes, spaces, expires_at", "OwnKeyChange")
      .answers(200, "the key", "OwnKey")
      .answers(400, "not a label, scope, space or time")
      .answers(403, "a scope or space that the key lacks")
      .answers(404, "no key of this account")
      .answers(409, "the key has ended, and more than its label was to change");
  routes.del("/v1/keys/{id}", Scope::keys, "Revoke a key", &Face::revoke_key)
      .outside_spaces()
      .described("Ends the sessions that were opened with it, too.")
      .answers(204, "revoked")
      .answers(404, "no key of this account that stands");
  routes.post("/v1/password", Scope::keys, "Change your password", &Face::change_password)
      .outside_spaces()
      .described(
          "Ends all sessions of the account and opens a new one: in a cookie, if a cookie asks. Keys stay. "
          "Idempotency-Key "
          "has no effect: a repeated request finds the password changed, and gets 401 or 403.")
      .body("the current password and the new one", "PasswordChange")
      .answers(
          200, "a new session",
          R"({"anyOf":[{"$ref":"#/components/schemas/ChangedPassword"},{"$ref":"#/components/schemas/SignedIn"}]})")
      .answers(400, "the new password is too short")
      .answers(403, "the current password is wrong")
      .answers(429, "too many failed attempts")
      .answers(503, "too many requests that hash a password");
  routes.get("/set-password", {}, "Set a password with an invitation or a reset token", &Face::show_set_password)
      .quick()
      .described(
          "The page that links of `syncline account invite` and `account reset` lead to; the token is behind the #.")
      .answers_as(200, "text/html; charset=utf-8", "the page");
  return routes.take();
}

api::FaceModule make_module() {
  return {.name = "people", .make = [](const api::FaceParts& parts) { return std::make_unique<Face>(parts); }};
}

}  // namespace syncline::people
