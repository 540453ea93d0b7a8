// What /v1 takes as it is, and what it refuses: documents that cannot be kept, and names that it does not know.
#include "support/api_fixture.hpp"

namespace syncline {
namespace {

class NativeInputTest : public test::ApiFixture {
 protected:
  test::Answer push(const std::string& ops) { return post("/v1/spaces/s/push", R"({"ops":[)" + ops + "]}"); }
};

TEST_F(NativeInputTest, a_parameter_that_is_misspelt_is_an_error_and_not_passed_over) {
  const test::Answer answer = get("/v1/spaces/s/changes?sinse=0");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.at("code"), "unknown_parameter");
  EXPECT_EQ(answer.at("detail"), "unknown query parameter 'sinse'; did you mean 'since'?");
  EXPECT_EQ(get("/v1/spaces/s/changes?since=0&color=red").at("detail"),
            "unknown query parameter 'color'; this route takes since, limit, wait, collections, docs, known");
  EXPECT_EQ(get("/v1/me?x").at("detail"), "unknown query parameter 'x'; this route takes none");
  EXPECT_EQ(get("/v1/me?").status, 200);
  EXPECT_EQ(call({.target = "/v1/me?x=1"}).status, 401) << "strangers learn nothing of routes";
  EXPECT_EQ(call({.target = "/problems/unknown_parameter"}).status, 200);
  EXPECT_EQ(get("/sync?color=red").status, 200) << "published APIs pass over what they do not know";
  EXPECT_EQ(get("/sync/changes?color=red").status, 200);
}

TEST_F(NativeInputTest, every_v1_route_refuses_what_it_does_not_declare) {
  int strict = 0;
  for (const api::Route& route : router_.routes()) {
    if (!route.pattern.starts_with("/v1/") || route.errors != &api::kProblemDetails) continue;
    EXPECT_TRUE(route.is_strict()) << route.pattern;
    strict += 1;
  }
  EXPECT_GT(strict, 0);
  for (const char* target : {"/v1/time?zone=x", "/v1/spaces?x=1", "/v1/spaces/s/conflicts?x=1"}) {
    EXPECT_EQ(get(target).at("code"), "unknown_parameter") << target;
  }
  const std::string admin = add_key("ann@example.org", {Scope::admin});
  EXPECT_EQ(call({.target = "/v1/admin/audit?x=1", .token = admin}).at("code"), "unknown_parameter");
}

TEST_F(NativeInputTest, an_unknown_member_refuses_its_op_only) {
  const test::Answer answer = push(R"({"collection":"c","id":"1","updatet_at":"2026-01-02T00:00:00Z","doc":{}},)"
                                   R"({"collection":"c","id":"2","doc":{}},)"
                                   R"({"collection":"c","id":"3","color":"red","doc":{}})");
  EXPECT_EQ(answer.at("results.0.status"), "refused");
  EXPECT_EQ(answer.at("results.0.error.detail"), "unknown member 'updatet_at' of an op; did you mean 'updated_at'?");
  EXPECT_EQ(answer.at("results.1.status"), "applied");
  EXPECT_EQ(answer.at("results.2.error.detail"),
            "unknown member 'color' of an op; an op has collection, id, updated_at, base, doc, deleted");
  EXPECT_EQ(get("/v1/me").at("api"), "3");
}

TEST_F(NativeInputTest, integers_of_any_length_are_kept_byte_for_byte) {
  const std::string doc =
      R"({"id":18446744073709551616, "n":[-123456789012345678901234567890],"x":)" + std::string(1000, '9') + "}";
  const test::Answer answer = push(R"({"collection":"c","id":"i","doc":)" + doc + "}," +
                                   R"({"collection":"c","id":"half","doc":{"n":18446744073709551616,"t":"\ud83d"}})");
  EXPECT_EQ(answer.at("results.0.status"), "applied");
  EXPECT_EQ(answer.at("results.1.error.code"), "invalid_document") << "refused, by itself";
  EXPECT_NE(get("/v1/spaces/s/changes").body.find("\"doc\":" + doc), std::string::npos);
  std::string other = doc;
  other[other.size() - 2] = '8';
  EXPECT_EQ(push(R"({"collection":"c","id":"i","doc":)" + other + "}").at("results.0.status"), "applied")
      << "another number, although the same double";
  EXPECT_EQ(
      call({.method = http::Method::put, .target = "/v1/spaces/s/records/c/put", .token = key_, .body = doc}).status,
      201);
}

TEST_F(NativeInputTest, unsupported_documents_are_rejected_not_altered) {
  const std::string deep = std::string(64, '[') + std::string(64, ']');
  for (const std::string& doc :
       {std::string(R"({"a":"\ud800"})"), std::string(R"({"a":-1e999})"), "{\"a\":" + deep + "}"}) {
    const test::Answer answer = push(R"({"collection":"c","id":"i","doc":)" + doc + "}");
    EXPECT_EQ(answer.at("results.0.error.code"), "invalid_document") << doc;
  }
  const std::string allowed = std::string(63, '[') + std::string(63, ']');
  EXPECT_EQ(push(R"({"collection":"c","id":"i","doc":{"a":)" + allowed + "}}").at("results.0.status"), "applied");
}

TEST_F(NativeInputTest, an_id_with_a_lone_surrogate_is_refused) {
  EXPECT_EQ(push(R"({"collection":"c","id":"\ud800","doc":{}})").at("results.0.status"), "refused");
}

}  // namespace
}  // namespace syncline
