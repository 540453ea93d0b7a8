// Signing in with another provider: who comes in, and what is refused.
#include <algorithm>

#include "base/bytes.hpp"
#include "support/oidc_fixture.hpp"

namespace syncline {
namespace {

using http::Method;
using test::Answer;
using test::Headers;
using test::kHubUrl;
using test::kIssuer;
using test::OidcFixture;
using test::TokenIssuer;
using test::value_in;
using OidcTest = test::OidcFixture;

TEST_F(OidcTest, the_browser_goes_to_the_provider_and_comes_back_signed_in) {
  provider.claims.sub = R"("cleo-9")";
  provider.claims.email = R"("cleo@example.org")";
  const Begun begun = begin_sign_in("?return_to=/console/%3Fa=1");
  ASSERT_EQ(begun.answer.status, 303) << begun.answer.body;
  const std::string& url = begun.answer.headers.at("Location");
  EXPECT_TRUE(url.starts_with("https://id.example.org/auth?tenant=1&response_type=code&client_id=syncline&")) << url;
  EXPECT_EQ(value_in(url, "redirect_uri"), "https://hub.example.org/oidc/callback");
  EXPECT_EQ(value_in(url, "scope"), "openid email");
  EXPECT_EQ(value_in(url, "code_challenge_method"), "S256");
  EXPECT_EQ(begun.answer.headers.at("Cache-Control"), "no-store");
  const std::string& kept = begun.answer.headers.at("Set-Cookie");
  EXPECT_TRUE(kept.starts_with("__Host-syncline-oidc-0123abcd=")) << kept;
  EXPECT_TRUE(kept.ends_with("; Path=/; HttpOnly; SameSite=Lax; Max-Age=600; Secure")) << kept;

  const Answer back = come_back(begun);
  ASSERT_EQ(back.status, 303) << back.body;
  EXPECT_EQ(back.headers.at("Location"), "https://hub.example.org/console/?a=1");
  EXPECT_TRUE(back.headers.at("Set-Cookie").starts_with("__Host-syncline-0123abcd=sl_"));
  EXPECT_TRUE(back.headers.at("Set-Cookie").ends_with("; Path=/; HttpOnly; SameSite=Strict; Secure"));
  EXPECT_EQ(value_in("?" + provider.last_form, "redirect_uri"), "https://hub.example.org/oidc/callback");
  EXPECT_EQ(value_in("?" + provider.last_form, "code"), "c1");
  EXPECT_EQ(to_base64url(as_text(sha256(value_in("?" + provider.last_form, "code_verifier")))),
            value_in(url, "code_challenge"));
  EXPECT_EQ(provider.last_headers.at("Authorization"), "Basic " + to_base64("syncline:s%3Ae"));
  EXPECT_EQ(provider.last_headers.at("Content-Type"), "application/x-www-form-urlencoded");

  const Answer session = ask(back, Method::get, "/v1/session");
  EXPECT_EQ(session.at("account"), "cleo@example.org");
  EXPECT_TRUE(session.at("scopes").contains("keys")) << "as after a password";
}

class LinkingOidcTest : public OidcFixture {
 protected:
  LinkingOidcTest() : OidcFixture({.provider = "Example", .links_accounts = true}) {}
};

TEST_F(LinkingOidcTest, an_account_of_that_address_is_linked_if_the_operator_trusts_the_provider) {
  const auto before = access_.get_account("ann@example.org");
  ASSERT_EQ(sign_in().status, 303);
  EXPECT_EQ(sessions_of("ann@example.org"), 1U);
  provider.claims.email = R"("moved@example.org")";
  ASSERT_EQ(sign_in().status, 303) << "from now on the subject decides, not the address";
  EXPECT_EQ(sessions_of("ann@example.org"), 2U);
  EXPECT_EQ(access_.get_account("ann@example.org")->number, before->number);
  provider.claims.sub = R"("bob-8")";
  expect_refused(sign_in(), 403, "There is no account moved@example.org");
}

TEST_F(LinkingOidcTest, an_address_that_is_not_verified_opens_nothing) {
  provider.claims.email_verified = "false";
  expect_refused(sign_in(), 403, "does not confirm that your e-mail address is yours");
  EXPECT_EQ(sessions_of("ann@example.org"), 0U);
}

TEST_F(OidcTest, without_that_setting_an_account_stays_with_its_owner) {
  expect_refused(sign_in(), 403, "The account ann@example.org is not linked with Example");
  EXPECT_EQ(sessions_of("ann@example.org"), 0U);
  provider.claims.sub = R"("cleo-9")";
  provider.claims.email = R"("cleo@example.org")";
  ASSERT_EQ(sign_in().status, 303) << "nobody has that address yet";
  EXPECT_EQ(access_.get_account("cleo@example.org")->role, Role::member);
  EXPECT_EQ(sessions_of("cleo@example.org"), 1U);
}

TEST_F(OidcTest, a_person_links_and_removes_an_identity) {
  ASSERT_TRUE(sessions_.set_password("ann@example.org", "correct horse"));
  const auto page = call({.method = Method::post,
                          .target = "/v1/session",
                          .body = R"({"email":"ann@example.org","password":"correct horse"})",
                          .headers = {{"Host", "hub.example.org"}, {"Origin", std::string(kHubUrl)}}});
  ASSERT_EQ(page.status, 200) << page.body;
  const Answer begun = ask(page, Method::post, "/v1/identities", R"({"return_to":"/console/access"})");
  ASSERT_EQ(begun.status, 200) << begun.body;
  provider.nonce = value_in(begun.at("url"), "nonce");
  const std::string& set = begun.headers.at("Set-Cookie");
  const Answer back = come_back({{}, value_in(begun.at("url"), "state"), set.substr(0, set.find(';'))});
  ASSERT_EQ(back.status, 303) << back.body;
  EXPECT_EQ(back.headers.at("Location"), "https://hub.example.org/console/access");
  EXPECT_FALSE(back.headers.at("Set-Cookie").contains("sl_")) << "the session stays the same";
  const Answer listed = ask(page, Method::get, "/v1/identities");
  EXPECT_EQ(listed.at("identities.0.issuer"), kIssuer);
  EXPECT_EQ(listed.at("identities.0.email"), "ann@example.org");
  EXPECT_EQ(sign_in().status, 303) << "it opens a session now";
  EXPECT_NE(ask(page, Method::get, "/v1/identities").at("identities.0.last_used_at"), "null");
  EXPECT_EQ(ask(page, Method::del, "/v1/identities/i9").status, 404);
  EXPECT_EQ(ask(page, Method::del, "/v1/identities/" + listed.at("identities.0.id")).status, 204);
  EXPECT_EQ(sign_in().status, 403);
}

TEST_F(OidcTest, only_a_whole_session_of_a_person_links_and_only_while_it_stands) {
  const std::string key = add_key("ann@example.org", scopes_of(Role::admin));
  EXPECT_EQ(call({.method = Method::post, .target = "/v1/identities", .token = key, .body = "{}"}).status, 403);
  ASSERT_TRUE(sessions_.set_password("ann@example.org", "correct horse"));
  const auto session = sessions_.log_in("ann@example.org", "correct horse", "-");
  const Answer begun = wait_for(
      begin({.method = Method::post, .target = "/v1/identities", .token = session->access_token, .body = "{}"}));
  ASSERT_EQ(begun.status, 200) << begun.body;
  provider.nonce = value_in(begun.at("url"), "nonce");
  ASSERT_TRUE(sessions_.set_password("ann@example.org", "correct horse 2"));
  const std::string& set = begun.headers.at("Set-Cookie");
  expect_refused(come_back({{}, value_in(begun.at("url"), "state"), set.substr(0, set.find(';'))}), 400,
                 "Your session has ended meanwhile");
}

class CreatingOidcTest : public OidcFixture {
 protected:
  CreatingOidcTest() : OidcFixture({.provider = "Example", .domains = {"example.org"}, .creates_accounts = true}) {
    provider.claims.sub = R"("cleo-9")";
    provider.claims.email = R"("cleo@example.org")";
  }
};

TEST_F(CreatingOidcTest, only_addresses_of_the_domains_come_in) {
  for (const std::string email : {R"("cleo@evil.example")", R"("cleo@sub.example.org")", R"("example.org")",
                                  R"("cleo@example.org@evil.example")", R"("cleo@notexample.org")"}) {
    provider.claims.email = email;
    expect_refused(sign_in(), 403, "are not allowed on this hub");
  }
  provider.claims.email = R"("cleo@EXAMPLE.org")";
  EXPECT_EQ(sign_in().status, 303);
  provider.claims.email_verified = "false";
  expect_refused(sign_in(), 403, "does not confirm");
  EXPECT_EQ(access_.accounts()->size(), 2U);
}

TEST_F(CreatingOidcTest, a_removed_account_opens_nothing_that_was_its) {
  ASSERT_EQ(sign_in().status, 303);
  const auto number = access_.get_account("cleo@example.org")->number;
  ASSERT_TRUE(access_.remove_account("cleo@example.org"));
  ASSERT_EQ(sign_in().status, 303);
  EXPECT_NE(access_.get_account("cleo@example.org")->number, number) << "a new account";
}

TEST_F(CreatingOidcTest, a_reset_that_says_since_when_removes_identities_made_since) {
  const Timestamp before = clock_.now();
  clock_.advance_micros(kMicrosPerSecond);
  const Answer first = sign_in();
  ASSERT_EQ(first.status, 303);
  const auto replaced = sessions_.set_password("cleo@example.org", "correct horse", before);
  ASSERT_TRUE(replaced);
  EXPECT_EQ(replaced->identities, 1U);
  EXPECT_EQ(ask(first, Method::get, "/v1/session").status, 401);
  expect_refused(sign_in(), 403, "is not linked");
}

TEST_F(CreatingOidcTest, the_session_that_the_browser_had_before_ends) {
  const Answer first = sign_in();
  const std::string& set = first.headers.at("Set-Cookie");
  const Begun again = begin_sign_in("?keep=true&kind=phone",
                                    {{"Sec-Fetch-Site", "same-origin"}, {"Cookie", set.substr(0, set.find(';'))}});
  const Answer second = come_back(again);
  ASSERT_EQ(second.status, 303);
  EXPECT_TRUE(second.headers.at("Set-Cookie").contains("Max-Age=15552000")) << "the browser keeps it";
  EXPECT_EQ(ask(first, Method::get, "/v1/session").status, 401);
  EXPECT_EQ(ask(second, Method::get, "/v1/session").status, 200);
}

TEST_F(CreatingOidcTest, a_sign_in_is_finished_once_in_the_browser_that_has_begun_it) {
  const Begun mine = begin_sign_in();
  const Begun theirs = begin_sign_in();
  const std::string words = "This sign-in was not begun in this browser";
  expect_refused(come_back({{}, theirs.state, mine.cookie}), 400, words);
  expect_refused(come_back({{}, mine.state, ""}), 400, words);
  expect_refused(come_back({{}, mine.state + "x", mine.cookie}), 400, words);
  expect_refused(come_back({{}, "", mine.cookie}), 400, words);
  expect_refused(come_back({{}, std::string(500, 'x'), mine.cookie}), 400, words);
  EXPECT_EQ(provider.asked.size(), 1U) << "the provider is asked for nothing";
  provider.nonce = value_in(mine.answer.headers.at("Location"), "nonce");
  EXPECT_EQ(come_back(mine).status, 303);
  expect_refused(come_back(mine), 400, "was finished already");
  const Begun late = begin_sign_in();
  clock_.advance_micros(600 * kMicrosPerSecond);
  expect_refused(come_back(late), 400, "took longer than 10 minutes");
}

TEST_F(CreatingOidcTest, what_the_provider_says_wrong_opens_nothing) {
  const auto refuse = [&](const std::string& words, const std::function<void()>& lie) {
    const auto claims = provider.claims;
    const Begun begun = begin_sign_in();
    lie();
    expect_refused(come_back(begun), 400, words);
    provider.claims = claims;
    provider.forged_token.clear();
    provider.token_failure.clear();
  };
  refuse("belongs to another sign-in", [&] { provider.nonce = "another"; });
  refuse("is for another client", [&] { provider.claims.aud = R"("another")"; });
  refuse("is of another issuer", [&] { provider.claims.iss = R"("https://evil.example")"; });
  refuse("has expired", [&] { provider.claims.exp = "1"; });
  refuse("a key that the provider does not publish",
         [&] { provider.forged_token = TokenIssuer(SignatureKind::es256, "k9").token(provider.claims); });
  refuse("refuses the code (invalid_grant)", [&] { provider.token_failure = R"({"error":"invalid_grant"})"; });
  EXPECT_EQ(access_.accounts()->size(), 1U) << "nobody came in";
  const auto entries = access_.audit().list({.account = "", .action = "session.refused", .since = {}});
  ASSERT_TRUE(entries);
  EXPECT_EQ(entries->entries.size(), 6U);
  EXPECT_TRUE(entries->entries.front().event.detail.starts_with("with Example: "));
}

TEST_F(CreatingOidcTest, the_provider_itself_may_refuse) {
  expect_refused(come_back(begin_sign_in(), "&error=access_denied&error_description=%3Cscript%3E"), 403,
                 "Example has not let you in");
  expect_refused(come_back(begin_sign_in(), "&error=server_error"), 403, "Example has refused the sign-in");
  expect_refused(come_back(begin_sign_in(), ""), 400, "has no code");
  expect_refused(come_back(begin_sign_in(), "&code=c1&iss=https%3A%2F%2Fevil.example"), 400, "of another provider");
  EXPECT_EQ(come_back(begin_sign_in(), "&code=c1&iss=https%3A%2F%2Fid.example.org").status, 303);
}

TEST_F(CreatingOidcTest, a_provider_that_fails_is_not_asked_again_at_once) {
  provider.failure = Error{ErrorCode::unavailable, "https://id.example.org: Couldn't connect"};
  const Begun failed = begin_sign_in();
  expect_refused(failed.answer, 503, "Example does not answer as it should");
  EXPECT_FALSE(failed.answer.body.contains("connect")) << "the reason is for the operator";
  provider.failure.reset();
  EXPECT_EQ(begin_sign_in().answer.status, 503);
  EXPECT_EQ(provider.asked.size(), 1U);
  clock_.advance_micros(5 * kMicrosPerSecond);
  const Begun begun = begin_sign_in();
  EXPECT_EQ(begun.answer.status, 303);
  provider.failure = Error{ErrorCode::timed_out, "https://id.example.org/token: no answer in time"};
  expect_refused(come_back(begun), 504, "Example does not answer as it should");
  provider.failure = Error{ErrorCode::answer_too_large, "https://id.example.org/token: too large"};
  expect_refused(come_back(begin_sign_in()), 502, "Example does not answer as it should");
}

TEST_F(CreatingOidcTest, new_keys_are_fetched_when_a_token_names_one_and_no_more_than_once_a_minute) {
  ASSERT_EQ(sign_in().status, 303);
  const auto keys_asked = [&] { return std::ranges::count(provider.asked, "https://keys.example.org/keys"); };
  EXPECT_EQ(keys_asked(), 1);
  const TokenIssuer next(SignatureKind::rs256, "k2");
  const auto sign_with_next = [&] {
    const Begun begun = begin_sign_in();
    provider.claims.nonce = '"' + provider.nonce + '"';
    provider.forged_token = next.token(provider.claims);
    return come_back(begun);
  };
  expect_refused(sign_with_next(), 400, "does not publish");
  EXPECT_EQ(keys_asked(), 1) << "they are younger than a minute";
  clock_.advance_micros(60 * kMicrosPerSecond);
  provider.keys += ',' + next.key_json();
  EXPECT_EQ(sign_with_next().status, 303);
  EXPECT_EQ(keys_asked(), 2);
  EXPECT_EQ(std::ranges::count(provider.asked, "https://id.example.org/.well-known/openid-configuration"), 1);
}

TEST_F(CreatingOidcTest, an_address_may_come_from_userinfo_of_the_same_person) {
  provider.claims.email.clear();
  provider.userinfo = R"({"sub":"somebody-else","email":"cleo@example.org","email_verified":true})";
  expect_refused(sign_in(), 400, "about somebody else");
  provider.userinfo = R"({"sub":"cleo-9","email":"cleo@example.org","email_verified":false})";
  expect_refused(sign_in(), 403, "does not confirm");
  provider.userinfo = R"({"sub":"cleo-9","email":"cleo@example.org","email_verified":true})";
  EXPECT_EQ(sign_in().status, 303);
}

TEST_F(CreatingOidcTest, endpoints_must_be_https_and_not_of_this_machine) {
  const std::string good = provider.discovery;
  for (const std::string url :
       {"http://id.example.org/token", "file:///etc/passwd", "https://", "http://127.0.0.1/token",
        "https://localhost/token", "https://user@id.example.org/token", "", "https://id.example.org/token#x"}) {
    clock_.advance_micros(5 * kMicrosPerSecond);
    provider.discovery = good;
    const std::size_t at = provider.discovery.find("https://id.example.org/token");
    provider.discovery.replace(at, std::string_view("https://id.example.org/token").size(), url);
    expect_refused(begin_sign_in().answer, 503, "does not answer as it should");
  }
  for (const std::string text : {"", "[]", "{}", R"({"issuer":"https://id.example.org/"})"}) {
    clock_.advance_micros(5 * kMicrosPerSecond);
    provider.discovery = text;
    expect_refused(begin_sign_in().answer, 503, "does not answer as it should");
  }
}

TEST_F(CreatingOidcTest, the_way_back_leads_to_a_path_of_the_hub_alone) {
  for (const std::string path : {"//evil.example", "https://evil.example", "/\\evil.example", "\\evil", "", "console",
                                 "/a%0d%0aSet-Cookie:x", "/%09/evil.example", "javascript:alert(1)"}) {
    const Begun begun = begin_sign_in("?return_to=" + (path.contains('%') ? path : percent_encode(path)));
    EXPECT_EQ(begun.answer.status, 400) << path;
    EXPECT_FALSE(begun.answer.headers.contains("Location")) << path;
  }
  EXPECT_EQ(come_back(begin_sign_in("?return_to=/%40evil.example")).headers.at("Location"),
            "https://hub.example.org/@evil.example");
}

TEST_F(CreatingOidcTest, only_a_page_of_the_hub_begins) {
  for (const Headers& headers :
       {Headers{{"Sec-Fetch-Site", "cross-site"}}, Headers{{"Origin", "https://evil.example"}}}) {
    expect_refused(begin_sign_in("", headers).answer, 403, "Only a page of the hub itself");
  }
  EXPECT_EQ(begin_sign_in("", {{"Sec-Fetch-Site", "none"}}).answer.status, 303) << "typed by a person";
}

TEST_F(CreatingOidcTest, one_client_has_some_of_the_places) {
  std::vector<test::PendingAnswer> waiting;
  for (int count = 0; count < 5; ++count) {
    waiting.push_back(begin({.target = "/oidc/sign-in", .client = "192.0.2.9"}));
    scheduler_.run_posted();
  }
  EXPECT_FALSE(waiting.front().has_come());
  ASSERT_TRUE(waiting.back().has_come());
  EXPECT_EQ(waiting.back().get().status, 503);
  EXPECT_EQ(begin_sign_in().answer.status, 303) << "for another one there is room";
  EXPECT_EQ(waiting.front().get().status, 303);
}

TEST_F(CreatingOidcTest, a_hundred_failures_of_a_client_in_a_quarter_of_an_hour_are_all) {
  for (int tries = 0; tries < 100; ++tries) (void)come_back({{}, "wrong", "wrong=1"});
  expect_refused(begin_sign_in().answer, 429, "Too many");
  clock_.advance_micros(16L * 60 * kMicrosPerSecond);
  EXPECT_EQ(sign_in().status, 303);
}

TEST_F(CreatingOidcTest, a_store_that_cannot_be_read_opens_nothing_and_says_so) {
  ASSERT_EQ(sign_in().status, 303);
  for (int passing = 0; passing < 4; ++passing) {
    const Begun begun = begin_sign_in();
    store_.fail_reads_after(passing, 1);
    expect_refused(come_back(begun), 503, "The hub cannot do this at the moment");
    store_.stop_failing();
  }
  EXPECT_EQ(sign_in().status, 303);
}

TEST_F(OidcTest, pages_can_ask_whether_there_is_a_provider) {
  const Answer shown = call({.target = "/v1/oidc"});
  EXPECT_EQ(shown.at("enabled"), "true");
  EXPECT_EQ(shown.at("name"), "Example");
  EXPECT_EQ(shown.at("sign_in"), "/oidc/sign-in");
}

class WithoutProviderTest : public test::ApiFixture {};

TEST_F(WithoutProviderTest, nobody_signs_in_so) {
  EXPECT_EQ(call({.target = "/v1/oidc"}).body, R"({"enabled":false,"name":null,"sign_in":null})");
  for (const std::string target : {"/oidc/sign-in", "/oidc/callback?state=x&code=y"}) {
    EXPECT_EQ(call({.target = target}).status, 404) << target;
  }
}

}  // namespace
}  // namespace syncline
