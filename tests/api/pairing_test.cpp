// Pairing: a code that one device shows gives another one a session.
#include "support/api_fixture.hpp"

namespace syncline {
namespace {

using Headers = std::map<std::string, std::string>;
using http::Method;

const Headers kPairingPage = {{"Host", "localhost:8080"}, {"Origin", "http://localhost:8080"}};

class PairingTest : public test::ApiFixture {
 protected:
  PairingTest() {
    EXPECT_TRUE(sessions_.set_password("ann@example.org", "correct horse"));
    desk_ = log_in();
  }

  std::string log_in() {
    const auto session = sessions_.log_in("ann@example.org", "correct horse", "192.0.2.1");
    EXPECT_TRUE(session);
    return session ? session->access_token : "";
  }

  test::Answer make(const std::string& token, const std::string& body = "{}") {
    return call({.method = Method::post, .target = "/v1/pairings", .token = token, .body = body});
  }
  std::string make_code() { return make(desk_).at("code"); }
  test::Answer watch(const test::Answer& made, const std::string& token) {
    return call({.target = "/v1/pairings/" + made.at("id"), .token = token});
  }
  test::Answer send(const std::string& route, const std::string& body, Headers headers = kPairingPage,
                    const std::string& client = "192.0.2.7") {
    return call({.method = Method::post,
                 .target = "/v1/pairings/" + route,
                 .body = body,
                 .headers = std::move(headers),
                 .client = client});
  }
  test::Answer look(const std::string& code) { return send("look", R"({"code":")" + code + "\"}"); }
  test::Answer claim(const std::string& code, const std::string& client = "192.0.2.7") {
    return send("claim", R"({"code":")" + code + R"(","label":"Pixel"})", kPairingPage, client);
  }
  static Headers with_cookie(const test::Answer& claimed) {
    Headers headers = kPairingPage;
    const auto set = claimed.headers.find("Set-Cookie");
    if (set != claimed.headers.end()) headers["Cookie"] = set->second.substr(0, set->second.find(';'));
    return headers;
  }
  int status_on(const test::Answer& claimed, const std::string& target) {
    return call({.target = target, .headers = with_cookie(claimed)}).status;
  }
  bool is_signed_in(const test::Answer& claimed) { return status_on(claimed, "/v1/session") == 200; }

  std::string desk_;  // the session of a person, with a password
};

TEST_F(PairingTest, a_code_gives_another_device_a_session_once) {
  const test::Answer made = make(desk_);
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.at("code").size(), 9U);
  EXPECT_EQ(made.headers.at("Cache-Control"), "no-store");
  EXPECT_EQ(watch(made, desk_).at("state"), "waiting");

  const test::Answer claimed = claim(made.at("code"));
  ASSERT_EQ(claimed.status, 200) << claimed.body;
  EXPECT_EQ(claimed.at("account"), "ann@example.org");
  EXPECT_EQ(claimed.at("scopes"), R"(["read","write","commands:approve"])");
  const std::string set = claimed.headers.at("Set-Cookie");
  EXPECT_NE(set.find("HttpOnly; SameSite=Strict"), std::string::npos) << set;
  EXPECT_NE(set.find("Max-Age="), std::string::npos) << "the phone keeps it";
  EXPECT_EQ(status_on(claimed, "/v1/session"), 200);
  EXPECT_EQ(status_on(claimed, "/v1/spaces"), 200);
  EXPECT_EQ(status_on(claimed, "/v1/keys"), 403) << "it has no scope keys";

  const test::Answer seen = watch(made, desk_);
  EXPECT_EQ(seen.at("state"), "claimed");
  EXPECT_EQ(seen.at("device.label"), "Pixel");
  EXPECT_EQ(seen.at("device.address"), "192.0.2.7");
  const test::Answer sessions = call({.target = "/v1/sessions", .token = desk_});
  EXPECT_NE(sessions.body.find("\"id\":\"" + seen.at("device.id") + "\",\"label\":\"Pixel\""), std::string::npos);

  const test::Answer again = claim(made.at("code"));
  EXPECT_EQ(again.status, 410);
  EXPECT_EQ(again.at("code"), "pairing_over");
  EXPECT_TRUE(is_signed_in(claimed));
}

TEST_F(PairingTest, the_link_leads_to_the_page_with_the_code_behind_the_hash) {
  const test::Answer made = call({.method = Method::post,
                                  .target = "/v1/pairings",
                                  .token = desk_,
                                  .body = "{}",
                                  .headers = {{"Host", "Hub.lan:8080"}}});
  EXPECT_EQ(made.at("url"), "http://hub.lan:8080/m/pair#" + made.at("code"));
  EXPECT_TRUE(made.at("svg").starts_with("<svg ")) << made.body;
  const test::Answer page = call({.target = "/m/pair"});
  EXPECT_EQ(page.status, 200);
  EXPECT_NE(page.body.find("/v1/pairings/claim"), std::string::npos);
  public_url_.on_change([this](const std::string& url) { cookies_.use_public_origin(url); });
  ASSERT_TRUE(public_url_.set("https://hub.example.org"));
  EXPECT_TRUE(make(desk_).at("url").starts_with("https://hub.example.org/m/pair#"));
}

TEST_F(PairingTest, who_waits_hears_of_the_claim_at_once) {
  const test::Answer made = make(desk_);
  const auto waiting = begin({.target = "/v1/pairings/" + made.at("id") + "?wait=30", .token = desk_});
  scheduler_.run_posted();
  EXPECT_FALSE(waiting.has_come());
  ASSERT_EQ(claim(made.at("code")).status, 200);
  scheduler_.run_posted();
  ASSERT_TRUE(waiting.has_come());
  EXPECT_EQ(waiting.get().at("state"), "claimed");
  EXPECT_EQ(call({.target = "/v1/pairings/" + made.at("id") + "?wait=30", .token = desk_}).at("state"), "claimed");
}

TEST_F(PairingTest, a_code_is_good_for_a_minute) {
  const test::Answer made = make(desk_);
  const auto waiting = begin({.target = "/v1/pairings/" + made.at("id") + "?wait=60", .token = desk_});
  clock_.advance_micros(60 * kMicrosPerSecond);
  EXPECT_EQ(claim(made.at("code")).status, 410);
  EXPECT_EQ(look(made.at("code")).status, 410);
  EXPECT_EQ(watch(made, desk_).at("state"), "expired");
  scheduler_.advance_ms(60'001);
  ASSERT_TRUE(waiting.has_come());
  EXPECT_EQ(waiting.get().at("state"), "expired");
  clock_.advance_micros(600 * kMicrosPerSecond);
  EXPECT_EQ(watch(made, desk_).status, 404) << "forgotten";
  EXPECT_EQ(claim(made.at("code")).status, 404);
}

TEST_F(PairingTest, five_wrong_codes_of_an_address_in_a_minute_are_all) {
  const test::Answer made = make(desk_);
  for (int tries = 0; tries < 3; ++tries) EXPECT_EQ(claim("0000-0000").status, 404);
  for (int tries = 0; tries < 2; ++tries) EXPECT_EQ(look("0000-0000").status, 404);
  const test::Answer refused = claim(made.at("code"));
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.headers.at("Retry-After"), "60");
  EXPECT_EQ(look(made.at("code")).status, 429);
  EXPECT_EQ(watch(made, desk_).at("state"), "waiting") << "the right code is still good";
  EXPECT_EQ(claim(made.at("code"), "198.51.100.7").status, 200) << "from elsewhere";
  clock_.advance_micros(61 * kMicrosPerSecond);
  EXPECT_EQ(claim(make_code()).status, 200);
}

TEST_F(PairingTest, this_machine_counts_as_one_address) {
  for (int tries = 0; tries < 5; ++tries) EXPECT_EQ(claim("0000-0000", "127.0.0.1").status, 404);
  EXPECT_EQ(claim(make_code(), "::1").status, 429);
}

TEST_F(PairingTest, right_codes_do_not_count) {
  for (int device = 0; device < 8; ++device) {
    const std::string code = make_code();
    EXPECT_EQ(look(code).status, 200);
    EXPECT_EQ(claim(code).status, 200) << device;
  }
}

TEST_F(PairingTest, the_device_sees_first_whose_account_it_is) {
  const std::string code = make(desk_, R"({"scopes":["read"],"label":"kitchen"})").at("code");
  const test::Answer offer = look(code);
  ASSERT_EQ(offer.status, 200) << offer.body;
  EXPECT_EQ(offer.at("account"), "ann@example.org");
  EXPECT_EQ(offer.at("hub"), "http://localhost:8080");
  EXPECT_EQ(offer.at("scopes"), R"(["read"])");
  EXPECT_EQ(offer.at("label"), "kitchen");
  EXPECT_FALSE(offer.headers.contains("Set-Cookie"));
  std::string typed;
  for (const char c : code) {
    if (c != '-') typed += c == '0' ? 'o' : c == '1' ? 'l' : static_cast<char>(std::tolower(c));
  }
  const test::Answer claimed = send("claim", R"({"code":")" + typed + R"(","kind":"desk"})");
  EXPECT_EQ(claimed.status, 200) << "as people type it";
  EXPECT_NE(call({.target = "/v1/sessions", .token = desk_}).body.find("\"label\":\"kitchen\""), std::string::npos);
}

TEST_F(PairingTest, nobody_passes_on_more_than_they_may) {
  const std::string reader = add_key("ann@example.org", {Scope::keys, Scope::read});
  const test::Answer usual = make(reader);
  EXPECT_EQ(usual.at("scopes"), R"(["read"])");
  const test::Answer refused = make(reader, R"({"scopes":["read","write"]})");
  EXPECT_EQ(refused.status, 403);
  EXPECT_NE(refused.at("detail").find("write"), std::string::npos);
  for (const char* scopes : {R"(["keys"])", R"(["admin"])", R"(["read","keys"])", "[]", R"(["everything"])", "7"}) {
    EXPECT_EQ(make(desk_, R"({"scopes":)" + std::string(scopes) + "}").status, 400) << scopes;
  }
  EXPECT_EQ(make(add_key("ann@example.org", {Scope::keys})).status, 403) << "nothing to pass on";
  EXPECT_EQ(make(add_key("ann@example.org", {Scope::read, Scope::write})).status, 403) << "not without keys";
  const test::Answer claimed = claim(make(desk_).at("code"));
  EXPECT_EQ(call({.method = Method::post,
                  .target = "/v1/pairings",
                  .body = "{}",
                  .headers =
                      [&] {
                        Headers headers = with_cookie(claimed);
                        headers["Content-Type"] = "application/json";
                        return headers;
                      }()})
                .status,
            403)
      << "a paired device pairs no other";
}

TEST_F(PairingTest, a_device_may_be_for_some_spaces_alone) {
  for (const char* space : {"notes", "diary"}) {
    ASSERT_EQ(call({.method = Method::post,
                    .target = "/v1/spaces/" + std::string(space) + "/push",
                    .token = desk_,
                    .body = R"({"ops":[{"collection":"c","id":"1","doc":{}}]})"})
                  .status,
              200);
  }
  const test::Answer made = make(desk_, R"({"spaces":["notes","later"]})");
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.at("spaces"), R"(["later","notes"])");
  EXPECT_EQ(look(made.at("code")).at("spaces"), R"(["later","notes"])");
  const test::Answer claimed = claim(made.at("code"));
  EXPECT_EQ(claimed.at("spaces"), R"(["later","notes"])");
  EXPECT_EQ(watch(made, desk_).at("device.spaces"), R"(["later","notes"])");
  EXPECT_EQ(status_on(claimed, "/v1/spaces/notes/changes"), 200);
  EXPECT_EQ(status_on(claimed, "/v1/spaces/diary/changes"), 403);
  EXPECT_EQ(status_on(claimed, "/v1/events?spaces=notes,diary"), 403);
  const test::Answer spaces = call({.target = "/v1/spaces", .headers = with_cookie(claimed)});
  EXPECT_NE(spaces.body.find("notes"), std::string::npos);
  EXPECT_EQ(spaces.body.find("diary"), std::string::npos);
  EXPECT_EQ(call({.target = "/v1/session", .headers = with_cookie(claimed)}).at("spaces"), R"(["later","notes"])");
  EXPECT_EQ(make(desk_).at("spaces"), "null") << "all, unless the maker says otherwise";
}

TEST_F(PairingTest, nobody_passes_on_spaces_that_their_key_is_not_for) {
  const auto own = SpaceLimit::only({"diary", "notes"});
  ASSERT_TRUE(own);
  const auto maker =
      access_.add_key("ann@example.org", "limited", {Scope::keys, Scope::read}, std::nullopt, {.spaces = *own});
  ASSERT_TRUE(maker);
  const test::Answer refused = make(maker->token, R"({"spaces":["notes","letters"]})");
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.at("code"), "space_not_allowed");
  EXPECT_EQ(make(maker->token).at("spaces"), R"(["diary","notes"])") << "those of the maker";
  for (const char* spaces : {"[]", "7", R"(["Not a name!"])", R"([7])"}) {
    EXPECT_EQ(make(maker->token, R"({"spaces":)" + std::string(spaces) + "}").status, 400) << spaces;
  }
  const test::Answer claimed = claim(make(maker->token, R"({"spaces":["notes"]})").at("code"));
  EXPECT_EQ(claimed.at("spaces"), R"(["notes"])");
  EXPECT_EQ(status_on(claimed, "/v1/spaces/diary/changes"), 403);
  EXPECT_EQ(call({.method = Method::patch,
                  .target = "/v1/keys/" + maker->key.id,
                  .token = desk_,
                  .body = R"({"spaces":["diary"]})"})
                .status,
            200);
  EXPECT_EQ(status_on(claimed, "/v1/spaces/notes/changes"), 403) << "what the maker's key has lost, it has lost";
}

TEST_F(PairingTest, a_device_lives_on_when_the_person_who_paired_it_signs_out) {
  const test::Answer claimed = claim(make_code());
  ASSERT_EQ(call({.method = Method::del, .target = "/v1/session", .token = desk_}).status, 204);
  EXPECT_TRUE(is_signed_in(claimed));
  const auto key = access_.keys("ann@example.org");
  ASSERT_TRUE(key);
  EXPECT_EQ(key->back().scopes.names(), (std::vector<std::string_view>{"read", "write", "commands:approve"}));
  ASSERT_TRUE(sessions_.set_password("ann@example.org", "correct horse 2"));
  EXPECT_FALSE(is_signed_in(claimed)) << "a new password ends it";
}

TEST_F(PairingTest, a_device_that_a_key_has_paired_ends_with_the_key) {
  const auto made = access_.add_key("ann@example.org", "maker", {Scope::keys, Scope::read}, std::nullopt);
  ASSERT_TRUE(made);
  const test::Answer by_key = claim(make(made->token).at("code"));
  const std::string session = call({.method = Method::post, .target = "/auth/login", .token = made->token}).at("token");
  const test::Answer by_session = claim(make(session).at("code"));
  EXPECT_TRUE(is_signed_in(by_key));
  EXPECT_TRUE(is_signed_in(by_session)) << by_session.body;
  ASSERT_TRUE(access_.revoke_key(made->key.id));
  EXPECT_FALSE(is_signed_in(by_key));
  EXPECT_FALSE(is_signed_in(by_session));
}

TEST_F(PairingTest, a_code_ends_with_the_session_or_key_that_made_it) {
  const std::string code = make_code();
  ASSERT_EQ(call({.method = Method::del, .target = "/v1/session", .token = desk_}).status, 204);
  EXPECT_EQ(look(code).status, 410);
  EXPECT_EQ(claim(code).status, 410);
  desk_ = log_in();
  const std::string again = make_code();
  ASSERT_TRUE(access_.remove_account("ann@example.org"));
  EXPECT_EQ(claim(again).status, 410);
}

TEST_F(PairingTest, another_account_sees_nothing) {
  const test::Answer made = make(desk_);
  const std::string bob = add_key("bob@example.org", {Scope::keys, Scope::read});
  EXPECT_EQ(watch(made, bob).status, 404);
  EXPECT_EQ(call({.target = "/v1/pairings/unknown", .token = desk_}).status, 404);
}

TEST_F(PairingTest, only_pages_of_the_hub_claim_and_only_where_nobody_listens) {
  const std::string code = make_code();
  for (const Headers& headers : {Headers{{"Host", "localhost:8080"}, {"Origin", "https://evil.example"}},
                                 Headers{{"Host", "localhost:8080"}, {"Sec-Fetch-Site", "cross-site"}},
                                 Headers{{"Host", "nas.lan:8080"}, {"Origin", "http://nas.lan:8080"}}}) {
    EXPECT_EQ(send("claim", R"({"code":")" + code + "\"}", headers).status, 403);
    EXPECT_EQ(send("look", R"({"code":")" + code + "\"}", headers).status, 403);
  }
  EXPECT_EQ(claim(code).status, 200);
}

TEST_F(PairingTest, wrong_fields_use_up_no_code) {
  const std::string code = make_code();
  EXPECT_EQ(send("claim", R"({"code":7})").status, 400);
  EXPECT_EQ(send("claim", R"({"code":")" + code + R"(","kind":"watch"})").status, 400);
  EXPECT_EQ(send("claim", R"({"code":")" + code + R"(","label":")" + std::string(201, 'x') + "\"}").status, 400);
  EXPECT_EQ(claim(code).status, 200);
}

TEST_F(PairingTest, a_code_stays_good_if_the_session_cannot_be_stored) {
  const std::string code = make_code();
  for (int passing = 0; passing < 4; ++passing) {
    store_.fail_reads_after(passing, 1);
    EXPECT_EQ(claim(code).status, 503) << passing;
    store_.stop_failing();
  }
  EXPECT_EQ(claim(code).status, 200);
}

TEST_F(PairingTest, an_account_makes_ten_codes_a_minute) {
  for (int count = 0; count < 10; ++count) EXPECT_EQ(make(desk_).status, 201) << count;
  EXPECT_EQ(make(desk_).status, 429);
  clock_.advance_micros(61 * kMicrosPerSecond);
  EXPECT_EQ(make(desk_).status, 201);
}

TEST_F(PairingTest, the_session_that_the_device_had_before_ends) {
  const test::Answer first = claim(make_code());
  const std::string code = make_code();
  const test::Answer second = send("claim", R"({"code":")" + code + "\"}", with_cookie(first));
  EXPECT_EQ(second.status, 200) << second.body;
  EXPECT_FALSE(is_signed_in(first));
  EXPECT_TRUE(is_signed_in(second));
}

}  // namespace
}  // namespace syncline
