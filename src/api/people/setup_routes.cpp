// /v1/setup: the first account of a hub, which is an admin.
//
// Open to everybody who has the code that the hub shows where it runs, but not to pages of other origins, nor where the
// password would cross a network in clear text. Errors: 400 for a field with a wrong value, 403 for a wrong code, 409
// for an address that has an account, 410 once an account is an admin, 422 for a public URL where the operator has set
// another one, 429 after too many wrong codes. POST adds an account and a session, and stores the public URL.
#include "api/accounts/identity.hpp"
#include "api/people/pages.hpp"
#include "api/people/routes.hpp"

namespace syncline::people {
namespace {

/// A hub is set up once.
void fail_set_up(const api::CallPtr& call, const Error& error) {
  api::Problem problem = api::problem_of(error);
  problem.status = 410;
  problem.code = "already_set_up";
  problem.title = http::reason_of(410);
  call->fail(problem);
}

void fail_public_url_set(const api::CallPtr& call) {
  api::Problem problem;
  problem.status = 422;
  problem.code = "public_url_set";
  problem.title = http::reason_of(422);
  problem.detail =
      "hub.public_url is set to something else where the hub runs ('syncline config show --origin' says where); change "
      "it there, or leave public_url out";
  call->fail(problem);
}

}  // namespace

void Face::show_setup(const api::CallPtr& call) {
  TRY_CALL(call, const bool needed, first_run_.is_needed());
  respond_secret(call, 200, std::string("{\"needed\":") + (needed ? "true" : "false") + "}");
}

void Face::set_up(const api::CallPtr& call) {
  CHECK_CALL(call, cookies_.check_sign_in(*call));
  const std::string client = counted_peer(std::string(call->head().client));
  CHECK_CALL(call, passwords_.post(client, [this, call] { check_set_up(call); }));
}

void Face::check_set_up(const api::CallPtr& call) {
  TRY_CALL(call, const JsonView body, call->json_object());
  TRY_CALL(call, const std::string code, text_in(body, "code"));
  TRY_CALL(call, const std::string email, text_in(body, "email"));
  TRY_CALL(call, const std::string password, text_in(body, "password"));
  std::optional<std::string> url;
  if (body.find_set("public_url")) {
    TRY_CALL(call, const std::string typed, text_in(body, "public_url"));
    TRY_CALL(call, url, parse_public_url(typed));
  }
  const std::string before = public_url_.get();
  bool is_refused = false;
  bool is_stored = false;
  const auto session = first_run_.set_up(code, email, password, accounts::caller_of(*call), [&]() -> Result<> {
    if (!url || *url == before) return {};
    is_refused = !public_url_.may_change();
    if (is_refused) return syncline::fail(ErrorCode::conflict, "another public URL is set");
    CHECK_OK(public_url_.set(*url));
    is_stored = true;
    return {};
  });
  if (session) return respond_browser_session(call, *session);
  if (is_refused) return fail_public_url_set(call);
  if (is_stored) CHECK_CALL(call, public_url_.set(before));  // nothing was set up
  TRY_CALL(call, const bool needed, first_run_.is_needed());
  if (!needed) return fail_set_up(call, session.error());
  call->fail(session.error());
}

void Face::show_setup_page(const api::CallPtr& call) { call->respond(setup_page()); }

void Face::add_setup_routes(Routes& routes) {
  routes.get("/v1/setup", {}, "Ask whether the hub needs its first account", &Face::show_setup)
      .answers(200, "needed: true while no account is an admin", "Setup");
  routes.post("/v1/setup", {}, "Make the first account", &Face::set_up)
      .described(
          "The hub prints the code when it starts, and `syncline setup` prints it again. It is good once, for 30 "
          "minutes "
          "and 5 tries; then there is a new one. The account is an admin. Idempotency-Key has no effect: a repeated "
          "request gets 410, and POST /v1/session signs in. The hub stores public_url and uses it from then on; "
          "hub.public_url in its settings overrides it.")
      .body("code, email, and a password of at least 8 bytes; optionally public_url", "NewSetup")
      .answers(200, "a session of the new account, with Set-Cookie", "SignedIn")
      .answers(400, "a field has a wrong value")
      .answers(403, "a wrong code, a page of another origin, or plain http from another machine")
      .answers(409, "the address already has an account")
      .answers(410, "the hub is set up")
      .answers(422, "the operator has set another public URL")
      .answers(429, "too many wrong codes")
      .answers(503, "too many requests that hash a password");
  routes.get("/setup", {}, "Make the first account in a browser", &Face::show_setup_page)
      .quick()
      .described("The page that the link leads to which the hub prints; the code is behind the #.")
      .answers_as(200, "text/html; charset=utf-8", "the page");
}

}  // namespace syncline::people
