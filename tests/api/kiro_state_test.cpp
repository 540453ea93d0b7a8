// The state of the Kiro face: the published rules of its upload, and what must hold when two clients meet.
#include <algorithm>

#include "support/kiro_fixture.hpp"

namespace syncline {
namespace {

using KiroStateTest = test::KiroFixture;
using test::message;

TEST_F(KiroStateTest, an_empty_space_has_the_published_form) {
  EXPECT_EQ(get("/sync").body, R"({"conversations":{},"documents":{},"commands":{},"lastUpdate":0})");
  EXPECT_EQ(get("/kiro/sync").body, get("/sync").body);
}

TEST_F(KiroStateTest, the_published_comparison_yields_the_published_status) {
  const std::string empty = R"({"conversations":{},"documents":{},)";
  EXPECT_EQ(upload(ide_, empty + R"("lastUpdate":1710338438173})").at("status"), "updated");
  upload(ide_, R"({"documents":{"d":{"content":"x","timestamp":1}},"lastUpdate":0})");
  EXPECT_EQ(upload(ide_, empty + R"("lastUpdate":1})").at("status"), "current");
  EXPECT_EQ(upload(ide_, "{}").at("status"), "current");
}

TEST_F(KiroStateTest, two_clients_that_append_with_an_older_last_update_lose_nothing) {
  upload_messages(ide_, message("user", "one", 1));
  const std::string second = add_key("ann@example.org", {Scope::read, Scope::write});
  upload_messages(ide_, message("user", "one", 1) + "," + message("user", "from ide", 2));
  upload_messages(second, message("user", "one", 1) + "," + message("assistant", "from agent", 2));
  EXPECT_EQ(state("conversations.c"), "[" + message("user", "one", 1) + "," + message("user", "from ide", 2) + "," +
                                          message("assistant", "from agent", 2) + "]");
}

TEST_F(KiroStateTest, equal_messages_in_one_millisecond_are_counted) {
  const std::string twice = message("user", "ok", 5) + "," + message("user", "ok", 5);
  upload_messages(ide_, twice);
  upload_messages(ide_, twice);
  EXPECT_EQ(state("conversations.c"), "[" + twice + "]");
}

TEST_F(KiroStateTest, messages_with_equal_time_and_role_both_survive) {
  const std::string second = add_key("ann@example.org", {Scope::read, Scope::write});
  upload_messages(ide_, message("user", "a", 5));
  upload_messages(second, message("user", "b", 5));
  EXPECT_EQ(state("conversations.c"), "[" + message("user", "a", 5) + "," + message("user", "b", 5) + "]");
}

TEST_F(KiroStateTest, a_growing_message_is_an_edit_and_its_old_copy_changes_nothing) {
  const std::string other = add_key("ann@example.org", {Scope::read, Scope::write});
  upload_messages(ide_, message("assistant", "Hel", 5));
  upload_messages(ide_, message("assistant", "Hello", 5));
  upload_messages(other, message("assistant", "Hel", 5));
  EXPECT_EQ(state("conversations.c"), "[" + message("assistant", "Hello", 5) + "]");
  EXPECT_EQ(get("/v1/spaces/kiro/conflicts").at("conflicts"), "[]");
}

TEST_F(KiroStateTest, a_resent_state_changes_nothing) {
  upload(ide_, R"({"conversations":{"c":[)" + message("user", "a", 1) +
                   R"(],"empty":[]},"documents":{"d":{"content":"x","timestamp":1,"own":{"k":[1,2]}}}})");
  const test::Answer before = get("/sync");
  upload(ide_, before.body);
  const std::string respelled =
      R"({ "conversations": {"c": [{"timestamp": 1.0, "content": "\u0061", "role": "user"}]}, )"
      R"("documents": {"d": {"own": {"k": [1, 2]}, "timestamp": 1, "content": "x"}}})";
  upload(add_key("ann@example.org", {Scope::read, Scope::write}), respelled);
  EXPECT_EQ(get("/sync").body, before.body);
  EXPECT_EQ(get("/sync").headers.at("ETag"), before.headers.at("ETag"));
}

TEST_F(KiroStateTest, items_absent_from_an_upload_are_kept) {
  upload_messages(ide_, message("user", "a", 1));
  upload(ide_, R"({"documents":{"d":{"content":"x","timestamp":1}}})");
  EXPECT_EQ(state("conversations.c"), "[" + message("user", "a", 1) + "]");
}

TEST_F(KiroStateTest, messages_are_ordered_by_time_and_conversations_by_appearance) {
  upload(ide_, R"({"conversations":{"z":[)" + message("user", "late", 9) + R"(]}})");
  upload(ide_, R"({"conversations":{"a":[)" + message("user", "x", 1) + R"(],"z":[)" + message("user", "early", 2) +
                   R"(]}})");
  const std::string body = get("/sync").body;
  EXPECT_LT(body.find("\"z\":"), body.find("\"a\":"));
  EXPECT_LT(body.find("early"), body.find("late"));
}

TEST_F(KiroStateTest, unknown_fields_are_returned_byte_for_byte) {
  const std::string raw = R"({"role":"user","content":{"parts":[ 1.50 ]},"timestamp":7,"metadata":{"x" : "\u00e4"}})";
  upload_messages(ide_, raw);
  EXPECT_NE(get("/sync").body.find(raw), std::string::npos);
}

TEST_F(KiroStateTest, last_update_rises_only_with_changes) {
  std::int64_t last = 0;
  for (int i = 0; i < 5; ++i) {
    post("/sync",
         R"({"documents":{"d":{"content":")" + std::to_string(i) + R"(","timestamp":)" + std::to_string(i) + "}}}");
    const std::int64_t now = std::stoll(state("lastUpdate"));
    EXPECT_GT(now, last);
    last = now;
  }
  get("/sync");
  EXPECT_EQ(std::stoll(state("lastUpdate")), last);
}

TEST_F(KiroStateTest, the_later_document_wins_and_the_earlier_is_kept_as_a_conflict) {
  upload(ide_, R"({"documents":{"d":{"content":"new","timestamp":20}}})");
  upload(add_key("ann@example.org", {Scope::read, Scope::write}),
         R"({"documents":{"d":{"content":"old","timestamp":10}}})");
  EXPECT_EQ(state("documents.d.content"), "new");
  EXPECT_EQ(get("/v1/spaces/kiro/conflicts").at("conflicts.0.loser.doc"), R"({"content":"old","timestamp":10})");
}

TEST_F(KiroStateTest, etag_since_and_wait_are_supported) {
  upload_messages(ide_, message("user", "a", 1));
  const test::Answer full = get("/sync");
  const std::string etag = full.headers.at("ETag");
  const std::string last = full.at("lastUpdate");
  EXPECT_EQ(as(ide_, http::Method::get, "/sync", "", {{"If-None-Match", etag}}).status, 304);
  EXPECT_EQ(get("/sync?since=" + last).at("conversations"), "{}");

  const auto waiting = begin({.target = "/sync?wait=30&since=" + last, .token = ide_});
  const auto modified = begin({.target = "/sync?wait=30", .token = ide_, .headers = {{"If-None-Match", etag}}});
  const auto from_now = begin({.target = "/sync?wait=30", .token = ide_});
  scheduler_.run_posted();
  EXPECT_FALSE(waiting.has_come() || modified.has_come() || from_now.has_come());
  upload_messages(ide_, message("user", "b", 2));
  scheduler_.run_posted();
  ASSERT_TRUE(waiting.has_come() && modified.has_come() && from_now.has_come());
  EXPECT_EQ(waiting.get().at("conversations.c"), "[" + message("user", "b", 2) + "]");
  EXPECT_EQ(waiting.get().at("deleted.documents"), "[]");
  EXPECT_EQ(from_now.get().at("conversations.c"), "[" + message("user", "b", 2) + "]");
  EXPECT_EQ(modified.get().at("conversations.c.0.content"), "a");
  EXPECT_EQ(get("/sync?since=" + etag.substr(1, etag.size() - 2)).at("conversations.c.0.content"), "b");
}

TEST_F(KiroStateTest, a_wait_without_changes_ends_with_an_empty_delta_or_304) {
  upload_messages(ide_, message("user", "a", 1));
  const std::string etag = get("/sync").headers.at("ETag");
  const auto plain = begin({.target = "/sync?wait=5", .token = ide_});
  const auto conditional = begin({.target = "/sync?wait=5", .token = ide_, .headers = {{"If-None-Match", etag}}});
  scheduler_.run_posted();
  clock_.advance_micros(5'000'000);
  scheduler_.advance_ms(5000);
  ASSERT_TRUE(plain.has_come() && conditional.has_come());
  EXPECT_EQ(plain.get().at("conversations"), "{}");
  EXPECT_EQ(conditional.get().status, 304);
}

TEST_F(KiroStateTest, if_match_makes_an_upload_conditional) {
  upload_messages(ide_, message("user", "a", 1));
  const std::string etag = get("/sync").headers.at("ETag");
  upload_messages(ide_, message("user", "b", 2));
  EXPECT_EQ(as(ide_, http::Method::post, "/sync", "{}", {{"If-Match", etag}}).status, 412);
  EXPECT_EQ(as(ide_, http::Method::post, "/sync", "{}", {{"If-Match", get("/sync").headers.at("ETag")}}).status, 200);
}

TEST_F(KiroStateTest, a_deleted_item_stays_deleted_unless_a_newer_one_arrives) {
  const std::string old_message = message("user", "old", clock_.now().millis());
  const std::string now_ms = std::to_string(clock_.now().millis());
  const std::string old_state = R"({"conversations":{"c":[)" + old_message +
                                R"(]},"documents":{"d":{"content":"x","timestamp":)" + now_ms + "}}}";
  upload(ide_, old_state);
  const std::string before = state("lastUpdate");
  EXPECT_EQ(as(ide_, http::Method::del, "/conversation/c").status, 200);
  EXPECT_EQ(as(ide_, http::Method::del, "/document/d").status, 200);
  EXPECT_EQ(as(ide_, http::Method::del, "/document/none").status, 404);
  upload(ide_, old_state);
  EXPECT_EQ(state("conversations"), "{}");
  EXPECT_EQ(state("documents"), "{}");
  EXPECT_EQ(get("/sync?since=" + before).at("deleted.conversations"), R"(["c"])");
  EXPECT_EQ(get("/v1/spaces/kiro/conflicts").at("conflicts"), "[]");

  clock_.advance_micros(1'000'000);
  const std::string newer = message("user", "new", clock_.now().millis());
  upload_messages(ide_, old_message + "," + newer);
  EXPECT_EQ(state("conversations.c"), "[" + newer + "]");
}

TEST_F(KiroStateTest, a_deleted_conversation_stays_without_old_messages_after_a_revival) {
  const std::string ahead = message("user", "from a fast clock", clock_.now().millis() + 3'600'000);
  upload_messages(ide_, message("user", "old", 1) + "," + ahead);
  as(ide_, http::Method::del, "/conversation/c");
  upload_messages(ide_, message("user", "old", 1) + "," + ahead);
  EXPECT_EQ(state("conversations"), "{}");
  clock_.advance_micros(2LL * 3600 * 1'000'000);
  const std::string fresh = message("user", "new", clock_.now().millis());
  upload_messages(ide_, fresh);
  upload_messages(ide_, message("user", "old", 1) + "," + ahead + "," + fresh);
  EXPECT_EQ(state("conversations.c"), "[" + fresh + "]");
}

TEST_F(KiroStateTest, a_deleted_message_stays_deleted) {
  upload_messages(ide_, message("user", "a", 1) + "," + message("user", "b", 2));
  const std::string id = get("/v1/spaces/kiro/records/messages").at("records.0.id");
  as(key_, http::Method::del, "/v1/spaces/kiro/records/messages/" + id);
  upload_messages(ide_, message("user", "a", 1) + "," + message("user", "b", 2));
  EXPECT_EQ(state("conversations.c"), "[" + message("user", "b", 2) + "]");
  upload_messages(ide_, message("user", "a changed", 1) + "," + message("user", "b", 2));
  EXPECT_EQ(state("conversations.c.0.content"), "a changed");
}

TEST_F(KiroStateTest, deleting_an_unseen_edit_keeps_it_as_a_conflict) {
  const std::string other = add_key("ann@example.org", {Scope::read, Scope::write});
  upload(ide_, R"({"documents":{"d":{"content":"mine","timestamp":1}}})");
  upload(other, R"({"documents":{"d":{"content":"theirs","timestamp":2}}})");
  as(ide_, http::Method::del, "/document/d");
  EXPECT_NE(get("/v1/spaces/kiro/conflicts").body.find("theirs"), std::string::npos);
}

TEST_F(KiroStateTest, a_write_only_key_does_not_see_the_state) {
  upload_messages(ide_, message("user", "secret", 1));
  const std::string writer = add_key("ann@example.org", {Scope::write});
  EXPECT_EQ(upload(writer, "{}").body.find("secret"), std::string::npos);
}

TEST_F(KiroStateTest, a_small_upload_to_a_large_conversation_does_not_occupy_a_network_thread) {
  const auto is_upload = [](const api::Route& route) {
    return route.method == http::Method::post && route.pattern == "/sync" && route.face == "kiro";
  };
  const auto upload = std::ranges::find_if(router_.routes(), is_upload);
  ASSERT_NE(upload, router_.routes().end());
  EXPECT_EQ(upload->cost, api::Route::Cost::heavy);
}

TEST_F(KiroStateTest, ids_of_all_kinds_are_kept) {
  for (const std::string& id :
       {std::string(512, 'x'), std::string("a/b"), std::string("\U0001F600"), std::string("\t")}) {
    std::string quoted;
    append_json_string(quoted, id);
    upload(ide_, "{\"conversations\":{" + quoted + ":[" + message("user", "x", 1) + "]}}");
    EXPECT_NE(get("/sync").body.find(quoted), std::string::npos);
  }
}

}  // namespace
}  // namespace syncline
