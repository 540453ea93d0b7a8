// Passkeys: adding one, signing in with it, and what ends it. The checks of what a browser says are in
// passkey_check_test.cpp.
#include "base/bytes.hpp"
#include "support/api_fixture.hpp"
#include "support/authenticator.hpp"

namespace syncline {
namespace {

using http::Method;
using test::Authenticator;
using test::Ceremony;
using Headers = std::map<std::string, std::string>;

const Headers kPasskeyPage = {
    {"Host", "hub.example.org"}, {"Origin", "https://hub.example.org"}, {"Content-Type", "application/json"}};

class PasskeysTest : public test::ApiFixture {
 protected:
  explicit PasskeysTest(const std::string& public_url = "https://hub.example.org")
      : ApiFixture({}, {}, {.hub_id = "0123abcd", .public_origin = public_url}) {
    EXPECT_TRUE(sessions_.set_password("ann@example.org", "correct horse"));
    desk_ = log_in("ann@example.org");
  }

  std::string log_in(const std::string& email) {
    const auto session = sessions_.log_in(email, "correct horse", "192.0.2.1");
    EXPECT_TRUE(session);
    return session ? session->access_token : "";
  }
  test::Answer ask(Method method, const std::string& target, const std::string& body = "",
                   const std::string& token = "") {
    return call({.method = method, .target = target, .token = token.empty() ? desk_ : token, .body = body});
  }
  static std::string challenge_of(const test::Answer& options) {
    return from_base64url(options.at("challenge")).value_or("");
  }
  static std::string credential_of(int number) { return "credential " + std::to_string(number); }

  /// For the body of POST /v1/passkeys.
  std::string registration(const std::string& challenge, const std::string& credential = credential_of(1)) {
    const Ceremony ceremony{.challenge = challenge, .credential = credential};
    return R"({"label":"laptop","credential":)" + device_.registration_json(ceremony, SignatureKind::es256) + "}";
  }
  test::Answer add(const std::string& credential = credential_of(1), const std::string& token = "") {
    const test::Answer options = ask(Method::post, "/v1/passkeys/options", "", token);
    EXPECT_EQ(options.status, 200) << options.body;
    return ask(Method::post, "/v1/passkeys", registration(challenge_of(options), credential), token);
  }

  test::Answer sign_in_options() {
    return call({.method = Method::post, .target = "/v1/session/passkey-options", .headers = kPasskeyPage});
  }
  std::string assertion(const std::string& challenge, std::uint32_t counter = 0, const std::string& more = "") {
    const Ceremony ceremony{.challenge = challenge, .counter = counter, .credential = credential_of(1)};
    return R"({"passkey":)" + device_.assertion_json(ceremony) + more + "}";
  }
  test::Answer send_sign_in(const std::string& body, const std::string& client = "192.0.2.7") {
    return call(
        {.method = Method::post, .target = "/v1/session", .body = body, .headers = kPasskeyPage, .client = client});
  }
  test::Answer sign_in(std::uint32_t counter = 0) {
    return send_sign_in(assertion(challenge_of(sign_in_options()), counter));
  }

  const Authenticator device_;
  std::string desk_;  // the session of a person, with a password
};

TEST_F(PasskeysTest, a_passkey_that_a_person_adds_opens_whole_sessions) {
  const test::Answer options = ask(Method::post, "/v1/passkeys/options");
  ASSERT_EQ(options.status, 200) << options.body;
  EXPECT_EQ(options.at("rp.id"), "hub.example.org");
  EXPECT_EQ(options.at("attestation"), "none");
  EXPECT_EQ(options.at("user.name"), "ann@example.org");
  EXPECT_EQ(options.at("authenticatorSelection.userVerification"), "required");
  EXPECT_EQ(challenge_of(options).size(), 32U);
  const test::Answer made = ask(Method::post, "/v1/passkeys", registration(challenge_of(options)));
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.at("label"), "laptop");
  EXPECT_EQ(made.at("last_used_at"), "null");

  const test::Answer request = sign_in_options();
  EXPECT_EQ(request.at("rpId"), "hub.example.org");
  EXPECT_EQ(request.at("allowCredentials"), "[]") << "nobody learns which passkeys there are";
  const test::Answer signed_in =
      send_sign_in(assertion(challenge_of(request), 0, R"(,"kind":"phone","label":"Pixel","keep":true)"));
  ASSERT_EQ(signed_in.status, 200) << signed_in.body;
  EXPECT_EQ(signed_in.at("account"), "ann@example.org");
  EXPECT_EQ(signed_in.at("role"), "admin");
  EXPECT_NE(signed_in.at("scopes").find("\"keys\""), std::string::npos);
  const std::string set = signed_in.headers.at("Set-Cookie");
  EXPECT_TRUE(set.starts_with("__Host-syncline-")) << set;
  Headers headers = kPasskeyPage;
  headers["Cookie"] = set.substr(0, set.find(';'));
  EXPECT_EQ(call({.target = "/v1/keys", .headers = headers}).status, 200);
  EXPECT_EQ(call({.method = Method::post, .target = "/v1/passkeys/options", .headers = headers}).status, 200);
  EXPECT_NE(ask(Method::get, "/v1/passkeys").at("passkeys.0.last_used_at"), "null");
  EXPECT_NE(ask(Method::get, "/v1/sessions").body.find("\"label\":\"Pixel\""), std::string::npos);
}

TEST_F(PasskeysTest, the_browser_is_told_what_the_account_has_already) {
  ASSERT_EQ(add().status, 201);
  const test::Answer options = ask(Method::post, "/v1/passkeys/options");
  EXPECT_EQ(options.at("excludeCredentials.0.id"), to_base64url(credential_of(1)));
  EXPECT_EQ(add().status, 409) << "the same one again";
}

TEST_F(PasskeysTest, a_challenge_is_good_once) {
  const std::string creation = registration(challenge_of(ask(Method::post, "/v1/passkeys/options")));
  EXPECT_EQ(ask(Method::post, "/v1/passkeys", creation).status, 201);
  EXPECT_EQ(ask(Method::post, "/v1/passkeys", creation).status, 400);
  const std::string used = assertion(challenge_of(sign_in_options()));
  EXPECT_EQ(send_sign_in(used).status, 200);
  const test::Answer again = send_sign_in(used);
  EXPECT_EQ(again.status, 401) << "a replay";
  EXPECT_NE(again.at("detail").find("challenge"), std::string::npos);
}

TEST_F(PasskeysTest, a_challenge_is_good_for_a_minute) {
  ASSERT_EQ(add().status, 201);
  const test::Answer creation = ask(Method::post, "/v1/passkeys/options");
  const std::string late = assertion(challenge_of(sign_in_options()));
  clock_.advance_micros(60 * kMicrosPerSecond);
  EXPECT_EQ(send_sign_in(late).status, 401);
  EXPECT_EQ(ask(Method::post, "/v1/passkeys", registration(challenge_of(creation), credential_of(2))).status, 400);
}

TEST_F(PasskeysTest, a_challenge_is_good_for_one_purpose_and_one_account) {
  ASSERT_EQ(add().status, 201);
  add_key("bob@example.org", {Scope::read});
  ASSERT_TRUE(sessions_.set_password("bob@example.org", "correct horse"));
  const std::string bob = log_in("bob@example.org");
  const std::string of_ann = challenge_of(ask(Method::post, "/v1/passkeys/options"));
  EXPECT_EQ(ask(Method::post, "/v1/passkeys", registration(of_ann, credential_of(2)), bob).status, 400);
  EXPECT_EQ(send_sign_in(assertion(of_ann)).status, 401);
  EXPECT_EQ(ask(Method::post, "/v1/passkeys", registration(challenge_of(sign_in_options()), credential_of(2))).status,
            400);
  std::string changed = challenge_of(sign_in_options());
  changed[0] = static_cast<char>(changed[0] ^ 1);  // a later end
  EXPECT_EQ(send_sign_in(assertion(changed)).status, 401);
}

TEST_F(PasskeysTest, only_a_whole_session_of_a_person_adds_one) {
  const std::string all = add_key("ann@example.org", scopes_of(Role::admin));
  EXPECT_EQ(ask(Method::post, "/v1/passkeys/options", "", all).status, 403);
  const std::string challenge = challenge_of(ask(Method::post, "/v1/passkeys/options"));
  EXPECT_EQ(ask(Method::post, "/v1/passkeys", registration(challenge), all).status, 403);
  EXPECT_EQ(ask(Method::post, "/v1/passkeys", registration(challenge)).status, 201) << "the challenge was not used up";
}

TEST_F(PasskeysTest, one_of_another_account_is_not_found) {
  const std::string id = add().at("id");
  const std::string bob = add_key("bob@example.org", {Scope::keys});
  EXPECT_EQ(ask(Method::get, "/v1/passkeys", "", bob).body, R"({"passkeys":[]})");
  EXPECT_EQ(ask(Method::del, "/v1/passkeys/" + id, "", bob).status, 404);
  EXPECT_EQ(ask(Method::del, "/v1/passkeys/p9").status, 404);
  EXPECT_EQ(sign_in().status, 200);
}

TEST_F(PasskeysTest, one_that_was_removed_opens_nothing) {
  const std::string id = add().at("id");
  ASSERT_EQ(ask(Method::del, "/v1/passkeys/" + id).status, 204);
  EXPECT_EQ(sign_in().status, 401);
  EXPECT_EQ(ask(Method::get, "/v1/passkeys").body, R"({"passkeys":[]})");
}

TEST_F(PasskeysTest, they_go_with_the_account_and_with_a_reset_that_says_since_when) {
  ASSERT_EQ(add().status, 201);
  clock_.advance_micros(kMicrosPerSecond);
  ASSERT_TRUE(sessions_.set_password("ann@example.org", "correct horse", clock_.now()));
  EXPECT_EQ(sign_in().status, 200) << "it is older";
  ASSERT_TRUE(
      sessions_.set_password("ann@example.org", "correct horse", clock_.now().plus_micros(-2 * kMicrosPerSecond)));
  EXPECT_EQ(sign_in().status, 401);
  desk_ = log_in("ann@example.org");
  ASSERT_EQ(add().status, 201);
  ASSERT_TRUE(access_.remove_account("ann@example.org"));
  EXPECT_EQ(sign_in().status, 401);
}

TEST_F(PasskeysTest, a_copy_that_counts_for_itself_is_noticed) {
  ASSERT_EQ(add().status, 201);
  EXPECT_EQ(sign_in(5).status, 200);
  EXPECT_EQ(sign_in(6).status, 200);
  const test::Answer copy = sign_in(6);
  EXPECT_EQ(copy.status, 401);
  EXPECT_NE(copy.at("detail").find("copy"), std::string::npos);
  EXPECT_EQ(sign_in(7).status, 200);
}

TEST_F(PasskeysTest, what_is_wrong_with_an_answer_is_said) {
  const std::string challenge = challenge_of(ask(Method::post, "/v1/passkeys/options"));
  const auto detail = [&](const std::string& body) {
    const test::Answer answer = ask(Method::post, "/v1/passkeys", body);
    EXPECT_EQ(answer.status, 400) << body;
    return answer.at("detail");
  };
  EXPECT_NE(detail("{}").find("label"), std::string::npos);
  EXPECT_NE(detail(R"({"label":"l"})").find("credential"), std::string::npos);
  EXPECT_NE(detail(R"({"label":"l","credential":{"id":"+"}})").find("response"), std::string::npos);
  EXPECT_NE(detail(R"({"label":"l","credential":{"id":"+","response":{}}})").find("base64url"), std::string::npos);
  const Ceremony ceremony{.challenge = challenge, .origin = "https://evil.example", .credential = credential_of(1)};
  EXPECT_NE(detail(R"({"label":"l","credential":)" + device_.registration_json(ceremony, SignatureKind::es256) + "}")
                .find("https://evil.example"),
            std::string::npos);
  EXPECT_NE(detail(registration(challenge).replace(10, 6, std::string(201, 'x'))).find("label"), std::string::npos);
  for (const char* body : {R"({"passkey":{}})", R"({"passkey":{"id":"aQ","response":{}}})", R"({"passkey":7})"}) {
    EXPECT_EQ(send_sign_in(body).status, 400) << body;
  }
}

TEST_F(PasskeysTest, only_pages_of_the_hub_sign_in) {
  ASSERT_EQ(add().status, 201);
  const std::string body = assertion(challenge_of(sign_in_options()));
  for (const Headers& foreign : {Headers{{"Host", "hub.example.org"}, {"Origin", "https://evil.example"}},
                                 Headers{{"Host", "nas.lan"}, {"Origin", "http://nas.lan"}}}) {
    EXPECT_EQ(call({.method = Method::post, .target = "/v1/session", .body = body, .headers = foreign}).status, 403);
    EXPECT_EQ(call({.method = Method::post, .target = "/v1/session/passkey-options", .headers = foreign}).status, 403);
  }
  EXPECT_EQ(send_sign_in(body).status, 200);
}

TEST_F(PasskeysTest, an_account_has_at_most_twenty) {
  for (int number = 1; number <= 20; ++number) EXPECT_EQ(add(credential_of(number)).status, 201) << number;
  EXPECT_EQ(add(credential_of(21)).status, 409);
}

TEST_F(PasskeysTest, one_peer_fails_a_hundred_times) {
  ASSERT_EQ(add().status, 201);
  const std::string wrong = assertion("no challenge of ours");
  for (int tries = 0; tries < 100; ++tries) EXPECT_EQ(send_sign_in(wrong).status, 401);
  EXPECT_EQ(sign_in().status, 429);
  EXPECT_EQ(send_sign_in(assertion(challenge_of(sign_in_options())), "198.51.100.7").status, 200);
}

TEST_F(PasskeysTest, a_failed_read_is_no_answer_and_uses_up_no_challenge) {
  const std::string creation = registration(challenge_of(ask(Method::post, "/v1/passkeys/options")));
  const auto fail_each = [&](const std::function<test::Answer()>& ask_once) {
    for (std::int64_t passing = 0;; ++passing) {
      (void)access_.authenticate(desk_);
      store_.fail_reads_after(passing, 1);
      const test::Answer answer = ask_once();
      const bool has_failed = store_.failed() > 0;
      store_.stop_failing();
      if (!has_failed) return answer;
      EXPECT_EQ(answer.status, 503) << passing << ' ' << answer.body;
      if (answer.status != 503) return answer;
    }
  };
  EXPECT_EQ(fail_each([&] { return ask(Method::post, "/v1/passkeys/options"); }).status, 200);
  EXPECT_EQ(fail_each([&] { return ask(Method::post, "/v1/passkeys", creation); }).status, 201);
  const std::string body = assertion(challenge_of(sign_in_options()));
  EXPECT_EQ(fail_each([&] { return send_sign_in(body); }).status, 200);
  EXPECT_EQ(fail_each([&] { return ask(Method::del, "/v1/passkeys/p1"); }).status, 204);
}

struct NoSite {
  const char* public_url;
  const char* words;
};

class NoPasskeysTest : public PasskeysTest, public testing::WithParamInterface<NoSite> {
 protected:
  NoPasskeysTest() : PasskeysTest(GetParam().public_url) {}
};

INSTANTIATE_TEST_SUITE_P(Urls, NoPasskeysTest,
                         testing::Values(NoSite{"", "set hub.public_url"}, NoSite{"https://192.0.2.7", "host name"},
                                         NoSite{"https://[2001:db8::1]:8443", "host name"},
                                         NoSite{"http://hub.example.org", "https alone"}),
                         [](const auto& url) { return "url" + std::to_string(url.index); });

TEST_P(NoPasskeysTest, it_is_said_why_browsers_offer_none) {
  const std::string challenge(32, 'c');
  for (const test::Answer& answer :
       {ask(Method::post, "/v1/passkeys/options"), ask(Method::post, "/v1/passkeys", registration(challenge)),
        call({.method = Method::post, .target = "/v1/session/passkey-options", .headers = {{"Host", "localhost"}}}),
        call({.method = Method::post,
              .target = "/v1/session",
              .body = assertion(challenge),
              .headers = {{"Host", "localhost"}}})}) {
    EXPECT_EQ(answer.status, 409) << answer.body;
    EXPECT_EQ(answer.at("code"), "passkeys_unavailable");
    EXPECT_NE(answer.at("detail").find(GetParam().words), std::string::npos) << answer.at("detail");
  }
}

TEST(PasskeySite, is_the_host_of_the_public_url) {
  EXPECT_EQ(passkey_site("https://hub.example.org:8443")->rp_id, "hub.example.org");
  EXPECT_EQ(passkey_site("https://hub.example.org:8443")->origin, "https://hub.example.org:8443");
  EXPECT_EQ(passkey_site("http://localhost:8080")->rp_id, "localhost");
}

}  // namespace
}  // namespace syncline
