// The list of collections with their counts.
#include "support/api_fixture.hpp"

namespace syncline {
namespace {

class NativeCollectionsTest : public test::ApiFixture {
 protected:
  void push(const std::string& ops) { EXPECT_EQ(post("/v1/spaces/s/push", R"({"ops":[)" + ops + "]}").status, 200); }
};

TEST_F(NativeCollectionsTest, collections_are_listed_by_name_with_their_live_records) {
  EXPECT_EQ(get("/v1/spaces/s/collections").body, R"({"collections":[]})") << "a space that was never written";
  push(R"({"collection":"b","id":"1","doc":{"n":1}},{"collection":"b","id":"2","doc":{}},)"
       R"({"collection":"a","id":"1","doc":{}},{"collection":"a","id":"1","deleted":true})");
  const test::Answer answer = get("/v1/spaces/s/collections");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"collections":[{"name":"a","records":0,"bytes":0},{"name":"b","records":2,"bytes":9}]})");
}

TEST_F(NativeCollectionsTest, the_counts_of_all_collections_are_those_of_the_space) {
  push(R"({"collection":"b","id":"1","doc":{"n":1}},{"collection":"a","id":"1","doc":{"text":"x"}})");
  push(R"({"collection":"b","id":"1","doc":{"n":[1,2]}})");
  const test::Answer collections = get("/v1/spaces/s/collections");
  const test::Answer spaces = get("/v1/spaces");
  EXPECT_EQ(spaces.at("spaces.0.records"), "2");
  EXPECT_EQ(std::stoi(collections.at("collections.0.bytes")) + std::stoi(collections.at("collections.1.bytes")),
            std::stoi(spaces.at("spaces.0.bytes")));
}

}  // namespace
}  // namespace syncline
