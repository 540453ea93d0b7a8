// Damaged records through /v1: what readers are told, and what heals.
#include "support/api_fixture.hpp"

namespace syncline {
namespace {

class NativeDamageTest : public test::ApiFixture {
 protected:
  test::Answer push(const std::string& ops) { return post("/v1/spaces/s/push", R"({"ops":[)" + ops + "]}"); }
  test::Answer put(const std::string& id, const std::string& doc) {
    return call({.method = http::Method::put,
                 .target = "/v1/spaces/s/records/c/" + id,
                 .token = key_,
                 .body = doc,
                 .headers = {}});
  }
  void write_three() {
    put("a", R"({"v":1})");
    put("b", R"({"v":2})");
    put("c", R"({"v":3})");
  }
  void damage(const std::string& id) {
    const AccountNumber account = access_.authenticate(key_).value()->account;
    memory_.rot({account, "s"}, "c", id, [](Record& record) { record.doc = R"({"wrong":1})"; });
  }
};

TEST_F(NativeDamageTest, a_damaged_record_stands_in_the_feed_without_its_document_and_stops_nothing) {
  write_three();
  damage("b");

  const test::Answer page = get("/v1/spaces/s/changes");

  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.at("changes.0.doc"), R"({"v":1})");
  EXPECT_EQ(page.at("changes.1"), R"({"seq":2,"collection":"c","id":"b","damaged":true})");
  EXPECT_EQ(page.at("changes.2.doc"), R"({"v":3})");
  EXPECT_EQ(page.at("cursor"), "e1.3");
  EXPECT_EQ(page.body.find("wrong"), std::string::npos);
}

TEST_F(NativeDamageTest, a_reader_past_it_is_told_once_it_is_found) {
  write_three();
  damage("b");
  EXPECT_EQ(get("/v1/spaces/s/changes?since=e1.3").at("damaged"), "(none)") << "nobody has come across it";
  ASSERT_TRUE(store_.verify());
  EXPECT_EQ(get("/v1/spaces/s/changes?since=e1.3").at("damaged.0"),
            R"({"seq":2,"collection":"c","id":"b","damaged":true})");
  put("b", R"({"v":4})");
  EXPECT_EQ(get("/v1/spaces/s/changes?since=e1.4").at("damaged.0.seq"), "2")
      << "its version is gone, and a device may still have it";
}

TEST_F(NativeDamageTest, a_read_of_a_damaged_record_gets_503_and_not_404) {
  write_three();
  damage("b");
  const test::Answer answer = get("/v1/spaces/s/records/c/b");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.at("code"), "damaged");
  EXPECT_EQ(get("/v1/spaces/s/records/c").at("records.1"), R"({"seq":2,"collection":"c","id":"b","damaged":true})");
}

TEST_F(NativeDamageTest, a_write_to_the_same_id_heals_it) {
  write_three();
  damage("b");
  EXPECT_EQ(put("b", R"({"v":4})").status, 200);
  EXPECT_EQ(get("/v1/spaces/s/records/c/b").at("doc"), R"({"v":4})");
  EXPECT_EQ(get("/v1/spaces").at("spaces.0.records"), "3");
  EXPECT_TRUE(store_.verify()->empty());
}

TEST_F(NativeDamageTest, a_deletion_of_a_damaged_record_is_one) {
  write_three();
  damage("b");
  EXPECT_EQ(
      call(
          {.method = http::Method::del, .target = "/v1/spaces/s/records/c/b", .token = key_, .body = "", .headers = {}})
          .status,
      204);
  EXPECT_EQ(get("/v1/spaces/s/records/c/b").status, 404);
  EXPECT_EQ(get("/v1/spaces").at("spaces.0.records"), "2");
}

TEST_F(NativeDamageTest, a_copy_with_its_seq_as_base_takes_a_new_seq_once) {
  write_three();
  damage("b");
  const std::string copy = R"({"collection":"c","id":"b","base":2,"doc":{"v":2}})";
  EXPECT_EQ(push(copy).at("results.0.status"), "applied");
  EXPECT_EQ(push(copy).at("results.0.status"), "noop") << "another device had it too";
  const test::Answer page = get("/v1/spaces/s/changes?since=e1.3");
  EXPECT_EQ(page.at("changes.0.seq"), "4");
  EXPECT_EQ(page.at("changes.0.doc"), R"({"v":2})");
  EXPECT_EQ(page.at("damaged"), "(none)") << "nothing was lost";
}

TEST_F(NativeDamageTest, a_version_that_was_lost_unseen_is_merged_when_a_device_offers_it) {
  put("b", R"({"v":1})");
  damage("b");
  // Somebody who has never seen it writes the same record.
  push(R"({"collection":"c","id":"b","base":0,"updated_at":"2027-01-15T08:00:01Z","doc":{"v":"new"}})");
  EXPECT_EQ(get("/v1/spaces/s/changes?since=e1.2").at("damaged.0.seq"), "1");
  // A device that has it offers it: it is older, so it becomes a conflict and is not lost.
  const test::Answer offer =
      push(R"({"collection":"c","id":"b","base":1,"updated_at":"2027-01-15T07:59:00Z","doc":{"v":1}})");
  EXPECT_EQ(offer.at("results.0.status"), "stale");
  EXPECT_EQ(get("/v1/spaces/s/conflicts").at("conflicts.0.loser.doc"), R"({"v":1})");
  EXPECT_EQ(get("/v1/spaces/s/changes?since=e1.2").at("damaged"), "(none)") << "and is not asked for any more";
}

TEST_F(NativeDamageTest, the_history_of_a_damaged_record_can_be_read) {
  put("b", R"({"v":1})");
  put("b", R"({"v":2})");
  damage("b");
  const test::Answer answer = get("/v1/spaces/s/records/c/b/history");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.at("versions.0.doc"), R"({"v":1})");
}

TEST_F(NativeDamageTest, the_metrics_count_damaged_rows) {
  write_three();
  damage("b");
  ASSERT_TRUE(store_.verify());
  EXPECT_NE(metrics_.to_text(store_.status(), nullptr, nullptr).find("syncline_damaged_rows 1"), std::string::npos);
}

}  // namespace
}  // namespace syncline
