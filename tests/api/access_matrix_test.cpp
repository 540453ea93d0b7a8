// Every route with every credential. The table comes from the router, so a new route is in it without being asked.
#include "api/ai/errors.hpp"
#include "api/kaisho/errors.hpp"
#include "api/kernle/errors.hpp"
#include "support/api_fixture.hpp"

namespace syncline {
namespace {

class AccessMatrixTest : public test::ApiFixture {
 protected:
  /// The pattern with its parameters filled in.
  static std::string target_of(const api::Route& route) {
    std::string target(route.pattern);
    for (std::size_t open = target.find('{'); open != std::string::npos; open = target.find('{', open)) {
      target.replace(open, target.find('}') - open + 1, "1");
    }
    if (!route.only_with_query.empty()) target += "?" + std::string(route.only_with_query.front()) + "=1";
    return target;
  }

  test::Answer call_with(const api::Route& route, const std::string& token) {
    const auto pending = begin({.method = route.method, .target = target_of(route), .token = token, .body = "{}"});
    scheduler_.run_posted();
    return pending.has_come() ? pending.get() : test::Answer{.status = 200};
  }
};

TEST_F(AccessMatrixTest, without_a_valid_key_only_open_routes_answer) {
  const std::string revoked = add_key("ann@example.org", {Scope::read, Scope::write});
  ASSERT_TRUE(access_.revoke_key("k2"));
  for (const api::Route& route : router_.routes()) {
    if (route.any_of.empty()) continue;
    for (const std::string& token : {std::string(), std::string("garbage-token"), revoked, key_ + "x"}) {
      if (token.empty() && route.key == api::Route::Key::may_follow) continue;
      const test::Answer answer = call_with(route, token);
      EXPECT_EQ(answer.status, 401) << route.pattern << " with '" << token << "'";
      EXPECT_TRUE(answer.headers.at("WWW-Authenticate").starts_with("Bearer realm=")) << route.pattern;
      EXPECT_EQ(answer.headers.at("WWW-Authenticate").find("error=") == std::string::npos, token.empty());
      if (route.errors == &kernle::kErrors || route.errors == &ai::kErrors) {
        EXPECT_EQ(answer.at("error.code"), "unauthorized");
        EXPECT_EQ(answer.at("error.message"), answer.at("detail"));
        continue;
      }
      const bool says_detail = route.errors == &kaisho::kErrors;
      EXPECT_EQ(answer.at("error"), says_detail ? answer.at("detail") : "Unauthorized");
    }
  }
}

TEST_F(AccessMatrixTest, an_expired_key_is_refused_everywhere) {
  const auto made = access_.add_key("ann@example.org", "short", scopes_of(Role::admin), std::nullopt,
                                    {.expires_at = clock_.now().plus_micros(kMicrosPerSecond)});
  ASSERT_TRUE(made);
  EXPECT_EQ(call({.target = "/v1/me", .token = made->token}).status, 200);
  clock_.advance_micros(kMicrosPerSecond);
  for (const api::Route& route : router_.routes()) {
    if (route.any_of.empty()) continue;
    EXPECT_EQ(call_with(route, made->token).status, 401) << route.pattern;
  }
}

TEST_F(AccessMatrixTest, a_session_may_do_what_the_role_of_its_account_may) {
  add_key("bob@example.org", {Scope::read});
  for (const std::string email : {"ann@example.org", "bob@example.org"}) {
    const Role role = access_.get_account(email)->role;
    EXPECT_EQ(role, email == "ann@example.org" ? Role::admin : Role::member) << "the first account is the admin";
    ASSERT_TRUE(sessions_.set_password(email, "correct horse"));
    for (const api::Route& route : router_.routes()) {
      if (route.any_of.empty()) continue;
      // Some routes end the session or change the password.
      const auto session = sessions_.log_in(email, "correct horse", "-");
      ASSERT_TRUE(session) << session.error().text;
      const test::Answer answer = call_with(route, session->access_token);
      EXPECT_NE(answer.status, 401) << route.pattern;
      EXPECT_EQ(answer.at("code") == "insufficient_scope", !scopes_of(role).has_any(route.any_of)) << route.pattern;
    }
  }
}

TEST_F(AccessMatrixTest, a_member_has_no_scope_admin_whatever_its_key_says) {
  const std::string key = add_key("ann@example.org", {Scope::admin, Scope::read});
  EXPECT_EQ(call({.target = "/metrics", .token = key}).status, 200);
  ASSERT_TRUE(access_.add_account("bob@example.org", Plan::pro));
  ASSERT_TRUE(access_.set_role("bob@example.org", Role::admin));
  ASSERT_TRUE(access_.set_role("ann@example.org", Role::member));
  for (const api::Route& route : router_.routes()) {
    if (route.any_of.empty() || route.any_of.has(Scope::read)) continue;
    EXPECT_EQ(call_with(route, key).status, 403) << route.pattern;
  }
  EXPECT_EQ(access_.set_role("bob@example.org", Role::member).error().code, ErrorCode::conflict) << "the last admin";
}

TEST_F(AccessMatrixTest, a_missing_scope_is_named_in_the_answer) {
  const std::vector<Scope> all = {
      Scope::read, Scope::write, Scope::keys, Scope::commands_submit, Scope::commands_run, Scope::commands_approve,
      Scope::admin};
  std::map<Scope, std::string> keys;
  for (const Scope scope : all) keys[scope] = add_key("ann@example.org", {scope});
  for (const api::Route& route : router_.routes()) {
    if (route.any_of.empty()) continue;
    for (const auto& [scope, token] : keys) {
      const test::Answer answer = call_with(route, token);
      if (route.any_of.has(scope)) {
        EXPECT_NE(answer.status, 401) << route.pattern;
        EXPECT_NE(answer.at("code"), "insufficient_scope") << route.pattern << " " << to_text(scope);
      } else {
        EXPECT_EQ(answer.status, 403) << route.pattern << " " << to_text(scope);
        EXPECT_NE(answer.headers.at("WWW-Authenticate").find("insufficient_scope"), std::string::npos);
      }
    }
  }
}

TEST_F(AccessMatrixTest, another_accounts_data_is_not_found) {
  const std::string marker = "planted-marker-of-ann";
  post("/v1/spaces/s/push", R"({"ops":[{"collection":"1","id":"1","doc":{"t":")" + marker + R"("}}]})");
  post("/v1/spaces/kiro/push", R"({"ops":[{"collection":"documents","id":"1","doc":{"t":")" + marker + R"("}}]})");
  post("/sync", R"({"conversations":{"1":[{"role":"user","content":")" + marker + R"(","timestamp":1}]}})");
  post("/command", R"({"type":"execute_bash","command":")" + marker + R"("})");
  post("/sync/apply", R"({"entries":[{"id":"1","start":"2026-11-21T09:00:00Z","updated_at":"2026-11-21T09:00:00Z",)"
                      R"("description":")" +
                          marker + R"("}]})");
  const std::string bob =
      add_key("bob@example.org", {Scope::read, Scope::write, Scope::commands_submit, Scope::commands_run});
  for (const api::Route& route : router_.routes()) {
    for (const std::string& target : {target_of(route), "/v1/spaces/s/records/1/1" + std::string()}) {
      const auto pending = begin({.method = route.method, .target = target, .token = bob, .body = "{}"});
      scheduler_.run_posted();
      if (pending.has_come()) {
        EXPECT_EQ(pending.get().body.find(marker), std::string::npos) << route.pattern;
      }
    }
  }
  EXPECT_NE(get("/v1/spaces/s/changes").body.find(marker), std::string::npos) << "Ann still has it";
}

TEST_F(AccessMatrixTest, half_a_surrogate_pair_is_refused_in_documents_of_v1_and_nowhere_else) {
  std::size_t tried = 0;
  for (const api::Route& route : router_.routes()) {
    if (route.method == http::Method::get || route.method == http::Method::del) continue;
    const auto pending =
        begin({.method = route.method, .target = target_of(route), .token = key_, .body = R"({"x":"cut \ud83d"})"});
    scheduler_.run_posted();
    if (!pending.has_come()) continue;
    const bool is_refused = pending.get().body.find("surrogate") != std::string::npos;
    EXPECT_EQ(is_refused, route.pattern == "/v1/spaces/{space}/records/{collection}/{id}")
        << route.pattern << ' ' << pending.get().body;
    ++tried;
  }
  EXPECT_GT(tried, 40U);
}

TEST_F(AccessMatrixTest, every_route_is_described) {
  const test::Answer answer = call({.target = "/openapi.json"});
  for (const api::Route& route : router_.routes()) {
    EXPECT_FALSE(route.summary.empty()) << route.pattern;
    EXPECT_FALSE(route.outcomes.empty()) << route.pattern;
    const auto path = answer.json().find("paths")->find(route.pattern);
    ASSERT_TRUE(path) << route.pattern;
  }
}

class FreePlanTest : public test::ApiFixture {
 protected:
  FreePlanTest() { access_.enforce_plans(true); }
};

TEST_F(FreePlanTest, enforced_plans_keep_free_accounts_from_syncing) {
  EXPECT_EQ(get("/sync").status, 200);
  ASSERT_TRUE(access_.set_plan("ann@example.org", Plan::free));
  const test::Answer refused = get("/sync");
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.at("current_plan"), "free");
}

class RateLimitedTest : public test::ApiFixture {
 protected:
  RateLimitedTest() : ApiFixture({.requests_per_minute = 2}) {}
};

TEST_F(RateLimitedTest, too_many_requests_get_429_with_retry_after) {
  EXPECT_EQ(get("/v1/me").status, 200);
  EXPECT_EQ(get("/v1/me").headers.at("RateLimit"), "\"default\";r=0;t=60");
  const test::Answer refused = get("/v1/me");
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.headers.at("Retry-After"), "30");
  EXPECT_EQ(get("/health").status, 200) << "open routes have no key to count";
}

class CorsTest : public test::ApiFixture {
 protected:
  CorsTest() : ApiFixture({.cors_origins = {"https://app.example"}}) {}
};

TEST_F(CorsTest, only_listed_origins_are_allowed) {
  const auto preflight = [&](const std::string& origin) {
    return call({.method = http::Method::options, .target = "/sync", .headers = {{"Origin", origin}}});
  };
  EXPECT_EQ(preflight("https://app.example").status, 204);
  EXPECT_EQ(preflight("https://app.example").headers.at("Access-Control-Allow-Origin"), "https://app.example");
  EXPECT_FALSE(preflight("https://evil.example").headers.contains("Access-Control-Allow-Origin"));
}

}  // namespace
}  // namespace syncline
