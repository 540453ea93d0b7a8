#include "support/api_fixture.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace syncline::test {
namespace {

std::vector<api::FaceModule> make_modules(std::vector<api::FaceModule> more) {
  const auto settings = app::Settings::load(
      {{"accounts.signup", "true"}, {"accounts.signup_plan", std::string(to_text(Plan::companion))}}, "");
  EXPECT_TRUE(settings);
  auto modules = app::make_faces(*settings);
  EXPECT_TRUE(modules);
  for (api::FaceModule& module : more) {
    const auto same = std::ranges::find(*modules, module.name, &api::FaceModule::name);
    if (same == modules->end()) {
      modules->push_back(std::move(module));
    } else {
      *same = std::move(module);
    }
  }
  return *std::move(modules);
}

api::Router::Options with_cookies(api::Router::Options options, const api::CookieGate& cookies) {
  options.cookies = &cookies;
  return options;
}

}  // namespace

ApiFixture::ApiFixture(api::Router::Options options, std::vector<api::FaceModule> more,
                       const api::CookieGate::Options& cookies)
    : modules_(make_modules(std::move(more))),
      cookies_(cookies),
      public_url_(cookies.public_origin, cookies.public_origin.empty() ? keep_url() : nullptr),
      router_(access_, service_clock_, with_cookies(std::move(options), cookies_)) {
  router_.add(operations_.make_routes());
  const api::FaceParts parts{.spaces = spaces_,
                             .directory = store_.directory(),
                             .access = access_,
                             .search = search_,
                             .sessions = sessions_,
                             .browser_sessions = browser_sessions_,
                             .first_run = first_run_,
                             .pairings = pairings_,
                             .passkeys = passkeys_,
                             .identities = identities_,
                             .device_keys = device_keys_,
                             .own_keys = own_keys_,
                             .shares = shares_,
                             .meter = meter_,
                             .subscriptions = webhooks_,
                             .deliveries = deliveries_,
                             .wake_sender = [] {},
                             .workers = scheduler_,
                             .passwords = passwords_,
                             .cookies = cookies_,
                             .public_url = public_url_};
  public_url_.on_change([this](const std::string& url) { cookies_.use_public_origin(url); });
  for (const api::FaceModule& module : modules_) {
    api::Face& face = *faces_.emplace_back(module.make(parts));
    EXPECT_TRUE(face.start());
    router_.add(face.make_routes(), module.prefixes);
  }
  first_run_.serve("http://localhost:8080", [this](const FirstRun::Code& code) { shown_codes_.push_back(code.text); });
  router_.meter(meter_);
  router_.observe(metrics_);
  key_ = add_key("ann@example.org",
                 {Scope::read, Scope::write, Scope::commands_submit, Scope::commands_run, Scope::commands_approve});
}

PublicUrl::Keep ApiFixture::keep_url() {
  return [this](const std::string& url) -> Result<> {
    kept_urls_.push_back(url);
    return {};
  };
}

std::string ApiFixture::add_key(const std::string& email, ScopeSet scopes, const std::string& label) {
  const auto account = access_.find_account(email);
  EXPECT_TRUE(account);
  if (!*account) {
    EXPECT_TRUE(access_.add_account(email, Plan::pro));
  }
  auto made = access_.add_key(email, label, scopes, std::nullopt);
  EXPECT_TRUE(made);
  return made->token;
}

void ApiFixture::each_second() {
  for (const auto& face : faces_) face->each_second();
}

Result<> ApiFixture::each_hour() {
  for (const auto& face : faces_) CHECK_OK(face->each_hour());
  return {};
}

PendingAnswer ApiFixture::begin(const RequestSpec& spec) {
  if (!published_) published_ = PublishedApi::read(begin_request(router_, {.target = "/openapi.json"}).get().body);
  return begin_request(router_, spec, [api = published_, spec, ended = ended_](const Answer& answer) {
    if (*ended) return;  // requests that still waited get an answer of no kind
    for (const std::string& fault : api->faults(spec, answer)) {
      ADD_FAILURE() << "/openapi.json does not fit " << http::to_text(spec.method) << ' ' << spec.target << ": "
                    << fault;
    }
  });
}

Answer ApiFixture::call(const RequestSpec& spec) {
  const PendingAnswer pending = begin(spec);
  scheduler_.run_posted();
  EXPECT_TRUE(pending.has_come()) << spec.target;
  return pending.has_come() ? pending.get() : Answer{};
}

}  // namespace syncline::test
