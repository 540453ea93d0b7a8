// The phone's routes.
#include <algorithm>

#include "support/kaisho_fixture.hpp"

namespace syncline {
namespace {

class KaishoClocksTest : public test::KaishoFixture {
 protected:
  KaishoClocksTest() { set_time("2026-11-22T12:00:00Z"); }  // a Sunday

  test::Answer patch(const std::string& id, const std::string& body) {
    clock_.advance_micros(1000);
    return call({.method = http::Method::patch, .target = "/clocks/" + id, .token = key_, .body = body});
  }
  std::string count(const std::string& query) {
    const auto answer = get("/clocks/entries" + query);
    if (answer.status != 200) return std::to_string(answer.status);
    int rows = 0;
    answer.json().for_each_element([&](JsonView) { rows += 1; });
    return std::to_string(rows);
  }
};

TEST_F(KaishoClocksTest, a_timer_starts_shows_and_stops) {
  EXPECT_EQ(get("/clocks/active").body, R"({"active":false})");
  const auto started = post("/clocks/start", R"({"customer":"Acme","description":"call","project":"P-1"})");
  EXPECT_EQ(started.status, 201);
  EXPECT_EQ(started.at("customer"), "Acme");
  EXPECT_EQ(started.at("project"), "P-1");
  EXPECT_EQ(started.at("start").substr(0, 16), "2026-11-22T12:00");
  EXPECT_EQ(started.at("duration_minutes"), "null");
  EXPECT_EQ(started.at("synced_at"), "null");
  EXPECT_NE(started.at("created_at"), "(none)");
  EXPECT_EQ(started.at("id").size(), 36U);
  EXPECT_EQ(events(), "timer:started entries:changed");
  EXPECT_EQ(get("/clocks/active").at("id"), started.at("id"));
  EXPECT_EQ(post("/clocks/start", "{}").status, 409);
  EXPECT_EQ(get("/sync/active").at("id"), started.at("id")) << "a desktop sees it too";

  clock_.advance_micros(kMicrosPerSecond * 89 * 60 + 31 * kMicrosPerSecond);
  const auto stopped = post("/clocks/stop", "");
  EXPECT_EQ(stopped.status, 200);
  EXPECT_EQ(stopped.at("duration_minutes"), "90") << "rounded";
  EXPECT_EQ(events(), "timer:stopped entries:changed");
  EXPECT_EQ(post("/clocks/stop", "").status, 404);
}

TEST_F(KaishoClocksTest, a_booking_creates_a_finished_entry) {
  const auto now = post("/clocks/quick-book", R"({"duration":"1h30m","customer":"Acme"})");
  EXPECT_EQ(now.status, 201);
  EXPECT_EQ(now.at("start"), "2026-11-22T10:30:00.000000Z");
  EXPECT_EQ(now.at("end"), "2026-11-22T12:00:00.000000Z");
  EXPECT_EQ(now.at("duration_minutes"), "90");
  EXPECT_EQ(events(), "entries:changed");
  const auto dated = post("/clocks/quick-book", R"({"duration":"2h","date":"2026-11-20"})");
  EXPECT_EQ(dated.at("start"), "2026-11-20T12:00:00.000000Z");
  EXPECT_EQ(dated.at("end"), "2026-11-20T14:00:00.000000Z");
  for (const std::string body :
       {"{}", R"({"duration":"soon"})", R"({"duration":7})", R"({"duration":"1h","date":"yesterday"})", "[]"}) {
    EXPECT_EQ(post("/clocks/quick-book", body).status, 400) << body;
  }
}

TEST_F(KaishoClocksTest, listing_by_period_and_by_days) {
  for (const std::string date : {"2026-11-22", "2026-11-21", "2026-11-16", "2026-11-15", "2026-11-01", "2026-10-31",
                                 "2026-01-01", "2025-12-31"}) {
    post("/clocks/quick-book", R"({"duration":"1h","date":")" + date + R"("})");
  }
  EXPECT_EQ(count(""), "1");
  EXPECT_EQ(count("?period=today"), "1");
  EXPECT_EQ(count("?period=week"), "3") << "from Monday the 16th";
  EXPECT_EQ(count("?period=month"), "5");
  EXPECT_EQ(count("?period=year"), "7");
  EXPECT_EQ(count("?from=2026-11-15&to=2026-11-16"), "2") << "inclusive";
  EXPECT_EQ(count("?from=2026-11-15"), "4");
  EXPECT_EQ(count("?to=2026-01-01&period=today"), "2") << "days override the period";
  EXPECT_EQ(count("?period=decade"), "400");
  EXPECT_EQ(count("?from=x"), "400");
  EXPECT_EQ(get("/clocks/entries?period=month").at("0.start"), "2026-11-22T12:00:00.000000Z") << "newest first";
}

TEST_F(KaishoClocksTest, days_and_periods_are_those_of_the_zone_that_the_request_names) {
  set_time("2026-11-22T23:30:00Z");  // Monday the 23rd in Berlin
  const auto book = [&](const std::string& start) {
    return post("/clocks/quick-book", R"({"duration":"1h","start":")" + start + "\"}").status;
  };
  for (const std::string start : {"2026-11-22T22:59:59Z", "2026-11-22T23:00:00Z", "2026-10-31T22:59:59Z",
                                  "2026-10-31T23:00:00Z", "2026-10-25T21:59:59Z", "2026-10-25T22:30:00Z"}) {
    EXPECT_EQ(book(start), 201) << start;
  }
  EXPECT_EQ(count(""), "2") << "UTC, as published";
  EXPECT_EQ(count("?zone=UTC"), "2");
  EXPECT_EQ(count("?zone=Europe/Berlin"), "1");
  EXPECT_EQ(count("?period=week&zone=Europe/Berlin"), "1");
  EXPECT_EQ(count("?period=month&zone=Europe/Berlin"), "3");
  EXPECT_EQ(count("?period=month"), "2");
  EXPECT_EQ(count("?from=2026-10-25&to=2026-10-25&zone=Europe/Berlin"), "2") << "the day has 25 hours";
  EXPECT_EQ(count("?from=2026-10-25&to=2026-10-25&zone=America/New_York"), "2");
  for (const std::string path : {"/clocks/entries", "/clocks/days"}) {
    const auto refused = get(path + "?zone=Europe/Atlantis");
    EXPECT_EQ(refused.status, 400);
    EXPECT_NE(refused.at("error").find("'Europe/Atlantis'"), std::string::npos) << refused.body;
  }
  const auto noon = post("/clocks/quick-book", R"({"duration":"1h","date":"2026-07-01","zone":"Europe/Berlin"})");
  EXPECT_EQ(noon.at("start"), "2026-07-01T10:00:00.000000Z");
  EXPECT_EQ(post("/clocks/quick-book", R"({"duration":"1h","date":"2026-07-01","zone":7})").status, 400);
}

TEST_F(KaishoClocksTest, sums_of_days_split_work_at_midnight_and_count_a_running_timer_up_to_now) {
  post("/clocks/quick-book", R"({"start":"2026-11-20T22:00:00Z","end":"2026-11-21T00:30:00Z"})");
  apply_entry("gone", "x", "10:00:00");
  call({.method = http::Method::del, .target = "/clocks/gone", .token = key_});
  post("/clocks/start", R"({"start":"2026-11-22T11:59:00Z"})");
  clock_.advance_micros(parse_time("2026-11-22T12:00:30Z")->micros - clock_.now().micros);
  EXPECT_EQ(get("/clocks/days?from=2026-11-20&to=2026-11-22").body,
            R"({"zone":"UTC","seconds":9090,"days":[{"date":"2026-11-20","seconds":7200,"entries":1},)"
            R"({"date":"2026-11-21","seconds":1800,"entries":1},{"date":"2026-11-22","seconds":90,"entries":1}]})");
  EXPECT_EQ(get("/clocks/days?from=2026-11-21&to=2026-11-21&zone=Europe/Berlin").body,
            R"({"zone":"Europe/Berlin","seconds":5400,"days":[{"date":"2026-11-21","seconds":5400,"entries":1}]})")
      << "an entry that starts before the period counts from there";
  EXPECT_EQ(get("/clocks/days").at("seconds"), "90") << "today";
  EXPECT_EQ(get("/clocks/days?from=2020-01-01").status, 400) << "too many days";
}

TEST_F(KaishoClocksTest, an_export_has_all_entries_of_the_period_with_times_of_the_zone) {
  EXPECT_EQ(post("/clocks/quick-book", R"({"start":"2026-11-21T23:30:00Z","end":"2026-11-22T00:30:00Z",)"
                                       R"("customer":"=1+1","description":"a, \"b\"\nc"})")
                .status,
            201);
  post("/clocks/start", R"({"id":"+1","customer":"Zoë","start":"2026-11-22T11:00:00Z"})");
  EXPECT_EQ(patch("%2B1", R"({"invoiced":true})").status, 200);
  const auto utc = get("/clocks/entries?period=week&format=csv");
  EXPECT_EQ(utc.status, 200);
  EXPECT_EQ(utc.headers.at("Content-Type"), "text/csv; charset=utf-8");
  EXPECT_EQ(utc.headers.at("Content-Disposition"), "attachment; filename=\"entries-2026-11-16-2026-11-22.csv\"");
  const std::string header =
      "date,start,end,duration_minutes,customer,description,project,contract,task_id,notes,invoiced,id\r\n";
  EXPECT_TRUE(utc.body.starts_with(header + "2026-11-22,2026-11-22T11:00:00Z,,,Zoë,,,,,,true,'+1\r\n")) << utc.body;
  EXPECT_TRUE(
      utc.body.contains("\r\n2026-11-21,2026-11-21T23:30:00Z,2026-11-22T00:30:00Z,60,'=1+1,"
                        "\"a, \"\"b\"\"\nc\",,,,,false,"))
      << utc.body;
  const auto berlin = get("/clocks/entries?from=2026-11-22&zone=Europe/Berlin&format=csv");
  EXPECT_TRUE(berlin.body.contains("\r\n2026-11-22,2026-11-22T00:30:00+01:00,2026-11-22T01:30:00+01:00,60,"))
      << berlin.body;
  EXPECT_EQ(berlin.headers.at("Content-Disposition"), "attachment; filename=\"entries-2026-11-22.csv\"");
  EXPECT_EQ(get("/clocks/entries?format=xls").status, 400);
}

TEST_F(KaishoClocksTest, an_export_is_not_cut_at_500_entries) {
  std::string rows = "[";
  for (int i = 0; i < 600; ++i) {
    rows += (i > 0 ? "," : "") + std::string(R"({"id":"e)") + std::to_string(i) +
            R"(","start":"2026-11-22T08:00:00Z","end":"2026-11-22T09:00:00Z","updated_at":"2026-11-22T09:00:00Z"})";
  }
  apply(rows + "]");
  const auto csv = get("/clocks/entries?format=csv");
  EXPECT_EQ(std::ranges::count(csv.body, '\n'), 601);
}

TEST_F(KaishoClocksTest, returns_at_most_the_newest_500_entries) {
  std::string rows = "[";
  for (int i = 0; i < 600; ++i) {
    const std::string second = std::to_string(10 + i % 50);
    const std::string minute = std::to_string(10 + i / 50);
    rows += (i > 0 ? "," : "") + std::string(R"({"id":"e)") + std::to_string(i) + R"(","start":"2026-11-22T08:)" +
            minute + ":" + second + R"(Z","end":"2026-11-22T09:00:00Z","updated_at":"2026-11-22T09:00:00Z"})";
  }
  apply(rows + "]");
  EXPECT_EQ(count(""), "500");
  EXPECT_EQ(get("/clocks/entries").at("0.id"), "e599");
}

TEST_F(KaishoClocksTest, a_patch_changes_only_the_given_fields) {
  apply_entry("e", "x", "10:00:00");
  events();
  const auto changed = patch("e", R"({"customer":"Acme","invoiced":true,"end_at":"2026-11-22T08:30:00Z","notes":"n"})");
  EXPECT_EQ(changed.status, 200);
  EXPECT_EQ(changed.at("customer"), "Acme");
  EXPECT_EQ(changed.at("description"), "x") << "the rest stays";
  EXPECT_EQ(changed.at("invoiced"), "true");
  EXPECT_EQ(changed.at("duration_minutes"), "30");
  EXPECT_EQ(changed.at("updated_at").substr(0, 16), "2026-11-22T12:00") << "the hub's time";
  EXPECT_EQ(events(), "entries:changed");
  EXPECT_EQ(patch("e", R"({"customer":null})").at("customer"), "null");
  EXPECT_EQ(patch("e", "{}").status, 400);
  EXPECT_EQ(patch("e", R"({"unknown":1})").status, 400);
  EXPECT_EQ(patch("e", R"({"start_at":"soon"})").status, 400);
  EXPECT_EQ(patch("unknown", R"({"notes":"n"})").status, 404);
}

TEST_F(KaishoClocksTest, an_end_before_the_start_is_refused_with_both_times) {
  apply_entry("e", "x", "10:00:00");
  const auto refused = patch("e", R"({"end_at":"2026-11-22T07:30:00+00:00"})");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.at("detail"),
            "the end (2026-11-22T07:30:00.000000Z) is before the start (2026-11-22T08:00:00.000000Z)");
  EXPECT_EQ(patch("e", R"({"start_at":"2026-11-22T09:00:01Z"})").status, 400);
  EXPECT_EQ(field("e", "end"), "2026-11-22T09:00:00.000000Z");
  EXPECT_EQ(patch("e", R"({"start_at":"2026-11-22T09:00:01Z","end_at":"2026-11-22T09:00:01Z"})").status, 200);
  const auto push = [&](const std::string& doc) {
    return post("/v1/spaces/kaisho/push", R"({"ops":[{"collection":"entries","id":"b","doc":)" + doc + "}]}");
  };
  const std::string backwards = R"({"start":"2026-11-22T09:00:00Z","end":"2026-11-22T08:00:00Z")";
  EXPECT_EQ(push(backwards + "}").at("results.0.status"), "refused");
  EXPECT_EQ(apply(R"("id":"b","start":"2026-11-22T09:00:00Z","end":"2026-11-22T08:00:00Z",)"
                  R"("updated_at":"2026-11-22T09:00:00Z")")
                .at("inserted"),
            "1")
      << "a desktop's clock goes back when its zone changes";
  EXPECT_NE(push(backwards + R"(,"notes":"n"})").at("results.0.status"), "refused") << "its other fields may change";
  EXPECT_EQ(patch("b", R"({"notes":"m"})").status, 200);
}

TEST_F(KaishoClocksTest, a_start_and_a_stop_take_the_id_and_the_times_they_name) {
  const auto started = post("/clocks/start", R"({"id":"t-1","start":"2026-11-22T12:30:00+01:00","customer":"Acme"})");
  EXPECT_EQ(started.status, 201);
  EXPECT_EQ(started.at("id"), "t-1");
  EXPECT_EQ(started.at("start"), "2026-11-22T11:30:00.000000Z");
  const auto again = post("/clocks/start", R"({"id":"t-1","start":"2026-11-22T11:30:00Z"})");
  EXPECT_EQ(again.status, 200) << "its answer was lost";
  EXPECT_EQ(again.at("customer"), "Acme");
  EXPECT_EQ(post("/clocks/stop", R"({"id":"t-2"})").status, 404);
  EXPECT_EQ(post("/clocks/stop", R"({"end":"2026-11-22T11:00:00Z"})").status, 400);
  const auto stopped =
      post("/clocks/stop", R"({"id":"t-1","start":"2026-11-22T11:15:00Z","end":"2026-11-22T11:45:00Z"})");
  EXPECT_EQ(stopped.status, 200);
  EXPECT_EQ(stopped.at("start"), "2026-11-22T11:15:00.000000Z");
  EXPECT_EQ(stopped.at("end"), "2026-11-22T11:45:00.000000Z");
  EXPECT_EQ(post("/clocks/start", R"({"id":"t-1"})").status, 409) << "it has ended";
  const auto finished = post("/clocks/start", R"({"start":"2026-11-22T08:00:00Z","end":"2026-11-22T09:00:00Z"})");
  EXPECT_EQ(finished.status, 201);
  EXPECT_EQ(finished.at("duration_minutes"), "60");
  EXPECT_EQ(get("/clocks/active").at("active"), "false");
  for (const std::string body :
       {R"({"id":7})", R"({"id":""})", R"({"start":"soon"})", R"({"end":"0001-01-01T00:00:00Z"})",
        R"({"start":"2026-11-22T09:00:00Z","end":"2026-11-22T08:00:00Z"})"}) {
    EXPECT_EQ(post("/clocks/start", body).status, 400) << body;
  }
  EXPECT_EQ(post("/clocks/quick-book", R"({"duration":"1h","start":"2026-11-22T06:00:00Z"})").at("end"),
            "2026-11-22T07:00:00.000000Z");
  EXPECT_EQ(post("/clocks/quick-book", R"({"duration":"1h","end":"2026-11-22T06:00:00Z"})").at("start"),
            "2026-11-22T05:00:00.000000Z");
  EXPECT_EQ(post("/clocks/quick-book", R"({"start":"2026-11-22T05:00:00Z","end":"2026-11-22T05:30:00Z"})").status, 201);
  EXPECT_EQ(post("/clocks/quick-book", R"({"start":"2026-11-22T05:00:00Z","end":"2026-11-22T04:30:00Z"})").status, 400);
}

TEST_F(KaishoClocksTest, a_pushed_stop_without_a_time_does_not_replace_an_earlier_one) {
  apply_entry("e", "x", "10:00:00");
  const auto push = [&](const std::string& end, const std::string& more) {
    return post("/v1/spaces/kaisho/push", R"({"ops":[{"collection":"entries","id":"e",)" + more +
                                              R"("doc":{"start":"2026-11-22T08:00:00Z","end":)" + end + "}}]}");
  };
  const auto second = push(R"("2026-11-22T11:00:00Z")", "");
  EXPECT_EQ(second.at("results.0.status"), "refused");
  EXPECT_EQ(second.at("results.0.error.code"), "precondition_failed");
  EXPECT_EQ(push("null", "").at("results.0.status"), "refused") << "an edit of the timer that still ran";
  EXPECT_EQ(field("e", "end"), "2026-11-22T09:00:00.000000Z");
  EXPECT_EQ(push(R"("2026-11-22T08:45:00Z")", "").at("results.0.status"), "merged") << "this one is the earlier";
  EXPECT_EQ(push(R"("2026-11-22T11:00:00Z")", R"("updated_at":"2026-11-22T12:01:00Z",)").at("results.0.status"),
            "merged")
      << "whoever says when is judged by that";
}

TEST_F(KaishoClocksTest, a_deletion_leaves_a_tombstone) {
  apply_entry("e", "x", "10:00:00");
  events();
  EXPECT_EQ(call({.method = http::Method::del, .target = "/clocks/e", .token = key_}).status, 204);
  EXPECT_EQ(heard_, (std::vector<std::string>{R"({"event":"entries:deleted","data":{"ids":["e"]}})"}));
  EXPECT_NE(field("e", "deleted_at"), "null") << "desktops receive a tombstone";
  EXPECT_EQ(field("e", "description"), "x");
  EXPECT_EQ(call({.method = http::Method::del, .target = "/clocks/e", .token = key_}).status, 404);
  EXPECT_EQ(patch("e", R"({"notes":"n"})").status, 404);
}

TEST_F(KaishoClocksTest, shows_when_a_desktop_acknowledged_an_entry) {
  apply_entry("e", "x", "10:00:00");
  post("/sync/ack", R"({"ids":["e"]})");
  EXPECT_EQ(get("/clocks/entries").at("0.synced_at").substr(0, 16), "2026-11-22T12:00");
}

TEST_F(KaishoClocksTest, a_booking_with_an_idempotency_key_is_made_once) {
  const auto book = [&](const std::string& body) {
    return call({.method = http::Method::post,
                 .target = "/clocks/quick-book",
                 .token = key_,
                 .body = body,
                 .headers = {{"Idempotency-Key", "\"b-1\""}}});
  };
  const test::Answer first = book(R"({"duration":"1h"})");
  const test::Answer again = book(R"({"duration":"1h"})");
  EXPECT_EQ(first.status, 201);
  EXPECT_EQ(again.status, 201);
  EXPECT_EQ(again.at("id"), first.at("id"));
  EXPECT_EQ(again.headers.at("Idempotent-Replayed"), "true");
  EXPECT_EQ(count("?period=year"), "1");
  EXPECT_EQ(book(R"({"duration":"2h"})").status, 422);
}

}  // namespace
}  // namespace syncline
