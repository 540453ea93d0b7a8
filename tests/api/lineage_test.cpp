// A store that went back under the same epoch: what its clients know of changes that it no longer has.
#include "support/api_fixture.hpp"

namespace syncline {
namespace {

constexpr IncarnationId kA{0xA};
constexpr IncarnationId kB{0xB};

class LineageTest : public test::ApiFixture {
 protected:
  LineageTest() {
    memory_.reopen(kA);
    push("1");
    push("2");
  }

  test::Answer push(const std::string& id, const std::string& members = "") {
    return post("/v1/spaces/s/push", "{" + members + R"("ops":[{"collection":"c","id":")" + id + R"(","doc":{}}]})");
  }
  test::Answer changes(const std::string& query) { return get("/v1/spaces/s/changes?" + query); }
  test::Answer record(const std::string& header, const std::string& etag) {
    return call({.target = "/v1/spaces/s/records/c/3", .token = key_, .headers = {{header, etag}}});
  }
  /// The store goes on from its change 2, and makes another change 3 than the one that a device knows.
  void go_back() {
    memory_.reopen(kB);
    push("3");
  }
};

TEST_F(LineageTest, cursors_name_the_opening_that_made_the_change) {
  EXPECT_EQ(changes("since=0").at("cursor"), "e1-00000000000a.2");
  go_back();
  EXPECT_EQ(changes("since=0").at("cursor"), "e1-00000000000b.3");
  EXPECT_EQ(get("/v1/spaces").at("spaces.0.cursor"), "e1-00000000000b.3");
  EXPECT_EQ(changes("since=0&limit=1").at("cursor"), "e1-00000000000b.1.0.3") << "has heard of three, and read one";
}

TEST_F(LineageTest, a_cursor_of_changes_that_are_gone_answers_410) {
  go_back();
  EXPECT_EQ(changes("since=e1-00000000000a.2").status, 200);
  EXPECT_EQ(changes("since=e1-00000000000b.3").status, 200);
  EXPECT_EQ(changes("since=e1.3").status, 200) << "the text of an older store";
  for (const char* since : {"e1-00000000000a.3", "e1-00000000000c.1", "e1-00000000000a.1.0.3"}) {
    const test::Answer answer = changes(std::string("since=") + since);
    EXPECT_EQ(answer.status, 410) << since;
    EXPECT_EQ(answer.at("code"), "epoch_changed");
    EXPECT_EQ(answer.at("cursor"), "e1-00000000000b.3");
  }
}

TEST_F(LineageTest, a_reader_from_the_beginning_says_what_it_knows) {
  go_back();
  EXPECT_EQ(changes("since=0&known=e1-00000000000a.2").status, 200);
  EXPECT_EQ(changes("since=0&known=e1-00000000000a.3").at("code"), "epoch_changed");
  EXPECT_EQ(changes("since=e1-00000000000a.1&known=e1-00000000000a.3").at("code"), "epoch_changed");
  EXPECT_EQ(changes("since=0&known=nonsense").status, 400);
}

TEST_F(LineageTest, a_push_that_knows_changes_that_are_gone_stores_nothing) {
  go_back();
  EXPECT_EQ(push("4", R"("epoch":"e1-00000000000c",)").at("code"), "epoch_changed");
  EXPECT_EQ(push("4", R"("known":"e1-00000000000a.3",)").at("code"), "epoch_changed");
  EXPECT_EQ(push("4", R"("known":"nonsense",)").status, 400);
  EXPECT_EQ(changes("since=0").at("cursor"), "e1-00000000000b.3");
  EXPECT_EQ(push("4", R"("epoch":"e1-00000000000a","known":"e1-00000000000a.2",)").status, 200);
  EXPECT_EQ(push("5", R"("epoch":"e1",)").status, 200);
}

TEST_F(LineageTest, a_push_whose_base_was_a_change_that_is_gone_stores_nothing) {
  go_back();
  const auto push_onto = [this](int base) {
    return post("/v1/spaces/s/push", R"({"epoch":"e1-00000000000a","ops":[{"collection":"c","id":"3","base":)" +
                                         std::to_string(base) + R"(,"doc":{"theirs":true}}]})");
  };
  const test::Answer refused = push_onto(3);
  EXPECT_EQ(refused.status, 410) << refused.body;
  EXPECT_EQ(refused.at("code"), "epoch_changed");
  EXPECT_EQ(get("/v1/spaces/s/records/c/3").at("doc.theirs"), "(none)");
  EXPECT_EQ(push_onto(2).status, 200);
}

TEST_F(LineageTest, an_entity_tag_names_one_version_for_good) {
  go_back();
  EXPECT_EQ(record("If-None-Match", "\"e1-00000000000b.3\"").status, 304);
  EXPECT_EQ(record("If-None-Match", "\"e1-00000000000a.3\"").status, 200) << "that was another document";
  memory_.reopen({0xC});
  push("4");
  EXPECT_EQ(record("If-None-Match", "\"e1-00000000000b.3\"").status, 304) << "an opening changes no version";
}

TEST_F(LineageTest, a_kiro_client_that_knows_another_state_gets_the_whole_state) {
  const std::string state = R"({"conversations":{"c1":[{"role":"user","content":"x","timestamp":1}]}})";
  ASSERT_EQ(post("/sync", state).status, 200);
  const std::string before = get("/sync").headers.at("ETag");
  memory_.reopen(kB);
  ASSERT_EQ(post("/sync", R"({"conversations":{"c2":[{"role":"user","content":"y","timestamp":2}]}})").status, 200);
  EXPECT_NE(get("/sync?since=" + before.substr(1, before.size() - 2)).body.find("c2"), std::string::npos);
  const std::string epoch_and_opening = before.substr(1, before.find('.') - 1);
  const test::Answer gone = get("/sync?since=" + epoch_and_opening + ".9");
  EXPECT_NE(gone.body.find("c1"), std::string::npos) << gone.body;
}

}  // namespace
}  // namespace syncline
