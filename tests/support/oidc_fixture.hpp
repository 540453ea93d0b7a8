// Signing in with a provider that lies where a test wants it, in a browser that does what the test says.
#pragma once

#include "api/oidc/routes.hpp"
#include "base/text.hpp"
#include "support/api_fixture.hpp"
#include "support/token_issuer.hpp"

namespace syncline::test {

using Headers = std::map<std::string, std::string>;

inline constexpr std::string_view kHubUrl = "https://hub.example.org";
inline constexpr std::string_view kIssuer = "https://id.example.org";

/// The provider's side. It signs in whoever it is told to.
class FakeProvider {
 public:
  Result<http::ClientResponse> answer(const std::string& url, const http::ClientRequest& request) {
    asked.push_back(url);
    if (failure) return std::unexpected(*failure);
    if (url == std::string(kIssuer) + "/.well-known/openid-configuration") return json(discovery);
    if (url.ends_with("/keys")) return json(key_set(keys));
    if (url.ends_with("/userinfo")) return json(userinfo);
    last_form = request.body;
    last_headers.clear();
    for (const http::Header& header : request.headers) last_headers[std::string(header.name)] = header.value;
    if (!token_failure.empty()) return http::ClientResponse{400, token_failure, std::nullopt};
    claims.nonce = '"' + nonce + '"';
    const std::string token = forged_token.empty() ? issuer.token(claims) : forged_token;
    return json(R"({"access_token":"at","token_type":"Bearer","id_token":")" + token + "\"}");
  }

  static http::ClientResponse json(std::string body) { return {200, std::move(body), std::nullopt}; }

  std::string discovery =
      R"({"issuer":"https://id.example.org","authorization_endpoint":"https://id.example.org/auth?tenant=1",)"
      R"("token_endpoint":"https://id.example.org/token","jwks_uri":"https://keys.example.org/keys",)"
      R"("userinfo_endpoint":"https://id.example.org/userinfo"})";
  TokenIssuer issuer;
  std::string keys = issuer.key_json();
  TokenClaims claims{.exp = "1900000000"};
  std::string nonce;  // of the last sign-in
  std::string userinfo = "{}";
  std::string token_failure;  // the answer of the token endpoint
  std::string forged_token;
  std::optional<Error> failure;
  std::vector<std::string> asked;
  std::string last_form;
  std::map<std::string, std::string> last_headers;
};

class FakeClient final : public http::Client {
 public:
  FakeClient(FakeProvider& provider, std::string url) : provider_(provider), url_(std::move(url)) {}
  Result<http::ClientResponse> send(const http::ClientRequest& request, std::stop_token) override {
    return provider_.answer(url_, request);
  }
  Result<http::ClientResponse> stream(const http::ClientRequest& request, const std::function<void(std::string_view)>&,
                                      std::stop_token) override {
    return provider_.answer(url_, request);
  }

 private:
  FakeProvider& provider_;
  const std::string url_;
};

/// Threads whose turns the test decides.
class LateThreads final : public Executor {
 public:
  explicit LateThreads(std::vector<std::move_only_function<void()>>& posted) : posted_(posted) {}
  void post(std::move_only_function<void()> run) override { posted_.push_back(std::move(run)); }

 private:
  std::vector<std::move_only_function<void()>>& posted_;
};

/// What the fixture's faces use, before the fixture itself.
struct OidcParts {
  explicit OidcParts(Identities::Policy of) : policy(std::move(of)) {}

  FakeProvider provider;
  std::vector<std::move_only_function<void()>> posted;
  Identities::Policy policy;

  std::vector<api::FaceModule> make_modules() {
    oidc::Setup setup{.provider = {.issuer = std::string(kIssuer),
                                   .client_id = "syncline",
                                   .client_secret = "s:e",
                                   .connect = [this](const std::string& url) -> std::unique_ptr<http::Client> {
                                     return std::make_unique<FakeClient>(provider, url);
                                   }},
                      .policy = policy};
    std::vector<api::FaceModule> modules;
    modules.push_back(oidc::make_module([this](std::size_t) { return std::make_unique<LateThreads>(posted); }, setup));
    return modules;
  }
};

inline std::string value_in(const std::string& url, const std::string& name) {
  for (const std::string_view part : split(url.substr(url.find('?') + 1), '&')) {
    if (part.starts_with(name + "=")) return percent_decode(part.substr(name.size() + 1)).value_or("");
  }
  return "";
}

class OidcFixture : private OidcParts, public ApiFixture {
 protected:
  explicit OidcFixture(const Identities::Policy& of = {.provider = "Example", .creates_accounts = true})
      : OidcParts(of), ApiFixture({}, make_modules(), {.hub_id = "0123abcd", .public_origin = std::string(kHubUrl)}) {}

  struct Begun {
    Answer answer;
    std::string state;
    std::string cookie;  // name=value
  };
  /// As a page of the hub leads the browser there.
  Begun begin_sign_in(const std::string& query = "", Headers headers = {{"Sec-Fetch-Site", "same-origin"}}) {
    Begun begun;
    begun.answer = visit("/oidc/sign-in" + query, std::move(headers));
    const auto location = begun.answer.headers.find("Location");
    if (location != begun.answer.headers.end()) {
      begun.state = value_in(location->second, "state");
      provider.nonce = value_in(location->second, "nonce");
    }
    const auto cookie = begun.answer.headers.find("Set-Cookie");
    if (cookie != begun.answer.headers.end()) begun.cookie = cookie->second.substr(0, cookie->second.find(';'));
    return begun;
  }
  /// As the provider sends the browser back: the session's cookie, which is strict, does not come along.
  Answer come_back(const Begun& begun, const std::string& more = "&code=c1") {
    return visit("/oidc/callback?state=" + percent_encode(begun.state) + more,
                 {{"Sec-Fetch-Site", "cross-site"}, {"Cookie", begun.cookie}});
  }
  Answer sign_in() { return come_back(begin_sign_in()); }

  Answer visit(const std::string& target, Headers headers) {
    headers["Host"] = "hub.example.org";
    const auto pending = begin({.target = target, .headers = std::move(headers), .client = "192.0.2.7"});
    return wait_for(pending);
  }
  Answer wait_for(const PendingAnswer& pending) {
    scheduler_.run_posted();
    for (auto& run : std::exchange(posted, {})) run();
    EXPECT_TRUE(pending.has_come());
    return pending.has_come() ? pending.get() : Answer{};
  }
  Answer ask(const Answer& signed_in, http::Method method, const std::string& target, const std::string& body = "") {
    const auto set = signed_in.headers.find("Set-Cookie");
    const std::string cookie = set == signed_in.headers.end() ? "" : set->second.substr(0, set->second.find(';'));
    return wait_for(begin({.method = method,
                           .target = target,
                           .body = body,
                           .headers = {{"Host", "hub.example.org"},
                                       {"Origin", std::string(kHubUrl)},
                                       {"Content-Type", "application/json"},
                                       {"Cookie", cookie}}}));
  }
  /// The page says so, and nobody is signed in.
  void expect_refused(const Answer& answer, int status, const std::string& words) {
    EXPECT_EQ(answer.status, status) << answer.body;
    EXPECT_TRUE(answer.body.contains(words)) << answer.body;
    EXPECT_EQ(answer.headers.at("Content-Type"), "text/html; charset=utf-8");
    EXPECT_TRUE(answer.headers.at("Set-Cookie").starts_with("__Host-syncline-oidc-0123abcd=;")) << "it is over";
  }
  std::size_t sessions_of(const std::string& email) { return own_keys_.sessions({.email = email})->size(); }

  using OidcParts::provider;
};

}  // namespace syncline::test
