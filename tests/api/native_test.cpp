// Scenarios of /v1: what goes in, what must come out, what must not.
#include "support/api_fixture.hpp"

namespace syncline {
namespace {

class NativeTest : public test::ApiFixture {
 protected:
  test::Answer push(const std::string& ops, const std::string& query = "") {
    return post("/v1/spaces/s/push" + query, R"({"ops":[)" + ops + "]}");
  }
  test::Answer with(http::Method method, const std::string& target, const std::string& body,
                    std::map<std::string, std::string> headers = {}) {
    return call({.method = method, .target = target, .token = key_, .body = body, .headers = std::move(headers)});
  }
};

TEST_F(NativeTest, a_document_is_returned_byte_for_byte) {
  const std::string doc = R"({ "b":1.0,"a" :[1, 2], "b":"\u00e4", "n":1e2 })";
  push(R"({"collection":"c","id":"i","doc":)" + doc + "}");
  EXPECT_NE(get("/v1/spaces/s/changes").body.find("\"doc\":" + doc), std::string::npos);
  EXPECT_NE(get("/v1/spaces/s/records/c/i").body.find("\"doc\":" + doc), std::string::npos);
}

TEST_F(NativeTest, docs_as_text_are_strings_with_the_stored_bytes) {
  const std::string doc = R"({ "b":1.0,"a" :[1, 2], "b":"\u00e4", "n":9007199254740993 })";
  push(R"({"collection":"c","id":"i","updated_at":"2026-01-01T00:00:02Z","doc":)" + doc + "}");
  std::string text;
  append_json_string(text, doc);
  const std::string lost = R"({"collection":"c","id":"i","updated_at":"2026-01-01T00:00:01Z","doc":{"older":1}})";
  EXPECT_EQ(post("/v1/spaces/s/push?docs=text", R"({"ops":[)" + lost + "]}").at("results.0.record.doc"), doc);
  EXPECT_EQ(get("/v1/spaces/s/changes?docs=text").at("changes.0.doc"), doc);
  EXPECT_EQ(get("/v1/spaces/s/records/c?docs=text").at("records.0.doc"), doc);
  EXPECT_EQ(get("/v1/spaces/s/records/c/i/history?docs=text").at("versions.0.doc"), doc);
  EXPECT_EQ(get("/v1/spaces/s/conflicts?docs=text").at("conflicts.0.winner.doc"), doc);
  EXPECT_EQ(get("/v1/spaces/s/conflicts?docs=text").at("conflicts.0.loser.doc"), R"({"older":1})");
  const test::Answer record = get("/v1/spaces/s/records/c/i?docs=text");
  EXPECT_NE(record.body.find("\"doc\":" + text + '}'), std::string::npos) << record.body;
  const test::Answer put = with(http::Method::put, "/v1/spaces/s/records/c/i?docs=text", doc, {});
  EXPECT_EQ(put.at("doc"), doc);
  const std::string id = get("/v1/spaces/s/conflicts").at("conflicts.0.id");
  EXPECT_EQ(post("/v1/spaces/s/conflicts/" + id + "?docs=text", R"({"action":"dismiss"})").at("loser.doc"),
            R"({"older":1})");
  EXPECT_EQ(get("/v1/spaces/s/changes?docs=json").at("changes.0.doc"), doc);
}

TEST_F(NativeTest, docs_are_json_or_text) {
  for (const char* path : {"changes", "records/c", "records/c/i", "records/c/i/history", "conflicts"}) {
    EXPECT_EQ(get("/v1/spaces/s/" + std::string(path) + "?docs=bytes").status, 400) << path;
  }
  const test::Answer refused = post("/v1/spaces/s/push?docs=", R"({"ops":[{"collection":"c","id":"i","doc":{}}]})");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.at("detail"), "docs must be json or text");
  EXPECT_EQ(get("/v1/spaces/s/changes").at("changes"), "[]") << "nothing was stored";
}

TEST_F(NativeTest, each_op_gets_a_result_and_one_rejection_does_not_stop_the_others) {
  const test::Answer answer =
      push(R"({"collection":"c","id":"1","updated_at":"2026-01-02T00:00:00Z","doc":{"v":1}},)"
           R"({"collection":"c","id":"1","updated_at":"2026-01-02T00:00:00.000000Z","doc":{"v":1}},)"
           R"({"collection":"c","id":"1","updated_at":1735689600000000,"doc":{"v":0}},)"
           R"({"collection":"c","id":"2","doc":{"v":1e999}},)"
           R"({"collection":"c","id":"","doc":{}},)"
           R"({"collection":"c","id":"3"},)"
           R"({"collection":"c","id":"3","doc":[]},)"
           R"("text",)"
           R"({"collection":"c","id":"4","doc":{}})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.at("results.0.status"), "applied");
  EXPECT_EQ(answer.at("results.1.status"), "noop");
  EXPECT_EQ(answer.at("results.1.seq"), "1");
  EXPECT_EQ(answer.at("results.2.status"), "stale");
  EXPECT_EQ(answer.at("results.2.record.doc"), R"({"v":1})");
  EXPECT_EQ(answer.at("results.3.error.code"), "invalid_document");
  EXPECT_EQ(answer.at("results.4.error.code"), "invalid_argument");
  EXPECT_EQ(answer.at("results.5.status"), "refused");
  EXPECT_EQ(answer.at("results.6.error.code"), "invalid_document");
  EXPECT_EQ(answer.at("results.7.status"), "refused");
  EXPECT_EQ(answer.at("results.8.seq"), "2");
  EXPECT_EQ(answer.at("cursor"), "e1.2");
}

TEST_F(NativeTest, malformed_push_bodies_change_nothing) {
  std::string too_long;
  too_long.resize(70'000'000, ' ');
  const std::vector<std::pair<std::string, int>> bodies = {
      {"", 400},
      {"{", 400},
      {"[]", 400},
      {"{}", 400},
      {R"({"ops":{}})", 400},
      {"{\"ops\":[{\"collection\":\"c\",\"id\":\"\xff\",\"doc\":{}}]}", 400},
      {R"({"ops":[{"collection":"c","id":"i","doc":{"a":tru}}]})", 400},
      {R"({"ops":[{"collection":"c","id":"i","doc":{"a":1e999}},{"collection":"c","id":"i","doc":{"a":01}}]})", 400},
      {std::string(100, '['), 400},
      {R"({"ops":[)" + too_long + "]}", 413},
  };
  for (const auto& [body, status] : bodies) {
    const test::Answer answer = post("/v1/spaces/s/push", body);
    EXPECT_EQ(answer.status, status) << body.substr(0, 80);
    EXPECT_EQ(answer.headers.at("Content-Type"), "application/problem+json");
  }
  std::string many;
  for (int i = 0; i <= 5000; ++i) many += (i == 0 ? "" : ",") + std::string(R"({"collection":"c","id":"i","doc":{}})");
  EXPECT_EQ(push(many).status, 413);
  EXPECT_EQ(get("/v1/spaces/s/changes").at("changes"), "[]");
}

TEST_F(NativeTest, quiet_omits_applied_results) {
  const test::Answer answer = push(
      R"({"collection":"c","id":"1","doc":{}},{"collection":"c","id":"1","doc":{}},{"collection":"c","id":"2","doc":{}})",
      "?quiet=1");
  EXPECT_EQ(answer.at("results.0.index"), "1");
  EXPECT_EQ(answer.at("results.1"), "(none)");
}

TEST_F(NativeTest, a_lowered_timestamp_is_reported) {
  const test::Answer answer = push(R"({"collection":"c","id":"1","updated_at":"2035-01-01T00:00:00Z","doc":{}})");
  EXPECT_EQ(answer.at("results.0.clock.sent"), "2035-01-01T00:00:00.000000Z");
  EXPECT_EQ(answer.at("results.0.clock.used"), format_time(clock_.now()));
}

TEST_F(NativeTest, an_idempotency_key_makes_a_retry_safe) {
  const auto send = [&](const std::string& doc) {
    return with(http::Method::post, "/v1/spaces/s/push", R"({"ops":[{"collection":"c","id":"1","doc":)" + doc + "}]}",
                {{"Idempotency-Key", "\"k-1\""}});
  };
  const test::Answer first = send(R"({"v":1})");
  clock_.advance_micros(5'000'000);
  push(R"({"collection":"c","id":"1","doc":{"v":2}})");
  const test::Answer second = send(R"({"v":1})");
  EXPECT_EQ(second.body, first.body);
  EXPECT_EQ(second.headers.at("Idempotent-Replayed"), "true");
  EXPECT_EQ(get("/v1/spaces/s/records/c/1").at("doc"), R"({"v":2})");
  EXPECT_EQ(send(R"({"v":3})").status, 422);
}

TEST_F(NativeTest, pages_of_changes_are_complete) {
  for (int i = 0; i < 7; ++i) push(R"({"collection":"c","id":")" + std::to_string(i) + R"(","doc":{}})");
  std::string cursor = "0";
  int seen = 0;
  for (bool more = true; more;) {
    const test::Answer page = get("/v1/spaces/s/changes?limit=3&since=" + cursor);
    page.json().find("changes")->for_each_element([&](JsonView) { ++seen; });
    cursor = page.at("cursor");
    more = page.at("more") == "true";
  }
  EXPECT_EQ(seen, 7);
  EXPECT_EQ(cursor, "e1.7");
}

TEST_F(NativeTest, changes_can_be_filtered_by_collection) {
  push(R"({"collection":"a","id":"1","doc":{}},{"collection":"b","id":"1","doc":{}})");
  const test::Answer page = get("/v1/spaces/s/changes?collections=a");
  EXPECT_EQ(page.at("changes.0.collection"), "a");
  EXPECT_EQ(page.at("changes.1"), "(none)");
  EXPECT_EQ(page.at("cursor"), "e1.2");
}

TEST_F(NativeTest, a_large_page_is_streamed_and_complete) {
  const std::string text(3000, 'x');
  std::string ops;
  for (int i = 0; i < 1000; ++i) {
    ops += (i == 0 ? "" : ",") + std::string(R"({"collection":"c","id":")") + std::to_string(i) + R"(","doc":{"t":")" +
           text + "\"}}";
  }
  push(ops);
  const test::Answer page = get("/v1/spaces/s/changes?limit=5000");
  int seen = 0;
  page.json().find("changes")->for_each_element([&](JsonView) { ++seen; });
  EXPECT_EQ(seen, 1000);
  EXPECT_EQ(page.at("more"), "false");
}

TEST_F(NativeTest, a_page_ends_with_the_record_that_makes_it_too_large) {
  const std::string text(12UL << 20U, 'x');
  for (const char* id : {"1", "2", "3", "4"}) {
    push(R"({"collection":"c","id":")" + std::string(id) + R"(","doc":{"t":")" + text + "\"}}");
  }
  const test::Answer page = get("/v1/spaces/s/changes?limit=5000");
  EXPECT_EQ(page.at("changes.2.id"), "3");
  EXPECT_EQ(page.at("changes.3"), "(none)");
  EXPECT_EQ(page.at("more"), "true");
  const test::Answer rest = get("/v1/spaces/s/changes?since=" + page.at("cursor"));
  EXPECT_EQ(rest.at("changes.0.id"), "4");
  EXPECT_EQ(rest.at("more"), "false");
  const test::Answer records = get("/v1/spaces/s/records/c");
  EXPECT_EQ(records.at("records.3"), "(none)");
  EXPECT_EQ(records.at("after"), "3");
  EXPECT_EQ(get("/v1/spaces/s/records/c?after=3").at("records.0.id"), "4");
}

TEST_F(NativeTest, rejected_cursors_name_the_reason) {
  push(R"({"collection":"c","id":"1","doc":{}})");
  const std::vector<std::tuple<std::string, int, std::string>> cases = {{"other.1", 410, "epoch_changed"},
                                                                        {"e1.9", 410, "cursor_ahead"},
                                                                        {"nonsense", 400, "invalid_argument"},
                                                                        {"e1.-1", 400, "invalid_argument"}};
  for (const auto& [cursor, status, code] : cases) {
    const test::Answer answer = get("/v1/spaces/s/changes?since=" + cursor);
    EXPECT_EQ(answer.status, status) << cursor;
    EXPECT_EQ(answer.at("code"), code);
    if (status == 410) {
      EXPECT_EQ(answer.at("cursor"), "e1.1");
    }
  }
}

TEST_F(NativeTest, large_limits_are_lowered_and_invalid_ones_rejected) {
  EXPECT_EQ(get("/v1/spaces/s/changes?limit=999999").status, 200);
  for (const char* bad : {"limit=0", "limit=-1", "limit=x", "wait=-1", "wait=x", "limit="}) {
    EXPECT_EQ(get(std::string("/v1/spaces/s/changes?") + bad).status, 400) << bad;
  }
}

// nginx ends a request after 60 s without a byte of the answer.
TEST_F(NativeTest, no_wait_lasts_as_long_as_a_proxy_has_patience) {
  const auto waiting = begin({.target = "/v1/spaces/s/changes?wait=60", .token = key_});
  clock_.advance_micros(50 * kMicrosPerSecond);
  scheduler_.advance_ms(50'000);
  ASSERT_TRUE(waiting.has_come());
  EXPECT_EQ(waiting.get().at("changes"), "[]");
}

TEST_F(NativeTest, a_wait_ends_with_the_change_or_empty_at_its_timeout) {
  const auto waiting = begin({.target = "/v1/spaces/s/changes?wait=10", .token = key_});
  scheduler_.run_posted();
  EXPECT_FALSE(waiting.has_come());
  push(R"({"collection":"c","id":"1","doc":{}})");
  scheduler_.run_posted();
  ASSERT_TRUE(waiting.has_come());
  EXPECT_EQ(waiting.get().at("changes.0.id"), "1");

  const auto idle = begin({.target = "/v1/spaces/s/changes?since=e1.1&wait=10", .token = key_});
  clock_.advance_micros(10'000'000);
  scheduler_.advance_ms(10'000);
  ASSERT_TRUE(idle.has_come());
  EXPECT_EQ(idle.get().at("changes"), "[]");
}

TEST_F(NativeTest, a_wait_for_one_collection_ignores_changes_in_others) {
  const auto waiting = begin({.target = "/v1/spaces/s/changes?wait=10&collections=a", .token = key_});
  push(R"({"collection":"b","id":"1","doc":{}})");
  scheduler_.run_posted();
  EXPECT_FALSE(waiting.has_come());
  push(R"({"collection":"a","id":"1","doc":{}})");
  scheduler_.run_posted();
  ASSERT_TRUE(waiting.has_come());
  EXPECT_EQ(waiting.get().at("changes.0.collection"), "a");
}

TEST_F(NativeTest, a_record_can_be_created_read_replaced_and_deleted) {
  const std::string url = "/v1/spaces/s/records/c/i%2F1";
  EXPECT_EQ(get(url).status, 404);
  EXPECT_EQ(with(http::Method::del, url, "").status, 404);
  EXPECT_EQ(with(http::Method::put, url, R"({"v":1})").status, 201);
  const test::Answer read = get(url);
  EXPECT_EQ(read.at("id"), "i/1");
  EXPECT_EQ(read.headers.at("ETag"), "\"e1.1\"");
  EXPECT_EQ(call({.target = url, .token = key_, .headers = {{"If-None-Match", "\"e1.1\""}}}).status, 304);
  EXPECT_EQ(with(http::Method::put, url, R"({"v":2})").status, 200);
  EXPECT_EQ(with(http::Method::del, url, "").status, 204);
  EXPECT_EQ(with(http::Method::del, url, "").status, 204);
  EXPECT_EQ(get(url).status, 404);
  EXPECT_EQ(with(http::Method::put, url, R"({"v":3})").status, 201);
}

TEST_F(NativeTest, if_match_and_if_none_match_are_enforced) {
  const std::string url = "/v1/spaces/s/records/c/i";
  EXPECT_EQ(with(http::Method::put, url, "{}", {{"If-Match", "\"e1.1\""}}).status, 412);
  EXPECT_EQ(with(http::Method::put, url, "{}", {{"If-None-Match", "*"}}).status, 201);
  EXPECT_EQ(with(http::Method::put, url, R"({"v":1})", {{"If-None-Match", "*"}}).status, 412);
  EXPECT_EQ(with(http::Method::put, url, R"({"v":1})", {{"If-Match", "\"e1.1\""}}).status, 200);
  EXPECT_EQ(with(http::Method::del, url, "", {{"If-Match", "\"e1.1\""}}).status, 412);
  EXPECT_EQ(with(http::Method::del, url, "", {{"If-Match", "\"e1.2\""}}).status, 204);
}

TEST_F(NativeTest, bad_documents_and_names_are_refused_on_the_record_route) {
  EXPECT_EQ(with(http::Method::put, "/v1/spaces/s/records/c/i", "[]").status, 400);
  EXPECT_EQ(with(http::Method::put, "/v1/spaces/s/records/c/i", "{\"a\":1e999}").status, 400);
  EXPECT_EQ(with(http::Method::put, "/v1/spaces/s/records/c%2Fd/i", "{}").status, 400);
  EXPECT_EQ(with(http::Method::put, "/v1/spaces/s%20t/records/c/i", "{}").status, 400);
  EXPECT_EQ(with(http::Method::put, "/v1/spaces/s/records/c/" + std::string(513, 'x'), "{}").status, 400);
  EXPECT_EQ(with(http::Method::put, "/v1/spaces/s/records/c/%zz", "{}").status, 400);
  EXPECT_EQ(with(http::Method::put, "/v1/spaces/a%2Fb/records/c/i", "{}").status, 201);
}

TEST_F(NativeTest, listing_records_omits_deleted_ones) {
  push(
      R"({"collection":"c","id":"b","doc":{}},{"collection":"c","id":"a","doc":{}},{"collection":"c","id":"x","doc":{}})");
  push(R"({"collection":"c","id":"x","deleted":true})");
  const test::Answer first = get("/v1/spaces/s/records/c?limit=1");
  EXPECT_EQ(first.at("records.0.id"), "a");
  EXPECT_EQ(first.at("after"), "a");
  const test::Answer second = get("/v1/spaces/s/records/c?limit=1&after=a");
  EXPECT_EQ(second.at("records.0.id"), "b");
  EXPECT_EQ(second.at("after"), "null");
}

TEST_F(NativeTest, history_lists_author_time_and_rule) {
  push(R"({"collection":"c","id":"1","doc":{"v":1}})");
  push(R"({"collection":"c","id":"1","base":1,"doc":{"v":2}})");
  const test::Answer answer = get("/v1/spaces/s/records/c/1/history");
  EXPECT_EQ(answer.at("versions.0.doc"), R"({"v":2})");
  EXPECT_EQ(answer.at("versions.0.rule"), "base");
  EXPECT_EQ(answer.at("versions.1.doc"), R"({"v":1})");
  EXPECT_EQ(answer.at("versions.1.key_label"), "test");
}

TEST_F(NativeTest, a_conflict_can_be_listed_and_restored) {
  const std::string bob = add_key("ann@example.org", {Scope::read, Scope::write}, "phone");
  push(R"({"collection":"c","id":"1","updated_at":"2026-01-01T00:00:00Z","doc":{"v":"laptop"}})");
  call({.method = http::Method::post,
        .target = "/v1/spaces/s/push",
        .token = bob,
        .body = R"({"ops":[{"collection":"c","id":"1","updated_at":"2026-01-02T00:00:00Z","doc":{"v":"phone"}}]})"});
  const test::Answer listed = get("/v1/spaces/s/conflicts?state=open");
  EXPECT_EQ(listed.at("conflicts.0.loser.doc"), R"({"v":"laptop"})");
  EXPECT_EQ(listed.at("conflicts.0.winner.doc"), R"({"v":"phone"})");
  EXPECT_EQ(listed.at("conflicts.0.loser_key_label"), "test");
  const std::string url = "/v1/spaces/s/conflicts/" + listed.at("conflicts.0.id");
  EXPECT_EQ(post(url, R"({"action":"forget"})").status, 400);
  const auto restore = [&] {
    return call({.method = http::Method::post,
                 .target = url,
                 .token = key_,
                 .body = R"({"action":"restore"})",
                 .headers = {{"Idempotency-Key", "r1"}}});
  };
  const test::Answer restored = restore();
  EXPECT_EQ(restored.at("state"), "restored");
  EXPECT_EQ(get("/v1/spaces/s/records/c/1").at("doc"), R"({"v":"laptop"})");
  const std::string cursor = get("/v1/spaces/s/changes").at("cursor");
  EXPECT_EQ(restore().body, restored.body);
  EXPECT_EQ(restore().headers.at("Idempotent-Replayed"), "true");
  EXPECT_EQ(get("/v1/spaces/s/changes").at("cursor"), cursor);
  EXPECT_EQ(post(url, R"({"action":"dismiss"})").status, 409);
  EXPECT_EQ(get("/v1/spaces/s/conflicts").at("conflicts"), "[]");
  EXPECT_EQ(post("/v1/spaces/s/conflicts/999", R"({"action":"dismiss"})").status, 404);
}

TEST_F(NativeTest, commands_can_only_be_written_through_their_own_api) {
  const test::Answer answer = post(
      "/v1/spaces/kiro/push",
      R"({"ops":[{"collection":"commands","id":"cmd-1-x","doc":{"type":"execute_bash","command":"id","status":"pending"}}]})");
  EXPECT_EQ(answer.at("results.0.error.code"), "forbidden");
  EXPECT_EQ(with(http::Method::put, "/v1/spaces/kiro/records/commands/cmd-1-x", "{}").status, 403);
  EXPECT_EQ(get("/sync").at("commands"), "{}");
}

TEST_F(NativeTest, a_space_has_a_limited_number_of_collections) {
  for (int from = 0; from < 4096; from += 4000) {
    std::string ops;
    for (int i = from; i < std::min(from + 4000, 4096); ++i) {
      ops +=
          (ops.empty() ? "" : ",") + std::string(R"({"collection":"c)") + std::to_string(i) + R"(","id":"1","doc":{}})";
    }
    EXPECT_EQ(push(ops, "?quiet=1").at("results"), "[]");
  }
  EXPECT_EQ(push(R"({"collection":"one-more","id":"1","doc":{}})").at("results.0.status"), "refused");
  EXPECT_EQ(push(R"({"collection":"c4095","id":"2","doc":{}})").at("results.0.status"), "applied");
}

TEST_F(NativeTest, two_echoes_in_one_push_equal_two_pushes) {
  push(R"({"collection":"c","id":"1","updated_at":"2026-01-01T00:00:00Z","doc":{"v":"a"}})");
  const test::Answer answer =
      push(R"({"collection":"c","id":"1","updated_at":"2026-01-03T00:00:00Z","doc":{"v":"a"}},)"
           R"({"collection":"c","id":"1","updated_at":"2026-01-02T00:00:00Z","doc":{"v":"b"}})");
  EXPECT_EQ(answer.at("results.1.status"), "stale");
}

TEST_F(NativeTest, a_filtered_pull_does_not_count_as_having_seen_other_collections) {
  const std::string bob = add_key("ann@example.org", {Scope::read, Scope::write}, "phone");
  push(R"({"collection":"notes","id":"1","updated_at":"2026-01-01T00:00:00Z","doc":{"v":"laptop"}})");
  call({.target = "/v1/spaces/s/changes?collections=tasks", .token = bob});
  call(
      {.method = http::Method::post,
       .target = "/v1/spaces/s/push",
       .token = bob,
       .body = R"({"ops":[{"collection":"notes","id":"1","updated_at":"2026-01-02T00:00:00Z","doc":{"v":"phone"}}]})"});
  EXPECT_EQ(get("/v1/spaces/s/conflicts").at("conflicts.0.loser.doc"), R"({"v":"laptop"})");
}

TEST_F(NativeTest, a_wait_ends_when_its_key_is_revoked) {
  const std::string bob = add_key("ann@example.org", {Scope::read}, "phone");
  const auto waiting = begin({.target = "/v1/spaces/s/changes?wait=60", .token = bob});
  scheduler_.run_posted();
  EXPECT_FALSE(waiting.has_come());
  ASSERT_TRUE(access_.revoke_key("k2"));
  scheduler_.run_posted();
  ASSERT_TRUE(waiting.has_come());
  EXPECT_EQ(waiting.get().status, 401);
}

TEST_F(NativeTest, live_requires_an_upgrade_and_events_require_spaces) {
  EXPECT_EQ(get("/v1/live").status, 101);
  EXPECT_EQ(get("/v1/events").status, 400);
  EXPECT_EQ(call({.target = "/v1/live", .token = "wrong-token"}).status, 401);
  const test::Answer stream = get("/v1/events?spaces=s");
  EXPECT_TRUE(stream.body.starts_with("retry: 2000\n\n"));
}

TEST_F(NativeTest, events_resume_after_the_last_event) {
  push(R"({"collection":"c","id":"1","doc":{}})");
  push(R"({"collection":"c","id":"2","doc":{}})");
  const auto resumed = [&](const std::string& id) {
    return call({.target = "/v1/events?spaces=s", .token = key_, .headers = {{"Last-Event-ID", id}}}).body;
  };
  EXPECT_NE(resumed("s=e1.1").find("id: s=e1.2\nevent: change\ndata: {\"space\":\"s\",\"cursor\":\"e1.2\"}"),
            std::string::npos);
  EXPECT_EQ(resumed("s=e1.2").find("event:"), std::string::npos);
  EXPECT_NE(resumed("s=old.1").find("event: reset"), std::string::npos);
}

TEST_F(NativeTest, a_push_whose_epoch_is_no_string_stores_nothing) {
  const auto answer = post("/v1/spaces/s/push", R"({"epoch":5,"ops":[{"collection":"c","id":"1","doc":{}}]})");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(get("/v1/spaces/s/records/c/1").status, 404);
}

TEST_F(NativeTest, a_push_for_another_epoch_stores_nothing) {
  const auto answer = post("/v1/spaces/s/push", R"({"epoch":"e0","ops":[{"collection":"c","id":"1","doc":{}}]})");
  EXPECT_EQ(answer.status, 410);
  EXPECT_EQ(answer.at("code"), "epoch_changed");
  EXPECT_EQ(get("/v1/spaces/s/changes").at("cursor"), "e1.0");
}

TEST_F(NativeTest, a_result_reports_the_stored_timestamp) {
  push(R"({"collection":"c","id":"1","updated_at":1700000000000000,"doc":{"v":1}})");
  const auto lifted =
      post("/v1/spaces/s/push", R"({"ops":[{"collection":"c","id":"1","updated_at":5,"base":1,"doc":{"v":2}}]})");
  EXPECT_EQ(lifted.at("results.0.updated_at"), "2023-11-14T22:13:20.000001Z");
  const auto as_sent = post("/v1/spaces/s/push", R"({"ops":[{"collection":"c","id":"2","updated_at":5,"doc":{}}]})");
  EXPECT_EQ(as_sent.at("results.0.updated_at"), "(none)");
}

TEST_F(NativeTest, an_op_with_a_base_has_seen_only_that_version) {
  push(R"({"collection":"c","id":"1","doc":{"v":1}})");
  get("/v1/spaces/s/changes");  // the key has pulled it since, but the edit was made before
  post("/v1/spaces/s/push", R"({"ops":[{"collection":"c","id":"1","base":0,"doc":{"v":2}}]})");
  EXPECT_EQ(get("/v1/spaces/s/conflicts").at("conflicts.0.loser.doc.v"), "1");
}

}  // namespace
}  // namespace syncline
