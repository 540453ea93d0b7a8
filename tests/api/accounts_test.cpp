// Signing up, logging in, renewing, resetting: what opens, what stays shut, and what a failure tells.
#include "support/api_fixture.hpp"
#include "support/environment.hpp"

namespace syncline {
namespace {

class AccountsTest : public test::ApiFixture {
 protected:
  static constexpr auto kPassword = "correct horse";

  test::Answer send(const std::string& route, const std::string& body, const std::string& token = "") {
    return call({.method = http::Method::post, .target = "/auth/" + route, .token = token, .body = body});
  }
  test::Answer log_in(const std::string& email, const std::string& password) {
    return send("login", R"({"email":")" + email + R"(","password":")" + password + "\"}");
  }
  test::Answer me(const std::string& token) { return call({.target = "/auth/me", .token = token}); }
};

TEST_F(AccountsTest, signing_up_opens_a_session) {
  const auto answer = send("signup", R"({"email":"Cleo@Example.org","password":"correct horse"})");
  EXPECT_EQ(answer.status, 201) << answer.body;
  EXPECT_EQ(answer.at("email"), "cleo@example.org");
  EXPECT_EQ(answer.at("plan"), "sync");
  const auto self = me(answer.at("access_token"));
  EXPECT_EQ(self.at("email"), "cleo@example.org");
  EXPECT_EQ(self.at("user_id"), answer.at("user_id"));
  EXPECT_GT(answer.at("access_token").size(), 50U);
  EXPECT_EQ(call({.target = "/sync/changes", .token = answer.at("access_token")}).status, 200);
  EXPECT_EQ(send("signup", R"({"email":"cleo@example.org","password":"correct horse"})").status, 409);
  EXPECT_EQ(send("signup", R"({"email":"no address","password":"correct horse"})").status, 400);
  EXPECT_EQ(send("signup", R"({"email":"d@example.org","password":"short"})").status, 400);
  EXPECT_EQ(send("signup", R"({"email":"d@example.org"})").status, 400);
}

TEST_F(AccountsTest, a_login_failure_does_not_reveal_whether_the_address_exists) {
  ASSERT_TRUE(sessions_.set_password("ann@example.org", kPassword));
  EXPECT_EQ(log_in("ann@example.org", kPassword).status, 200);
  const auto wrong = log_in("ann@example.org", "wrong horse");
  const auto unknown = log_in("nobody@example.org", "wrong horse");
  EXPECT_EQ(wrong.status, 401);
  EXPECT_EQ(unknown.status, 401);
  EXPECT_EQ(wrong.body, unknown.body);
  EXPECT_EQ(log_in("", "x").status, 401);
  EXPECT_EQ(log_in(std::string(5000, 'a'), "x").status, 401);
  ASSERT_TRUE(access_.add_account("nopassword@example.org", Plan::pro));
  EXPECT_EQ(log_in("nopassword@example.org", "").status, 401);
}

TEST_F(AccountsTest, failed_logins_are_limited_per_address_and_peer) {
  ASSERT_TRUE(sessions_.set_password("ann@example.org", kPassword));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(log_in("ann@example.org", "guess").status, 401);
  const auto refused = log_in("ann@example.org", kPassword);
  EXPECT_EQ(refused.status, 429);
  EXPECT_TRUE(refused.headers.contains("Retry-After"));
  EXPECT_NE(refused.at("error").find("try again in"), std::string::npos);
  clock_.advance_micros(kMicrosPerSecond * 16 * 60);
  EXPECT_EQ(log_in("ann@example.org", kPassword).status, 200);
}

TEST_F(AccountsTest, a_new_password_ends_sessions_and_reset_tokens) {
  ASSERT_TRUE(sessions_.set_password("ann@example.org", kPassword));
  const auto session = log_in("ann@example.org", kPassword);
  const std::string token = *sessions_.make_reset_token("ann@example.org");
  ASSERT_TRUE(sessions_.set_password("ann@example.org", "another password"));
  EXPECT_EQ(me(session.at("access_token")).status, 401);
  EXPECT_EQ(send("refresh", R"({"refresh_token":")" + session.at("refresh_token") + "\"}").status, 401);
  EXPECT_EQ(send("reset-password", R"({"token":")" + token + R"(","password":"a new password"})").status, 401);
}

TEST_F(AccountsTest, an_account_recreated_with_the_same_address_starts_empty) {
  ASSERT_TRUE(access_.add_account("eve@example.org", Plan::pro));
  ASSERT_TRUE(sessions_.set_password("eve@example.org", kPassword));
  const std::string token = *sessions_.make_reset_token("eve@example.org");
  ASSERT_TRUE(access_.remove_account("eve@example.org"));
  ASSERT_TRUE(access_.add_account("eve@example.org", Plan::pro));
  EXPECT_EQ(log_in("eve@example.org", kPassword).status, 401);
  EXPECT_EQ(send("reset-password", R"({"token":")" + token + R"(","password":"a new password"})").status, 401);
}

TEST_F(AccountsTest, a_session_can_be_refreshed_and_expires) {
  ASSERT_TRUE(sessions_.set_password("ann@example.org", kPassword));
  const auto session = log_in("ann@example.org", kPassword);
  const std::string refresh_body = R"({"refresh_token":")" + session.at("refresh_token") + "\"}";
  EXPECT_EQ(me(session.at("refresh_token")).status, 401) << "it renews, nothing else";
  clock_.advance_micros(kMicrosPerSecond * 3 * 86'400);
  const auto renewed = send("refresh", refresh_body);
  EXPECT_EQ(renewed.status, 200);
  EXPECT_NE(renewed.at("access_token"), session.at("access_token"));
  EXPECT_EQ(me(renewed.at("access_token")).status, 200);
  EXPECT_EQ(me(session.at("access_token")).status, 200) << "requests under way go on";
  EXPECT_EQ(send("refresh", R"({"refresh_token":")" + session.at("access_token") + "\"}").status, 401);
  EXPECT_EQ(send("refresh", R"({"refresh_token":"garbage"})").status, 401);

  clock_.advance_micros(kMicrosPerSecond * 11 * 60);
  EXPECT_EQ(me(session.at("access_token")).status, 401) << "but not for long";

  clock_.advance_micros(kMicrosPerSecond * 8 * 86'400);
  EXPECT_EQ(me(renewed.at("access_token")).status, 401) << "over";
  const auto again = send("refresh", refresh_body);
  EXPECT_EQ(me(again.at("access_token")).status, 200);
  EXPECT_EQ(me(renewed.at("access_token")).status, 401) << "what was over stays over";

  const auto keys = access_.keys("ann@example.org");
  ASSERT_TRUE(access_.revoke_key(keys->back().id));
  EXPECT_EQ(me(again.at("access_token")).status, 401);
  EXPECT_EQ(send("refresh", refresh_body).status, 401);
}

TEST_F(AccountsTest, an_expired_session_is_removed) {
  ASSERT_TRUE(sessions_.set_password("ann@example.org", kPassword));
  log_in("ann@example.org", kPassword);
  ASSERT_TRUE(sessions_.purge());
  EXPECT_EQ(access_.keys("ann@example.org")->size(), 2U);
  clock_.advance_micros(91LL * 86'400 * kMicrosPerSecond);
  ASSERT_TRUE(sessions_.purge());
  EXPECT_EQ(access_.keys("ann@example.org")->size(), 1U);
}

TEST_F(AccountsTest, a_new_api_key_revokes_the_previous_one) {
  ASSERT_TRUE(sessions_.set_password("ann@example.org", kPassword));
  const std::string session = log_in("ann@example.org", kPassword).at("access_token");
  const std::string first = send("api-key", "", session).at("api_key");
  EXPECT_EQ(first.size(), 36U) << "clients take longer ones for sessions";
  EXPECT_EQ(call({.target = "/sync/stats", .token = first}).status, 200);
  const std::string second = send("api-key", "", session).at("api_key");
  EXPECT_EQ(call({.target = "/sync/stats", .token = first}).status, 401);
  EXPECT_EQ(call({.target = "/sync/stats", .token = second}).status, 200);
  int standing = 0;
  const auto keys = access_.keys("ann@example.org");
  for (const Key& key : *keys) standing += key.label == "kaisho api key" && !key.revoked_at;
  EXPECT_EQ(standing, 1);
  EXPECT_EQ(send("api-key", "", second).status, 403) << "an API key makes no keys";
}

TEST_F(AccountsTest, a_reset_token_works_once_and_ends_the_sessions) {
  ASSERT_TRUE(sessions_.set_password("ann@example.org", kPassword));
  const std::string session = log_in("ann@example.org", kPassword).at("access_token");
  EXPECT_EQ(send("forgot-password", R"({"email":"ann@example.org"})").body,
            send("forgot-password", R"({"email":"nobody@example.org"})").body);
  const std::string token = *sessions_.make_reset_token("ann@example.org");
  const std::string body = R"({"token":")" + token + R"(","password":"a new password"})";
  EXPECT_EQ(send("reset-password", body).status, 200);
  EXPECT_EQ(send("reset-password", body).status, 401);
  EXPECT_EQ(me(session).status, 401);
  EXPECT_EQ(me(key_).status, 200) << "keys of programs stay";
  EXPECT_EQ(log_in("ann@example.org", kPassword).status, 401);
  EXPECT_EQ(log_in("ann@example.org", "a new password").status, 200);
  const std::string late = *sessions_.make_reset_token("ann@example.org");
  clock_.advance_micros(3601 * kMicrosPerSecond);
  EXPECT_EQ(send("reset-password", R"({"token":")" + late + R"(","password":"a new password"})").status, 401);
}

}  // namespace
}  // namespace syncline
