// Reading the feed of /v1 in pages while deletions are purged: a reader that would miss one starts over.
#include "support/api_fixture.hpp"

namespace syncline {
namespace {

class NativePurgeTest : public test::ApiFixture {
 protected:
  void push(const std::string& op) { (void)post("/v1/spaces/s/push", R"({"ops":[)" + op + "]}"); }
};

TEST_F(NativePurgeTest, paged_reading_from_the_beginning_ends_after_a_purge) {
  for (const char* id : {"1", "2", "3", "4"}) {
    push(R"({"collection":"c","id":")" + std::string(id) + R"(","doc":{}})");
  }
  push(R"({"collection":"c","id":"1","deleted":true})");
  clock_.advance_micros(1'000'000);
  ASSERT_TRUE(store_.purge({{}, clock_.now(), {}}));
  const auto first = get("/v1/spaces/s/changes?limit=1");
  EXPECT_EQ(first.at("more"), "true");
  const auto second = get("/v1/spaces/s/changes?limit=2&since=" + first.at("cursor"));
  EXPECT_EQ(second.status, 200);
  EXPECT_EQ(second.at("changes.1.id"), "4");
  // A cursor from before the purge may have missed the deletion.
  EXPECT_EQ(get("/v1/spaces/s/changes?since=e1.2").status, 410);
}

TEST_F(NativePurgeTest, a_page_ends_before_deletions_that_were_purged_while_it_was_read) {
  const std::string large(60'000, 'x');
  for (int i = 0; i < 10; ++i) {
    push(R"({"collection":"c","id":")" + std::to_string(i) + R"(","doc":{"text":")" + large + "\"}}");
  }
  const std::string held = get("/v1/spaces/s/changes?limit=1").at("cursor");  // of a device that holds record 0
  const http::Response page =
      test::take_response(router_, {.target = "/v1/spaces/s/changes?since=" + held, .token = key_});
  ASSERT_EQ(page.status, 200);
  http::BodySource& source = *std::get<std::unique_ptr<http::BodySource>>(page.body);
  source.start({[] {}});
  const auto next = [&] {
    const auto part = source.next();
    const auto* chunk = std::get_if<http::BodySource::Chunk>(&part);
    return chunk != nullptr ? *chunk->bytes : std::string();
  };
  test::Answer answer{.status = page.status, .body = next()};
  ASSERT_GT(answer.body.size(), 100'000U);
  ASSERT_LT(answer.body.size(), 500'000U) << "the whole page came at once";
  push(R"({"collection":"c","id":"0","deleted":true})");
  clock_.advance_micros(1'000'000);
  ASSERT_TRUE(store_.purge({{}, clock_.now(), {}}));
  for (std::string more = next(); !more.empty(); more = next()) answer.body += more;

  EXPECT_EQ(answer.at("more"), "true");
  EXPECT_EQ(get("/v1/spaces/s/changes?since=" + answer.at("cursor")).status, 410) << "the deletion would be missed";
}

}  // namespace
}  // namespace syncline
