// How many round trips the lookups of a write would cost a store behind a network: one for what is named beforehand,
// and one for each hint in the middle. Other writes are checked by the fixture: a lookup that nobody has named fails a
// test.
#include "support/api_fixture.hpp"

namespace syncline {
namespace {

using http::Method;

class WriteReadsTest : public test::ApiFixture {
 protected:
  int fetches_of(const std::string& target, const std::string& body) {
    const test::Answer answer = post(target, body);
    EXPECT_EQ(answer.status, 200) << answer.body;
    return strict_.fetches_of_last_write();
  }
  static std::string join_numbered(int count, const std::function<std::string(const std::string&)>& item) {
    std::string out;
    for (int i = 0; i < count; ++i) out += (i == 0 ? "" : ",") + item(std::to_string(i));
    return out;
  }
};

TEST_F(WriteReadsTest, a_push_looks_everything_up_at_once) {
  const auto push = [&](const std::string& time, const std::string& doc) {
    return fetches_of("/v1/spaces/s/push", R"({"ops":[)" + join_numbered(100, [&](const std::string& n) {
                                             return R"({"collection":"c","id":")" + n + R"(","updated_at":")" + time +
                                                    R"(","doc":)" + doc + '}';
                                           }) + "]}");
  };
  EXPECT_EQ(push("2026-01-02T00:00:00Z", "{}"), 1);
  EXPECT_EQ(push("2026-01-03T00:00:00Z", R"({"v":1})"), 1);
}

TEST_F(WriteReadsTest, a_stale_op_costs_one_more) {
  EXPECT_EQ(fetches_of("/v1/spaces/s/push",
                       R"({"ops":[{"collection":"c","id":"1","updated_at":"2026-01-02T00:00:00Z","doc":{}},)"
                       R"({"collection":"c","id":"2","updated_at":"2026-01-02T00:00:00Z","doc":{}}]})"),
            1);
  EXPECT_EQ(fetches_of("/v1/spaces/s/push",
                       R"({"ops":[{"collection":"c","id":"1","updated_at":"2026-01-01T00:00:00Z","doc":{"v":1}},)"
                       R"({"collection":"c","id":"2","updated_at":"2026-01-03T00:00:00Z","doc":{"v":1}}]})"),
            2);
}

TEST_F(WriteReadsTest, rows_and_the_timer_that_they_may_stop_are_looked_up_at_once) {
  const std::string rows = join_numbered(20, [](const std::string& n) {
    return R"({"id":"e)" + n + R"(","start":"2026-11-22T09:00:00Z","end":"2026-11-22T10:00:00Z",)" +
           R"("updated_at":"2026-11-22T10:00:00Z"})";
  });
  EXPECT_EQ(fetches_of("/sync/apply", R"({"entries":[)" + rows + "]}"), 1);
}

TEST_F(WriteReadsTest, operations_of_an_agent_are_looked_up_at_once) {
  EXPECT_EQ(
      fetches_of("/sync/push", R"({"stack_id":"claire","operations":[)" +
                                   join_numbered(20,
                                                 [](const auto& n) {
                                                   return R"({"operation":"update","table":"notes","record_id":")" + n +
                                                          R"(","data":{}})";
                                                 }) +
                                   "]}"),
      1);
}

TEST_F(WriteReadsTest, an_upload_of_many_conversations_and_documents_looks_everything_up_at_once) {
  const std::string conversations = join_numbered(40, [](const std::string& n) {
    return R"("c)" + n +
           R"(":[{"role":"user","content":"hi","timestamp":1},{"role":"user","content":"a","timestamp":2}])";
  });
  const std::string documents =
      join_numbered(10, [](const std::string& n) { return R"("d)" + n + R"(":{"content":"x","timestamp":1})"; });
  EXPECT_EQ(fetches_of("/sync", R"({"conversations":{)" + conversations + R"(},"documents":{)" + documents + "}}"), 1);
}

TEST_F(WriteReadsTest, a_claim_looks_its_candidates_up_at_once) {
  for (int i = 0; i < 5; ++i) post("/command", R"({"type":"execute_bash","command":"ls"})");
  EXPECT_EQ(fetches_of("/command/claim", ""), 1);
}

}  // namespace
}  // namespace syncline
