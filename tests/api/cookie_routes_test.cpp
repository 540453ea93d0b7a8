// Browsers with a cookie: every route with every kind of cookie and page. The table comes from the router, so a new
// route is in it without being asked.
#include <set>

#include "support/cookie_fixture.hpp"

namespace syncline {
namespace {

using CookieTest = test::CookieFixture;
using test::Headers;
using test::kOwnOrigin;

/// Routes of the published APIs that pages of the hub call, below any prefix.
const std::set<std::string> kForPages = {"GET /sync",
                                         "DELETE /conversation/{id}",
                                         "DELETE /document/{id}",
                                         "POST /command",
                                         "GET /command",
                                         "GET /command/{id}",
                                         "DELETE /command/{id}",
                                         "GET /command/{id}/output",
                                         "POST /command/{id}/approval",
                                         "GET /command/approvals",
                                         "DELETE /command/approvals/{id}",
                                         "POST /search",
                                         "GET /ai/usage",
                                         "GET /clocks/active",
                                         "GET /clocks/days",
                                         "GET /clocks/entries",
                                         "GET /ref/customers",
                                         "GET /ref/tasks",
                                         "GET /ref/config",
                                         "PATCH /ref/config",
                                         "GET /sync/stats",
                                         "DELETE /sync/entries",
                                         "POST /webhooks",
                                         "GET /webhooks",
                                         "GET /webhooks/{id}",
                                         "PATCH /webhooks/{id}",
                                         "DELETE /webhooks/{id}",
                                         "POST /webhooks/{id}/rotate-secret",
                                         "GET /webhooks/{id}/deliveries",
                                         "POST /webhooks/{id}/deliveries/{delivery}/replay"};

std::string name_of(const api::Route& route) {
  std::string_view pattern = route.pattern;
  for (const std::string_view prefix : {"/kaisho", "/kernle", "/kiro"}) {
    if (pattern.starts_with(prefix)) pattern.remove_prefix(prefix.size());
  }
  return std::string(http::to_text(route.method)) + ' ' + std::string(pattern);
}

TEST_F(CookieTest, its_own_pages_reach_what_they_need_with_the_rights_of_the_role_and_nothing_else) {
  add_key("bob@example.org", {Scope::read});
  std::size_t reached = 0;
  std::set<std::string> published;
  for (const std::string email : {"ann@example.org", "bob@example.org"}) {
    const ScopeSet rights = scopes_of(access_.get_account(email)->role);
    for (const api::Route& route : closed_routes()) {
      const test::Answer answer = call_with(route, with_cookie(open(email)));
      EXPECT_EQ(answer.status == 401, !accepts(route)) << route.pattern;
      const bool is_v1 =
          route.face == "native" || route.face == "people" || route.face == "oidc" || route.face == "admin";
      const std::string name = name_of(route);
      EXPECT_EQ(accepts(route), is_v1 || kForPages.contains(name)) << name;
      if (!accepts(route)) continue;
      if (!is_v1) published.insert(name);
      EXPECT_EQ(answer.at("code") == "insufficient_scope", !rights.has_any(route.any_of)) << route.pattern;
      EXPECT_NE(answer.at("code"), "foreign_origin") << route.pattern;
      ++reached;
    }
  }
  EXPECT_GT(reached, 30U);
  EXPECT_EQ(published, kForPages) << "each of them is there";
}

TEST_F(CookieTest, a_page_does_not_do_what_runners_and_devices_do) {
  const std::string cookie = open();
  for (const std::string target : {"/command/claim", "/command/1/output", "/command/1/approval/request", "/sync",
                                   "/sync/apply", "/sync/push", "/sync/pull", "/sync/active/start", "/clocks/start"}) {
    EXPECT_EQ(ask(cookie, http::Method::post, target, "{}").status, 401) << target;
    EXPECT_NE(call({.method = http::Method::post, .target = target, .token = key_, .body = "{}"}).status, 401)
        << target;
  }
}

TEST_F(CookieTest, a_page_submits_follows_and_cancels_a_command) {
  const std::string cookie = open();
  const test::Answer submitted =
      ask(cookie, http::Method::post, "/command", R"({"type":"execute_bash","command":"make"})");
  ASSERT_EQ(submitted.status, 200) << submitted.body;
  const std::string target = "/command/" + submitted.at("commandId");
  EXPECT_EQ(ask(cookie, http::Method::get, target).at("status"), "pending");
  EXPECT_EQ(call({.method = http::Method::del,
                  .target = target,
                  .headers = with_cookie(cookie, {{"Origin", "https://app.example"}})})
                .status,
            403)
      << "a page elsewhere";
  EXPECT_EQ(ask(cookie, http::Method::del, target).at("status"), "failed");
}

TEST_F(CookieTest, what_a_browser_has_cached_for_one_account_is_not_for_another) {
  add_key("bob@example.org", {Scope::read});
  for (const std::string email : {"ann@example.org", "bob@example.org"}) {
    EXPECT_EQ(ask(open(email), http::Method::get, "/v1/spaces").headers.at("Vary"), "Cookie, Accept-Encoding");
  }
  EXPECT_FALSE(get("/v1/spaces").headers.contains("Vary")) << "with a key";
}

TEST_F(CookieTest, a_page_of_another_origin_is_refused_on_every_route) {
  const std::string cookie = open();
  for (const Headers& foreign :
       {Headers{{"Origin", "http://127.0.0.1:8081"}}, Headers{{"Origin", "https://127.0.0.1:8080"}},
        Headers{{"Origin", "http://localhost:8080"}}, Headers{{"Origin", "https://evil.example"}},
        Headers{{"Origin", "null"}}, Headers{{"Origin", "http://127.0.0.1:8080.evil.example"}},
        Headers{{"Sec-Fetch-Site", "cross-site"}}, Headers{{"Sec-Fetch-Site", "same-site"}},
        Headers{{"Origin", std::string(kOwnOrigin)}, {"Sec-Fetch-Site", "cross-site"}}}) {
    for (const api::Route& route : closed_routes()) {
      const test::Answer answer = call_with(route, with_cookie(cookie, foreign));
      EXPECT_EQ(answer.status, accepts(route) ? 403 : 401) << route.pattern << ' ' << foreign.begin()->second;
      EXPECT_EQ(answer.at("code") == "foreign_origin", accepts(route)) << route.pattern;
    }
  }
  EXPECT_TRUE(access_.authenticate(cookie, Access::Via::cookie)) << "nobody has signed it out";
}

TEST_F(CookieTest, without_an_origin_it_reads_and_changes_nothing) {
  for (const api::Route& route : closed_routes()) {
    if (!accepts(route)) continue;
    const test::Answer silent = call_with(route, with_cookie(open(), {}));
    EXPECT_EQ(silent.at("code") == "foreign_origin", !is_reading(route)) << route.pattern;
    EXPECT_NE(silent.status, 401) << route.pattern;
    const test::Answer same = call_with(route, with_cookie(open(), {{"Sec-Fetch-Site", "same-origin"}}));
    EXPECT_NE(same.at("code"), "foreign_origin") << route.pattern;
  }
}

TEST_F(CookieTest, an_expired_or_ended_session_is_refused_everywhere) {
  const std::string ended = open();
  ASSERT_TRUE(browser_sessions_.end(ended));
  const std::string expired = open();
  EXPECT_EQ(ask(expired, http::Method::get, "/v1/session").status, 200);
  clock_.advance_micros(7L * 86'400 * kMicrosPerSecond);
  for (const api::Route& route : closed_routes()) {
    for (const std::string& token : {ended, expired, std::string("garbage-token")}) {
      const test::Answer answer = call_with(route, with_cookie(token));
      EXPECT_EQ(answer.status, 401) << route.pattern;
      EXPECT_EQ(answer.headers.at("WWW-Authenticate"), "Bearer realm=\"syncline\"") << route.pattern;
    }
  }
}

}  // namespace
}  // namespace syncline
