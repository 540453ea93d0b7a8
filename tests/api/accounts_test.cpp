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
  test::Answer log_in(const std::string& email, const std::string& password, const std::string& client = "127.0.0.1") {
    return call({.method = http::Method::post,
                 .target = "/auth/login",
                 .body = R"({"email":")" + email + R"(","password":")" + password + "\"}",
                 .client = client});
  }
  test::Answer refresh(const std::string& token) { return send("refresh", R"({"refresh_token":")" + token + "\"}"); }
  test::Answer me(const std::string& token) { return call({.target = "/auth/me", .token = token}); }
};

TEST_F(AccountsTest, signing_up_opens_a_session) {
  const auto answer = send("signup", R"({"email":"Cleo@Example.org","password":"correct horse"})");
  EXPECT_EQ(answer.status, 201) << answer.body;
  EXPECT_EQ(answer.at("email"), "cleo@example.org");
  EXPECT_EQ(answer.at("plan"), "companion");
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
  for (int i = 0; i < 10; ++i) EXPECT_EQ(log_in("ann@example.org", "guess", "203.0.113.9").status, 401);
  const auto refused = log_in("ann@example.org", kPassword, "203.0.113.9");
  EXPECT_EQ(refused.status, 429);
  EXPECT_TRUE(refused.headers.contains("Retry-After"));
  EXPECT_NE(refused.at("error").find("try again in"), std::string::npos);
  EXPECT_EQ(log_in("ann@example.org", kPassword, "203.0.113.8").status, 200) << "the owner is elsewhere";
  clock_.advance_micros(kMicrosPerSecond * 16 * 60);
  EXPECT_EQ(log_in("ann@example.org", kPassword, "203.0.113.9").status, 200);
}

TEST_F(AccountsTest, failures_through_a_proxy_that_names_nobody_do_not_lock_out_the_owner_behind_it) {
  ASSERT_TRUE(sessions_.set_password("ann@example.org", kPassword));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(log_in("ann@example.org", "guess").status, 401);
  EXPECT_EQ(log_in("ann@example.org", kPassword).status, 200);
}

TEST_F(AccountsTest, failures_from_everywhere_do_not_lock_out_who_has_logged_in_before) {
  ASSERT_TRUE(sessions_.set_password("ann@example.org", kPassword));
  EXPECT_EQ(log_in("ann@example.org", kPassword, "203.0.113.8").status, 200);
  for (int i = 0; i < 100; ++i) log_in("ann@example.org", "guess", "198.51.100." + std::to_string(i));
  EXPECT_EQ(log_in("ann@example.org", kPassword, "203.0.113.7").status, 429);
  EXPECT_EQ(log_in("ann@example.org", kPassword, "203.0.113.8").status, 200);
}

TEST_F(AccountsTest, a_client_with_many_logins_at_once_gets_503_and_the_others_wait) {
  ASSERT_TRUE(sessions_.set_password("ann@example.org", kPassword));
  const auto begin_login = [&](const std::string& client, const std::string& password) {
    return begin({.method = http::Method::post,
                  .target = "/auth/login",
                  .body = R"({"email":"ann@example.org","password":")" + password + "\"}",
                  .client = client});
  };
  std::vector<test::PendingAnswer> flood;
  flood.reserve(5);
  for (int i = 0; i < 5; ++i) flood.push_back(begin_login("203.0.113.9", "guess"));
  const auto owner = begin_login("203.0.113.8", kPassword);
  ASSERT_TRUE(flood.back().has_come());
  EXPECT_EQ(flood.back().get().status, 503);
  EXPECT_TRUE(flood.back().get().headers.contains("Retry-After"));
  EXPECT_FALSE(owner.has_come());
  scheduler_.run_posted();
  EXPECT_EQ(owner.get().status, 200);
  EXPECT_EQ(flood.front().get().status, 401);
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

TEST_F(AccountsTest, a_refresh_token_is_replaced_by_the_use_of_the_next_one) {
  ASSERT_TRUE(sessions_.set_password("ann@example.org", kPassword));
  const std::string first = log_in("ann@example.org", kPassword).at("refresh_token");
  const auto second = refresh(first);
  EXPECT_NE(second.at("refresh_token"), first);
  clock_.advance_micros(kMicrosPerSecond * 3600);
  const auto third = refresh(second.at("refresh_token"));
  EXPECT_EQ(third.status, 200);
  EXPECT_EQ(me(third.at("access_token")).status, 200);
  EXPECT_EQ(refresh(first).status, 401) << "late, so soon after a renewal";
  EXPECT_EQ(me(third.at("access_token")).status, 200);

  clock_.advance_micros(kMicrosPerSecond * 61);
  EXPECT_EQ(refresh(first).status, 401);
  EXPECT_EQ(me(third.at("access_token")).status, 401) << "somebody has a copy: nobody knows who of them is the owner";
  EXPECT_EQ(refresh(third.at("refresh_token")).status, 401);
}

TEST_F(AccountsTest, a_thief_who_refreshes_first_is_noticed_by_the_owners_next_refresh) {
  ASSERT_TRUE(sessions_.set_password("ann@example.org", kPassword));
  const std::string stolen = log_in("ann@example.org", kPassword).at("refresh_token");
  const auto owner = refresh(stolen);
  clock_.advance_micros(kMicrosPerSecond * 3600);
  const auto thief = refresh(stolen);
  EXPECT_EQ(thief.status, 200) << "the owner might not have got the answer";
  clock_.advance_micros(kMicrosPerSecond * 3600);
  EXPECT_EQ(refresh(owner.at("refresh_token")).status, 401);
  EXPECT_EQ(me(thief.at("access_token")).status, 401);
  EXPECT_EQ(refresh(thief.at("refresh_token")).status, 401);
}

TEST_F(AccountsTest, calls_that_refresh_in_parallel_get_the_same_tokens_and_they_work) {
  ASSERT_TRUE(sessions_.set_password("ann@example.org", kPassword));
  const std::string token = log_in("ann@example.org", kPassword).at("refresh_token");
  const auto first = refresh(token);
  for (int call = 0; call < 3; ++call) EXPECT_EQ(refresh(token).body, first.body);
  EXPECT_EQ(me(first.at("access_token")).status, 200);
  EXPECT_EQ(refresh(first.at("refresh_token")).status, 200);
}

TEST_F(AccountsTest, a_lost_answer_to_a_refresh_costs_nothing) {
  ASSERT_TRUE(sessions_.set_password("ann@example.org", kPassword));
  const std::string token = log_in("ann@example.org", kPassword).at("refresh_token");
  for (int lost = 0; lost < 20; ++lost) {
    EXPECT_EQ(refresh(token).status, 200);
    clock_.advance_micros(kMicrosPerSecond * 3600);
  }
  const auto got = refresh(token);
  EXPECT_EQ(me(got.at("access_token")).status, 200);
  EXPECT_EQ(refresh(got.at("refresh_token")).status, 200);
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

TEST_F(AccountsTest, a_reset_names_the_keys_and_revokes_those_made_since_a_time) {
  ASSERT_TRUE(sessions_.set_password("ann@example.org", kPassword));
  clock_.advance_micros(kMicrosPerSecond * 3600);
  const std::string since = format_time(clock_.now());
  const std::string stolen = log_in("ann@example.org", kPassword).at("access_token");
  const std::string thief = send("keys", R"({"name":"thief"})", stolen).at("key");
  const std::string api_key = send("api-key", "", stolen).at("api_key");
  const std::string device = send("login", "", thief).at("token");
  EXPECT_EQ(me(device).status, 200);
  const auto reset = [&](const std::string& more) {
    const std::string token = *sessions_.make_reset_token("ann@example.org");
    return send("reset-password", R"({"token":")" + token + R"(","password":"a new password")" + more + "}");
  };

  const auto offer = reset("");
  EXPECT_EQ(offer.at("revoked_keys"), "[]");
  EXPECT_EQ(offer.at("keys.0.name"), "test");
  EXPECT_EQ(offer.at("keys.1.name"), "thief");
  EXPECT_EQ(me(stolen).status, 401);
  EXPECT_EQ(me(thief).status, 200) << "nobody has asked for more";
  EXPECT_EQ(reset(R"(,"revoke_keys_since":"yesterday")").status, 400);

  const auto revoked = reset(R"(,"revoke_keys_since":")" + since + '"');
  EXPECT_EQ(revoked.at("revoked_keys.0.name"), "thief");
  EXPECT_EQ(revoked.at("revoked_keys.1.name"), "kaisho api key");
  EXPECT_EQ(revoked.at("keys.0.name"), "test");
  for (const std::string& token : {thief, api_key, device}) EXPECT_EQ(me(token).status, 401);
  EXPECT_EQ(me(key_).status, 200);
}

}  // namespace
}  // namespace syncline
