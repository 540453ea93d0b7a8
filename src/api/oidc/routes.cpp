// /oidc/sign-in and /oidc/callback, which browsers pass on their way to the provider and back, /v1/oidc, and
// /v1/identities: whom providers mean by the account that asks.
//
// The first three are open. A failure is a page in plain words: 400 for a sign-in that was not begun in this browser or
// has ended, 403 for somebody whom the hub or the provider does not let in, 404 without a provider, 409 without
// hub.public_url, 429 after too many failures, 502 and 504 if the provider does not answer as it should, 503 for too
// many at once. /v1/identities needs the scope keys; linking needs a whole session of a person. A sign-in adds a
// session, and maybe an identity and an account.
#include "api/oidc/routes.hpp"

#include "api/accounts/identity.hpp"
#include "api/oidc/schemas.hpp"
#include "api/people/pages.hpp"
#include "api/people/routes.hpp"
#include "base/log.hpp"
#include "base/text.hpp"

namespace syncline::oidc {
namespace {

constexpr std::size_t kIdentityBodyBytesMax = 4UL << 10U;
constexpr std::size_t kCodeBytesMax = 4096;
constexpr std::string_view kCallbackPath = "/oidc/callback";
constexpr std::string_view kSignInPath = "/oidc/sign-in";

bool is_about_provider(ErrorCode code) {
  return code == ErrorCode::unavailable || code == ErrorCode::timed_out || code == ErrorCode::answer_too_large;
}

int page_status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::unauthorized:
    case ErrorCode::invalid_argument: return 400;
    case ErrorCode::forbidden: return 403;
    case ErrorCode::not_found: return 404;
    case ErrorCode::conflict: return 409;
    case ErrorCode::too_many: return 429;
    case ErrorCode::timed_out: return 504;
    case ErrorCode::answer_too_large: return 502;
    default: return 503;
  }
}

/// For people: what the store says of itself is not.
std::string words_of(const Error& error) {
  const bool is_for_people = page_status_of(error.code) != 503 || error.code == ErrorCode::busy;
  return is_for_people ? error.text : "the hub cannot do this at the moment; try again later";
}

/// 303 to that place; the session's cookie and the other one may come along.
http::Response redirect_to(std::string url, std::vector<http::Header> cookies) {
  http::Response response;
  response.status = 303;
  response.content_type = {};
  response.headers = std::move(cookies);
  response.headers.push_back({"Location", std::move(url)});
  response.headers.push_back({"Cache-Control", "no-store"});
  response.headers.push_back({"Referrer-Policy", "no-referrer"});
  return response;
}

std::unexpected<Error> no_provider() {
  return fail(ErrorCode::not_found, "this hub has no provider to sign in with; whoever runs it can set oidc.issuer");
}

void append_identity(JsonWriter& writer, const Identity& identity) {
  writer.begin_object().string("id", identity.id).string("issuer", identity.issuer).name("email");
  identity.email.empty() ? writer.null() : writer.string(identity.email);
  writer.string("created_at", format_time(identity.created_at)).name("last_used_at");
  identity.last_used_at ? writer.string(format_time(*identity.last_used_at)) : writer.null();
  writer.end_object();
}

}  // namespace

Face::Face(const api::FaceParts& parts, const MakeThreads& make_threads, std::optional<Setup> setup)
    : access_(parts.access),
      identities_(parts.identities),
      cookies_(parts.cookies),
      public_url_(parts.public_url),
      setup_(std::move(setup)),
      flows_(parts.access.clock()) {
  if (!setup_) return;
  provider_.emplace(setup_->provider, parts.access.clock(), stop_.get_token());
  threads_ = make_threads(kThreads);
  queue_ = std::make_unique<PasswordQueue>(*threads_, kPlaces);
}

void Face::stop() {
  stop_.request_stop();
  std::unique_ptr<Executor> ending;
  {
    const MutexLock lock(threads_mutex_);
    queue_.reset();
    ending = std::move(threads_);
  }
  ending.reset();  // waits for the requests under way
}

Result<> Face::post(const api::Call& call, std::move_only_function<void()> run) {
  const std::string client = counted_peer(std::string(call.head().client));
  CHECK_OK(by_peer_.check(client, access_.clock().now()));
  const MutexLock lock(threads_mutex_);
  if (!queue_) return fail(ErrorCode::busy, "the hub is stopping; try again in a moment");
  return queue_->post(client, std::move(run));
}

Result<std::string> Face::base_url() const {
  if (!setup_) return no_provider();
  CHECK_OK(cookies_.check_public_origin());
  return public_url_.get();
}

std::string Face::session_of(const api::Call& call) const {
  const auto cookie = cookies_.find(call);
  if (!cookie) return {};
  const auto principal = access_.authenticate(*cookie, Access::Via::cookie);
  return principal ? (*principal)->key_id : std::string();
}

Result<Wanted> Face::wanted_by(const api::Call& call) const {
  Wanted wanted{.return_to = call.query("return_to").value_or("/"),
                .session_id = session_of(call),
                .keep = call.query("keep") == "true",
                .is_phone = call.query("kind") == "phone"};
  CHECK_OK(check_return_to(wanted.return_to));
  return wanted;
}

Result<Face::Departure> Face::depart(const Wanted& wanted) {
  TRY(const std::string base, base_url());
  Flows::Begun begun = flows_.begin(wanted);
  TRY(std::string url, provider_->authorization_url({.redirect_uri = base + std::string(kCallbackPath),
                                                     .state = begun.state,
                                                     .nonce = begun.nonce,
                                                     .challenge = begun.challenge}));
  return Departure{.url = std::move(url), .cookie = std::move(begun.cookie)};
}

void Face::fail_page(const api::CallPtr& call, const Error& error, Counts counts) {
  if (counts == Counts::yes && (error.code == ErrorCode::unauthorized || error.code == ErrorCode::forbidden)) {
    by_peer_.note_failure(counted_peer(std::string(call->head().client)), access_.clock().now());
    access_.audit().note_refusal({.action = "session.refused",
                                  .account = {},
                                  .target = {},
                                  .detail = "with " + setup_->policy.provider + ": " + error.text});
  }
  auto response = people::sign_in_failed_page(page_status_of(error.code), words_of(error));
  response.headers.push_back(cookies_.clear_under_way());
  call->respond(std::move(response));
}

void Face::fail_by_provider(const api::CallPtr& call, const Error& error) {
  if (!is_about_provider(error.code)) return fail_page(call, error, Counts::yes);
  log(LogLevel::warning, "oidc_failed", {{"error", error.text}});
  auto response = people::sign_in_failed_page(page_status_of(error.code),
                                              setup_->policy.provider +
                                                  " does not answer as it should; try again in a moment. "
                                                  "Whoever runs the hub finds the reason in its log");
  response.headers.push_back(cookies_.clear_under_way());
  call->respond(std::move(response));
}

void Face::show_provider(const api::CallPtr& call) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().boolean("enabled", setup_.has_value()).name("name");
  setup_ ? writer.string(setup_->policy.provider) : writer.null();
  writer.name("sign_in");
  setup_ ? writer.string(kSignInPath) : writer.null();
  writer.end_object();
  call->respond_json(200, std::move(out));
}

void Face::sign_in(const api::CallPtr& call) {
  if (cookies_.page_of(*call) == api::CookieGate::Page::foreign) {
    return fail_page(call, {ErrorCode::forbidden, "only a page of the hub itself may begin to sign in"}, Counts::no);
  }
  const auto wanted = wanted_by(*call);
  if (!wanted) return fail_page(call, wanted.error(), Counts::no);
  if (const auto base = base_url(); !base) return fail_page(call, base.error(), Counts::no);
  const auto posted = post(*call, [this, call, wanted = *wanted] {
    auto departure = depart(wanted);
    if (!departure) return fail_by_provider(call, departure.error());
    call->respond(
        redirect_to(std::move(departure->url), {cookies_.make_under_way(departure->cookie, Flows::kSeconds)}));
  });
  if (!posted) fail_page(call, posted.error(), Counts::no);
}

void Face::come_back(const api::CallPtr& call) {
  if (!setup_) return fail_page(call, no_provider().error(), Counts::no);
  const std::string cookie(cookies_.find_under_way(*call).value_or(""));
  auto returned = flows_.finish(call->query("state").value_or(""), cookie);
  if (!returned) {
    Error error = returned.error();
    if (cookie.empty()) error.text += " at " + public_url_.get() + ", with cookies allowed";
    return fail_page(call, error, Counts::yes);
  }
  const auto issuer = call->query("iss");  // RFC 9207
  if (issuer && *issuer != setup_->provider.issuer) {
    return fail_page(call, {ErrorCode::unauthorized, "the answer is of another provider"}, Counts::yes);
  }
  if (const auto refused = call->query("error")) {
    const bool is_denied = *refused == "access_denied";
    const std::string_view what = is_denied ? " has not let you in, or you have cancelled" : " has refused the sign-in";
    return fail_page(call, {ErrorCode::forbidden, setup_->policy.provider + std::string(what)}, Counts::yes);
  }
  std::string code = call->query("code").value_or("");
  if (code.empty() || code.size() > kCodeBytesMax) {
    return fail_page(call, {ErrorCode::unauthorized, "the answer of " + setup_->policy.provider + " has no code"},
                     Counts::yes);
  }
  const auto posted = post(
      *call, [this, call, returned = *std::move(returned), code = std::move(code)] { finish(call, returned, code); });
  if (!posted) fail_page(call, posted.error(), Counts::no);
}

Result<std::optional<BrowserSession>> Face::admit(const api::Call& call, const Wanted& wanted, const Claims& claims) {
  const Identities::Person person{.issuer = setup_->provider.issuer,
                                  .subject = claims.subject,
                                  .email = claims.email,
                                  .is_email_verified = claims.is_email_verified};
  if (wanted.links) {
    const auto linked = identities_.link(wanted.session_id, person, setup_->policy);
    if (linked) return std::nullopt;
    if (linked.error().code != ErrorCode::unauthorized) return std::unexpected(linked.error());
    return fail(ErrorCode::unauthorized, "your session has ended meanwhile; sign in, and link again");
  }
  TRY(BrowserSession session,
      identities_.sign_in(person, setup_->policy, {.is_phone = wanted.is_phone, .keep = wanted.keep},
                          accounts::caller_of(call)));
  // The browser forgets the cookie of the session before. The new one stands, whether the old one can be ended or not.
  if (!wanted.session_id.empty()) (void)access_.revoke_key(wanted.session_id);
  return session;
}

void Face::finish(const api::CallPtr& call, const Flows::Returned& returned, const std::string& code) {
  const auto base = base_url();
  if (!base) return fail_page(call, base.error(), Counts::no);
  const auto claims = provider_->redeem({.code = code,
                                         .redirect_uri = *base + std::string(kCallbackPath),
                                         .verifier = returned.verifier,
                                         .nonce = returned.nonce});
  if (!claims) return fail_by_provider(call, claims.error());
  const auto session = admit(*call, returned.wanted, *claims);
  if (!session) return fail_page(call, session.error(), Counts::yes);
  std::vector<http::Header> cookies = {cookies_.clear_under_way()};
  if (*session) {
    const auto seconds = (*session)->keep ? std::optional(BrowserSessions::kSecondsMax) : std::nullopt;
    cookies.push_back(cookies_.make((*session)->token, seconds));
  }
  call->respond(redirect_to(*base + returned.wanted.return_to, std::move(cookies)));
}

void Face::list_identities(const api::CallPtr& call) {
  TRY_CALL(call, const auto identities, identities_.list(call->principal()));
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().name("identities").begin_array();
  for (const Identity& identity : identities) append_identity(writer, identity);
  writer.end_array().end_object();
  call->respond_json(200, std::move(out));
}

void Face::link_identity(const api::CallPtr& call) {
  CHECK_CALL(call, Identities::check_may_link(call->principal()));
  TRY_CALL(call, [[maybe_unused]] const std::string base, base_url());
  TRY_CALL(call, const JsonView body, call->json_object());
  Wanted wanted{.session_id = call->principal().key_id, .links = true};
  if (body.find_set("return_to")) {
    TRY_CALL(call, wanted.return_to, people::text_in(body, "return_to"));
  }
  CHECK_CALL(call, check_return_to(wanted.return_to));
  const auto posted = post(*call, [this, call, wanted] {
    TRY_CALL(call, Departure departure, depart(wanted));
    std::string out;
    JsonWriter(out).begin_object().string("url", departure.url).end_object();
    people::respond_secret(call, 200, std::move(out), {cookies_.make_under_way(departure.cookie, Flows::kSeconds)});
  });
  if (!posted) call->fail(posted.error());
}

void Face::remove_identity(const api::CallPtr& call) {
  CHECK_CALL(call, identities_.remove(call->principal(), call->param("id")));
  call->respond_empty();
}

std::vector<api::Route> Face::make_routes() {
  constexpr std::string_view kHtml = "text/html; charset=utf-8";
  api::RouteBuilder routes(*this, "oidc", api::kProblemDetails);
  routes.all().with_schemas(kSchemas).heavy().in_any_plan().with_cookies().body_at_most(kIdentityBodyBytesMax);
  routes.get("/v1/oidc", {}, "Ask whether another provider signs in", &Face::show_provider)
      .quick()
      .answers(200, "its name, and the path that begins to sign in", "IdentityProvider");
  routes.get(kSignInPath, {}, "Sign in with the provider, in a browser", &Face::sign_in)
      .described(
          "A page of the hub leads the browser here. The hub sends it on to the provider, which sends it back to "
          "/oidc/callback within 10 minutes.")
      .query("return_to", "a path of the hub to come back to; / if absent")
      .query("keep", "true: the browser keeps the session when it is closed")
      .query("kind", "phone: the session ends after 30 days without use instead of 7")
      .answers(303, "to the provider, with a cookie for the way back")
      .answers_as(400, kHtml, "return_to is no path of the hub")
      .answers_as(403, kHtml, "a page of another origin, or a hub that people reach by plain http")
      .answers_as(404, kHtml, "the hub has no provider")
      .answers_as(409, kHtml, "hub.public_url is not set")
      .answers_as(429, kHtml, "too many failures")
      .answers_as(502, kHtml, "the provider answers too much")
      .answers_as(503, kHtml, "the provider cannot be reached, or too many sign in at once")
      .answers_as(504, kHtml, "the provider does not answer in time");
  routes.get(kCallbackPath, {}, "Come back from the provider, in a browser", &Face::come_back)
      .described("The redirect URI to register at the provider: hub.public_url and this path.")
      .query("code", "of the provider")
      .query("state", "as the hub has sent it")
      .query("iss", "the issuer, if the provider says it")
      .query("error", "why the provider does not let in")
      .answers(303, "to return_to, with the session's cookie; the session of before ends")
      .answers_as(400, kHtml, "not begun in this browser, ended, used already, or a wrong ID token")
      .answers_as(403, kHtml, "the hub or the provider does not let this person in")
      .answers_as(404, kHtml, "the hub has no provider")
      .answers_as(409, kHtml, "an identity of another account, or one too many")
      .answers_as(429, kHtml, "too many failures")
      .answers_as(502, kHtml, "the provider answers too much")
      .answers_as(503, kHtml, "the provider cannot be reached, or too many sign in at once")
      .answers_as(504, kHtml, "the provider does not answer in time");
  routes.get("/v1/identities", Scope::keys, "List the identities of this account", &Face::list_identities)
      .outside_spaces()
      .described("Whom providers mean by this account; oldest first.")
      .answers(200, "the identities", "OwnIdentities");
  routes.post("/v1/identities", Scope::keys, "Begin to link an identity", &Face::link_identity)
      .described(
          "For pages of the hub: they go to the url, and the provider sends the browser back to /oidc/callback, which "
          "links. An identity opens sessions with all rights of the account, so only such a session can add one. "
          "Idempotency-Key has no effect: a repeated request begins again.")
      .body("optionally return_to", "IdentityLink")
      .answers(200, "where to go, with a cookie for the way back", "IdentityLinkBegun")
      .answers(400, "return_to is no path of the hub")
      .answers(403, "not a whole session of a person, or a hub that people reach by plain http")
      .answers(404, "the hub has no provider")
      .answers(409, "hub.public_url is not set")
      .answers(429, "too many failures")
      .answers(503, "the provider cannot be reached, or too many sign in at once")
      .answers(504, "the provider does not answer in time");
  routes.del("/v1/identities/{id}", Scope::keys, "Remove an identity", &Face::remove_identity)
      .outside_spaces()
      .described("Sessions that it has opened stay; end them at /v1/sessions.")
      .answers(204, "removed")
      .answers(404, "no identity of this account");
  return routes.take();
}

api::FaceModule make_module(MakeThreads make_threads, std::optional<Setup> setup) {
  return {.name = "oidc",
          .make = [make_threads = std::move(make_threads), setup = std::move(setup)](const api::FaceParts& parts) {
            return std::make_unique<Face>(parts, make_threads, setup);
          }};
}

}  // namespace syncline::oidc
