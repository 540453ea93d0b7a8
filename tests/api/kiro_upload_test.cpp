// What a client may upload as its state. Clients upload all that they have, each time: one part that cannot be read
// must not stop a client for ever.
#include "support/kiro_fixture.hpp"

namespace syncline {
namespace {

using KiroUploadTest = test::KiroFixture;
using test::message;

/// A document of `depth` levels.
std::string nested(int depth) {
  const auto levels = static_cast<std::size_t>(depth - 1);
  return R"({"content":)" + std::string(levels, '[') + std::string(levels, ']') + R"(,"timestamp":1})";
}

TEST_F(KiroUploadTest, only_a_body_whose_parts_cannot_be_found_is_refused_and_changes_nothing) {
  const std::string good = R"("documents":{"good":{"content":"x","timestamp":1}})";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "JSON"},
      {"[]", "object"},
      {"{" + good, "JSON"},
      {"{" + good + R"(,"lastUpdate":"x"})", "lastUpdate"},
      {"{" + good + R"(,"conversations":[]})", "conversations"},
      {"{" + good + R"(,"commands":"x"})", "commands"},
      {R"({"documents":7})", "documents"},
      {"{\"documents\":{\"d\":{\"content\":\"\xff\",\"timestamp\":1}}}", "UTF-8"},
  };
  for (const auto& [body, named] : cases) {
    const test::Answer answer = upload(ide_, body);
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_NE(answer.at("detail").find(named), std::string::npos) << answer.body;
    EXPECT_EQ(answer.headers.at("Content-Type"), "application/json");
  }
  EXPECT_EQ(state("lastUpdate"), "0");
}

TEST_F(KiroUploadTest, a_part_that_cannot_be_read_is_named_and_blocks_no_other_part) {
  struct Case {
    std::string part;
    std::string uploaded;  // the members of the part's map
    std::string named;
  };
  const std::string long_id(513, 'x');
  const std::vector<Case> cases = {
      {"conversations", R"("c":{})", R"("id":"c","reason":"must be an array of messages")"},
      {"conversations", R"("c":null)", R"("id":"c","reason":"must be an array of messages")"},
      {"conversations", R"("c":[1])", R"("id":"c","index":0,"reason":"must be an object")"},
      {"conversations", R"("c":[{"role":"user","timestamp":1}])", R"("index":0,"reason":"content is missing")"},
      {"conversations", R"("c":[{"content":"x","timestamp":1}])", R"("index":0,"reason":"role is missing")"},
      {"conversations", R"("c":[{"role":1,"content":"x","timestamp":1}])", R"("reason":"role must be a string")"},
      {"conversations", R"("c":[{"role":"user","content":"x"}])", R"("reason":"timestamp is missing")"},
      {"conversations", R"("c":[{"role":"user","content":"x","timestamp":"1"}])", "timestamp must be a time in Unix"},
      {"conversations", R"("c":[{"role":"user","content":"x","timestamp":NaN}])", "timestamp must be a time in Unix"},
      {"conversations", R"("c":[{"role":"user","content":1e999,"timestamp":1}])", "has a number that no double holds"},
      {"conversations", R"("c":[{"role":"user","timestamp":1,"content":)" + nested(64) + "}]", "deeper than 63 levels"},
      {"conversations", R"("c":[{"role":"user","timestamp":1,"content":)" + nested(900) + "}]", "deeper than 63"},
      {"conversations", R"("":[])", "has a bad id"},
      {"conversations", '"' + long_id + R"(":[])", "has a bad id"},
      {"documents", R"("d":{"timestamp":1})", R"("id":"d","reason":"content is missing")"},
      {"documents", R"("d":{"content":"x","timestamp":253402300799000})", "timestamp must be before the year 2201"},
      {"documents", R"("d":{"content":"x","timestamp":1,"size":-1e999})", "has a number"},
      {"documents", R"("d":"x")", R"("id":"d","reason":"must be an object")"},
      {"documents", R"("d":)" + nested(65), "is nested deeper than 64 levels"},
      {"commands", R"("x":1)", R"("id":"x","reason":"must be an object")"},
      {"commands", R"("x":{"type":"execute_bash","status":"pending","command":"ls","n":-1e999})", "has a number"},
  };
  std::int64_t time = 10;
  for (const Case& bad : cases) {
    const std::string good = message("user", "good", ++time);
    const std::string in_between =
        bad.part == "conversations" ? bad.uploaded + ",\"good\":[" + good + "]" : "\"good\":[" + good + "]";
    std::string body = R"({"conversations":{)" + in_between + "}";
    if (bad.part != "conversations") body += ",\"" + bad.part + "\":{" + bad.uploaded + "}";
    const test::Answer answer = upload(ide_, body + "}");
    EXPECT_EQ(answer.status, 200) << body.substr(0, 200) << answer.body.substr(0, 200);
    EXPECT_EQ(answer.at("ignored.0.part"), bad.part) << bad.uploaded.substr(0, 200);
    EXPECT_NE(answer.at("ignored").find(bad.named), std::string::npos) << answer.at("ignored");
    EXPECT_EQ(answer.at("ignored.1"), "(none)");
    EXPECT_NE(answer.at("data.conversations.good").find(good), std::string::npos) << bad.uploaded.substr(0, 200);
  }
  EXPECT_EQ(state("documents"), "{}");
  EXPECT_EQ(state("commands"), "{}");
}

TEST_F(KiroUploadTest, the_messages_beside_a_bad_one_are_merged_and_the_next_upload_changes_nothing) {
  const std::string body = R"({"conversations":{"c":[)" + message("user", "one", 1) +
                           R"(,{"role":"user","content":"no time"},)" + message("user", "two", 2) + "]}}";
  const test::Answer first = upload(ide_, body);
  EXPECT_EQ(first.at("ignored"), R"([{"part":"conversations","id":"c","index":1,"reason":"timestamp is missing"}])");
  EXPECT_EQ(first.at("data.conversations.c"), "[" + message("user", "one", 1) + "," + message("user", "two", 2) + "]");
  const test::Answer second = upload(ide_, body);
  EXPECT_EQ(second.at("ignored"), first.at("ignored"));
  EXPECT_EQ(second.at("data.lastUpdate"), first.at("data.lastUpdate"));
}

TEST_F(KiroUploadTest, ids_that_differ_in_halves_of_characters_only_are_named) {
  const test::Answer answer = upload(
      ide_, R"({"documents":{"a\ud800":{"content":"1","timestamp":1},"a\ud801":{"content":"2","timestamp":1}}})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.at("ignored.0.part"), "documents");
  EXPECT_EQ(answer.at("ignored.0.reason"),
            "another one's id differs in broken characters only; the last of them was read");
  EXPECT_EQ(answer.at("ignored.1"), "(none)");
}

TEST_F(KiroUploadTest, content_and_metadata_of_any_type_are_kept) {
  const std::string odd = R"({"role":"user","content":42,"timestamp":1,"metadata":"a text"})";
  const test::Answer answer = upload_messages(ide_, odd);
  EXPECT_EQ(answer.at("ignored"), "(none)");
  EXPECT_EQ(answer.at("data.conversations.c"), "[" + odd + "]");
}

TEST_F(KiroUploadTest, null_stands_for_a_part_that_is_not_there) {
  for (const std::string nothing : {"null", "NaN"}) {
    const test::Answer answer =
        upload(ide_, R"({"conversations":null,"documents":null,"commands":null,"lastUpdate":)" + nothing + "}");
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(answer.at("status"), "current");
    EXPECT_EQ(answer.at("ignored"), "(none)");
  }
}

TEST_F(KiroUploadTest, a_number_that_is_none_is_null_wherever_a_program_may_send_one) {
  const std::string id = submit(R"({"type":"execute_bash","command":"x","metadata":{"load":NaN}})");
  EXPECT_EQ(as(ide_, http::Method::get, "/command/" + id).at("metadata.load"), "null");
  EXPECT_EQ(patch(agent_, id, R"({"status":"processing"})").status, 200);
  const test::Answer ended = patch(agent_, id, R"({"status":"completed","result":{"mean":NaN,"max":-Infinity}})");
  EXPECT_EQ(ended.status, 200) << ended.body;
  EXPECT_EQ(ended.at("result.mean"), "null");
}

TEST_F(KiroUploadTest, half_an_emoji_is_replaced_wherever_a_client_may_send_one) {
  const std::string cut = R"({"conversations":{"c":[{"role":"user","content":"ok \ud83d","timestamp":1}]},)"
                          R"("documents":{"d":{"content":"\ude80","timestamp":1}}})";
  const test::Answer first = upload(ide_, cut);
  ASSERT_EQ(first.status, 200) << first.body;
  EXPECT_EQ(first.at("data.conversations.c.0.content"), "ok \xEF\xBF\xBD");
  EXPECT_EQ(first.at("data.documents.d.content"), "\xEF\xBF\xBD");
  EXPECT_EQ(upload(ide_, cut).at("data.lastUpdate"), first.at("data.lastUpdate")) << "sent again, it is the same";

  const std::string id = submit(R"({"type":"execute_bash","command":"echo \ud83d"})");
  EXPECT_EQ(as(ide_, http::Method::get, "/command/" + id).at("command"), "echo \xEF\xBF\xBD");
  EXPECT_EQ(patch(agent_, id, R"({"status":"processing","note":"\ud83d"})").at("note"), "\xEF\xBF\xBD");
  const std::string at = "/command/" + id;
  EXPECT_EQ(as(agent_, http::Method::post, at + "/output", R"({"stream":"stdout","data":"\ud83d"})").status, 204);
  const std::string question = R"({"rule":"r \ud83d","pattern":"echo *"})";
  EXPECT_EQ(as(agent_, http::Method::post, at + "/approval/request", question).status, 200);
  const std::string approver = add_key("ann@example.org", {Scope::commands_approve}, "phone");
  const std::string denial = R"({"decision":"deny","reason":"no \ud83d"})";
  EXPECT_EQ(as(approver, http::Method::post, at + "/approval", denial).at("error"), "denied by phone: no \xEF\xBF\xBD");
}

TEST_F(KiroUploadTest, a_long_list_of_what_was_left_out_is_cut_and_counted) {
  std::string messages = message("user", "good", 1);
  for (int i = 0; i < 1500; ++i) messages += ",0";
  const test::Answer answer = upload_messages(ide_, messages);
  EXPECT_EQ(answer.at("ignored.999.index"), "1000");
  EXPECT_EQ(answer.at("ignored.1000"), "(none)");
  EXPECT_EQ(answer.at("ignoredCount"), "1500");
  EXPECT_EQ(answer.at("data.conversations.c"), "[" + message("user", "good", 1) + "]");
}

TEST_F(KiroUploadTest, an_agent_without_write_hears_of_both_reasons) {
  const test::Answer answer =
      upload(agent_, R"({"conversations":{"c":[7]},"documents":{"d":{"content":"x","timestamp":1}}})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.at("ignored.0.reason"), "must be an object");
  EXPECT_EQ(answer.at("ignored.1.reason"), "the key needs the scope write");
  EXPECT_EQ(answer.at("ignored.2.id"), "d");
}

}  // namespace
}  // namespace syncline
