// What the API writes into the audit log, and who may read it.
#include <algorithm>

#include "support/api_fixture.hpp"

namespace syncline {
namespace {

using http::Method;

class AuditApiTest : public test::ApiFixture {
 protected:
  static constexpr std::string_view kPassword = "correct horse";

  AuditApiTest() {
    admin_ = add_key("ann@example.org", {Scope::admin}, "console");
    owner_ = add_key("ann@example.org", {Scope::read, Scope::write, Scope::keys}, "owner");
    EXPECT_TRUE(sessions_.set_password("ann@example.org", kPassword));
    last_ = newest();
  }

  test::Answer ask(Method method, const std::string& target, const std::string& token, const std::string& body = "{}",
                   std::map<std::string, std::string> headers = {}) {
    clock_.advance_micros(1000);
    return call({.method = method,
                 .target = target,
                 .token = token,
                 .body = body,
                 .headers = std::move(headers),
                 .client = "192.0.2.7"});
  }
  test::Answer log_in(std::string_view password = kPassword) {
    return ask(Method::post, "/auth/login", "",
               R"({"email":"ann@example.org","password":")" + std::string(password) + "\"}");
  }
  std::int64_t newest() {
    const auto page = access_.audit().list({.account = {}, .action = {}, .since = {}, .limit = 1});
    return page && !page->entries.empty() ? page->entries.front().number : 0;
  }
  /// Entries since the last call, oldest first.
  std::vector<AuditEntry> entries() {
    auto page = access_.audit().list({.account = {}, .action = {}, .since = {}, .limit = 1000});
    EXPECT_TRUE(page);
    std::erase_if(page->entries, [&](const AuditEntry& entry) { return entry.number <= last_; });
    std::ranges::reverse(page->entries);
    last_ = newest();
    return page->entries;
  }
  /// "action" of each, with "!" in front of what was refused.
  std::vector<std::string> actions() {
    std::vector<std::string> found;
    for (const AuditEntry& entry : entries()) {
      found.push_back((entry.event.succeeded ? "" : "!") + entry.event.action);
    }
    return found;
  }
  using Actions = std::vector<std::string>;

  std::string admin_;
  std::string owner_;
  std::int64_t last_ = 0;
};

TEST_F(AuditApiTest, signing_in_and_out_is_written_down) {
  const std::string token = log_in().at("access_token");
  const auto opened = entries();
  ASSERT_EQ(opened.size(), 1U);
  EXPECT_EQ(opened[0].event.action, "session.opened");
  EXPECT_EQ(opened[0].actor.account, "ann@example.org");
  EXPECT_EQ(opened[0].actor.address, "192.0.2.7");
  EXPECT_EQ(opened[0].event.account, "ann@example.org");
  EXPECT_EQ(opened[0].event.detail, "with a password");
  EXPECT_EQ(opened[0].event.target, call({.target = "/v1/me", .token = token}).at("key.id"));

  EXPECT_EQ(ask(Method::del, "/v1/session", token).status, 204);
  const auto ended = entries();
  ASSERT_EQ(ended.size(), 1U);
  EXPECT_EQ(ended[0].event.action, "session.signed_out");
  EXPECT_EQ(ended[0].actor.key, opened[0].event.target);

  const std::map<std::string, std::string> local = {{"Host", "localhost"}};
  EXPECT_EQ(ask(Method::post, "/v1/session", "", R"({"key":")" + key_ + "\"}", local).status, 200);
  const auto cookie = entries();
  ASSERT_EQ(cookie.size(), 1U);
  EXPECT_EQ(cookie[0].event.detail, "with key k1, in a cookie");
}

TEST_F(AuditApiTest, refusals_name_the_account_only_if_there_is_one_and_never_what_was_typed) {
  EXPECT_EQ(log_in("wrong horse").status, 401);
  ask(Method::post, "/auth/login", "", R"({"email":"my secret password","password":"x"})");
  ask(Method::post, "/auth/login", "sl_nonsense");
  ask(Method::post, "/auth/reset-password", "", R"({"token":"slreset_nonsense","password":"correct horse"})");
  const auto refused = entries();
  ASSERT_EQ(refused.size(), 4U);
  EXPECT_EQ(refused[0].event.action, "session.refused");
  EXPECT_EQ(refused[0].event.account, "ann@example.org");
  EXPECT_EQ(refused[0].actor.account, "") << "somebody who does not know the password";
  EXPECT_EQ(refused[0].actor.address, "192.0.2.7");
  EXPECT_FALSE(refused[0].event.succeeded);
  EXPECT_EQ(refused[1].event.account, "");
  EXPECT_EQ(refused[2].event.action, "session.refused");
  EXPECT_EQ(refused[3].event.action, "password.refused");
}

TEST_F(AuditApiTest, keys_sessions_and_passwords_are_written_down) {
  const std::string token = log_in().at("access_token");
  const auto made = ask(Method::post, "/v1/keys", token, R"({"label":"laptop","scopes":["read"]})");
  const std::string id = made.at("id");
  EXPECT_EQ(ask(Method::patch, "/v1/keys/" + id, token, R"({"label":"desk"})").status, 200);
  EXPECT_EQ(ask(Method::del, "/v1/keys/" + id, token).status, 204);
  log_in();
  EXPECT_EQ(ask(Method::post, "/v1/sessions/end-others", token).status, 200);
  EXPECT_EQ(ask(Method::post, "/v1/password", token, R"({"current":"wrong horse","new":"battery staple"})").status,
            403);
  EXPECT_EQ(ask(Method::post, "/v1/password", token, R"({"current":"correct horse","new":"battery staple"})").status,
            200);
  const auto all = entries();
  Actions found;
  for (const AuditEntry& entry : all) found.push_back(entry.event.action);
  EXPECT_EQ(found, (Actions{"session.opened", "key.created", "key.renamed", "key.revoked", "session.opened",
                            "session.ended_others", "password.refused", "password.changed", "session.opened"}));
  EXPECT_EQ(all[1].event.target, id);
  EXPECT_EQ(all[1].event.detail, "laptop: read in all spaces");
  EXPECT_EQ(all[1].actor.key, all[0].event.target);
  EXPECT_EQ(all[2].event.detail, "laptop to desk");
}

TEST_F(AuditApiTest, a_repeated_request_is_one_act) {
  const std::map<std::string, std::string> repeat = {{"Idempotency-Key", "again"}};
  const std::string body = R"({"label":"laptop","scopes":["read"]})";
  const std::string first = ask(Method::post, "/v1/keys", owner_, body, repeat).at("id");
  EXPECT_EQ(ask(Method::post, "/v1/keys", owner_, body, repeat).at("id"), first);
  EXPECT_EQ(ask(Method::del, "/v1/keys/" + first, owner_).status, 204);
  EXPECT_EQ(ask(Method::del, "/v1/keys/" + first, owner_).status, 404);
  EXPECT_EQ(actions(), (Actions{"key.created", "key.revoked"}));
}

TEST_F(AuditApiTest, the_keys_of_clients_are_written_down_too) {
  const auto made = ask(Method::post, "/auth/keys", owner_, R"({"name":"device"})");
  ask(Method::post, "/auth/login", made.at("key"));
  ask(Method::post, "/auth/keys/" + made.at("id") + "/cycle", owner_);
  ask(Method::post, "/auth/api-key", owner_);
  ask(Method::post, "/auth/api-key", owner_);
  ask(Method::post, "/auth/register", "", R"({"email":"bob@example.org"})");
  ask(Method::post, "/auth/signup", "", R"({"email":"cleo@example.org","password":"correct horse"})");
  EXPECT_EQ(actions(), (Actions{"key.created", "session.opened", "key.created", "key.revoked", "key.created",
                                "key.revoked", "key.created", "account.created", "key.created", "session.opened",
                                "account.created", "session.opened"}));
}

TEST_F(AuditApiTest, a_copied_refresh_token_is_written_down) {
  const std::string first = log_in().at("refresh_token");
  const auto refresh = [&](const std::string& token) {
    clock_.advance_micros(120 * kMicrosPerSecond);
    return ask(Method::post, "/auth/refresh", "", R"({"refresh_token":")" + token + "\"}");
  };
  const std::string second = refresh(first).at("refresh_token");
  EXPECT_EQ(refresh(second).status, 200);
  entries();
  EXPECT_EQ(refresh(first).status, 401);
  const auto ended = entries();
  ASSERT_EQ(ended.size(), 1U);
  EXPECT_EQ(ended[0].event.action, "session.ended");
  EXPECT_NE(ended[0].event.detail.find("copy"), std::string::npos);
}

TEST_F(AuditApiTest, administration_of_accounts_is_written_down) {
  ASSERT_TRUE(access_.add_account("bob@example.org", Plan::free));
  ASSERT_TRUE(access_.set_plan("bob@example.org", Plan::pro));
  ASSERT_TRUE(access_.set_role("bob@example.org", Role::admin));
  ASSERT_TRUE(access_.set_ai_cap("bob@example.org", 5));
  ASSERT_TRUE(access_.set_plan_label("bob@example.org", "sync"));
  ASSERT_TRUE(sessions_.make_reset_token("bob@example.org"));
  ASSERT_TRUE(sessions_.make_reset_token("bob@example.org", Sessions::kInvitationSeconds));
  ASSERT_TRUE(sessions_.set_password("bob@example.org", kPassword));
  ASSERT_TRUE(access_.remove_account("bob@example.org"));
  EXPECT_FALSE(access_.set_plan("bob@example.org", Plan::pro)) << "what fails is no act";
  const auto all = entries();
  Actions found;
  for (const AuditEntry& entry : all) {
    found.push_back(entry.event.action);
    EXPECT_EQ(entry.event.account, "bob@example.org");
  }
  EXPECT_EQ(found, (Actions{"account.created", "account.plan", "account.role", "account.ai_cap", "account.plan_label",
                            "password.reset_offered", "account.invited", "password.set", "account.removed",
                            "account.erased"}));
}

TEST_F(AuditApiTest, approvals_and_wipes_are_written_down) {
  const std::string ide = add_key("ann@example.org", {Scope::commands_submit, Scope::commands_approve}, "ide");
  const std::string runner = add_key("ann@example.org", {Scope::commands_run}, "runner");
  entries();
  const auto hold = [&] {
    const std::string id =
        ask(Method::post, "/command", ide, R"({"type":"execute_bash","command":"x --token t"})").at("commandId");
    ask(Method::post, "/command/claim", runner);
    ask(Method::post, "/command/" + id + "/approval/request", runner, R"({"rule":"rule 1","pattern":"x *"})");
    return "/command/" + id + "/approval";
  };
  const std::string always = hold();
  EXPECT_EQ(ask(Method::post, always, ide, R"({"decision":"approve"})").status, 403);
  EXPECT_EQ(ask(Method::post, always, key_, R"({"decision":"approve","always":true})").status, 200);
  const std::string standing = ask(Method::get, "/command/approvals", key_).at("approvals.0.id");
  EXPECT_EQ(ask(Method::del, "/command/approvals/" + standing, key_).status, 204);
  EXPECT_EQ(ask(Method::del, "/command/approvals/" + standing, key_).status, 404);
  ask(Method::post, "/command/claim", runner);
  EXPECT_EQ(ask(Method::post, hold(), key_, R"({"decision":"deny"})").status, 200);
  EXPECT_EQ(ask(Method::del, "/sync/entries", key_).status, 200);
  const auto all = entries();
  Actions found;
  for (const AuditEntry& entry : all) found.push_back((entry.event.succeeded ? "" : "!") + entry.event.action);
  EXPECT_EQ(found,
            (Actions{"!command.approved", "command.approved", "approval.withdrawn", "command.denied", "space.wiped"}));
  ASSERT_EQ(all.size(), 5U);
  EXPECT_EQ(all[0].actor.label, "ide");
  EXPECT_EQ(all[1].actor.key, "k1");
  EXPECT_EQ(all[1].event.detail, "execute_bash; rule 1; always, as approval " + standing);
  EXPECT_EQ(all[2].event.target, standing);
}

TEST_F(AuditApiTest, webhooks_are_written_down_without_their_secret) {
  const auto made = ask(Method::post, "/webhooks", key_,
                        R"({"webhook_url":"https://app.example/hook?t=1","events":["record.changed"]})");
  const std::string path = "/webhooks/" + made.at("id");
  ask(Method::patch, path, key_, R"({"enabled":false})");
  ask(Method::post, path + "/rotate-secret", key_);
  ask(Method::del, path, key_);
  const auto all = entries();
  Actions found;
  for (const AuditEntry& entry : all) {
    found.push_back(entry.event.action);
    EXPECT_EQ(entry.event.target, made.at("id"));
    EXPECT_EQ(entry.event.detail, "");
  }
  EXPECT_EQ(found, (Actions{"webhook.created", "webhook.changed", "webhook.secret_rotated", "webhook.removed"}));
}

TEST_F(AuditApiTest, nothing_secret_gets_into_the_log) {
  const auto session = log_in();
  const auto key = ask(Method::post, "/v1/keys", session.at("access_token"), R"({"label":"l","scopes":["read"]})");
  const std::string reset = *sessions_.make_reset_token("ann@example.org");
  log_in("wrong horse");
  const test::Answer answer = ask(Method::get, "/v1/admin/audit?limit=1000", admin_);
  EXPECT_EQ(answer.status, 200);
  for (const std::string& secret : {session.at("access_token"), session.at("refresh_token"), key.at("key"), reset,
                                    std::string(kPassword), std::string("wrong horse"), key_, admin_}) {
    EXPECT_EQ(answer.body.find(secret), std::string::npos) << secret;
  }
}

TEST_F(AuditApiTest, admins_read_it_page_by_page_and_members_do_not) {
  for (int i = 0; i < 5; ++i) log_in();
  const test::Answer first = ask(Method::get, "/v1/admin/audit?action=session&limit=3", admin_);
  EXPECT_EQ(first.status, 200) << first.body;
  EXPECT_EQ(first.at("entries.0.action"), "session.opened");
  EXPECT_GT(std::stoll(first.at("entries.0.number")), std::stoll(first.at("entries.1.number")));
  EXPECT_EQ(first.at("next"), first.at("entries.2.number"));
  const test::Answer rest =
      ask(Method::get, "/v1/admin/audit?action=session&limit=3&after=" + first.at("next"), admin_);
  EXPECT_EQ(rest.at("entries.1.action"), "session.opened");
  EXPECT_EQ(rest.at("next"), "null");
  EXPECT_EQ(ask(Method::get, "/v1/admin/audit?account=nobody@example.org", admin_).at("entries"), "[]");
  for (const std::string query : {"limit=0", "limit=x", "after=-1", "since=never"}) {
    EXPECT_EQ(ask(Method::get, "/v1/admin/audit?" + query, admin_).status, 400) << query;
  }

  EXPECT_EQ(ask(Method::get, "/v1/admin/audit", key_).at("code"), "insufficient_scope");
  ASSERT_TRUE(access_.add_account("bob@example.org", Plan::pro));
  ASSERT_TRUE(sessions_.set_password("bob@example.org", kPassword));
  const std::string member = sessions_.log_in("bob@example.org", kPassword, "-")->access_token;
  EXPECT_EQ(ask(Method::get, "/v1/admin/audit", member).status, 403);
  EXPECT_EQ(ask(Method::get, "/v1/admin/audit", "").status, 401);
  const std::string person = log_in().at("access_token");
  EXPECT_EQ(ask(Method::get, "/v1/admin/audit", person).status, 200) << "an admin's session";
}

}  // namespace
}  // namespace syncline
