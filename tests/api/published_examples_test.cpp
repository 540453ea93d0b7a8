// What /docs shows: the example of a body is one that the hub takes, each example calls its own route, and no link
// leads nowhere.
#include "api/operations/code_samples.hpp"
#include "api/operations/open_api.hpp"
#include "api/operations/schema_set.hpp"
#include "base/text.hpp"
#include "http/problem_code.hpp"
#include "support/example_requests.hpp"
#include "support/published_api.hpp"

namespace syncline {
namespace {

class PublishedExamplesTest : public test::ExampleFixture {
 protected:
  std::vector<const api::Route*> all_routes() {
    std::vector<const api::Route*> routes;
    for (const std::string_view face : operations::faces_of(router_.routes())) {
      for (const api::Route* route : operations::routes_of(router_.routes(), face)) routes.push_back(route);
    }
    return routes;
  }
};

TEST_F(PublishedExamplesTest, the_hub_takes_the_example_of_each_body) {
  const operations::SchemaSet schemas(all_routes());
  const auto api = test::PublishedApi::read(call({.target = "/openapi.json"}).body);
  int tried = 0;
  for (const api::Route* route : all_routes()) {
    if (route->request_body.empty()) continue;
    test::RequestSpec spec = request_for(*route, everything_);
    spec.body = schemas.make_example(route->request_body_schema);
    for (const std::string& fault : api->faults_of_body(spec)) ADD_FAILURE() << route->pattern << ' ' << fault;
    EXPECT_NE(spec.body, "{}") << route->pattern << " needs an example in its schema";
    const test::PendingAnswer pending = begin(spec);
    scheduler_.run_posted();
    if (!pending.has_come()) continue;
    const int status = pending.get().status;
    EXPECT_FALSE(status == 400 || status == 413 || status == 415 || status == 422)
        << route->pattern << ' ' << spec.body << ' ' << pending.get().body;
    ++tried;
  }
  EXPECT_GT(tried, 40);
}

TEST_F(PublishedExamplesTest, an_example_calls_its_own_route) {
  for (const api::Route* route : all_routes()) {
    const std::string target = operations::sample_target(*route);
    const test::PendingAnswer pending = begin({.method = route->method, .target = target, .token = everything_});
    scheduler_.run_posted();
    if (!pending.has_come()) continue;
    EXPECT_FALSE(pending.get().body.contains("no route for this path")) << target;
    EXPECT_NE(pending.get().status, 405) << target;
    for (const operations::CodeSample& sample : operations::make_code_samples(*route, "")) {
      EXPECT_TRUE(sample.code.contains(target)) << sample.language;
      EXPECT_EQ(sample.code.contains("Bearer"), !route->any_of.empty()) << sample.code;
    }
  }
}

TEST_F(PublishedExamplesTest, the_index_links_every_route_and_every_error_code) {
  const std::string index = call({.target = "/docs"}).body;
  for (const std::string_view face : operations::faces_of(router_.routes())) {
    const std::string page_target = "/docs/" + std::string(face);
    const std::string page = call({.target = page_target}).body;
    for (const api::Route* route : operations::routes_of(router_.routes(), face)) {
      const std::string id = operations::operation_id(*route);
      EXPECT_TRUE(index.contains("href=\"" + page_target + '#' + id + '"')) << id;
      EXPECT_TRUE(page.contains("id=\"" + id + '"')) << id;
    }
  }
  for (const http::ProblemText& problem : http::kProblemTexts) {
    const std::string target = "/problems/" + std::string(problem.code);
    EXPECT_TRUE(index.contains("href=\"" + target + '"')) << target;
    EXPECT_EQ(call({.target = target}).status, 200) << target;
  }
}

TEST_F(PublishedExamplesTest, a_page_lets_in_its_own_script_and_nothing_else) {
  for (const char* target : {"/docs", "/docs/native", "/problems/not_found"}) {
    const std::string policy = call({.target = target}).headers.at("Content-Security-Policy");
    EXPECT_TRUE(policy.starts_with("default-src 'none'; style-src 'sha256-")) << policy;
    EXPECT_FALSE(policy.contains("unsafe")) << policy;
  }
}

}  // namespace
}  // namespace syncline
