// The five resources of the Kaisho cloud: changes, apply, ack.
#include "support/kaisho_fixture.hpp"

namespace syncline {
namespace {

using KaishoSyncTest = test::KaishoFixture;

TEST_F(KaishoSyncTest, a_pulled_entry_has_every_field) {
  const auto answer = apply(R"("id":"e1","start":"2026-11-22T08:00:00Z","updated_at":"2026-11-22T09:00:00.123456Z")");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.at("inserted"), "1");
  EXPECT_EQ(answer.at("errors"), "[]");
  EXPECT_FALSE(answer.at("applied_at").empty());

  const auto page = changes();
  const std::pair<std::string_view, std::string_view> fields[] = {{"id", "e1"},
                                                                  {"customer", "null"},
                                                                  {"description", ""},
                                                                  {"start", "2026-11-22T08:00:00.000000Z"},
                                                                  {"end", "null"},
                                                                  {"task_id", "null"},
                                                                  {"contract", "null"},
                                                                  {"project", "null"},
                                                                  {"notes", ""},
                                                                  {"invoiced", "false"},
                                                                  {"updated_at", "2026-11-22T09:00:00.123456Z"},
                                                                  {"deleted_at", "null"}};
  for (const auto& [name, value] : fields) EXPECT_EQ(page.at("entries.0." + std::string(name)), value) << name;
  EXPECT_EQ(page.at("has_more"), "false");
  EXPECT_EQ(page.at("cursor"), "1970-01-01T00:00:00.000001Z");
  EXPECT_TRUE(parse_time(page.at("now")));
}

TEST_F(KaishoSyncTest, other_resources_have_their_fields_and_defaults) {
  struct Case {
    std::string prefix, row;
    std::vector<std::pair<std::string, std::string>> fields;
  };
  const Case cases[] = {
      {"/sync/inbox",
       R"("id":"1","updated_at":"2026-11-22T09:00:00Z")",
       {{"type", "NOTE"}, {"customer", ""}, {"title", ""}, {"body", ""}, {"channel", ""}, {"direction", "in"}}},
      {"/sync/tasks",
       R"("id":"1","updated_at":"2026-11-22T09:00:00Z")",
       {{"status", "TODO"}, {"tags", "[]"}, {"github_url", ""}, {"project", "null"}, {"milestone", "null"}}},
      {"/sync/notes",
       R"("id":"1","updated_at":"2026-11-22T09:00:00Z")",
       {{"title", ""}, {"tags", "[]"}, {"task_id", "null"}, {"project", ""}}},
      {"/sync/projects",
       R"("id":"P-ab12cd34","name":"Web","milestones":[{"id":"m","title":"one"}],"updated_at":"2026-11-22T09:00:00Z")",
       {{"name", "Web"},
        {"status", "ACTIVE"},
        {"contract", "null"},
        {"start", "null"},
        {"due", "null"},
        {"tags", "[]"},
        {"milestones", R"([{"id":"m","title":"one","done":false,"due":null}])"}}}};
  for (const Case& one : cases) {
    EXPECT_EQ(apply(one.row, one.prefix).at("inserted"), "1") << one.prefix;
    const auto page = changes("", one.prefix);
    for (const auto& [name, value] : one.fields) EXPECT_EQ(page.at("entries.0." + name), value) << one.prefix << name;
    EXPECT_EQ(page.at("entries.0.deleted_at"), "null");
  }
  EXPECT_EQ(changes().at("entries"), "[]") << "entries are a resource of their own";
}

TEST_F(KaishoSyncTest, accepts_everything_that_a_desktop_can_produce) {
  const std::pair<std::string, std::string> cases[] = {
      {"/sync/inbox", R"("type":"anything at all","created_at":"[2026-11-21 Sat 09:05]")"},
      {"/sync/inbox", R"("created_at":null,"customer":null,"body":null)"},
      {"/sync/tasks", R"("status":"WAITING-FOR","tags":["a","b"],"created_at":17)"},
      {"/sync/notes", R"("tags":null,"task_id":"","created_at":"")"},
      {"/sync", R"("start":"2026-11-22T08:00:00+01:00","customer":"","task_id":"","notes":"\u00fc\n")"},
      {"/sync", R"("start":"2026-11-22T08:00:00.123456789Z","end":null,"invoiced":null)"},
      {"/sync/projects", R"("name":"","milestones":null,"color":null)"}};
  int number = 0;
  for (const auto& [prefix, fields] : cases) {
    const std::string id = "not-a-uuid-" + std::to_string(++number);
    const auto answer = apply(R"("id":")" + id + R"(","updated_at":"2026-11-22T09:00:00.000000Z",)" + fields, prefix);
    EXPECT_EQ(answer.status, 200) << fields;
    EXPECT_EQ(answer.at("inserted"), "1") << fields << answer.body;
  }
  EXPECT_EQ(field("not-a-uuid-1", "created_at", "/sync/inbox"), "[2026-11-21 Sat 09:05]");
  EXPECT_EQ(field("not-a-uuid-5", "start"), "2026-11-22T07:00:00.000000Z");
  EXPECT_EQ(field("not-a-uuid-5", "customer"), "null");
}

TEST_F(KaishoSyncTest, invalid_rows_are_rejected_naming_row_and_field) {
  const std::pair<std::string, std::string> cases[] = {
      {R"([{"updated_at":"2026-11-22T09:00:00Z","start":"2026-11-22T09:00:00Z"}])", "entries[0]: id is missing"},
      {R"([{"id":7}])", "entries[0]: id must be a string"},
      {R"([{"id":"a","start":"2026-11-22T09:00:00Z"}])", "entries[0] (a): updated_at is missing"},
      {R"([{"id":"a","updated_at":"2026-11-22T09:00:00Z"}])", "entries[0] (a): start is missing"},
      {R"([{"id":"a","updated_at":"now","start":"2026-11-22T09:00:00Z"}])", "updated_at must be a time"},
      {R"([{"id":"a","updated_at":"2026-11-22T09:00:00Z","start":"soon"}])", "start must be a time"},
      {R"([{"id":"a","updated_at":"2026-11-22T09:00:00Z","start":"2026-11-22T09:00:00Z","notes":1}])", "notes must be"},
      {R"([{"id":"a","updated_at":"2026-11-22T09:00:00Z","start":"2026-11-22T09:00:00Z","invoiced":"yes"}])",
       "invoiced must be true or false"},
      {R"(["a"])", "a row must be an object"}};
  for (const auto& [rows, error] : cases) {
    const auto answer = apply(rows);
    EXPECT_EQ(answer.status, 400) << rows;
    EXPECT_NE(answer.at("error").find(error), std::string::npos) << answer.at("error");
  }
  for (const std::string body : {"", "[]", "{}", "{\"entries\":{}}", "{\"entries\":", "null"}) {
    EXPECT_EQ(post("/sync/apply", body).status, 400) << body;
  }
  EXPECT_EQ(apply("[]").status, 200);
  for (const std::string limit : {"0", "-1", "x", ""}) {
    EXPECT_EQ(get("/sync/changes?limit=" + limit).status, 400) << limit;
  }
  EXPECT_EQ(changes().at("entries"), "[]");
}

TEST_F(KaishoSyncTest, one_bad_row_never_blocks_the_others) {
  const auto answer = apply(R"([
    {"id":"a","start":"2026-11-22T08:00:00Z","updated_at":"2026-11-22T09:00:00Z"},
    {"id":"","start":"2026-11-22T08:00:00Z","updated_at":"2026-11-22T09:00:00Z"},
    {"id":"c","start":"nonsense","updated_at":"2026-11-22T09:00:00Z"},
    {"id":"d","start":"2026-11-22T08:00:00Z","updated_at":"2026-11-22T09:00:00Z"}])");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.at("inserted"), "2");
  EXPECT_EQ(answer.at("errors"), R"(["","c"])");
  EXPECT_EQ(answer.at("problems.1.row"), "2");
  EXPECT_EQ(answer.at("problems.1.error"), "start must be a time like 2026-11-22T09:05:00Z");
  EXPECT_EQ(field("d", "id"), "d");
}

TEST_F(KaishoSyncTest, a_value_that_cannot_be_stored_blocks_its_own_row_only) {
  const std::string times = R"("start":"2026-11-22T08:00:00Z","updated_at":"2026-11-22T09:00:00Z")";
  const auto answer = apply(R"([{"id":"a",)" + times + R"(,"x":1e999},{"id":"b",)" + times + R"(,"x":)" +
                            std::string(900, '[') + std::string(900, ']') + R"(},{"id":"c",)" + times + R"(,"x":)" +
                            std::string(64, '[') + std::string(64, ']') + R"(},{"id":"d",)" + times + R"(,"x":NaN}])");
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.at("inserted"), "1");
  EXPECT_EQ(answer.at("errors"), R"(["a","b","c"])");
  EXPECT_EQ(answer.at("problems.1.error"), "the row is nested deeper than 64 levels");
  EXPECT_EQ(field("d", "x"), "null");
}

TEST_F(KaishoSyncTest, user_mistakes_do_not_stop_a_desktops_cycle) {
  const auto no_id = apply(R"("id":"","start":"2026-11-22T08:00:00Z","updated_at":"2026-11-22T09:00:00Z")");
  EXPECT_EQ(no_id.status, 200);
  EXPECT_EQ(no_id.at("errors"), R"([""])");
  const auto broken_text =
      apply(R"("id":"s","start":"2026-11-22T08:00:00Z","description":"a\udce4b \ud83d\ude00 \\ud800",)"
            R"("updated_at":"2026-11-22T09:00:00Z")");
  EXPECT_EQ(broken_text.at("inserted"), "1");
  EXPECT_EQ(field("s", "description"),
            "a\xEF\xBF\xBD"
            "b \xF0\x9F\x98\x80 \\ud800");
  for (const std::string time : {"2026-11-22T08:00:00+0100", "2026-11-22T08:00:00+01", "2026-11-22T08:00+01:00",
                                 "2026-11-22T08:00Z", "2026-11-22T08:00:00,5Z"}) {
    EXPECT_EQ(apply(R"("id":")" + time + R"(","start":")" + time + R"(","updated_at":")" + time + "\"").at("inserted"),
              "1")
        << time;
  }
  EXPECT_EQ(field("2026-11-22T08:00+01:00", "start"), "2026-11-22T07:00:00.000000Z");
}

TEST_F(KaishoSyncTest, hostile_rows_are_bounded) {
  std::string junk = "[1";
  for (int i = 0; i < 2000; ++i) junk += ",1";
  EXPECT_NE(apply(junk + "]").at("error").find("more than 1000 rows cannot be read"), std::string::npos);
  std::string members;
  for (int i = 0; i < 101; ++i) members += ",\"m" + std::to_string(i) + "\":1";
  const auto wide = apply(R"("id":"e","start":"2026-11-22T08:00:00Z","updated_at":"2026-11-22T09:00:00Z")" + members);
  EXPECT_EQ(wide.status, 400);
  apply(R"("id":"r","start":"2026-11-22T08:00:00Z","active":false,"winner":"x","updated_at":"2026-11-22T09:00:00Z")");
  EXPECT_EQ(get("/sync/active").body.find("\"winner\""), std::string::npos) << "answers have that beside the row";
}

// Desktops convert what they pull to local time, and fail at the first and the last years that there are.
TEST_F(KaishoSyncTest, a_row_with_a_time_outside_1900_to_2200_is_refused_alone) {
  const auto row = [](const std::string& id, const std::string& start, const std::string& end,
                      const std::string& updated_at, const std::string& more = "") {
    return R"({"id":")" + id + R"(","start":")" + start + R"(","end":")" + end + R"(","updated_at":")" + updated_at +
           '"' + more + '}';
  };
  const std::string good = "2026-11-22T08:00:00Z";
  const auto answer =
      apply("[" + row("good", good, good, good) + "," + row("first", "0001-01-01T00:00:00Z", good, good) + "," +
            row("last", good, "9999-12-31T23:59:59Z", good) + "," + row("stamp", good, good, "1899-12-31T23:59:59Z") +
            "," + row("deletion", good, good, good, R"(,"deleted_at":"2201-01-01T00:00:00Z")") + "," +
            row("edges", "1900-01-01T00:00:00Z", "2200-12-31T23:59:59.999999Z", good) + "]");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.at("inserted"), "2");
  EXPECT_EQ(answer.json().find("errors")->raw(), R"(["first","last","stamp","deletion"])");
  EXPECT_EQ(answer.at("problems.0.error"), "start must be between the years 1900 and 2200");
  for (const std::string id : {"first", "last", "stamp", "deletion"}) EXPECT_EQ(field(id, "start"), "(none)") << id;
  EXPECT_EQ(apply("[" + row("alone", "0001-01-01T00:00:00Z", good, good) + "]").status, 200)
      << "a refused request would stop a desktop for good";
  EXPECT_EQ(post("/clocks/quick-book", R"({"duration":"1h","date":"0001-01-01"})").status, 400);
  EXPECT_EQ(post("/sync/active/start", R"({"id":"t","start":"9999-01-01T00:00:00Z"})").status, 400);
  const auto pushed = post("/v1/spaces/kaisho/push", R"({"ops":[{"collection":"entries","id":"n","doc":)"
                                                     R"({"start":"0001-01-01T00:00:00Z"}},{"collection":"entries",)"
                                                     R"("id":"m","updated_at":"9998-01-01T00:00:00Z","doc":)"
                                                     R"({"start":"2026-11-22T08:00:00Z"}}]})");
  EXPECT_EQ(pushed.at("results.0.status"), "refused");
  EXPECT_EQ(pushed.at("results.1.error.detail"), "updated_at must be between the years 1900 and 2200");
}

TEST_F(KaishoSyncTest, a_page_of_large_rows_ends_early_with_has_more) {
  const std::string large(5UL << 20U, 'x');
  for (const std::string id : {"a", "b", "c"}) {
    apply(R"("id":")" + id + R"(","body":")" + large + R"(","updated_at":"2026-11-22T09:00:00Z")", "/sync/inbox");
  }
  const auto first = changes("", "/sync/inbox");
  EXPECT_EQ(first.at("has_more"), "true");
  EXPECT_EQ(first.at("entries.2.id"), "(none)");
  EXPECT_EQ(changes(first.at("cursor"), "/sync/inbox").at("entries.0.id"), "c");
}

TEST_F(KaishoSyncTest, the_later_timestamp_wins_and_a_tie_keeps_the_stored_row) {
  apply_entry("e", "first", "10:00:00");
  EXPECT_EQ(apply_entry("e", "older", "09:00:00").at("skipped"), "1");
  EXPECT_EQ(apply_entry("e", "equal", "10:00:00").at("skipped"), "1");
  EXPECT_EQ(field("e", "description"), "first");
  EXPECT_EQ(apply_entry("e", "newer", "11:00:00").at("updated"), "1");
  EXPECT_EQ(field("e", "description"), "newer");
  EXPECT_EQ(field("e", "updated_at"), "2026-11-22T11:00:00.000000Z") << "as the client sent it";
  EXPECT_EQ(conflicts().json().find("conflicts")->raw().find("older") == std::string::npos, false) << "nothing is lost";
}

TEST_F(KaishoSyncTest, a_row_replaces_all_fields_except_those_unknown_to_its_client) {
  apply(R"("id":"e","start":"2026-11-22T08:00:00Z","customer":"Acme","notes":"n","project":"P-1","mood":"good",)"
        R"("updated_at":"2026-11-22T09:00:00Z")");
  apply(R"("id":"e","start":"2026-11-22T08:00:00Z","description":"d","updated_at":"2026-11-22T10:00:00Z")");
  EXPECT_EQ(field("e", "customer"), "null");
  EXPECT_EQ(field("e", "notes"), "");
  EXPECT_EQ(field("e", "description"), "d");
  EXPECT_EQ(field("e", "project"), "P-1") << "1.7.3 does not know it";
  EXPECT_EQ(field("e", "mood"), "good") << "a newer client's field";
  apply(R"("id":"e","start":"2026-11-22T08:00:00Z","project":null,"updated_at":"2026-11-22T11:00:00Z")");
  EXPECT_EQ(field("e", "project"), "null") << "who knows it may clear it";
}

TEST_F(KaishoSyncTest, keeps_up_to_100_unknown_members) {
  std::string members;
  for (int i = 0; i < 100; ++i) members += ",\"m" + std::to_string(i) + "\":1";
  apply(R"("id":"n","title":"a","updated_at":"2026-11-22T09:00:00Z")" + members, "/sync/notes");
  apply(R"("id":"n","title":"b","updated_at":"2026-11-22T10:00:00Z")", "/sync/notes");
  EXPECT_EQ(field("n", "title", "/sync/notes"), "b");
  EXPECT_EQ(field("n", "m99", "/sync/notes"), "1");
}

TEST_F(KaishoSyncTest, a_tombstone_is_a_row_and_a_newer_live_row_revives_it) {
  apply_entry("e", "kept", "10:00:00");
  const auto deleted = apply(R"("id":"e","start":"2026-11-22T08:00:00Z","description":"kept",)"
                             R"("updated_at":"2026-11-22T11:00:00Z","deleted_at":"2026-11-22T11:00:00Z")");
  EXPECT_EQ(deleted.at("updated"), "1");
  EXPECT_EQ(field("e", "deleted_at"), "2026-11-22T11:00:00.000000Z");
  EXPECT_EQ(field("e", "start"), "2026-11-22T08:00:00.000000Z") << "the client reads every field of it";
  EXPECT_EQ(apply_entry("e", "old edit", "10:30:00").at("skipped"), "1");
  EXPECT_EQ(apply_entry("e", "again", "12:00:00").at("updated"), "1");
  EXPECT_EQ(field("e", "deleted_at"), "null");
  const auto unknown = apply(R"("id":"never seen","updated_at":"2026-11-22T11:00:00Z",)"
                             R"("start":"2026-11-22T08:00:00Z","deleted_at":"2026-11-22T11:00:00Z")");
  EXPECT_EQ(unknown.at("inserted"), "1");
  EXPECT_EQ(get("/sync/stats").at("entry_count"), "1");
}

TEST_F(KaishoSyncTest, a_native_deletion_is_a_complete_row) {
  apply_entry("e", "kept", "10:00:00");
  post("/v1/spaces/kaisho/push", R"({"ops":[{"collection":"entries","id":"e","deleted":true},
                                            {"collection":"entries","id":"x","deleted":true}]})");
  EXPECT_EQ(field("e", "description"), "kept");
  EXPECT_NE(field("e", "deleted_at"), "null");
  EXPECT_NE(field("x", "start"), "null");
  EXPECT_EQ(get("/sync/stats").at("entry_count"), "0");
}

TEST_F(KaishoSyncTest, rows_through_the_native_api_have_the_same_form) {
  const auto answer = post("/v1/spaces/kaisho/push",
                           R"({"ops":[{"collection":"entries","id":"e","doc":{"start":"2026-11-22T08:00:00Z"}},
                                      {"collection":"entries","id":"f","doc":{"start":"soon"}}]})");
  EXPECT_EQ(answer.at("results.0.status"), "merged") << "the hub stores more than was sent, and says so";
  EXPECT_EQ(answer.at("results.0.record.doc.notes"), "");
  EXPECT_EQ(answer.at("results.1.status"), "refused");
  EXPECT_EQ(field("e", "invoiced"), "false");
  EXPECT_EQ(events(), "timer:started entries:changed");
}

TEST_F(KaishoSyncTest, pages_follow_the_order_of_changes) {
  for (int i = 0; i < 5; ++i) apply_entry("e" + std::to_string(i), "x", "10:00:00");
  std::string cursor = test::kEpoch;
  std::vector<std::string> ids;
  for (int pages = 0; pages < 10; ++pages) {
    const auto page = get("/sync/changes?limit=2&since=" + cursor);
    page.json().find("entries")->for_each_element([&](JsonView row) { ids.push_back(*row.find("id")->as_string()); });
    cursor = page.at("cursor");
    if (page.at("has_more") == "false") break;
  }
  EXPECT_EQ(ids, (std::vector<std::string>{"e0", "e1", "e2", "e3", "e4"}));
  const auto none = changes(cursor);
  EXPECT_EQ(none.at("entries"), "[]");
  EXPECT_EQ(none.at("cursor"), cursor);
  EXPECT_EQ(none.at("has_more"), "false");
}

TEST_F(KaishoSyncTest, accepts_any_since_value) {
  apply_entry("e", "x", "10:00:00");
  for (const std::string since : {"2026-11-22T10:00:00.000000Z", "nonsense", "", "-1", "3", "1969-01-01T00:00:00Z"}) {
    const auto page = changes(since);
    EXPECT_EQ(page.status, 200) << since;
    EXPECT_EQ(page.at("entries.0.id"), "e") << since;
    EXPECT_EQ(page.at("cursor"), "1970-01-01T00:00:00.000001Z");
  }
  EXPECT_EQ(changes(test::kEpoch).at("entries.0.id"), "e");
  EXPECT_EQ(get("/sync/changes").at("entries.0.id"), "e");
}

TEST_F(KaishoSyncTest, events_report_the_number_of_changed_rows) {
  apply_entry("e", "x", "10:00:00");
  EXPECT_EQ(heard_, (std::vector<std::string>{R"({"event":"entries:changed","data":{"count":1}})"}));
  events();
  apply_entry("e", "x", "10:00:00");
  apply_entry("e", "old", "09:00:00");
  EXPECT_EQ(events(), "") << "nothing changed";
  apply(R"([{"id":"1","updated_at":"2026-11-22T09:00:00Z"},{"id":"2","updated_at":"2026-11-22T09:00:00Z"}])",
        "/sync/tasks");
  EXPECT_EQ(heard_, (std::vector<std::string>{R"({"event":"tasks:changed","data":{"count":2}})"}));
  events();
  for (const std::string name : {"inbox", "notes"}) {
    apply(R"("id":"1","updated_at":"2026-11-22T09:00:00Z")", "/sync/" + name);
    EXPECT_EQ(events(), name + ":changed");
  }
  apply(R"("id":"1","name":"p","updated_at":"2026-11-22T09:00:00Z")", "/sync/projects");
  EXPECT_EQ(events(), "projects:changed");
}

TEST_F(KaishoSyncTest, an_ack_marks_rows_and_changes_nothing_else) {
  apply_entry("e", "x", "10:00:00");
  const std::string cursor = changes().at("cursor");
  EXPECT_EQ(post("/sync/ack", R"({"ids":["e","unknown"]})").at("acked"), "1");
  EXPECT_EQ(changes(cursor).at("entries"), "[]") << "an acknowledgement is no change";
  EXPECT_EQ(post("/sync/ack", R"({"ids":["e"]})").at("acked"), "1");
  apply(R"("id":"t","updated_at":"2026-11-22T09:00:00Z")", "/sync/tasks");
  EXPECT_EQ(post("/sync/tasks/ack", R"({"ids":["t"]})").at("acked"), "1");
  for (const std::string body : {"{}", R"({"ids":[]})", R"({"ids":[1]})", R"({"ids":"e"})"}) {
    EXPECT_EQ(post("/sync/ack", body).status, 400) << body;
  }
}

TEST_F(KaishoSyncTest, the_answer_names_the_plan_that_lacks_sync) {
  ASSERT_TRUE(access_.set_plan("ann@example.org", Plan::free));
  access_.enforce_plans(true);
  const auto refused = changes();
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.at("current_plan"), "free");
  EXPECT_EQ(refused.at("error"), "the free plan does not include sync");
  EXPECT_EQ(get("/sync/stats").at("plan"), "free") << "not gated";
}

TEST_F(KaishoSyncTest, stored_rows_with_times_that_desktops_cannot_read_are_left_out_and_named) {
  apply_entry("good", "x", "10:00:00");
  // As an earlier version stored them.
  const auto store_row = [&](const std::string& id, const std::string& start, const std::string& end,
                             const std::string& updated_at) {
    ASSERT_TRUE(write_and_wait(memory_, {AccountNumber{1}, "kaisho"}, {}, [&](Txn& txn) -> Result<> {
      Record record;
      record.collection = "entries";
      record.id = id;
      record.doc = R"({"customer":null,"description":"","start":)" + start + R"(,"end":)" + end +
                   R"(,"task_id":null,"contract":null,"project":null,"notes":"","invoiced":false,"created_at":null})";
      record.updated_at = record.effective_at = *parse_time(updated_at);
      txn.put(std::move(record), nullptr);
      return {};
    }));
  };
  const std::string now = R"("2026-11-22T08:00:00.000000Z")";
  const std::string stamp = "2026-11-22T09:00:00.000000Z";
  store_row("early", R"("0001-01-01T00:00:00.000000Z")", now, stamp);
  store_row("late", now, R"("9999-12-31T23:59:59.000000Z")", stamp);
  store_row("stamped", now, now, "2250-01-01T00:00:00.000000Z");
  store_row("fine", now, "null", stamp);
  const auto page = changes();
  EXPECT_EQ(page.at("entries.0.id"), "good");
  EXPECT_EQ(page.at("entries.1.id"), "fine");
  EXPECT_EQ(page.at("entries.2"), "(none)");
  EXPECT_EQ(page.at("errors"), R"(["early","late","stamped"])");
  EXPECT_EQ(page.at("problems.0.error"), "start is 0001-01-01T00:00:00.000000Z, not between the years 1900 and 2200");
  EXPECT_EQ(page.at("problems.1.id"), "late");
  EXPECT_EQ(changes(page.at("cursor")).at("errors"), "(none)") << "they are named once";
  store_row("newest", R"("0001-01-01T00:00:00.000000Z")", now, stamp);
  for (const char* desktop : {"one desktop", "another"}) {
    EXPECT_EQ(changes(page.at("cursor")).at("errors"), R"(["newest"])") << desktop;
  }
  EXPECT_EQ(get("/sync/changes?limit=1").at("errors"), "(none)");
  const auto mended = call({.method = http::Method::patch,
                            .target = "/clocks/early",
                            .token = key_,
                            .body = R"({"start_at":"2026-11-22T07:00:00Z"})"});
  EXPECT_EQ(mended.status, 200) << mended.body;
  EXPECT_EQ(changes(page.at("cursor")).at("entries.0.id"), "early") << "a row that was corrected is delivered";
}

}  // namespace
}  // namespace syncline
