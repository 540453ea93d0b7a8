// /openapi.json states the body and the answers of every route. ApiFixture holds each answer of the API tests against
// it; here is what that leaves open: that there is a schema for everything, and that a wrong answer is noticed.
#include "support/published_api.hpp"

#include "support/api_fixture.hpp"

namespace syncline {
namespace {

class PublishedApiTest : public test::ApiFixture {
 protected:
  std::shared_ptr<const test::PublishedApi> api() {
    return test::PublishedApi::read(call({.target = "/openapi.json"}).body);
  }
};

bool may_have_a_body(const api::Outcome& outcome) { return outcome.status == 200 || outcome.status == 201; }

TEST_F(PublishedApiTest, every_body_has_a_schema) {
  for (const api::Route& route : router_.routes()) {
    EXPECT_EQ(route.request_body.empty(), route.request_body_schema.empty()) << route.pattern;
  }
}

TEST_F(PublishedApiTest, every_json_answer_has_a_schema) {
  for (const api::Route& route : router_.routes()) {
    for (const api::Outcome& outcome : route.outcomes) {
      const bool is_json = outcome.media_type == "application/json";
      EXPECT_EQ(is_json && may_have_a_body(outcome), !outcome.schema.empty() && outcome.status < 400)
          << route.pattern << ' ' << outcome.status;
    }
  }
}

TEST_F(PublishedApiTest, its_schemas_are_complete_and_of_known_keywords) {
  for (const std::string& fault : api()->faults_of_schemas()) ADD_FAILURE() << fault;
}

TEST_F(PublishedApiTest, a_name_of_a_schema_means_the_same_in_all_faces) {
  std::map<std::string, std::string> seen;
  for (const api::Route& route : router_.routes()) {
    if (route.schemas.empty()) continue;
    JsonView(route.schemas).for_each_member([&](std::string_view name, JsonView schema) {
      const auto [at, is_new] = seen.try_emplace(std::string(name), schema.raw());
      EXPECT_EQ(at->second, schema.raw()) << name;
    });
  }
}

TEST_F(PublishedApiTest, every_schema_is_referred_to) {
  const test::Answer document = call({.target = "/openapi.json"});
  document.json().find("components")->find("schemas")->for_each_member([&](std::string_view name, JsonView) {
    const std::string reference = "\"#/components/schemas/" + std::string(name) + '"';
    EXPECT_NE(document.body.find(reference), std::string::npos) << name;
  });
}

TEST_F(PublishedApiTest, a_wrong_answer_is_detected) {
  const test::RequestSpec request{.target = "/v1/spaces/s/changes"};
  const auto faults_of = [&](int status, const std::string& body) {
    return api()->faults(request, {status, body, {{"Content-Type", "application/json"}}}).size();
  };
  EXPECT_EQ(faults_of(200, R"({"changes":[],"cursor":"e1.0","more":false})"), 0U);
  EXPECT_EQ(faults_of(202, R"({"changes":[],"cursor":"e1.0","more":false})"), 1U) << "no such status";
  EXPECT_EQ(faults_of(200, R"({"changes":[],"cursor":"e1.0"})"), 1U) << "a member is missing";
  EXPECT_EQ(faults_of(200, R"({"changes":[],"cursor":7,"more":false})"), 1U) << "a wrong type";
  EXPECT_EQ(faults_of(200, R"({"changes":[],"cursor":"e1.0","more":false,"extra":1})"), 1U) << "an unknown member";
  EXPECT_EQ(faults_of(200, R"({"changes":[{"seq":1}],"cursor":"e1.0","more":false})"), 5U)
      << "inside of a list: four of a record, one of a damaged one";
  EXPECT_EQ(faults_of(400, R"({"error":"no"})"), 1U) << "problems have another media type";
}

TEST_F(PublishedApiTest, a_request_that_succeeds_against_its_schema_is_detected) {
  const test::Answer done{200, R"({"ok":true})", {{"Content-Type", "application/json"}}};
  const auto faults_of = [&](const std::string& body) {
    return api()->faults({.method = http::Method::post, .target = "/auth/forgot-password", .body = body}, done).size();
  };
  EXPECT_EQ(faults_of(R"({"email":"ann@example.org","more":1})"), 0U);
  EXPECT_EQ(faults_of("{}"), 1U);
}

}  // namespace
}  // namespace syncline
