// The files of the console: which form of them a request gets, what browsers may keep, and what the page may do.
#include "api/console/routes.hpp"
#include "support/api_fixture.hpp"

namespace syncline {
namespace {

const std::string kPack =
    "syncline-pack 1\n"
    "a/main-1.js\tabc\t5\t4\t3\n"
    "a/tiny-1.js\tdef\t2\t0\t0\n"
    "index.html\tfed\t4\t3\t2\n"
    "\n"
    "plaingzipbrtihpagepgzpb";

console::Assets assets_of(std::string_view pack) {
  auto assets = console::Assets::unpack(pack);
  EXPECT_TRUE(assets);
  return *std::move(assets);
}

class ConsoleTest : public test::ApiFixture {
 protected:
  ConsoleTest() : ConsoleTest(assets_of(kPack)) {}
  explicit ConsoleTest(console::Assets assets) : ApiFixture({}, {console::make_module(std::move(assets))}) {}

  test::Answer fetch(const std::string& target, const std::string& coding, const std::string& known = "") {
    return call({.target = target, .headers = {{"Accept-Encoding", coding}, {"If-None-Match", known}}});
  }
};

class NoConsoleTest : public ConsoleTest {
 protected:
  NoConsoleTest() : ConsoleTest(assets_of("syncline-pack 1\n\n")) {}
};

TEST_F(ConsoleTest, the_smallest_form_that_a_request_allows_is_sent) {
  struct Case {
    std::string accepts;
    std::string body;
    std::string coding;
  };
  for (const Case& one : {Case{"gzip, deflate, br", "brt", "br"}, Case{"gzip", "gzip", "gzip"}, Case{"", "plain", ""},
                          Case{"br;q=0, gzip", "gzip", "gzip"}}) {
    const test::Answer answer = fetch("/console/a/main-1.js", one.accepts);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, one.body) << one.accepts;
    EXPECT_EQ(answer.headers.contains("Content-Encoding"), !one.coding.empty()) << one.accepts;
    if (!one.coding.empty()) {
      EXPECT_EQ(answer.headers.at("Content-Encoding"), one.coding);
    }
    EXPECT_EQ(answer.headers.at("Vary"), "Accept-Encoding");
    EXPECT_EQ(answer.headers.at("Content-Type"), "text/javascript; charset=utf-8");
  }
  EXPECT_EQ(fetch("/console/a/tiny-1.js", "br, gzip").body, "ih") << "not packed in another form";
}

TEST_F(ConsoleTest, files_are_kept_for_good_and_the_page_is_asked_for_again) {
  EXPECT_EQ(fetch("/console/a/main-1.js", "br").headers.at("Cache-Control"), "public, max-age=31536000, immutable");
  const test::Answer page = fetch("/console", "br");
  EXPECT_EQ(page.headers.at("Cache-Control"), "no-cache");
  EXPECT_EQ(page.headers.at("ETag"), "\"fed-br\"");
  EXPECT_EQ(fetch("/console", "br", "\"other\", W/\"fed-br\"").status, 304);
  EXPECT_EQ(fetch("/console", "br", "\"fed-br\"").body, "");
  EXPECT_EQ(fetch("/console", "gzip", "\"fed-br\"").status, 200) << "another form has another ETag";
}

TEST_F(ConsoleTest, every_address_opens_the_page_but_an_unknown_file_does_not) {
  for (const char* address : {"/console", "/console/", "/console/sign-in", "/console/data/a.b/notes?id=n1"}) {
    const test::Answer page = fetch(address, "");
    EXPECT_EQ(page.status, 200) << address;
    EXPECT_EQ(page.body, "page") << address;
  }
  EXPECT_EQ(fetch("/console/a/main-2.js", "br").status, 404);
  EXPECT_EQ(fetch("/console/a/..%2Findex.html", "").status, 404);
  EXPECT_EQ(fetch("/console/a/b/c/d", "").status, 404);
}

TEST_F(ConsoleTest, the_page_may_run_and_ask_nothing_but_the_hub) {
  const auto page = fetch("/console", "").headers;
  const std::string& policy = page.at("Content-Security-Policy");
  for (const char* rule : {"default-src 'none'", "script-src 'self';", "style-src 'self';", "connect-src 'self'",
                           "frame-ancestors 'none'", "require-trusted-types-for 'script'", "trusted-types 'none'"}) {
    EXPECT_NE(policy.find(rule), std::string::npos) << rule;
  }
  EXPECT_EQ(policy.find("unsafe"), std::string::npos);
  EXPECT_EQ(page.at("X-Frame-Options"), "DENY");
  EXPECT_EQ(page.at("X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(page.at("Referrer-Policy"), "no-referrer");
  EXPECT_EQ(page.at("Cross-Origin-Opener-Policy"), "same-origin");
  EXPECT_EQ(page.at("Cross-Origin-Resource-Policy"), "same-origin");
  EXPECT_EQ(fetch("/console/a/main-1.js", "br").headers.at("Content-Security-Policy"), policy);
}

TEST_F(NoConsoleTest, a_build_without_a_console_says_so) {
  const test::Answer page = fetch("/console/sign-in", "br");
  EXPECT_EQ(page.status, 404);
  EXPECT_EQ(page.headers.at("Content-Type"), "text/html; charset=utf-8");
  EXPECT_NE(page.body.find("--ui-dir"), std::string::npos);
}

TEST(ConsolePack, what_is_no_pack_is_refused) {
  for (const std::string& text :
       {std::string(), std::string("syncline-pack 1\n"), std::string("syncline-pack 2\n\n"), kPack + "x",
        kPack.substr(0, kPack.size() - 1), std::string("syncline-pack 1\na\tb\t1\t1\n\n"),
        std::string("syncline-pack 1\na\tb\t-1\t1\t1\n\nabc"),
        std::string("syncline-pack 1\na\tb\t18446744073709551615\t1\t1\n\nabc")}) {
    const auto assets = console::Assets::unpack(text);
    EXPECT_FALSE(assets) << text;
  }
  EXPECT_TRUE(console::Assets::unpack(kPack));
  EXPECT_TRUE(console::Assets::unpack(console::embedded_pack()));
}

}  // namespace
}  // namespace syncline
