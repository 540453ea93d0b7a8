// /v1/pairings: a code that gives another device a session.
//
// Making and watching one needs the scope keys: 403 for a right or space that the maker lacks, 404 for a pairing of
// another account. Looking and claiming are open to whoever has the code, but not to pages of other origins, nor where
// the cookie would cross a network in clear text. Errors: 400 for a field with a wrong value, 404 for a wrong code, 410
// for one that is over, 429 after too many wrong ones. Claiming adds a session.
#include <algorithm>

#include "api/accounts/identity.hpp"
#include "api/people/pages.hpp"
#include "api/people/routes.hpp"
#include "base/qr_code.hpp"

namespace syncline::people {
namespace {

constexpr std::int64_t kMicrosPerMs = 1000;

/// A code that was good once answers 410, and who makes or guesses too many is told to wait a minute.
void fail_pairing(const api::CallPtr& call, const Error& error) {
  api::Problem problem = api::problem_of(error);
  if (error.code == ErrorCode::conflict) {
    problem.status = 410;
    problem.code = "pairing_over";
    problem.title = http::reason_of(410);
  }
  if (error.code == ErrorCode::too_many) problem.retry_after_s = 60;
  call->fail(problem);
}

/// What the device may do, and in which spaces.
void append_rights(JsonWriter& writer, ScopeSet scopes, const SpaceLimit& spaces) {
  writer.name("scopes").begin_array();
  for (const std::string_view scope : scopes.names()) writer.string(scope);
  writer.end_array().name("spaces");
  append_names(writer, spaces);
}

std::string_view name_of(Pairings::State state) {
  switch (state) {
    case Pairings::State::waiting: return "waiting";
    case Pairings::State::claimed: return "claimed";
    case Pairings::State::expired: break;
  }
  return "expired";
}

std::string status_json(const Pairings::Status& status) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().string("state", name_of(status.state)).string("expires_at", format_time(status.expires_at));
  if (status.device) {
    const Key& device = *status.device;
    writer.name("device").begin_object().string("id", device.id).string("label", device.label);
    append_rights(writer, device.scopes, device.spaces);
    writer.string("user_agent", device.client).string("address", device.address);
    writer.string("created_at", format_time(device.created_at)).end_object();
  }
  writer.end_object();
  return out;
}

}  // namespace

void Face::make_pairing(const api::CallPtr& call) {
  TRY_CALL(call, const JsonView body, call->json_object());
  Pairings::Wanted wanted;
  if (body.find_set("scopes")) {
    TRY_CALL(call, wanted.scopes, scopes_in(body));
  }
  if (body.find_set("spaces")) {
    TRY_CALL(call, wanted.spaces, spaces_in(body));
  }
  if (body.find_set("label")) {
    TRY_CALL(call, wanted.label, text_in(body, "label"));
  }
  const auto made = pairings_.make(call->principal(), wanted);
  if (!made) return fail_pairing(call, made.error());
  const std::string url = cookies_.origin_for(*call) + "/m/pair#" + made->code;
  TRY_CALL(call, const std::string svg, draw_qr_code(url));
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().string("id", made->id).string("code", made->code).string("url", url).string("svg", svg);
  append_rights(writer, made->scopes, made->spaces);
  writer.string("expires_at", format_time(made->expires_at)).end_object();
  respond_secret(call, 201, std::move(out));
}

void Face::show_pairing(const api::CallPtr& call) {
  TRY_CALL(call, const std::int64_t seconds, call->query_integer("wait", 0, limits::kWaitSecondsMax, 0));
  TRY_CALL(call, const Pairings::Status status, pairings_.status(call->principal(), call->param("id")));
  if (seconds == 0 || status.state != Pairings::State::waiting) return respond_secret(call, 200, status_json(status));
  const std::int64_t left_ms = (status.expires_at.micros - pairings_.clock().now().micros) / kMicrosPerMs + 1;
  pairings_.wait(call->param("id"), std::clamp<std::int64_t>(left_ms, 1, seconds * 1000), [this, call] {
    if (call->fail_unless_valid()) return;
    TRY_CALL(call, const Pairings::Status now, pairings_.status(call->principal(), call->param("id")));
    respond_secret(call, 200, status_json(now));
  });
}

void Face::look_at_pairing(const api::CallPtr& call) {
  CHECK_CALL(call, cookies_.check_sign_in(*call));
  TRY_CALL(call, const JsonView body, call->json_object());
  TRY_CALL(call, const std::string code, text_in(body, "code"));
  const auto offer = pairings_.look(code, accounts::caller_of(*call));
  if (!offer) return fail_pairing(call, offer.error());
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().string("hub", cookies_.origin_for(*call)).string("account", offer->account);
  append_rights(writer, offer->scopes, offer->spaces);
  writer.string("label", offer->label).string("expires_at", format_time(offer->expires_at)).end_object();
  respond_secret(call, 200, std::move(out));
}

void Face::claim_pairing(const api::CallPtr& call) {
  CHECK_CALL(call, cookies_.check_sign_in(*call));
  TRY_CALL(call, const JsonView body, call->json_object());
  TRY_CALL(call, const std::string code, text_in(body, "code"));
  BrowserTerms terms{.label = {}, .is_phone = true, .keep = true};
  if (body.find_set("label")) {
    TRY_CALL(call, terms.label, text_in(body, "label"));
  }
  if (body.find_set("kind")) {
    TRY_CALL(call, terms.is_phone, is_phone_in(body));
  }
  const auto session = pairings_.claim(code, std::move(terms), accounts::caller_of(*call));
  if (!session) return fail_pairing(call, session.error());
  // As at POST /v1/session. The new session stands: if the old one cannot be ended, its cookie is gone all the same.
  if (const auto before = cookies_.find(*call)) (void)browser_sessions_.end(*before);
  respond_browser_session(call, *session);
}

void Face::show_pair_page(const api::CallPtr& call) { call->respond(pair_page()); }

void Face::add_pairing_routes(Routes& routes) {
  routes.post("/v1/pairings", Scope::keys, "Make a code that pairs another device", &Face::make_pairing)
      .outside_spaces()  // the device's session is limited to the spaces of the key
      .described(
          "Whoever enters the code on another device within 60 seconds gets a session there, in a cookie. Its scopes "
          "and spaces are at most those of the session or key that asks, and never keys or admin. The url has the code "
          "behind the "
          "#, so it is in no log; svg is the url as a QR code. The hub keeps codes in memory: a restart ends those "
          "that wait. Idempotency-Key has no effect: a repeated request makes another code.")
      .body(
          "optionally scopes (read, write and commands:approve unless given), spaces (absent: all that the asking "
          "session or key is for) and label",
          "NewPairing")
      .answers(201, "the code, which is shown once", "MadePairing")
      .answers(400, "not a label or space, or a scope that no device gets")
      .answers(403, "a scope that the asking session or key lacks, or a space that it is not for")
      .answers(429, "more than 10 codes of the account in a minute")
      .answers(503, "too many codes of all accounts");
  routes.get("/v1/pairings/{id}", Scope::keys, "See what became of a code", &Face::show_pairing)
      .outside_spaces()
      .query_integer("wait", "seconds to wait until the code is used or expires, at most 50")
      .answers(200, "waiting, claimed with the device, or expired", "Pairing")
      .answers(404, "no pairing of this account; ten minutes after the code, the hub has forgotten it");
  routes.post("/v1/pairings/look", {}, "See what a code is for, before using it", &Face::look_at_pairing)
      .described("For pages of the hub, by https or at localhost. Wrong codes count as at /v1/pairings/claim.")
      .body("the code", "PairingCode")
      .answers(200, "the hub, the account, and what the device may do there", "PairingOffer")
      .answers(400, "a field has a wrong value")
      .answers(403, "a page of another origin, or plain http from another machine")
      .answers(404, "a wrong code")
      .answers(410, "a code that was used or has expired, or whose maker has signed out")
      .answers(429, "5 wrong codes from this address in a minute");
  routes.post("/v1/pairings/claim", {}, "Pair this device with a code", &Face::claim_pairing)
      .described(
          "For pages of the hub, by https or at localhost. The session of the cookie that the request brings ends. A "
          "code is good once. Idempotency-Key has no effect: a repeated request gets 410.")
      .body("the code; optionally label and kind", "PairingClaim")
      .answers(200, "the session, with Set-Cookie", "SignedIn")
      .answers(400, "a field has a wrong value")
      .answers(403, "a page of another origin, or plain http from another machine")
      .answers(404, "a wrong code")
      .answers(410, "a code that was used or has expired, or whose maker has signed out")
      .answers(429, "5 wrong codes from this address in a minute");
  routes.get("/m/pair", {}, "Pair a device in a browser", &Face::show_pair_page)
      .quick()
      .described("The page that the url of a pairing leads to; the code is behind the #.")
      .answers_as(200, "text/html; charset=utf-8", "the page");
}

}  // namespace syncline::people
