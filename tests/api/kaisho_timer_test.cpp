// The running timer: the eight rules of docs/api/kaisho.md, one test or more each.
#include "support/kaisho_fixture.hpp"

namespace syncline {
namespace {

class KaishoTimerTest : public test::KaishoFixture {
 protected:
  KaishoTimerTest() { set_time("2026-11-22T12:00:00Z"); }

  test::Answer start(const std::string& id, const std::string& at, const std::string& more = "") {
    clock_.advance_micros(1000);
    return post("/sync/active/start",
                R"({"id":")" + id + R"(","start":"2026-11-22T)" + at + R"(:00.000000Z")" + more + "}");
  }
  test::Answer active() { return get("/sync/active"); }
};

TEST_F(KaishoTimerTest, a_timer_starts_when_none_is_running) {
  EXPECT_EQ(active().body, R"({"active":false})");
  const auto answer = start("a", "11:00", R"(,"customer":"Acme","description":"work")");
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.at("active"), "true");
  EXPECT_EQ(answer.at("winner"), "incoming");
  EXPECT_EQ(answer.at("id"), "a");
  EXPECT_EQ(answer.at("customer"), "Acme");
  EXPECT_EQ(answer.at("end"), "null");
  EXPECT_EQ(active().at("id"), "a");
  EXPECT_EQ(active().at("active"), "true");
  ASSERT_EQ(heard_.size(), 2U);
  EXPECT_EQ(JsonView(heard_[0]).find("data")->find("description")->as_string(), "work");
  EXPECT_EQ(events(), "timer:started entries:changed") << "desktops do not pull on the first of them";
  EXPECT_EQ(get("/sync/stats").at("active_timer_id"), "a");
}

TEST_F(KaishoTimerTest, a_start_requires_id_and_start_time) {
  for (const std::string body :
       {"{}", R"({"id":"a"})", R"({"start":"2026-11-22T11:00:00Z"})", R"({"id":1,"start":"2026-11-22T11:00:00Z"})",
        R"({"id":"a","start":"soon"})", R"({"id":"","start":"2026-11-22T11:00:00Z"})", "[]", ""}) {
    const auto answer = post("/sync/active/start", body);
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_NE(answer.at("error"), "(none)");
  }
}

TEST_F(KaishoTimerTest, D7_rule_1_a_new_row_is_never_newer_than_the_senders_own_copy) {
  start("a", "11:00");
  EXPECT_EQ(field("a", "updated_at"), "2026-11-22T11:00:00.000000Z");
  post("/sync/active/stop", "{}");
  start("b", "13:00");  // a clock that is ahead
  EXPECT_EQ(field("b", "updated_at").substr(0, 19), "2026-11-22T12:00:00");
  apply(R"("id":"b","start":"2026-11-22T13:00:00Z","notes":"typed while it runs",)"
        R"("updated_at":"2026-11-22T12:00:30.000000Z")");
  EXPECT_EQ(field("b", "notes"), "typed while it runs");
  EXPECT_EQ(active().at("notes"), "typed while it runs");
}

TEST_F(KaishoTimerTest, D5_rule_2_starting_a_finished_or_deleted_timer_succeeds_without_reopening_it) {
  start("x", "10:00");
  post("/sync/active/stop", R"({"end":"2026-11-22T11:00:00Z"})");
  const auto again = start("x", "10:00", R"(,"description":"edited meanwhile")");
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.at("winner"), "existing");
  EXPECT_EQ(again.at("end"), "2026-11-22T11:00:00.000000Z");
  EXPECT_EQ(active().at("active"), "false");

  apply(R"("id":"x","start":"2026-11-22T10:00:00Z","updated_at":"2026-11-22T12:30:00Z",)"
        R"("deleted_at":"2026-11-22T12:30:00Z")");
  EXPECT_EQ(start("x", "10:00").status, 200);
  EXPECT_EQ(active().at("active"), "false");
}

TEST_F(KaishoTimerTest, D7_rule_3_a_repeated_start_replaces_changed_fields) {
  start("a", "11:00", R"(,"customer":"Acme")");
  events();
  EXPECT_EQ(start("a", "11:00", R"(,"customer":"Acme")").status, 200);
  EXPECT_EQ(events(), "") << "nothing has changed";
  const auto again = start("a", "11:00", R"(,"customer":"Acme","description":"typed later","task_id":"t1")");
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.at("winner"), "existing");
  EXPECT_EQ(again.at("description"), "typed later");
  EXPECT_EQ(field("a", "updated_at"), "2026-11-22T11:00:00.000001Z") << "newer than copies, older than the sender's";
  EXPECT_EQ(field("a", "task_id"), "t1");
  EXPECT_EQ(events(), "entries:changed");
}

TEST_F(KaishoTimerTest, D20_rule_5_6_a_later_start_stops_the_running_timer_and_emits_an_event) {
  start("a", "10:00");
  events();
  const auto answer = start("b", "11:00");
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(field("a", "end"), "2026-11-22T11:00:00.000000Z");
  EXPECT_EQ(field("a", "updated_at").substr(0, 16), "2026-11-22T12:00") << "the hub's time";
  EXPECT_EQ(JsonView(heard_.at(0)).find("data")->find("id")->as_string(), "a");
  EXPECT_EQ(JsonView(heard_.at(1)).find("data")->find("id")->as_string(), "b");
  EXPECT_EQ(events(), "timer:stopped timer:started entries:changed");
  EXPECT_EQ(active().at("id"), "b");
}

TEST_F(KaishoTimerTest, rule_4_a_losing_start_is_stored_as_finished) {
  start("a", "11:00");
  events();
  for (const std::string at : {"10:00", "11:00"}) {
    const std::string id = "late " + at;
    const auto answer = start(id, at);
    EXPECT_EQ(answer.status, 200) << at;
    EXPECT_EQ(answer.at("winner"), "existing");
    EXPECT_EQ(answer.at("id"), "a") << "the fields of the running entry";
    EXPECT_EQ(field(id, "end"), "2026-11-22T11:00:00.000000Z") << "the losing desktop closes its own timer";
    EXPECT_EQ(field(id, "updated_at").substr(0, 16), "2026-11-22T12:00");
    EXPECT_EQ(events(), "entries:changed");
  }
  EXPECT_EQ(active().at("id"), "a");
}

TEST_F(KaishoTimerTest, D16_rule_7_running_rows_through_apply_follow_the_same_rule) {
  start("a", "10:00");
  events();
  const auto later = apply(R"("id":"b","start":"2026-11-22T11:00:00Z","updated_at":"2026-11-22T11:00:00Z")");
  EXPECT_EQ(later.at("inserted"), "1");
  EXPECT_EQ(later.at("errors"), "[]");
  EXPECT_EQ(active().at("id"), "b");
  EXPECT_EQ(field("a", "end"), "2026-11-22T11:00:00.000000Z");
  EXPECT_EQ(heard_.back(), R"({"event":"entries:changed","data":{"count":1}})");
  EXPECT_EQ(events(), "timer:stopped timer:started entries:changed");
  apply(R"("id":"c","start":"2026-11-22T10:30:00Z","updated_at":"2026-11-22T10:30:00Z")");
  EXPECT_EQ(active().at("id"), "b");
  EXPECT_EQ(field("c", "end"), "2026-11-22T11:00:00.000000Z");
}

TEST_F(KaishoTimerTest, rule_7_holds_for_the_native_api_too) {
  start("a", "10:00");
  post("/v1/spaces/kaisho/push",
       R"({"ops":[{"collection":"entries","id":"b","doc":{"start":"2026-11-22T11:00:00Z","end":null}}]})");
  EXPECT_EQ(active().at("id"), "b");
  EXPECT_EQ(field("a", "end"), "2026-11-22T11:00:00.000000Z");
}

TEST_F(KaishoTimerTest, D13_rule_8_of_twelve_simultaneous_starts_exactly_the_latest_remains) {
  std::vector<test::PendingAnswer> answers;
  for (int i = 0; i < 12; ++i) {
    const std::string minute = std::to_string(10 + (i * 7) % 12);
    answers.push_back(begin({.method = http::Method::post,
                             .target = "/sync/active/start",
                             .token = key_,
                             .body = R"({"id":"t)" + minute + R"(","start":"2026-11-22T10:)" + minute + R"(:00Z"})"}));
  }
  for (const auto& answer : answers) {
    ASSERT_TRUE(answer.has_come());
    EXPECT_LT(answer.get().status, 300);
  }
  EXPECT_EQ(active().at("id"), "t21");
  int running = 0;
  const auto page = changes();
  page.json().find("entries")->for_each_element([&](JsonView row) { running += row.find("end")->raw() == "null"; });
  EXPECT_EQ(running, 1);
}

TEST_F(KaishoTimerTest, D5_a_device_that_missed_the_stop_receives_it_again_and_its_edit_is_kept) {
  start("x", "10:00");
  post("/sync/active/stop", R"({"end":"2026-11-22T11:00:00Z"})");
  const std::string cursor = changes().at("cursor");
  events();
  start("x", "10:00", R"(,"description":"edited meanwhile")");
  EXPECT_EQ(events(), "");
  const auto page = changes(cursor);
  EXPECT_EQ(page.at("entries.0.end"), "2026-11-22T11:00:00.000000Z");
  EXPECT_EQ(page.at("entries.0.updated_at").substr(0, 16), "2026-11-22T12:00") << "later than the device's edit";
  EXPECT_NE(conflicts().body.find("edited meanwhile"), std::string::npos);
}

TEST_F(KaishoTimerTest, a_repeated_start_keeps_an_unseen_edit_as_a_conflict) {
  start("a", "11:00", R"(,"description":"one")");
  changes();
  call({.method = http::Method::patch, .target = "/clocks/a", .token = key_, .body = R"({"description":"phone"})"});
  start("a", "11:00", R"(,"description":"one")");
  EXPECT_EQ(field("a", "description"), "one");
  EXPECT_NE(conflicts().body.find("phone"), std::string::npos);
}

TEST_F(KaishoTimerTest, a_stop_is_later_than_the_start_of_a_fast_clock) {
  start("a", "12:02");
  const auto stopped = post("/sync/active/stop", "{}");
  EXPECT_EQ(stopped.at("updated_at"), "2026-11-22T12:02:00.000001Z") << "its own copy says 12:02";
  EXPECT_EQ(stopped.at("end").substr(0, 16), "2026-11-22T12:00") << "the hub's time";
  EXPECT_EQ(stopped.at("start"), stopped.at("end")) << "nothing ends before it began";
  EXPECT_NE(conflicts().body.find("12:02:00"), std::string::npos);
}

constexpr auto kStartTomorrow = R"({"id":"b","start":"2026-11-23T13:20:00.000000Z","description":"fast clock"})";

TEST_F(KaishoTimerTest, a_start_of_tomorrow_does_not_book_a_day_on_the_running_timer) {
  start("a", "11:00");
  const auto answer = post("/sync/active/start", kStartTomorrow);
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.at("start").substr(0, 16), "2026-11-22T12:00") << "it counts as now";
  EXPECT_EQ(field("a", "end").substr(0, 16), "2026-11-22T12:00");
  EXPECT_EQ(active().at("id"), "b");
  const std::string kept = conflicts().body;
  EXPECT_NE(kept.find("2026-11-23T13:20:00"), std::string::npos) << "what was sent";
  EXPECT_NE(kept.find(R"("id":"a")"), std::string::npos) << "the timer that it stopped";
  EXPECT_NE(kept.find("clock_guard"), std::string::npos);
}

TEST_F(KaishoTimerTest, times_that_the_clock_of_a_doubting_hub_confirms_are_not_lowered) {
  clock_.doubt(10LL * 3600 * kMicrosPerSecond);
  start("a", "21:00");
  post("/sync/active/stop", "{}");
  EXPECT_EQ(field("a", "start").substr(0, 16), "2026-11-22T21:00");
  EXPECT_EQ(field("a", "end").substr(0, 16), "2026-11-22T22:00");
  start("b", "23:00");
  EXPECT_EQ(field("b", "start").substr(0, 16), "2026-11-22T22:00") << "no clock confirms this one";
}

TEST_F(KaishoTimerTest, a_start_in_a_week_through_apply_or_the_native_api_counts_as_now) {
  for (const bool native : {false, true}) {
    const std::string a = native ? "a2" : "a1";
    const std::string b = native ? "b2" : "b1";
    start(a, native ? "12:40" : "11:00");
    if (native) {
      post("/v1/spaces/kaisho/push", R"({"ops":[{"collection":"entries","id":")" + b +
                                         R"(","doc":{"start":"2026-11-29T11:00:00Z","end":null}}]})");
    } else {
      apply(R"("id":")" + b + R"(","start":"2026-11-29T11:00:00Z","updated_at":"2026-11-22T11:59:00Z")");
    }
    const std::string now = native ? "2026-11-22T13:00" : "2026-11-22T12:00";
    EXPECT_EQ(active().at("id"), b);
    EXPECT_EQ(field(b, "start").substr(0, 16), now);
    EXPECT_EQ(field(a, "end").substr(0, 16), now);
    EXPECT_NE(conflicts().body.find("2026-11-29T11:00:00"), std::string::npos);
    set_time("2026-11-22T13:00:00Z");
  }
}

TEST_F(KaishoTimerTest, a_later_start_of_another_device_stops_a_timer_that_claimed_to_begin_tomorrow) {
  post("/sync/active/start", kStartTomorrow);
  set_time("2026-11-22T12:30:00Z");
  EXPECT_EQ(start("c", "12:20").at("winner"), "incoming");
  EXPECT_EQ(active().at("id"), "c");
  EXPECT_EQ(field("b", "start").substr(0, 16), "2026-11-22T12:00");
  EXPECT_EQ(field("b", "end"), "2026-11-22T12:20:00.000000Z");
  EXPECT_GT(field("b", "updated_at"), "2026-11-23T13:20:00.000000Z") << "its device takes the stop";
}

TEST_F(KaishoTimerTest, a_phone_stops_a_timer_that_claimed_to_begin_tomorrow_and_starts_its_own) {
  post("/sync/active/start", kStartTomorrow);
  set_time("2026-11-22T12:30:00Z");
  EXPECT_EQ(post("/clocks/stop", "").at("duration_minutes"), "30");
  EXPECT_EQ(post("/clocks/start", "{}").status, 201);
  EXPECT_EQ(call({.method = http::Method::patch, .target = "/clocks/b", .token = key_, .body = R"({"notes":"n"})"})
                .at("notes"),
            "n")
      << "and what is written with the right time wins";
}

TEST_F(KaishoTimerTest, repeating_a_start_of_tomorrow_changes_nothing) {
  post("/sync/active/start", kStartTomorrow);
  const std::string kept = conflicts().body;
  events();
  set_time("2026-11-22T12:30:00Z");
  const auto again = post("/sync/active/start", kStartTomorrow);
  EXPECT_EQ(again.at("start").substr(0, 16), "2026-11-22T12:00");
  EXPECT_EQ(events(), "");
  EXPECT_EQ(conflicts().body, kept);
}

TEST_F(KaishoTimerTest, an_end_is_never_later_than_now_and_what_was_asked_for_is_kept) {
  start("a", "11:00");
  EXPECT_EQ(post("/sync/active/stop", R"({"end":"2026-11-22T12:03:00Z"})").at("end").substr(0, 16), "2026-11-22T12:00");
  EXPECT_EQ(conflicts().body.find("12:03:00"), std::string::npos) << "clocks differ by so much";
  start("b", "11:30");
  EXPECT_EQ(post("/sync/active/stop", R"({"end":"2026-11-23T11:00:00Z"})").at("end").substr(0, 16), "2026-11-22T12:00");
  EXPECT_NE(conflicts().body.find("2026-11-23T11:00:00"), std::string::npos);
  start("c", "11:40");
  start("d", "12:04");
  EXPECT_EQ(active().at("id"), "d") << "up to five minutes are what clocks differ by";
  EXPECT_EQ(field("c", "end").substr(0, 16), "2026-11-22T12:00");
}

TEST_F(KaishoTimerTest, a_stop_ends_the_running_timer) {
  EXPECT_EQ(post("/sync/active/stop", "{}").status, 404);
  start("a", "10:00");
  events();
  EXPECT_EQ(post("/sync/active/stop", R"({"id":"another"})").status, 404);
  EXPECT_EQ(post("/sync/active/stop", R"({"end":"soon"})").status, 400);
  const auto answer = post("/sync/active/stop", R"({"id":"a","end":"2026-11-22T11:30:00Z"})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.at("end"), "2026-11-22T11:30:00.000000Z");
  EXPECT_EQ(answer.at("active"), "(none)");
  EXPECT_EQ(events(), "timer:stopped entries:changed");
  EXPECT_EQ(post("/sync/active/stop", "{}").status, 404) << "the first stop counts";
  start("b", "11:45");
  EXPECT_EQ(post("/sync/active/stop", "").at("end").substr(0, 16), "2026-11-22T12:00") << "the hub's time";
  EXPECT_EQ(get("/sync/stats").at("active_timer_id"), "null");
}

TEST_F(KaishoTimerTest, a_timer_ends_through_apply_deletion_or_a_restored_conflict) {
  start("a", "10:00");
  events();
  apply(R"("id":"a","start":"2026-11-22T10:00:00Z","end":"2026-11-22T11:00:00Z","updated_at":"2026-11-22T11:00:00Z")");
  EXPECT_EQ(events(), "timer:stopped entries:changed");
  EXPECT_EQ(active().at("active"), "false");

  start("b", "11:10");
  apply(R"("id":"b","start":"2026-11-22T11:10:00Z","updated_at":"2026-11-22T11:20:00Z",)"
        R"("deleted_at":"2026-11-22T11:20:00Z")");
  EXPECT_EQ(active().at("active"), "false");
  EXPECT_EQ(get("/sync/stats").at("entry_count"), "1");
}

TEST_F(KaishoTimerTest, statistics_count_live_entries) {
  EXPECT_EQ(
      get("/sync/stats").body,
      R"({"entry_count":0,"last_change_at":null,"active_timer_id":null,"plan":"sync","email":"ann@example.org"})");
  apply_entry("a", "x", "10:00:00");
  apply_entry("b", "x", "10:00:00");
  apply_entry("a", "y", "11:00:00");
  EXPECT_EQ(get("/sync/stats").at("entry_count"), "2");
  EXPECT_EQ(get("/sync/stats").at("last_change_at").substr(0, 16), "2026-11-22T12:00");
  apply(R"("id":"a","start":"2026-11-22T10:00:00Z","updated_at":"2026-11-22T11:20:00Z",)"
        R"("deleted_at":"2026-11-22T11:20:00Z")");
  EXPECT_EQ(get("/sync/stats").at("entry_count"), "1");
}

}  // namespace
}  // namespace syncline
