#include "support/api_fixture.hpp"

namespace syncline {
namespace {

class OperationsTest : public test::ApiFixture {};

TEST_F(OperationsTest, open_routes_answer_without_a_key) {
  for (const char* target : {"/", "/docs", "/openapi.json", "/health", "/ready", "/problems/not_found"}) {
    EXPECT_EQ(call({.target = target}).status, 200) << target;
  }
  EXPECT_EQ(call({.target = "/problems/nonsense"}).status, 404);
}

TEST_F(OperationsTest, every_error_code_of_an_answer_is_explained) {
  for (int code = 0; code <= static_cast<int>(ErrorCode::space_not_allowed); ++code) {
    const std::string target = "/problems/" + std::string(api::code_of(static_cast<ErrorCode>(code)));
    EXPECT_EQ(call({.target = target}).status, 200) << target;
  }
}

TEST_F(OperationsTest, a_hub_that_doubts_its_clock_is_ready_but_degraded) {
  EXPECT_EQ(call({.target = "/ready"}).body, R"({"status":"ready"})");
  doubt_ = "the clock is 3 hours ahead";
  const test::Answer answer = call({.target = "/ready"});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.at("status"), "degraded");
  EXPECT_EQ(answer.at("detail"), doubt_);
}

TEST_F(OperationsTest, the_front_page_is_html_for_browsers_only) {
  EXPECT_EQ(call({.target = "/"}).at("service"), "syncline");
  const test::Answer page = call({.target = "/", .headers = {{"Accept", "text/html,*/*"}}});
  EXPECT_EQ(page.headers.at("Content-Type"), "text/html; charset=utf-8");
}

TEST_F(OperationsTest, metrics_need_an_administrator_from_wherever_they_are_asked_for) {
  const std::string admin = add_key("ann@example.org", {Scope::admin});
  EXPECT_EQ(call({.target = "/metrics"}).status, 401) << "a proxy may stand on this machine";
  EXPECT_EQ(call({.target = "/metrics", .token = key_}).status, 403);
  EXPECT_EQ(call({.target = "/metrics", .token = admin}).status, 200);
}

TEST_F(OperationsTest, the_listener_for_metrics_asks_for_no_key_but_for_an_address) {
  api::Router listener(access_, service_clock_, {});
  listener.add(operations_.make_metrics_routes());
  const auto ask = [&](const std::string& target, const std::string& host) {
    return test::begin_request(listener, {.target = target, .headers = {{"Host", host}}}).get().status;
  };
  for (const char* own : {"127.0.0.1:9090", "localhost", "[::1]:9090", "192.0.2.1"}) {
    EXPECT_EQ(ask("/metrics", own), 200) << own;
  }
  for (const char* name : {"evil.example:9090", "127.0.0.1.evil.example", "", "[evil"}) {
    EXPECT_EQ(ask("/metrics", name), 403) << name;
  }
  EXPECT_EQ(ask("/v1/me", "127.0.0.1"), 404);
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

TEST_F(OperationsTest, slashes_too_many_do_not_count) {
  for (const char* target : {"//health", "/health/", "///health//", "/health/?x=1"}) {
    EXPECT_EQ(call({.target = target}).status, 200) << target;
  }
  EXPECT_EQ(get("//sync").at("lastUpdate"), "0");
  EXPECT_EQ(get("/kaisho//sync/stats/").status, 200);
  EXPECT_EQ(get("//v1//me/").status, 200);
  EXPECT_EQ(
      call({.method = http::Method::put, .target = "/v1/spaces//s/records/c/i", .token = key_, .body = "{}"}).status,
      404)
      << "a name that is missing is no slash too many";
  EXPECT_EQ(call({.method = http::Method::del, .target = "/v1/spaces/s/records/c//", .token = key_}).status, 405);
  EXPECT_EQ(get("/").at("service"), "syncline");
}

TEST_F(OperationsTest, a_byte_order_mark_before_a_body_is_ignored) {
  const std::string mark = "\xEF\xBB\xBF";
  EXPECT_EQ(post("/sync", mark + R"({"documents":{"d":{"content":"x","timestamp":1}}})").status, 200);
  EXPECT_EQ(post("/sync/apply", mark + R"({"entries":[{"id":"e","start":"2026-11-22T08:00:00Z",)"
                                       R"("updated_at":"2026-11-22T09:00:00Z"}]})")
                .at("inserted"),
            "1");
  EXPECT_EQ(post("/sync/push", mark + R"({"stack_id":"claire","operations":[]})").status, 200);
  EXPECT_EQ(post("/v1/spaces/s/push", mark + R"({"ops":[{"collection":"c","id":"i","doc":{}}]})").status, 200);
  EXPECT_EQ(
      call({.method = http::Method::put, .target = "/v1/spaces/s/records/c/p", .token = key_, .body = mark + "{}"})
          .status,
      201);
  EXPECT_NE(get("/v1/spaces/s/records/c/p").body.find("\"doc\":{}"), std::string::npos);
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
