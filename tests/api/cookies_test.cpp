// Browsers with a cookie: what signing in and out does, and what a cookie counts for.
#include "support/cookie_fixture.hpp"

namespace syncline {
namespace {

using CookieTest = test::CookieFixture;
using test::Headers;
using test::kCookieName;
using test::kHost;
using test::kOwnOrigin;
using test::kPassword;

TEST_F(CookieTest, a_cookie_is_no_bearer_token_and_a_bearer_token_no_cookie) {
  const std::string cookie = open();
  ASSERT_TRUE(sessions_.set_password("ann@example.org", kPassword));
  const auto session = sessions_.log_in("ann@example.org", kPassword, "-");
  ASSERT_TRUE(session);
  const std::string browser = open();
  for (const api::Route& route : closed_routes()) {
    EXPECT_EQ(call_with(route, {}, browser).status, 401) << route.pattern;
    EXPECT_EQ(call_with(route, with_cookie(key_)).status, 401) << route.pattern;
    EXPECT_EQ(call_with(route, with_cookie(session->access_token)).status, 401) << route.pattern;
  }
  EXPECT_FALSE(access_.authenticate(cookie, Access::Via::cookie)) << "the new password has ended it";
  EXPECT_EQ(call({.method = http::Method::post, .target = "/auth/login", .token = browser}).status, 401);
  EXPECT_EQ(sign_in(R"({"key":")" + browser + "\"}").status, 401);
  EXPECT_EQ(sign_in(R"({"key":")" + session->access_token + "\"}").status, 401);
}

TEST_F(CookieTest, of_both_the_bearer_token_counts) {
  const std::string cookie = open();
  const auto both = [&](const std::string& key, const Headers& headers) {
    return call({.target = "/v1/session", .token = key, .headers = headers});
  };
  EXPECT_EQ(both(key_, with_cookie("garbage-token")).status, 200);
  EXPECT_EQ(both(key_, with_cookie(cookie, {{"Origin", "https://app.example"}})).status, 200);
  EXPECT_EQ(both("garbage-token", with_cookie(cookie)).status, 401);
  EXPECT_EQ(both(key_, with_cookie(cookie)).at("expires_at"), "null") << "the key's";
}

TEST_F(CookieTest, a_body_is_json_and_says_so) {
  const std::string cookie = open();
  const auto push = [&](const Headers& headers) {
    return call({.method = http::Method::post,
                 .target = "/v1/spaces/s/push",
                 .body = R"({"ops":[]})",
                 .headers = with_cookie(cookie, headers)});
  };
  const std::string origin(kOwnOrigin);
  EXPECT_EQ(push({{"Origin", origin}, {"Content-Type", "application/json; charset=utf-8"}}).status, 200);
  for (const std::string type : {"text/plain", "application/x-www-form-urlencoded", "multipart/form-data"}) {
    EXPECT_EQ(push({{"Origin", origin}, {"Content-Type", type}}).status, 415) << type;
  }
  EXPECT_EQ(push({{"Origin", origin}, {"Content-Type", ""}, {"Content-Length", "10"}}).status, 415);
  EXPECT_EQ(push({{"Origin", origin}, {"Content-Type", ""}, {"Transfer-Encoding", "chunked"}}).status, 415);
}

TEST_F(CookieTest, a_socket_takes_it_from_its_own_pages_alone) {
  const std::string cookie = open();
  const auto opened = [&](Headers headers, const std::string& token) {
    headers["Upgrade"] = "websocket";
    auto response = test::take_response(router_, {.target = "/v1/live", .headers = with_cookie(token, headers)});
    if (!response.upgrade) return std::to_string(response.status);
    // One that has no key yet waits for it.
    return std::string(response.upgrade->first_message_ms() > 0 ? "asked for a key" : "open");
  };
  EXPECT_EQ(opened({{"Origin", std::string(kOwnOrigin)}}, cookie), "open");
  EXPECT_EQ(opened({{"Origin", "https://app.example"}}, cookie), "asked for a key") << "cors.origins plays no part";
  EXPECT_EQ(opened({}, cookie), "asked for a key");
  EXPECT_EQ(opened({{"Origin", std::string(kOwnOrigin)}}, "garbage-token"), "401");
}

TEST_F(CookieTest, signing_in_sets_the_cookie_and_signing_out_clears_it) {
  ASSERT_TRUE(sessions_.set_password("ann@example.org", kPassword));
  const test::Answer signed_in = sign_in();
  ASSERT_EQ(signed_in.status, 200) << signed_in.body;
  EXPECT_EQ(signed_in.at("account"), "ann@example.org");
  EXPECT_EQ(signed_in.at("role"), "admin");
  EXPECT_EQ(signed_in.headers.at("Cache-Control"), "no-store");
  const std::string cookie = cookie_in(signed_in);
  EXPECT_EQ(signed_in.headers.at("Set-Cookie"),
            std::string(kCookieName) + "=" + cookie + "; Path=/; HttpOnly; SameSite=Strict");
  EXPECT_EQ(signed_in.body.find(cookie), std::string::npos) << "no script gets it";
  EXPECT_EQ(ask(cookie, http::Method::get, "/v1/session").body, signed_in.body);
  const test::Answer out = ask(cookie, http::Method::del, "/v1/session");
  EXPECT_EQ(out.status, 204);
  EXPECT_EQ(out.headers.at("Set-Cookie"), std::string(kCookieName) + "=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
  EXPECT_EQ(ask(cookie, http::Method::get, "/v1/session").status, 401);
  EXPECT_EQ(call({.method = http::Method::del, .target = "/v1/session", .token = key_}).status, 404);
}

TEST_F(CookieTest, a_wrong_password_and_wrong_fields_open_nothing) {
  ASSERT_TRUE(sessions_.set_password("ann@example.org", kPassword));
  for (const auto& [body, status] : std::vector<std::pair<std::string, int>>{
           {R"({"email":"ann@example.org","password":"wrong horse"})", 401},
           {R"({"email":"nobody@example.org","password":"correct horse"})", 401},
           {R"({"email":"ann@example.org"})", 400},
           {R"({"key":7})", 400},
           {R"({"key":"sl_k1_nonsense"})", 401},
           {R"({"email":"ann@example.org","password":"correct horse","kind":"car"})", 400},
           {R"({"email":"ann@example.org","password":"correct horse","keep":"yes"})", 400},
           {R"({"email":"ann@example.org","password":"correct horse","label":""})", 400}}) {
    const test::Answer answer = sign_in(body);
    EXPECT_EQ(answer.status, status) << body << ' ' << answer.body;
    EXPECT_FALSE(answer.headers.contains("Set-Cookie")) << body;
  }
  EXPECT_EQ(own_keys_.sessions({.email = "ann@example.org"})->size(), 0U);
}

TEST_F(CookieTest, signing_in_again_ends_the_session_before) {
  ASSERT_TRUE(sessions_.set_password("ann@example.org", kPassword));
  const std::string before = cookie_in(sign_in());
  const test::Answer again =
      sign_in(R"({"email":"ann@example.org","password":"correct horse","keep":true})", with_cookie(before));
  EXPECT_NE(cookie_in(again), before);
  EXPECT_TRUE(again.headers.at("Set-Cookie").ends_with("; Max-Age=15552000")) << again.headers.at("Set-Cookie");
  EXPECT_EQ(ask(before, http::Method::get, "/v1/session").status, 401);
  EXPECT_EQ(ask(cookie_in(again), http::Method::get, "/v1/session").status, 200);
}

TEST_F(CookieTest, only_pages_of_the_hub_sign_in_and_only_where_nobody_listens) {
  ASSERT_TRUE(sessions_.set_password("ann@example.org", kPassword));
  const std::string body = R"({"email":"ann@example.org","password":"correct horse"})";
  for (const std::string host : {"localhost", "localhost:8080", "127.0.0.1:8080", "127.3.0.1", "[::1]:8080"}) {
    EXPECT_EQ(sign_in(body, {{"Host", host}, {"Origin", "http://" + host}}).status, 200) << host;
  }
  for (const std::string host : {"hub.example.org", "192.0.2.7:8080", "localhost.example.org", "[2001:db8::1]", ""}) {
    EXPECT_EQ(sign_in(body, {{"Host", host}}).status, 403) << host;
  }
  EXPECT_EQ(sign_in(body, {{"Host", "localhost"}, {"Origin", "http://localhost:8080"}}).status, 403);
  EXPECT_EQ(sign_in(body, {{"Host", "localhost"}, {"Sec-Fetch-Site", "cross-site"}}).status, 403);
}

TEST_F(CookieTest, a_session_lives_while_it_is_used_and_ends_after_180_days) {
  const auto days = [&](std::int64_t count) { clock_.advance_micros(count * 86'400 * kMicrosPerSecond); };
  const std::string desk = open();
  const std::string phone = open("ann@example.org", nullptr, {.is_phone = true});
  days(6);
  EXPECT_TRUE(access_.authenticate(desk, Access::Via::cookie));
  ASSERT_TRUE(access_.store_usage());
  days(6);
  EXPECT_TRUE(access_.authenticate(desk, Access::Via::cookie)) << "it was used";
  days(7);
  EXPECT_FALSE(access_.authenticate(desk, Access::Via::cookie));
  EXPECT_EQ(own_keys_.sessions({.email = "ann@example.org"})->size(), 1U) << "the phone's";
  for (int uses = 0; uses < 16; ++uses) {
    EXPECT_TRUE(access_.authenticate(phone, Access::Via::cookie)) << uses;
    ASSERT_TRUE(access_.store_usage());
    days(10);
  }
  EXPECT_TRUE(access_.authenticate(phone, Access::Via::cookie)) << "after 179 days";
  ASSERT_TRUE(access_.store_usage());
  days(1);
  EXPECT_FALSE(access_.authenticate(phone, Access::Via::cookie));
  ASSERT_TRUE(sessions_.purge());
  EXPECT_EQ(access_.keys("ann@example.org")->size(), 1U) << "the key";
}

TEST_F(CookieTest, a_session_of_a_key_may_do_what_the_key_may_and_ends_with_it) {
  const auto key = access_.add_key("ann@example.org", "guest", Scope::read, std::nullopt);
  ASSERT_TRUE(key);
  const test::Answer signed_in = sign_in(R"({"key":")" + key->token + "\"}");
  ASSERT_EQ(signed_in.status, 200) << signed_in.body;
  EXPECT_EQ(signed_in.at("scopes"), R"(["read"])");
  const std::string cookie = cookie_in(signed_in);
  EXPECT_EQ(ask(cookie, http::Method::get, "/v1/spaces").status, 200);
  EXPECT_EQ(ask(cookie, http::Method::post, "/v1/spaces/s/push", R"({"ops":[]})").status, 403);
  ASSERT_TRUE(access_.revoke_key(key->key.id));
  EXPECT_EQ(ask(cookie, http::Method::get, "/v1/spaces").status, 401);
}

TEST_F(CookieTest, sessions_are_listed_and_ended_like_the_others) {
  const std::string mine = open("ann@example.org", nullptr, {.label = "Firefox on nas"});
  const std::string other = open();
  const test::Answer list = ask(mine, http::Method::get, "/v1/sessions");
  EXPECT_EQ(list.json().find("sessions")->raw().find(mine), std::string::npos);
  EXPECT_NE(list.body.find(R"("label":"Firefox on nas","user_agent":null,"address":"192.0.2.7")"), std::string::npos)
      << list.body;
  EXPECT_EQ(ask(mine, http::Method::post, "/v1/sessions/end-others").body, R"({"ended":1})");
  EXPECT_EQ(ask(other, http::Method::get, "/v1/session").status, 401);
  EXPECT_EQ(ask(mine, http::Method::get, "/v1/session").status, 200);
}

TEST_F(CookieTest, a_new_password_or_role_begins_a_new_session) {
  ASSERT_TRUE(sessions_.set_password("ann@example.org", kPassword));
  const std::string before = open("ann@example.org", nullptr, {.is_phone = true, .keep = true});
  const test::Answer changed =
      ask(before, http::Method::post, "/v1/password", R"({"current":"correct horse","new":"battery staple"})");
  ASSERT_EQ(changed.status, 200) << changed.body;
  const std::string after = cookie_in(changed);
  EXPECT_TRUE(changed.headers.at("Set-Cookie").ends_with("; Max-Age=15552000")) << "kept, as before";
  EXPECT_EQ(changed.body.find("access_token"), std::string::npos);
  EXPECT_EQ(ask(before, http::Method::get, "/v1/session").status, 401);
  EXPECT_EQ(ask(after, http::Method::get, "/v1/session").at("role"), "admin");
  ASSERT_TRUE(access_.add_account("bob@example.org", Plan::pro));
  ASSERT_TRUE(access_.set_role("bob@example.org", Role::admin));
  ASSERT_TRUE(access_.set_role("ann@example.org", Role::admin));
  EXPECT_EQ(ask(after, http::Method::get, "/v1/session").status, 200) << "nothing has changed";
  ASSERT_TRUE(access_.set_role("ann@example.org", Role::member));
  EXPECT_EQ(ask(after, http::Method::get, "/v1/session").status, 401);
}

class SecureCookieTest : public CookieTest {
 protected:
  SecureCookieTest() : CookieTest({}, {.hub_id = "0123abcd", .public_origin = "https://hub.example.org"}) {}
};

TEST_F(SecureCookieTest, behind_a_proxy_the_public_origin_counts) {
  ASSERT_TRUE(sessions_.set_password("ann@example.org", kPassword));
  const std::string body = R"({"email":"ann@example.org","password":"correct horse"})";
  const test::Answer signed_in = sign_in(body, {{"Host", "hub.example.org"}, {"Origin", "https://hub.example.org"}});
  ASSERT_EQ(signed_in.status, 200) << signed_in.body;
  const std::string set = signed_in.headers.at("Set-Cookie");
  EXPECT_TRUE(set.starts_with("__Host-syncline-0123abcd=sl_")) << set;
  EXPECT_TRUE(set.ends_with("; Path=/; HttpOnly; SameSite=Strict; Secure")) << set;
  const std::string cookie = set.substr(0, set.find(';'));
  const auto push_from = [&](const std::string& host, const std::string& origin) {
    return call({.method = http::Method::post,
                 .target = "/v1/spaces/s/push",
                 .body = R"({"ops":[]})",
                 .headers =
                     {{"Cookie", cookie}, {"Host", host}, {"Origin", origin}, {"Content-Type", "application/json"}}})
        .status;
  };
  EXPECT_EQ(push_from("hub.example.org", "https://hub.example.org"), 200);
  EXPECT_EQ(push_from("127.0.0.1:8080", "https://hub.example.org"), 200) << "the proxy names itself";
  EXPECT_EQ(push_from("localhost:8080", "http://localhost:8080"), 200) << "on the machine itself";
  EXPECT_EQ(push_from("hub.example.org", "http://hub.example.org"), 403);
  EXPECT_EQ(push_from("hub.example.org", "https://hub.example.org:8443"), 403);
  EXPECT_EQ(sign_in(body, {{"Host", "hub.example.org"}, {"Origin", "http://hub.example.org"}}).status, 403);
  EXPECT_EQ(sign_in(body, {{"Host", "192.0.2.7"}, {"Origin", "http://192.0.2.7"}}).status, 403);
}

class TlsCookieTest : public CookieTest {
 protected:
  TlsCookieTest() : CookieTest({}, {.hub_id = "0123abcd", .tls = true}) {}
};

TEST_F(TlsCookieTest, a_hub_with_tls_sets_a_secure_cookie_under_any_name) {
  ASSERT_TRUE(sessions_.set_password("ann@example.org", kPassword));
  const std::string body = R"({"email":"ann@example.org","password":"correct horse"})";
  const test::Answer signed_in = sign_in(body, {{"Host", "NAS.lan:8443"}, {"Origin", "https://nas.lan:8443"}});
  ASSERT_EQ(signed_in.status, 200) << signed_in.body;
  EXPECT_TRUE(signed_in.headers.at("Set-Cookie").starts_with("__Host-syncline-0123abcd=sl_"));
  EXPECT_TRUE(signed_in.headers.at("Set-Cookie").ends_with("; Secure"));
  EXPECT_EQ(sign_in(body, {{"Host", "nas.lan:8443"}, {"Origin", "http://nas.lan:8443"}}).status, 403);
}

class InsecureCookieTest : public CookieTest {
 protected:
  InsecureCookieTest() : CookieTest({}, {.hub_id = "0123abcd", .plain_http_anywhere = true}) {}
};

TEST_F(InsecureCookieTest, plain_http_is_possible_where_the_operator_wants_it) {
  ASSERT_TRUE(sessions_.set_password("ann@example.org", kPassword));
  const std::string body = R"({"email":"ann@example.org","password":"correct horse"})";
  EXPECT_EQ(sign_in(body, {{"Host", "nas.lan"}, {"Origin", "http://nas.lan"}}).status, 200);
  EXPECT_EQ(sign_in(body, {{"Host", "nas.lan"}, {"Origin", "http://nas.lan:81"}}).status, 403);
}

}  // namespace
}  // namespace syncline
