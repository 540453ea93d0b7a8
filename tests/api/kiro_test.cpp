// Scenarios of the Kiro face: the published rules, and what must hold when two clients meet.
#include "support/api_fixture.hpp"

namespace syncline {
namespace {

std::string message(const std::string& role, const std::string& content, std::int64_t timestamp) {
  return R"({"role":")" + role + R"(","content":")" + content + R"(","timestamp":)" + std::to_string(timestamp) + "}";
}

class KiroTest : public test::ApiFixture {
 protected:
  KiroTest() {
    ide_ = add_key("ann@example.org", {Scope::read, Scope::write, Scope::commands_submit}, "ide");
    agent_ = add_key("ann@example.org", {Scope::read, Scope::commands_run}, "agent");
    agent2_ = add_key("ann@example.org", {Scope::read, Scope::commands_run}, "agent2");
  }

  test::Answer as(const std::string& key, http::Method method, const std::string& target, const std::string& body = "",
                  std::map<std::string, std::string> headers = {}) {
    clock_.advance_micros(1000);
    return call({.method = method, .target = target, .token = key, .body = body, .headers = std::move(headers)});
  }
  test::Answer upload(const std::string& key, const std::string& state) {
    return as(key, http::Method::post, "/sync", state);
  }
  test::Answer upload_messages(const std::string& key, const std::string& messages) {
    return upload(key, R"({"conversations":{"c":[)" + messages + "]}}");
  }
  std::string submit(const std::string& body = R"({"type":"execute_bash","command":"ls"})") {
    return as(ide_, http::Method::post, "/command", body).at("commandId");
  }
  test::Answer patch(const std::string& key, const std::string& id, const std::string& body) {
    return as(key, http::Method::patch, "/command/" + id, body);
  }
  std::string state(const std::string& path) { return get("/sync").at(path); }

  std::string ide_, agent_, agent2_;
};

TEST_F(KiroTest, an_empty_space_has_the_published_form) {
  EXPECT_EQ(get("/sync").body, R"({"conversations":{},"documents":{},"commands":{},"lastUpdate":0})");
  EXPECT_EQ(get("/kiro/sync").body, get("/sync").body);
}

TEST_F(KiroTest, the_published_comparison_gives_the_published_word) {
  const std::string empty = R"({"conversations":{},"documents":{},)";
  EXPECT_EQ(upload(ide_, empty + R"("lastUpdate":1710338438173})").at("status"), "updated");
  upload(ide_, R"({"documents":{"d":{"content":"x","timestamp":1}},"lastUpdate":0})");
  EXPECT_EQ(upload(ide_, empty + R"("lastUpdate":1})").at("status"), "current");
  EXPECT_EQ(upload(ide_, "{}").at("status"), "current");
}

TEST_F(KiroTest, two_clients_that_append_with_an_older_last_update_lose_nothing) {
  upload_messages(ide_, message("user", "one", 1));
  const std::string second = add_key("ann@example.org", {Scope::read, Scope::write});
  upload_messages(ide_, message("user", "one", 1) + "," + message("user", "from ide", 2));
  upload_messages(second, message("user", "one", 1) + "," + message("assistant", "from agent", 2));
  EXPECT_EQ(state("conversations.c"), "[" + message("user", "one", 1) + "," + message("user", "from ide", 2) + "," +
                                          message("assistant", "from agent", 2) + "]");
}

TEST_F(KiroTest, equal_messages_in_one_millisecond_are_counted) {
  const std::string twice = message("user", "ok", 5) + "," + message("user", "ok", 5);
  upload_messages(ide_, twice);
  upload_messages(ide_, twice);
  EXPECT_EQ(state("conversations.c"), "[" + twice + "]");
}

TEST_F(KiroTest, two_sides_with_the_same_stamp_and_role_both_survive) {
  const std::string second = add_key("ann@example.org", {Scope::read, Scope::write});
  upload_messages(ide_, message("user", "a", 5));
  upload_messages(second, message("user", "b", 5));
  EXPECT_EQ(state("conversations.c"), "[" + message("user", "a", 5) + "," + message("user", "b", 5) + "]");
}

TEST_F(KiroTest, a_growing_answer_is_an_edit_and_an_old_copy_of_it_changes_nothing) {
  const std::string other = add_key("ann@example.org", {Scope::read, Scope::write});
  upload_messages(ide_, message("assistant", "Hel", 5));
  upload_messages(ide_, message("assistant", "Hello", 5));
  upload_messages(other, message("assistant", "Hel", 5));
  EXPECT_EQ(state("conversations.c"), "[" + message("assistant", "Hello", 5) + "]");
  EXPECT_EQ(get("/v1/spaces/kiro/conflicts").at("conflicts"), "[]");
}

TEST_F(KiroTest, a_resent_state_changes_nothing) {
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

TEST_F(KiroTest, what_is_absent_from_an_upload_stays) {
  upload_messages(ide_, message("user", "a", 1));
  upload(ide_, R"({"documents":{"d":{"content":"x","timestamp":1}}})");
  EXPECT_EQ(state("conversations.c"), "[" + message("user", "a", 1) + "]");
}

TEST_F(KiroTest, messages_are_ordered_by_time_and_conversations_by_appearance) {
  upload(ide_, R"({"conversations":{"z":[)" + message("user", "late", 9) + R"(]}})");
  upload(ide_, R"({"conversations":{"a":[)" + message("user", "x", 1) + R"(],"z":[)" + message("user", "early", 2) +
                   R"(]}})");
  const std::string body = get("/sync").body;
  EXPECT_LT(body.find("\"z\":"), body.find("\"a\":"));
  EXPECT_LT(body.find("early"), body.find("late"));
}

TEST_F(KiroTest, unknown_fields_come_back_byte_for_byte) {
  const std::string raw = R"({"role":"user","content":{"parts":[ 1.50 ]},"timestamp":7,"metadata":{"x" : "\u00e4"}})";
  upload_messages(ide_, raw);
  EXPECT_NE(get("/sync").body.find(raw), std::string::npos);
}

TEST_F(KiroTest, last_update_rises_with_every_change_and_only_then) {
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

TEST_F(KiroTest, the_later_document_wins_and_the_earlier_is_kept_as_a_conflict) {
  upload(ide_, R"({"documents":{"d":{"content":"new","timestamp":20}}})");
  upload(add_key("ann@example.org", {Scope::read, Scope::write}),
         R"({"documents":{"d":{"content":"old","timestamp":10}}})");
  EXPECT_EQ(state("documents.d.content"), "new");
  EXPECT_EQ(get("/v1/spaces/kiro/conflicts").at("conflicts.0.loser.doc"), R"({"content":"old","timestamp":10})");
}

TEST_F(KiroTest, etag_since_and_wait) {
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

TEST_F(KiroTest, a_wait_without_news_ends_with_an_empty_delta_or_304) {
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

TEST_F(KiroTest, if_match_guards_an_upload) {
  upload_messages(ide_, message("user", "a", 1));
  const std::string etag = get("/sync").headers.at("ETag");
  upload_messages(ide_, message("user", "b", 2));
  EXPECT_EQ(as(ide_, http::Method::post, "/sync", "{}", {{"If-Match", etag}}).status, 412);
  EXPECT_EQ(as(ide_, http::Method::post, "/sync", "{}", {{"If-Match", get("/sync").headers.at("ETag")}}).status, 200);
}

TEST_F(KiroTest, a_deleted_item_stays_away_unless_it_is_newer) {
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

TEST_F(KiroTest, a_deleted_conversation_stays_empty_of_old_messages_after_it_was_revived) {
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

TEST_F(KiroTest, a_message_deleted_alone_stays_away) {
  upload_messages(ide_, message("user", "a", 1) + "," + message("user", "b", 2));
  const std::string id = get("/v1/spaces/kiro/records/messages").at("records.0.id");
  as(key_, http::Method::del, "/v1/spaces/kiro/records/messages/" + id);
  upload_messages(ide_, message("user", "a", 1) + "," + message("user", "b", 2));
  EXPECT_EQ(state("conversations.c"), "[" + message("user", "b", 2) + "]");
  upload_messages(ide_, message("user", "a changed", 1) + "," + message("user", "b", 2));
  EXPECT_EQ(state("conversations.c.0.content"), "a changed");
}

TEST_F(KiroTest, deleting_an_unseen_edit_keeps_it_as_a_conflict) {
  const std::string other = add_key("ann@example.org", {Scope::read, Scope::write});
  upload(ide_, R"({"documents":{"d":{"content":"mine","timestamp":1}}})");
  upload(other, R"({"documents":{"d":{"content":"theirs","timestamp":2}}})");
  as(ide_, http::Method::del, "/document/d");
  EXPECT_NE(get("/v1/spaces/kiro/conflicts").body.find("theirs"), std::string::npos);
}

TEST_F(KiroTest, who_may_only_write_is_not_shown_what_others_wrote) {
  upload_messages(ide_, message("user", "secret", 1));
  const std::string writer = add_key("ann@example.org", {Scope::write});
  EXPECT_EQ(upload(writer, "{}").body.find("secret"), std::string::npos);
}

TEST_F(KiroTest, uploads_that_are_no_state_get_400_naming_the_field) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "JSON"},
      {"[]", "object"},
      {R"({"lastUpdate":"x"})", "lastUpdate"},
      {R"({"conversations":[]})", "conversations"},
      {R"({"conversations":{"c":{}}})", "conversations.c"},
      {R"({"conversations":{"c":[1]}})", "conversations.c[0]"},
      {R"({"conversations":{"c":[{"role":"user","timestamp":1}]}})", "content"},
      {R"({"conversations":{"c":[{"content":"x","timestamp":1}]}})", "role"},
      {R"({"conversations":{"c":[{"role":"user","content":"x"}]}})", "timestamp"},
      {R"({"conversations":{"c":[{"role":"user","content":"x","timestamp":"1"}]}})", "timestamp"},
      {R"({"conversations":{"":[]}})", "bad id"},
      {R"({"conversations":{")" + std::string(513, 'x') + R"(":[]}})", "bad id"},
      {R"({"documents":{"d":{"timestamp":1}}})", "content"},
      {R"({"documents":{"d":"x"}})", "documents.d"},
      {R"({"commands":{"x":1}})", "commands.x"},
      {"{\"documents\":{\"d\":{\"content\":\"\xff\",\"timestamp\":1}}}", "UTF-8"},
      {R"({"documents":{"d":{"content":1e999,"timestamp":1}}})", "number"},
  };
  for (const auto& [body, named] : cases) {
    const test::Answer answer = upload(ide_, body);
    EXPECT_EQ(answer.status, 400) << body.substr(0, 90);
    EXPECT_NE(answer.at("detail").find(named), std::string::npos) << answer.body;
    EXPECT_EQ(answer.headers.at("Content-Type"), "application/json");
  }
  EXPECT_EQ(state("lastUpdate"), "0");
}

TEST_F(KiroTest, ids_of_all_kinds_are_kept) {
  for (const std::string& id :
       {std::string(512, 'x'), std::string("a/b"), std::string("\U0001F600"), std::string("\t")}) {
    std::string quoted;
    append_json_string(quoted, id);
    upload(ide_, "{\"conversations\":{" + quoted + ":[" + message("user", "x", 1) + "]}}");
    EXPECT_NE(get("/sync").body.find(quoted), std::string::npos);
  }
}

TEST_F(KiroTest, a_command_runs_through_its_life) {
  const std::string id = submit(R"({"type":"execute_bash","command":"df -h","workingDir":"/tmp","metadata":{"a":1}})");
  EXPECT_TRUE(id.starts_with("cmd-"));
  EXPECT_EQ(as(ide_, http::Method::get, "/command/" + id).at("status"), "pending");
  EXPECT_EQ(patch(agent_, id, R"({"status":"processing"})").at("status"), "processing");
  const test::Answer done = patch(agent_, id, R"({"status":"completed","result":{"stdout":"x","exitCode":0}})");
  EXPECT_EQ(done.at("result.stdout"), "x");
  EXPECT_EQ(done.at("metadata.a"), "1");
  EXPECT_EQ(patch(agent_, id, R"({"status":"completed","result":{"stdout":"x","exitCode":0}})").status, 200);
  EXPECT_EQ(patch(agent_, id, R"({"status":"failed"})").status, 409);
  EXPECT_EQ(state("commands." + id + ".status"), "completed");
}

TEST_F(KiroTest, bad_commands_are_refused_naming_the_field) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"{}", "type"},
      {R"({"type":"rm_rf"})", "rm_rf"},
      {R"({"type":7})", "type"},
      {R"({"type":"execute_bash"})", "command"},
      {R"({"type":"write_file","path":"x"})", "content"},
      {R"({"type":"aws_operation","service":"s3","operation":"ls","parameters":"x"})", "parameters"},
      {R"({"type":"code_search","query":1})", "query"},
      {R"({"type":"execute_bash","command":"ls","timeoutMs":0})", "timeoutMs"},
  };
  for (const auto& [body, field] : cases) {
    const test::Answer answer = as(ide_, http::Method::post, "/command", body);
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_NE(answer.at("detail").find(field), std::string::npos) << answer.body;
  }
  EXPECT_EQ(state("commands"), "{}");
}

TEST_F(KiroTest, an_unknown_command_is_not_found) {
  const test::Answer answer = as(ide_, http::Method::get, "/command/cmd-1-x");
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(answer.at("error"), "Command not found");
}

TEST_F(KiroTest, only_the_first_to_claim_owns_a_command) {
  const std::string id = submit();
  EXPECT_EQ(patch(agent_, id, R"({"status":"completed"})").status, 409) << "not claimed";
  patch(agent_, id, R"({"status":"processing"})");
  EXPECT_EQ(patch(agent_, id, R"({"status":"processing"})").status, 200);
  const test::Answer other = patch(agent2_, id, R"({"status":"processing"})");
  EXPECT_EQ(other.status, 409);
  EXPECT_EQ(other.at("owner"), "agent");
  EXPECT_EQ(patch(agent2_, id, R"({"status":"completed"})").status, 409);
  EXPECT_EQ(patch(agent_, id, R"({"status":"pending"})").status, 409);
}

TEST_F(KiroTest, a_retried_submission_makes_one_command) {
  const std::map<std::string, std::string> header = {{"Idempotency-Key", "once"}};
  const std::string body = R"({"type":"execute_bash","command":"ls"})";
  const test::Answer first = as(ide_, http::Method::post, "/command", body, header);
  const test::Answer second = as(ide_, http::Method::post, "/command", body, header);
  EXPECT_EQ(first.at("commandId"), second.at("commandId"));
  EXPECT_EQ(second.headers.at("Idempotent-Replayed"), "true");
}

TEST_F(KiroTest, claims_go_by_priority_then_age_and_never_twice) {
  const std::string first = submit();
  const std::string second = submit();
  const std::string urgent = submit(R"({"type":"execute_bash","command":"ls","priority":5})");
  std::vector<std::string> claimed;
  claimed.reserve(3);
  for (int i = 0; i < 3; ++i)
    claimed.push_back(as(i % 2 ? agent_ : agent2_, http::Method::post, "/command/claim").at("commandId"));
  EXPECT_EQ(claimed, (std::vector<std::string>{urgent, first, second}));
  EXPECT_EQ(as(agent_, http::Method::post, "/command/claim").status, 204);
}

TEST_F(KiroTest, a_waiting_claim_and_a_waiting_reader_are_woken) {
  const auto claim = begin({.method = http::Method::post, .target = "/command/claim?wait=30", .token = agent_});
  scheduler_.run_posted();
  EXPECT_FALSE(claim.has_come());
  const std::string id = submit();
  scheduler_.run_posted();
  ASSERT_TRUE(claim.has_come());
  EXPECT_EQ(claim.get().at("commandId"), id);
  EXPECT_EQ(claim.get().at("leaseMs"), "60000");

  const auto reader = begin({.target = "/command/" + id + "?wait=30", .token = ide_});
  scheduler_.run_posted();
  EXPECT_FALSE(reader.has_come());
  patch(agent_, id, R"({"status":"completed","result":1})");
  scheduler_.run_posted();
  ASSERT_TRUE(reader.has_come());
  EXPECT_EQ(reader.get().at("status"), "completed");
}

TEST_F(KiroTest, a_lost_runner_gives_back_what_is_safe_and_fails_the_rest) {
  const std::string bash = submit();
  const std::string read = submit(R"({"type":"read_file","path":"x"})");
  for (int i = 0; i < 2; ++i) as(agent_, http::Method::post, "/command/claim");
  clock_.advance_micros(59'000'000);
  each_second();
  EXPECT_EQ(state("commands." + bash + ".status"), "processing");
  patch(agent_, read, R"({"status":"processing"})");
  clock_.advance_micros(2'000'000);
  each_second();
  EXPECT_EQ(state("commands." + bash + ".status"), "failed");
  EXPECT_EQ(state("commands." + bash + ".error"), "runner lost");
  EXPECT_EQ(state("commands." + read + ".status"), "processing") << "renewed";
  clock_.advance_micros(61'000'000);
  each_second();
  EXPECT_EQ(state("commands." + read + ".status"), "pending");
  EXPECT_EQ(as(agent2_, http::Method::post, "/command/claim").at("commandId"), read);
}

TEST_F(KiroTest, an_agent_of_the_published_kind_keeps_its_claim_by_any_request) {
  const std::string id = submit();
  patch(agent_, id, R"({"status":"processing"})");
  for (int minutes = 0; minutes < 40; minutes += 10) {
    clock_.advance_micros(10LL * 60 * 1'000'000);
    as(agent_, http::Method::get, "/sync");
    each_second();
  }
  EXPECT_EQ(state("commands." + id + ".status"), "processing");
  clock_.advance_micros(16LL * 60 * 1'000'000);
  each_second();
  EXPECT_EQ(state("commands." + id + ".status"), "failed");
}

TEST_F(KiroTest, cancelling_fails_what_waits_and_marks_what_runs) {
  const std::string waiting = submit();
  EXPECT_EQ(as(ide_, http::Method::del, "/command/" + waiting).at("error"), "cancelled");
  const std::string running = submit();
  patch(agent_, running, R"({"status":"processing"})");
  EXPECT_EQ(as(ide_, http::Method::del, "/command/" + running).at("cancelRequested"), "true");
  EXPECT_EQ(patch(agent_, running, R"({"status":"failed","error":"cancelled"})").at("status"), "failed");
  EXPECT_EQ(as(ide_, http::Method::del, "/command/none").status, 404);
}

TEST_F(KiroTest, live_output_is_handed_on_and_ends_with_the_command) {
  const std::string id = submit();
  patch(agent_, id, R"({"status":"processing"})");
  const std::string url = "/command/" + id + "/output";
  EXPECT_EQ(as(agent_, http::Method::post, url, R"({"stream":"stdout","data":"line\n"})").status, 204);
  EXPECT_EQ(as(agent2_, http::Method::post, url, R"({"stream":"stdout","data":"x"})").status, 409);
  EXPECT_EQ(as(agent_, http::Method::post, url, R"({"stream":"other","data":"x"})").status, 400);
  EXPECT_NE(
      as(ide_, http::Method::get, url).body.find("event: output\ndata: {\"stream\":\"stdout\",\"data\":\"line\\n\"}"),
      std::string::npos);
  patch(agent_, id, R"({"status":"completed","result":{"stdout":"line\n"}})");
  const std::string all = as(ide_, http::Method::get, url).body;
  EXPECT_NE(all.find("event: end\ndata: {\"type\":\"execute_bash\""), std::string::npos);
}

TEST_F(KiroTest, a_state_upload_does_not_go_round_the_policy) {
  const std::string reader_writer = add_key("ann@example.org", {Scope::read, Scope::write});
  const test::Answer sneaked =
      upload(reader_writer, R"({"commands":{"cmd-1-x":{"type":"execute_bash","command":"id","status":"pending"}}})");
  EXPECT_EQ(sneaked.status, 200);
  EXPECT_EQ(sneaked.at("ignored.0.id"), "cmd-1-x");
  EXPECT_EQ(sneaked.at("data.commands"), "{}");

  const test::Answer created =
      upload(ide_, R"({"commands":{"cmd-1-x":{"type":"execute_bash","command":"id","status":"pending"}}})");
  EXPECT_EQ(created.at("data.commands.cmd-1-x.status"), "pending");
  EXPECT_EQ(upload(ide_, R"({"commands":{"cmd-1-x":{"type":"execute_bash","command":"id","status":"completed"}}})")
                .at("ignored.0.part"),
            "commands");
  patch(agent_, "cmd-1-x", R"({"status":"processing"})");
  upload(agent_, R"({"commands":{"cmd-1-x":{"status":"completed","result":{"stdout":"uid"}}}})");
  EXPECT_EQ(state("commands.cmd-1-x.result.stdout"), "uid");
}

TEST_F(KiroTest, an_agent_without_write_may_end_its_loop_with_a_post) {
  const test::Answer answer =
      upload(agent_, R"({"conversations":{"c":[)" + message("user", "x", 1) + R"(]},"lastUpdate":1})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.at("ignored.0.part"), "conversations");
  EXPECT_EQ(state("conversations"), "{}");
}

TEST_F(KiroTest, finished_commands_are_removed_after_their_time) {
  const std::string id = submit();
  as(ide_, http::Method::del, "/command/" + id);
  const std::string open = submit();
  clock_.advance_micros(31LL * 86400 * 1'000'000);
  ASSERT_TRUE(each_hour());
  EXPECT_EQ(state("commands." + id), "(none)");
  EXPECT_EQ(state("commands." + open + ".status"), "pending");
}

}  // namespace
}  // namespace syncline
