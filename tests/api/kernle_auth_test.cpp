// Registering, logging in with a key, keys and usage, in the shapes that Kernle's clients read.
#include "support/kernle_fixture.hpp"

namespace syncline {
namespace {

using http::Method;
using test::Answer;

class KernleAuthTest : public test::KernleFixture {
 protected:
  Answer send(Method method, const std::string& target, const std::string& token, const std::string& body = "") {
    return call({.method = method, .target = target, .token = token, .body = body});
  }
};

TEST_F(KernleAuthTest, registration_returns_a_user_a_secret_and_a_session) {
  const Answer answer = send(Method::post, "/auth/register", "", R"({"stack_id":"claire","email":"new@example.org"})");
  EXPECT_EQ(answer.status, 201);
  EXPECT_TRUE(answer.at("user_id").starts_with("usr_"));
  EXPECT_EQ(answer.at("user_id").size(), 16U);
  EXPECT_TRUE(answer.at("secret").starts_with("knl_sk_"));
  EXPECT_EQ(answer.at("secret").size(), 39U);
  EXPECT_EQ(answer.at("token_type"), "bearer");
  EXPECT_EQ(answer.at("expires_in"), "604800");
  EXPECT_EQ(pull(answer.at("access_token")).status, 200);
  EXPECT_EQ(pull(answer.at("secret")).status, 200);
  const Answer again = send(Method::post, "/auth/register", "", R"({"agent_id":"x","email":"New@example.org"})");
  EXPECT_EQ(again.status, 409);
  EXPECT_EQ(again.at("detail"), "Email already registered");
  EXPECT_EQ(send(Method::post, "/auth/register", "", R"({"stack_id":"a b","email":"c@example.org"})").status, 400);
  EXPECT_EQ(send(Method::post, "/auth/register", "", R"({"stack_id":"claire","email":"nobody"})").status, 400);
}

TEST_F(KernleAuthTest, a_login_with_a_key_and_an_empty_body_opens_a_session) {
  const Answer answer = send(Method::post, "/auth/login", api_key_);
  EXPECT_EQ(answer.status, 200);
  EXPECT_NE(answer.at("token"), api_key_);
  EXPECT_EQ(answer.at("token_expires"), "2026-11-29T12:00:00.000000Z");
  EXPECT_EQ(answer.at("agent_id"), answer.at("stack_id"));
  EXPECT_EQ(answer.at("data.token"), answer.at("token"));
  EXPECT_EQ(answer.at("data.user_id"), answer.at("user_id"));
  EXPECT_NE(log_in(), answer.at("token")) << "each home has one of its own";
  const Answer by_body = send(Method::post, "/auth/login", "", R"({"api_key":")" + api_key_ + "\"}");
  EXPECT_EQ(by_body.status, 200);
  const Answer wrong = send(Method::post, "/auth/login", "knl_sk_00000000000000000000000000000000");
  EXPECT_EQ(wrong.status, 401);
  EXPECT_EQ(wrong.at("detail"), "Invalid API key");
  EXPECT_EQ(send(Method::post, "/auth/login", answer.at("token")).status, 401) << "a session opens no session";
  EXPECT_EQ(send(Method::post, "/auth/login", "", R"({"email":"ann@example.org","password":"wrong-wrong"})").status,
            401);
  EXPECT_EQ(send(Method::post, "/auth/login", "").status, 400);
}

TEST_F(KernleAuthTest, exchanges_a_secret_for_a_token) {
  const Answer answer = send(Method::post, "/auth/token", "", R"({"stack_id":"claire","secret":")" + api_key_ + "\"}");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.at("stack_id"), "claire");
  EXPECT_EQ(pull(answer.at("access_token")).status, 200);
  EXPECT_EQ(send(Method::post, "/auth/token", "", R"({"secret":"nothing-of-the-kind"})").status, 401);
}

TEST_F(KernleAuthTest, a_session_expires_a_week_after_its_last_use) {
  const std::string used = log_in();
  const std::string idle = log_in();
  for (int day = 0; day < 10; ++day) {
    clock_.advance_micros(86'400 * kMicrosPerSecond);
    EXPECT_EQ(pull(used).status, 200) << day;
    ASSERT_TRUE(access_.store_usage());
  }
  EXPECT_EQ(pull(idle).status, 401);
  clock_.advance_micros(kMicrosPerSecond * 8 * 86'400);
  EXPECT_EQ(pull(used).status, 401);
  ASSERT_TRUE(sessions_.purge());
  EXPECT_EQ(send(Method::get, "/auth/keys", api_key_).status, 200) << "a key has no end";
}

TEST_F(KernleAuthTest, D26_keys_are_listed_as_a_json_array) {
  log_in();
  const Answer list = send(Method::get, "/auth/keys", api_key_);
  ASSERT_TRUE(list.json().is_array());
  EXPECT_EQ(list.at("1.name"), "kernle");
  EXPECT_EQ(list.at("1.is_active"), "true");
  EXPECT_EQ(list.at("2"), "(none)") << "sessions are no keys";
  const Answer object = send(Method::get, "/auth/keys?format=object", api_key_);
  EXPECT_EQ(object.at("keys.1.id"), list.at("1.id"));
  EXPECT_EQ(object.at("data.keys.1.id"), list.at("1.id"));
}

TEST_F(KernleAuthTest, revoking_a_key_ends_its_sessions) {
  const Answer made = send(Method::post, "/auth/keys", api_key_, R"({"name":"laptop"})");
  EXPECT_EQ(made.status, 201);
  EXPECT_EQ(made.at("name"), "laptop");
  EXPECT_EQ(made.at("key_prefix"), made.at("key").substr(0, 12));
  EXPECT_EQ(send(Method::post, "/auth/keys", api_key_, "{}").at("name"), "Default");
  EXPECT_EQ(send(Method::post, "/auth/keys", api_key_).status, 201);
  EXPECT_EQ(send(Method::post, "/auth/keys", api_key_, R"({"name":")" + std::string(65, 'n') + "\"}").status, 400);
  const std::string session = log_in(made.at("key"));
  EXPECT_EQ(pull(session).status, 200);
  EXPECT_EQ(send(Method::del, "/auth/keys/" + made.at("id"), api_key_).status, 204);
  EXPECT_EQ(pull(made.at("key")).status, 401);
  EXPECT_EQ(pull(session).status, 401);
  EXPECT_EQ(send(Method::del, "/auth/keys/" + made.at("id"), api_key_).status, 404);
  EXPECT_EQ(send(Method::del, "/auth/keys/nothing", api_key_).at("detail"), "Key not found");
}

TEST_F(KernleAuthTest, D26_cycling_returns_the_new_key_where_clients_read_it) {
  const Answer made = send(Method::post, "/auth/keys", api_key_, R"({"name":"laptop"})");
  const Answer cycled = send(Method::post, "/auth/keys/" + made.at("id") + "/cycle", api_key_);
  EXPECT_EQ(cycled.status, 200);
  EXPECT_EQ(cycled.at("old_key_id"), made.at("id"));
  EXPECT_EQ(cycled.at("name"), "laptop");
  EXPECT_EQ(cycled.at("new_key.key"), cycled.at("key"));
  EXPECT_EQ(pull(made.at("key")).status, 401);
  EXPECT_EQ(pull(cycled.at("key")).status, 200);
  EXPECT_EQ(send(Method::post, "/auth/keys/" + made.at("id") + "/cycle", api_key_).status, 400);
  EXPECT_EQ(send(Method::post, "/auth/keys/nothing/cycle", api_key_).status, 404);
}

TEST_F(KernleAuthTest, other_accounts_keys_are_hidden_and_scopes_cannot_be_escalated) {
  const std::string eve = add_key("eve@example.org", {Scope::keys, Scope::read});
  const Answer mine = send(Method::get, "/auth/keys", api_key_);
  EXPECT_EQ(send(Method::del, "/auth/keys/" + mine.at("1.id"), eve).status, 404);
  EXPECT_EQ(send(Method::post, "/auth/keys/" + mine.at("1.id") + "/cycle", eve).status, 404);
  const Answer made = send(Method::post, "/auth/keys", eve, "{}");
  EXPECT_EQ(push(made.at("key"), {}).status, 403);
  const std::string boss = add_key("ann@example.org", {Scope::keys, Scope::read, Scope::admin});
  const Answer lesser = send(Method::post, "/auth/keys", boss, "{}");
  EXPECT_FALSE((*access_.authenticate(lesser.at("key")))->scopes.has(Scope::admin));
  // A key that may little cannot make itself the successor of one that may much, nor destroy that.
  const std::string keeper = add_key("ann@example.org", {Scope::keys});
  EXPECT_EQ(send(Method::post, "/auth/keys/" + mine.at("1.id") + "/cycle", keeper).status, 403);
  EXPECT_EQ(send(Method::post, "/auth/api-key", keeper).status, 403);
  EXPECT_EQ(pull(api_key_).status, 200);
}

TEST_F(KernleAuthTest, a_key_revoked_during_a_request_creates_nothing) {
  const Answer made = send(Method::post, "/auth/keys", api_key_, "{}");
  const auto maker = access_.authenticate(made.at("key"));
  ASSERT_TRUE(access_.revoke_key(made.at("id")));
  EXPECT_FALSE(device_keys_.create(**maker, "n"));
  EXPECT_FALSE(device_keys_.cycle(**maker, made.at("id")));
  EXPECT_FALSE(sessions_.replace_api_key(**maker, "test"));
}

TEST_F(KernleAuthTest, a_password_login_ignores_other_members_of_the_request) {
  ASSERT_TRUE(sessions_.set_password("ann@example.org", "a long password"));
  const std::string body = R"({"email":"ann@example.org","password":"a long password"})";
  for (const std::string& token : {std::string(), std::string("null-and-stale"), log_in()}) {
    EXPECT_EQ(send(Method::post, "/auth/login", token, body).status, 200) << token;
  }
}

TEST_F(KernleAuthTest, a_new_account_key_revokes_the_previous_one_and_its_sessions_even_if_cycled) {
  const Answer first = send(Method::post, "/auth/api-key", api_key_);
  const std::string session = log_in(first.at("api_key"));
  const Answer keys = send(Method::get, "/auth/keys", api_key_);
  const Answer cycled = send(Method::post, "/auth/keys/" + keys.at("2.id") + "/cycle", api_key_);
  EXPECT_EQ(pull(session).status, 401);
  const std::string again = log_in(cycled.at("key"));
  EXPECT_EQ(send(Method::post, "/auth/api-key", api_key_).status, 200);
  EXPECT_EQ(pull(cycled.at("key")).status, 401);
  EXPECT_EQ(pull(again).status, 401);
}

TEST_F(KernleAuthTest, a_key_can_open_a_limited_number_of_sessions) {
  for (int i = 0; i < 100; ++i) log_in();
  const Answer refused = send(Method::post, "/auth/login", api_key_);
  EXPECT_EQ(refused.status, 429);
  EXPECT_TRUE(refused.headers.contains("Retry-After"));
  EXPECT_EQ(pull(api_key_).status, 200);
  clock_.advance_micros(16LL * 60 * kMicrosPerSecond);
  log_in();
}

TEST_F(KernleAuthTest, D24_a_key_has_no_request_quota) {
  for (int i = 0; i < 1200; ++i) ASSERT_EQ(pull(api_key_, "null").status, 200);
  EXPECT_EQ(send(Method::get, "/auth/usage", api_key_).at("usage.daily_requests"), "1201");
}

TEST_F(KernleAuthTest, logout_ends_the_session_but_keeps_the_key) {
  const std::string session = log_in();
  EXPECT_EQ(send(Method::post, "/auth/logout", session).at("status"), "logged_out");
  EXPECT_EQ(pull(session).status, 401);
  EXPECT_EQ(send(Method::post, "/auth/logout", api_key_).status, 200);
  EXPECT_EQ(pull(api_key_).status, 200);
}

TEST_F(KernleAuthTest, me_and_usage_return_all_members_that_clients_read) {
  push(api_key_, {{"n1", R"({"content":"c"})", "10:00:00"}});
  const Answer me = send(Method::get, "/auth/me", api_key_);
  EXPECT_EQ(me.at("email"), "ann@example.org");
  EXPECT_EQ(me.at("plan"), "pro");
  EXPECT_EQ(me.at("agent_id"), "claire");
  EXPECT_EQ(me.at("tier"), "pro");
  EXPECT_EQ(me.at("last_sync_at"), "2026-11-22T12:00:00.000000Z");
  EXPECT_EQ(me.at("limits.daily_limit"), "null");
  const Answer usage = send(Method::get, "/auth/usage", api_key_);
  EXPECT_EQ(usage.at("usage.daily_requests"), "3");
  EXPECT_EQ(usage.at("usage.daily_reset_at"), "2026-11-23T00:00:00.000000Z");
  EXPECT_EQ(usage.at("usage.monthly_reset_at"), "2026-12-01T00:00:00.000000Z");
  EXPECT_EQ(usage.at("daily_remaining"), "null");
  clock_.advance_micros(86'400 * kMicrosPerSecond);
  EXPECT_EQ(send(Method::get, "/auth/usage", api_key_).at("usage"),
            R"({"daily_requests":1,"monthly_requests":4,"daily_reset_at":"2026-11-24T00:00:00.000000Z",)"
            R"("monthly_reset_at":"2026-12-01T00:00:00.000000Z"})");
  ASSERT_TRUE(meter_.save());
  RequestMeter reopened(store_, clock_);
  ASSERT_TRUE(reopened.load());
  EXPECT_EQ(reopened.usage({1}).this_month, 4);
}

}  // namespace
}  // namespace syncline
