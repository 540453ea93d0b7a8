#include "support/api_fixture.hpp"

namespace syncline {
namespace {

class OperationsTest : public test::ApiFixture {};

TEST_F(OperationsTest, open_routes_answer_without_a_key) {
  for (const char* target : {"/", "/docs", "/openapi.json", "/health", "/ready", "/metrics", "/problems/not_found"}) {
    EXPECT_EQ(call({.target = target}).status, 200) << target;
  }
  EXPECT_EQ(call({.target = "/problems/nonsense"}).status, 404);
}

TEST_F(OperationsTest, the_front_page_is_html_for_browsers_only) {
  EXPECT_EQ(call({.target = "/"}).at("service"), "syncline");
  const test::Answer page = call({.target = "/", .headers = {{"Accept", "text/html,*/*"}}});
  EXPECT_EQ(page.headers.at("Content-Type"), "text/html; charset=utf-8");
}

TEST_F(OperationsTest, metrics_are_limited_to_this_machine_and_administrators) {
  const std::string admin = add_key("ann@example.org", {Scope::admin});
  const auto through_proxy = [&](const std::string& token) {
    return call({.target = "/metrics", .token = token, .headers = {{"X-Forwarded-For", "203.0.113.9"}}}).status;
  };
  EXPECT_EQ(through_proxy(""), 403);
  EXPECT_EQ(through_proxy(key_), 403);
  EXPECT_EQ(through_proxy(admin), 200);
}

TEST_F(OperationsTest, unknown_routes_and_methods_have_their_own_answers) {
  const test::Answer unknown = get("/nope");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(unknown.at("error"), "Not Found");
  const test::Answer method = call({.method = http::Method::put, .target = "/sync", .token = key_});
  EXPECT_EQ(method.status, 405);
  EXPECT_EQ(method.headers.at("Allow"), "GET, POST, HEAD, OPTIONS");
  EXPECT_EQ(call({.method = http::Method::options, .target = "/sync"}).status, 204);
  EXPECT_EQ(call({.method = http::Method::head, .target = "/health"}).status, 200);
}

TEST_F(OperationsTest, problems_have_a_code_and_a_request_id) {
  const test::Answer answer = get("/v1/spaces/bad%20name/changes");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.at("code"), "invalid_argument");
  EXPECT_EQ(answer.at("request_id"), "test-request");
  EXPECT_EQ(answer.at("type"), "/problems/invalid_argument");
}

}  // namespace
}  // namespace syncline
