// /openapi.json states the body and the answers of every route. ApiFixture holds each answer of the API tests against
// it; here is what that leaves open: that there is a schema for everything, that a wrong answer is noticed, and that
// the documents of the faces say the same.
#include "support/published_api.hpp"

#include "api/operations/open_api.hpp"
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

TEST_F(PublishedApiTest, no_object_has_a_member_twice) {
  for (const std::string& fault : api()->repeated_members()) ADD_FAILURE() << fault;
  const test::PublishedApi twice(R"({"paths":{"/a":{"get":1,"get":2}},"components":{"schemas":{}}})");
  EXPECT_EQ(twice.repeated_members(), std::vector<std::string>{".paths./a.get"});
}

TEST_F(PublishedApiTest, no_route_hides_another) {
  std::set<std::string> seen;
  for (const api::Route& route : router_.routes()) {
    const std::string what = std::string(http::to_text(route.method)) + ' ' + std::string(route.pattern) + ' ' +
                             join(route.only_with_query, "&");
    EXPECT_TRUE(seen.insert(what).second) << what;
  }
}

TEST_F(PublishedApiTest, a_face_has_a_document_of_its_own_routes) {
  for (const std::string_view face : operations::faces_of(router_.routes())) {
    const test::Answer answer = call({.target = "/openapi/" + std::string(face) + ".json"});
    ASSERT_EQ(answer.status, 200) << face;
    const auto document = test::PublishedApi::read(answer.body);
    std::set<std::string> expected;
    for (const api::Route* route : operations::routes_of(router_.routes(), face)) {
      expected.insert(lower_case(http::to_text(route->method)) + ' ' + std::string(route->pattern));
    }
    EXPECT_EQ(document->operations(), expected) << face;
    for (const std::string& fault : document->faults_of_schemas()) ADD_FAILURE() << face << ' ' << fault;
    for (const std::string& fault : document->repeated_members()) ADD_FAILURE() << face << ' ' << fault;
  }
}

TEST_F(PublishedApiTest, the_prefixes_of_a_face_are_servers_of_its_document) {
  EXPECT_EQ(call({.target = "/openapi/kiro.json"}).at("servers"), R"([{"url":"/"},{"url":"/kiro"}])");
  EXPECT_EQ(call({.target = "/openapi/native.json"}).at("servers"), R"([{"url":"/"}])");
}

TEST_F(PublishedApiTest, a_shared_path_is_described_by_each_of_its_faces) {
  const std::string answer_of = "paths./sync/status.get.responses.200.content.application/json.schema";
  EXPECT_EQ(call({.target = "/openapi/kernle.json"}).at(answer_of + ".$ref"), "#/components/schemas/KernleStatus");
  EXPECT_EQ(call({.target = "/openapi/kaisho.json"}).at(answer_of + ".$ref"), "#/components/schemas/KaishoStatus");
  EXPECT_EQ(call({.target = "/openapi.json"}).at(answer_of),
            R"({"anyOf":[{"$ref":"#/components/schemas/KaishoStatus"},{"$ref":"#/components/schemas/KernleStatus"}]})");
}

TEST_F(PublishedApiTest, an_unknown_face_has_no_document) {
  EXPECT_EQ(call({.target = "/openapi/nobody.json"}).status, 404);
  EXPECT_EQ(call({.target = "/openapi/native"}).status, 404);
  EXPECT_EQ(call({.target = "/docs/nobody"}).status, 404);
}

TEST_F(PublishedApiTest, a_document_that_the_client_has_is_not_sent_again) {
  std::set<std::string> entity_tags;
  for (const char* target : {"/openapi.json", "/openapi/native.json", "/openapi/kiro.json", "/docs", "/docs/native"}) {
    const test::Answer first = call({.target = target});
    const std::string entity_tag = first.headers.at("ETag");
    EXPECT_TRUE(entity_tags.insert(entity_tag).second) << target;
    const test::Answer known = call({.target = target, .headers = {{"If-None-Match", "\"x\", W/" + entity_tag}}});
    EXPECT_EQ(known.status, 304) << target;
    EXPECT_EQ(known.body, "") << target;
    EXPECT_EQ(known.headers.at("ETag"), entity_tag) << target;
    EXPECT_EQ(call({.target = target, .headers = {{"If-None-Match", "\"x\""}}}).body, first.body) << target;
  }
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

TEST_F(PublishedApiTest, every_schema_of_a_face_is_used) {
  const test::Answer document = call({.target = "/openapi.json"});
  const JsonView used = *document.json().find("components")->find("schemas");
  for (const api::Route& route : router_.routes()) {
    if (route.schemas.empty()) continue;
    JsonView(route.schemas).for_each_member([&](std::string_view name, JsonView) {
      EXPECT_TRUE(used.find(name)) << name;
    });
  }
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
  EXPECT_EQ(api()->faults_of_body({.target = "/health", .body = R"({"a":1})"}).size(), 1U) << "it takes no body";
}

}  // namespace
}  // namespace syncline
