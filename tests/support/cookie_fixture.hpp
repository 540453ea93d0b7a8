// Browsers with a cookie: sessions as a browser has them, and requests as pages of the hub and other pages make them.
#pragma once

#include "support/api_fixture.hpp"

namespace syncline::test {

using Headers = std::map<std::string, std::string>;

inline constexpr std::string_view kHost = "127.0.0.1:8080";
inline constexpr std::string_view kOwnOrigin = "http://127.0.0.1:8080";
inline constexpr std::string_view kCookieName = "syncline-0123abcd";
inline constexpr std::string_view kPassword = "correct horse";

class CookieFixture : public ApiFixture {
 protected:
  explicit CookieFixture(api::Router::Options options = {.cors_origins = {"*"}},
                         const api::CookieGate::Options& cookies = {.hub_id = "0123abcd"})
      : ApiFixture(std::move(options), {}, cookies) {}

  /// The token of a new session, as a browser gets it.
  std::string open(const std::string& email = "ann@example.org", const Key* key = nullptr,
                   const BrowserTerms& terms = {}) {
    const auto account = access_.get_account(email);
    EXPECT_TRUE(account);
    std::string token;
    EXPECT_TRUE(access_.change(Access::Effect::admits, [&](DirectoryTxn& txn) -> Result<AccountNumber> {
      TRY(const BrowserSession session, BrowserSessions::open(txn, *account, key, terms, "192.0.2.7"));
      token = session.token;
      return account->number;
    }));
    return token;
  }

  static Headers with_cookie(const std::string& token, Headers more = {{"Origin", std::string(kOwnOrigin)}}) {
    more["Cookie"] = "other=1; " + std::string(kCookieName) + "=" + token + "; syncline-ffffffff=sl_other";
    more["Host"] = kHost;
    more.try_emplace("Content-Type", "application/json");
    return more;
  }

  static std::string target_of(const api::Route& route) {
    std::string target(route.pattern);
    for (std::size_t at = target.find('{'); at != std::string::npos; at = target.find('{', at)) {
      target.replace(at, target.find('}') - at + 1, "1");
    }
    if (!route.only_with_query.empty()) target += "?" + std::string(route.only_with_query.front()) + "=1";
    return target;
  }

  Answer call_with(const api::Route& route, const Headers& headers, const std::string& token = "") {
    const auto pending =
        begin({.method = route.method, .target = target_of(route), .token = token, .body = "{}", .headers = headers});
    scheduler_.run_posted();
    return pending.has_come() ? pending.get() : Answer{.status = 200};
  }

  static bool accepts(const api::Route& route) { return route.cookie == api::Route::Cookie::accepted; }
  static bool is_reading(const api::Route& route) { return route.method == http::Method::get; }

  /// Routes that need a credential, without those whose key may come later.
  std::vector<api::Route> closed_routes() const {
    std::vector<api::Route> routes;
    for (const api::Route& route : router_.routes()) {
      if (!route.any_of.empty() && route.key == api::Route::Key::in_header) routes.push_back(route);
    }
    return routes;
  }

  Answer sign_in(const std::string& body, Headers headers = {{"Host", std::string(kHost)}}) {
    return call({.method = http::Method::post,
                 .target = "/v1/session",
                 .body = body,
                 .headers = std::move(headers),
                 .client = "192.0.2.7"});
  }
  Answer sign_in() { return sign_in(R"({"email":"ann@example.org","password":"correct horse"})"); }
  static std::string cookie_in(const Answer& answer) {
    const auto found = answer.headers.find("Set-Cookie");
    if (found == answer.headers.end()) return "";
    return found->second.substr(kCookieName.size() + 1, found->second.find(';') - kCookieName.size() - 1);
  }
  Answer ask(const std::string& cookie, http::Method method, const std::string& target, const std::string& body = "") {
    return call({.method = method, .target = target, .body = body, .headers = with_cookie(cookie)});
  }
};

}  // namespace syncline::test
