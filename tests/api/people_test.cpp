// What people see and change of their own access: sessions, keys, the password.
#include "support/api_fixture.hpp"

namespace syncline {
namespace {

constexpr std::string_view kPassword = "correct horse";

class PeopleTest : public test::ApiFixture {
 protected:
  PeopleTest() {
    EXPECT_TRUE(sessions_.set_password("ann@example.org", kPassword));
    session_ = log_in("Firefox");
  }

  std::string log_in(const std::string& client) {
    const auto answer = call({.method = http::Method::post,
                              .target = "/auth/login",
                              .body = R"({"email":"ann@example.org","password":"correct horse"})",
                              .headers = {{"User-Agent", client}},
                              .client = "192.0.2.7"});
    EXPECT_EQ(answer.status, 200) << answer.body;
    return answer.at("access_token");
  }

  test::Answer ask(http::Method method, const std::string& target, const std::string& body = "",
                   const std::string& token = "") {
    return call({.method = method, .target = target, .token = token.empty() ? session_ : token, .body = body});
  }
  test::Answer make_key(const std::string& repeat_key, const std::string& body, const std::string& token = "") {
    return call({.method = http::Method::post,
                 .target = "/v1/keys",
                 .token = token.empty() ? session_ : token,
                 .body = body,
                 .headers = {{"Idempotency-Key", repeat_key}}});
  }
  bool is_valid(const std::string& token) { return call({.target = "/v1/me", .token = token}).status == 200; }

  std::string session_;
};

TEST_F(PeopleTest, sessions_are_listed_with_who_opened_them) {
  clock_.advance_micros(kMicrosPerSecond);
  log_in("Syncline phone");
  const test::Answer list = ask(http::Method::get, "/v1/sessions");
  EXPECT_EQ(list.status, 200) << list.body;
  EXPECT_NE(list.body.find(R"("user_agent":"Syncline phone","address":"192.0.2.7")"), std::string::npos) << list.body;
  EXPECT_NE(list.body.find(R"("user_agent":"Firefox")"), std::string::npos);
  EXPECT_EQ(list.body.find(key_), std::string::npos);
  const auto first = list.body.find(R"("current":true)");
  EXPECT_NE(first, std::string::npos);
  EXPECT_EQ(list.body.find(R"("current":true)", first + 1), std::string::npos);
}

TEST_F(PeopleTest, a_session_can_be_ended_and_another_account_cannot) {
  const std::string other = log_in("phone");
  const std::string id = call({.target = "/v1/me", .token = other}).at("key.id");
  const std::string bob = add_key("bob@example.org", {Scope::keys});
  EXPECT_EQ(ask(http::Method::del, "/v1/sessions/" + id, "", bob).status, 404);
  EXPECT_EQ(ask(http::Method::del, "/v1/sessions/k1").status, 404) << "a key is no session";
  EXPECT_EQ(ask(http::Method::del, "/v1/sessions/" + id).status, 204);
  EXPECT_FALSE(is_valid(other));
  EXPECT_EQ(ask(http::Method::del, "/v1/sessions/" + id).status, 404);
}

TEST_F(PeopleTest, all_other_sessions_end_at_once_and_keys_stay) {
  const std::string phone = log_in("phone");
  const std::string tablet = log_in("tablet");
  EXPECT_EQ(ask(http::Method::post, "/v1/sessions/end-others").body, R"({"ended":2})");
  EXPECT_FALSE(is_valid(phone));
  EXPECT_FALSE(is_valid(tablet));
  EXPECT_TRUE(is_valid(session_));
  EXPECT_TRUE(is_valid(key_));
}

TEST_F(PeopleTest, a_key_has_at_most_the_rights_of_its_maker) {
  const std::string maker = add_key("ann@example.org", {Scope::keys, Scope::read});
  const test::Answer refused = ask(http::Method::post, "/v1/keys", R"({"label":"x","scopes":["read","write"]})", maker);
  EXPECT_EQ(refused.status, 403);
  EXPECT_NE(refused.at("detail").find("write"), std::string::npos);
  const test::Answer made = ask(http::Method::post, "/v1/keys", R"({"label":"x","scopes":["read"]})", maker);
  EXPECT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.headers.at("Cache-Control"), "no-store");
  EXPECT_TRUE(is_valid(made.at("key")));
}

TEST_F(PeopleTest, a_key_ends_when_it_should) {
  const std::string end = format_time(clock_.now().plus_micros(60 * kMicrosPerSecond));
  const test::Answer made =
      ask(http::Method::post, "/v1/keys", R"({"label":"guest","scopes":["read"],"expires_at":")" + end + "\"}");
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.at("expires_at"), end);
  const auto device = device_keys_.log_in(made.at("key"), "-");
  ASSERT_TRUE(device);
  clock_.advance_micros(59 * kMicrosPerSecond);
  EXPECT_TRUE(is_valid(made.at("key")));
  ASSERT_TRUE(access_.store_usage());
  clock_.advance_micros(kMicrosPerSecond);
  EXPECT_FALSE(is_valid(made.at("key")));
  EXPECT_FALSE(is_valid(device->token)) << "a session does not outlive its key";
  EXPECT_EQ(
      ask(http::Method::post, "/v1/keys", R"({"label":"late","scopes":["read"],"expires_at":"2020-01-01T00:00:00Z"})")
          .status,
      400);
}

TEST_F(PeopleTest, keys_are_listed_renamed_and_revoked) {
  const test::Answer made = ask(http::Method::post, "/v1/keys", R"({"label":"old","scopes":["read"]})");
  const std::string target = "/v1/keys/" + made.at("id");
  EXPECT_EQ(ask(http::Method::patch, target, R"({"label":"new"})").at("label"), "new");
  EXPECT_EQ(ask(http::Method::patch, target, R"({"label":""})").status, 400);
  ASSERT_TRUE(device_keys_.log_in(made.at("key"), "-"));
  const test::Answer list = ask(http::Method::get, "/v1/keys");
  EXPECT_NE(list.body.find(R"("label":"new")"), std::string::npos) << list.body;
  EXPECT_NE(list.body.find(R"("sessions":1)"), std::string::npos);
  EXPECT_EQ(list.body.find(made.at("key")), std::string::npos);
  const std::string bob = add_key("bob@example.org", {Scope::keys});
  EXPECT_EQ(ask(http::Method::del, target, "", bob).status, 404);
  EXPECT_EQ(ask(http::Method::patch, target, R"({"label":"mine"})", bob).status, 404);
  EXPECT_EQ(ask(http::Method::del, target).status, 204);
  EXPECT_FALSE(is_valid(made.at("key")));
  EXPECT_EQ(ask(http::Method::del, target).status, 404);
}

TEST_F(PeopleTest, a_repeated_request_makes_one_key_and_shows_the_same_token) {
  const std::string body = R"({"label":"phone","scopes":["read"]})";
  const test::Answer first = make_key("\"r1\"", body);
  ASSERT_EQ(first.status, 201) << first.body;
  EXPECT_FALSE(first.headers.contains("Idempotent-Replayed"));
  const test::Answer again = make_key("\"r1\"", body);
  EXPECT_EQ(again.status, 201);
  EXPECT_EQ(again.body, first.body);
  EXPECT_EQ(again.headers.at("Idempotent-Replayed"), "true");
  EXPECT_EQ(again.headers.at("Cache-Control"), "no-store");
  EXPECT_TRUE(is_valid(first.at("key")));
  EXPECT_EQ(own_keys_.keys({.email = "ann@example.org"})->size(), 2U) << "and the fixture's";
  EXPECT_NE(make_key("\"r2\"", body).at("id"), first.at("id"));
  EXPECT_NE(make_key("", body).at("id"), make_key("", body).at("id")) << "without an Idempotency-Key";
}

TEST_F(PeopleTest, the_token_of_a_repeatable_request_is_not_stored) {
  const test::Answer made = make_key("r1", R"({"label":"phone","scopes":["read"]})");
  const std::string token = made.at("key");
  const std::string secret = token.substr(token.rfind('_') + 1, 20);
  ASSERT_TRUE(store_.directory().read([&](DirectoryView& view) {
    return view.keys(std::nullopt, [&](const KeyRow& row) {
      EXPECT_EQ(row.doc.find(secret), std::string::npos) << row.doc;
      EXPECT_EQ(row.doc.find(session_), std::string::npos) << row.doc;
      return true;
    });
  }));
}

TEST_F(PeopleTest, another_request_with_the_same_idempotency_key_is_refused) {
  ASSERT_EQ(make_key("r1", R"({"label":"phone","scopes":["read"]})").status, 201);
  const test::Answer other = make_key("r1", R"({"label":"tablet","scopes":["read"]})");
  EXPECT_EQ(other.status, 422);
  EXPECT_EQ(other.at("code"), "idempotency_key_reused");
  EXPECT_EQ(make_key(std::string(257, 'x'), R"({"label":"phone","scopes":["read"]})").status, 400);
}

TEST_F(PeopleTest, a_repeated_request_is_the_askers_own_and_good_for_a_day) {
  const std::string body = R"({"label":"phone","scopes":["read"]})";
  const std::string maker = add_key("ann@example.org", {Scope::keys, Scope::read});
  const std::string first = make_key("r1", body, maker).at("id");
  EXPECT_NE(make_key("r1", body).at("id"), first) << "another key asks";
  clock_.advance_micros(86'399 * kMicrosPerSecond);
  EXPECT_EQ(make_key("r1", body, maker).at("id"), first);
  clock_.advance_micros(kMicrosPerSecond);
  EXPECT_NE(make_key("r1", body, maker).at("id"), first);
}

TEST_F(PeopleTest, a_renewed_session_cannot_show_the_token_again) {
  const auto session = sessions_.log_in("ann@example.org", kPassword, "-");
  const std::string body = R"({"label":"phone","scopes":["read"]})";
  ASSERT_EQ(make_key("r1", body, session->access_token).status, 201);
  const auto renewed = sessions_.refresh(session->refresh_token);
  ASSERT_TRUE(renewed);
  EXPECT_EQ(make_key("r1", body, renewed->access_token).status, 409);
  const std::string own = R"({"label":"old client","scopes":["read"],"token":"a-token-of-its-own"})";
  EXPECT_EQ(make_key("r2", own, renewed->access_token).status, 201);
  const test::Answer again = make_key("r2", own, renewed->access_token);
  EXPECT_EQ(again.at("key"), "a-token-of-its-own");
  EXPECT_EQ(again.headers.at("Idempotent-Replayed"), "true");
}

TEST_F(PeopleTest, a_repeated_request_shows_the_key_as_it_is_now) {
  const std::string end = format_time(clock_.now().plus_micros(60 * kMicrosPerSecond));
  const std::string body = R"({"label":"guest","scopes":["read"],"expires_at":")" + end + "\"}";
  const test::Answer made = make_key("r1", body);
  ASSERT_EQ(made.status, 201);
  clock_.advance_micros(61 * kMicrosPerSecond);
  EXPECT_EQ(make_key("r1", body).status, 201) << "it was made, although it has ended";
  EXPECT_EQ(ask(http::Method::del, "/v1/keys/" + made.at("id")).status, 204);
  EXPECT_NE(make_key("r1", body).at("revoked_at"), "null");
}

TEST_F(PeopleTest, a_password_is_changed_by_whoever_knows_it) {
  const std::string phone = log_in("phone");
  EXPECT_EQ(ask(http::Method::post, "/v1/password", R"({"current":"wrong horse","new":"battery staple"})").status, 403);
  EXPECT_TRUE(is_valid(phone));
  EXPECT_EQ(ask(http::Method::post, "/v1/password", R"({"current":"correct horse","new":"short"})").status, 400);
  const test::Answer changed =
      ask(http::Method::post, "/v1/password", R"({"current":"correct horse","new":"battery staple"})");
  ASSERT_EQ(changed.status, 200) << changed.body;
  EXPECT_FALSE(is_valid(phone));
  EXPECT_FALSE(is_valid(session_));
  EXPECT_TRUE(is_valid(changed.at("access_token")));
  EXPECT_TRUE(is_valid(key_)) << "keys of programs stay";
  EXPECT_TRUE(sessions_.log_in("ann@example.org", "battery staple", "-"));
}

TEST_F(PeopleTest, a_session_may_approve_commands) {
  EXPECT_NE(ask(http::Method::post, "/command/cmd-1/approval", R"({"decision":"approve"})").status, 403);
}

TEST_F(PeopleTest, the_time_is_told_to_everybody) {
  const test::Answer time = call({.target = "/v1/time"});
  EXPECT_EQ(time.status, 200);
  EXPECT_EQ(time.at("now"), format_time(clock_.now()));
  EXPECT_EQ(time.headers.at("Cache-Control"), "no-store");
}

}  // namespace
}  // namespace syncline
