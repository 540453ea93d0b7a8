// The first account of a hub, which the code makes that the hub shows.
#include <cctype>

#include "support/api_fixture.hpp"

namespace syncline {
namespace {

constexpr std::int64_t kMinuteMicros = 60 * kMicrosPerSecond;

class SetupTest : public test::ApiFixture {
 protected:
  explicit SetupTest(const api::CookieGate::Options& cookies = {.hub_id = "0123abcd"}) : ApiFixture({}, {}, cookies) {
    // The fixture's account would be the first one.
    EXPECT_TRUE(access_.remove_account("ann@example.org"));
  }

  std::string code() {
    const auto code = first_run_.code();
    EXPECT_TRUE(code) << code.error().text;
    return code ? code->text : "";
  }

  test::Answer set_up(const std::string& code, const std::string& email = "owner@example.org",
                      const std::string& password = "correct horse", const std::string& client = "127.0.0.1") {
    return call({.method = http::Method::post,
                 .target = "/v1/setup",
                 .body = R"({"code":")" + code + R"(","email":")" + email + R"(","password":")" + password + "\"}",
                 .headers = {{"Host", "localhost:8080"}, {"Origin", "http://localhost:8080"}},
                 .client = client});
  }
  test::Answer set_up_at(const std::string& public_url, const std::string& code,
                         const std::string& password = "correct horse") {
    return call({.method = http::Method::post,
                 .target = "/v1/setup",
                 .body = R"({"code":")" + code + R"(","email":"owner@example.org","password":")" + password +
                         R"(","public_url":")" + public_url + "\"}",
                 .headers = {{"Host", "localhost:8080"}, {"Origin", "http://localhost:8080"}}});
  }
  std::string needed() { return call({.target = "/v1/setup"}).body; }

  /// One that is surely another one.
  static std::string other_than(std::string code) {
    code[0] = code[0] == '0' ? '1' : '0';
    return code;
  }
};

TEST_F(SetupTest, the_code_makes_one_admin_who_is_signed_in_and_is_gone) {
  EXPECT_EQ(needed(), R"({"needed":true})");
  const std::string first = code();
  EXPECT_EQ(code(), first) << "as long as it is good";
  const test::Answer made = set_up(first);
  ASSERT_EQ(made.status, 200) << made.body;
  EXPECT_EQ(made.at("account"), "owner@example.org");
  EXPECT_EQ(made.at("role"), "admin");
  const std::string set = made.headers.at("Set-Cookie");
  const std::string cookie = set.substr(0, set.find(';'));
  EXPECT_EQ(call({.target = "/v1/session", .headers = {{"Cookie", cookie}}}).at("account"), "owner@example.org");
  EXPECT_TRUE(sessions_.log_in("owner@example.org", "correct horse", "-"));
  EXPECT_EQ(needed(), R"({"needed":false})");
  const test::Answer again = set_up(first, "thief@example.org");
  EXPECT_EQ(again.status, 410);
  EXPECT_EQ(again.at("code"), "already_set_up");
  EXPECT_EQ(access_.accounts()->size(), 1U);
  EXPECT_EQ(first_run_.code().error().code, ErrorCode::conflict);
}

TEST_F(SetupTest, the_code_is_read_as_people_type_it) {
  std::string typed;
  for (const char c : code()) {
    if (c == '-') continue;
    typed += c == '0' ? 'o' : c == '1' ? 'l' : static_cast<char>(std::tolower(c));
    typed += ' ';
  }
  EXPECT_EQ(set_up(typed).status, 200) << typed;
}

TEST_F(SetupTest, a_wrong_code_makes_nothing_and_five_of_them_make_a_new_one) {
  const std::string first = code();
  for (int left = 4; left >= 1; --left) {
    const test::Answer refused = set_up(other_than(first));
    EXPECT_EQ(refused.status, 403);
    EXPECT_NE(refused.at("detail").find(std::to_string(left)), std::string::npos) << refused.at("detail");
  }
  EXPECT_TRUE(shown_codes_.empty());
  EXPECT_EQ(set_up("").status, 403);
  ASSERT_EQ(shown_codes_.size(), 1U) << "whoever runs the hub sees the new one";
  EXPECT_NE(shown_codes_[0], first);
  EXPECT_EQ(set_up(first).status, 403);
  EXPECT_TRUE(access_.accounts()->empty());
  EXPECT_EQ(set_up(shown_codes_[0]).status, 200);
}

TEST_F(SetupTest, a_code_is_good_for_half_an_hour) {
  const std::string first = code();
  clock_.advance_micros(30 * kMinuteMicros);
  EXPECT_EQ(set_up(first).status, 403);
  EXPECT_NE(code(), first);
  EXPECT_EQ(shown_codes_, std::vector{code()});
  EXPECT_EQ(set_up(code()).status, 200);
}

TEST_F(SetupTest, nobody_can_try_many_codes) {
  for (int tries = 0; tries < 10; ++tries) EXPECT_EQ(set_up("wrong", "a@b", "correct horse", "192.0.2.7").status, 403);
  EXPECT_EQ(set_up(code(), "a@b", "correct horse", "192.0.2.7").status, 429) << "this peer";
  for (int peer = 0; peer < 20; ++peer) {
    EXPECT_EQ(set_up("wrong", "a@b", "correct horse", "198.51.100." + std::to_string(peer)).status, 403);
  }
  EXPECT_EQ(set_up(code()).status, 429) << "all together";
  clock_.advance_micros(16 * kMinuteMicros);
  EXPECT_EQ(set_up(code()).status, 200);
}

TEST_F(SetupTest, wrong_fields_use_up_no_code) {
  const std::string first = code();
  EXPECT_EQ(set_up(first, "owner@example.org", "short").status, 400);
  EXPECT_EQ(set_up(first, "owner").status, 400);
  EXPECT_EQ(call({.method = http::Method::post,
                  .target = "/v1/setup",
                  .body = R"({"code":7})",
                  .headers = {{"Host", "localhost"}}})
                .status,
            400);
  EXPECT_EQ(set_up(first).status, 200);
}

TEST_F(SetupTest, it_is_done_on_a_page_of_the_hub_by_https_or_at_localhost) {
  const std::string body = R"({"code":")" + code() + R"(","email":"o@example.org","password":"correct horse"})";
  for (const auto& headers :
       std::vector<std::map<std::string, std::string>>{{{"Host", "localhost"}, {"Origin", "https://evil.example"}},
                                                       {{"Host", "nas.lan"}, {"Origin", "http://nas.lan"}}}) {
    EXPECT_EQ(call({.method = http::Method::post, .target = "/v1/setup", .body = body, .headers = headers}).status,
              403);
  }
  EXPECT_EQ(needed(), R"({"needed":true})");
}

TEST_F(SetupTest, whoever_signs_up_before_is_no_admin) {
  EXPECT_EQ(call({.method = http::Method::post,
                  .target = "/auth/signup",
                  .body = R"({"email":"owner@example.org","password":"correct horse"})"})
                .status,
            201);
  EXPECT_EQ(needed(), R"({"needed":true})");
  EXPECT_EQ(set_up(code()).status, 409) << "the address is taken";
  EXPECT_EQ(set_up(code(), "ann@example.org").status, 200);
  EXPECT_EQ(access_.get_account("owner@example.org")->role, Role::member);
}

TEST_F(SetupTest, a_renewed_code_replaces_the_one_before) {
  const std::string first = code();
  const auto renewed = first_run_.renew();
  ASSERT_TRUE(renewed);
  EXPECT_NE(renewed->text, first);
  EXPECT_EQ(code(), renewed->text);
  EXPECT_EQ(set_up(first).status, 403);
  EXPECT_EQ(set_up(renewed->text).status, 200);
  EXPECT_EQ(first_run_.renew().error().code, ErrorCode::conflict) << "setup is over";
}

TEST_F(SetupTest, the_public_url_is_stored_and_used_at_once) {
  for (const char* wrong : {"hub.example.org", "https://hub.example.org/path", "ftp://hub.example.org"}) {
    EXPECT_EQ(set_up_at(wrong, code()).status, 400) << wrong;
  }
  EXPECT_EQ(set_up_at("https://hub.example.org", other_than(code())).status, 403);
  EXPECT_TRUE(kept_urls_.empty());
  const test::Answer made = set_up_at("HTTPS://Hub.Example.org:443/", code());
  ASSERT_EQ(made.status, 200) << made.body;
  EXPECT_EQ(kept_urls_, std::vector<std::string>{"https://hub.example.org"});
  EXPECT_TRUE(made.headers.at("Set-Cookie").starts_with("__Host-syncline-")) << made.headers.at("Set-Cookie");
  const auto from = [&](const std::string& origin) {
    return call({.method = http::Method::post,
                 .target = "/v1/session",
                 .body = R"({"email":"owner@example.org","password":"correct horse"})",
                 .headers = {{"Host", "hub.example.org"}, {"Origin", origin}}})
        .status;
  };
  EXPECT_EQ(from("https://hub.example.org"), 200);
  EXPECT_EQ(from("http://hub.example.org"), 403);
}

TEST_F(SetupTest, a_public_url_without_an_account_is_not_kept) {
  EXPECT_EQ(set_up_at("https://hub.example.org", code(), "short").status, 400);
  EXPECT_EQ(kept_urls_, (std::vector<std::string>{"https://hub.example.org", ""}));
  EXPECT_EQ(public_url_.get(), "");
}

class FixedUrlSetupTest : public SetupTest {
 protected:
  FixedUrlSetupTest() : SetupTest({.hub_id = "0123abcd", .public_origin = "https://hub.example.org"}) {}
};

TEST_F(FixedUrlSetupTest, a_public_url_that_the_operator_has_set_stays) {
  const test::Answer refused = set_up_at("https://other.example.org", code());
  EXPECT_EQ(refused.status, 422);
  EXPECT_EQ(refused.at("code"), "public_url_set");
  EXPECT_EQ(refused.body.find("hub.example.org"), std::string::npos) << "whoever asks may be nobody";
  EXPECT_EQ(set_up_at("https://other.example.org", other_than(code())).status, 403);
  EXPECT_EQ(set_up_at("https://hub.example.org/", code()).status, 200) << "the same one";
}

TEST_F(SetupTest, an_account_of_the_operator_ends_it) {
  const std::string first = code();
  ASSERT_TRUE(access_.add_account("ann@example.org", Plan::pro));
  EXPECT_EQ(set_up(first).status, 410);
  EXPECT_EQ(needed(), R"({"needed":false})");
}

}  // namespace
}  // namespace syncline
