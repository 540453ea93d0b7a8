// Several devices at the Kaisho cloud: what each receives, and which of two versions stands. A name with D and a number
// is a defect of the original service that must not come back; docs/api/kaisho.md lists them.
#include <set>

#include "support/kaisho_fixture.hpp"

namespace syncline {
namespace {

using KaishoDevicesTest = test::KaishoFixture;

TEST_F(KaishoDevicesTest, D1_a_late_row_reaches_devices_whose_cursor_is_past_its_timestamp) {
  apply_entry("tuesday", "desktop", "18:00:00");
  const std::string tower = changes().at("cursor");
  apply_entry("monday", "laptop, offline until now", "07:00:00");
  EXPECT_EQ(changes(tower).at("entries.0.id"), "monday");
}

TEST_F(KaishoDevicesTest, D1_a_clock_a_day_ahead_does_not_hide_rows_of_others) {
  set_time("2026-11-22T10:00:00Z");
  apply(R"("id":"ahead","start":"2026-11-23T10:00:00Z","end":"2026-11-23T11:00:00Z",)"
        R"("updated_at":"2026-11-23T10:00:00Z")");
  const std::string cursor = changes().at("cursor");
  apply_entry("right", "x", "10:00:01");
  EXPECT_EQ(changes(cursor).at("entries.0.id"), "right");
  EXPECT_EQ(field("ahead", "updated_at"), "2026-11-23T10:00:00.000000Z") << "as it was sent";
}

TEST_F(KaishoDevicesTest, D2_D6_a_cursor_sorts_below_every_real_time_and_the_first_million_below_the_epoch) {
  apply_entry("e", "x", "10:00:00");
  const std::string cursor = changes().at("cursor");
  EXPECT_LT(cursor, "1999-12-31T00:00:00") << "a desktop pushes what sorts above the cursor";
  EXPECT_EQ(std::max<std::string>(test::kEpoch, cursor), test::kEpoch)
      << "the first sync stays the first until a push succeeded";
}

TEST_F(KaishoDevicesTest, D3_equal_timestamps_across_a_page_boundary_all_arrive_once) {
  std::string rows = "[";
  for (int i = 0; i < 650; ++i) {
    rows += (i > 0 ? "," : "") + std::string(R"({"id":"t)") + std::to_string(i) +
            R"(","updated_at":"2026-11-22T09:00:00.000001Z"})";
  }
  EXPECT_EQ(apply(rows + "]", "/sync/tasks").at("inserted"), "650") << "D12: any number of rows";
  std::set<std::string> seen;
  std::string cursor = test::kEpoch;
  for (int page = 0; page < 4; ++page) {
    const auto answer = get("/sync/tasks/changes?limit=200&since=" + cursor);
    answer.json().find("entries")->for_each_element(
        [&](JsonView row) { EXPECT_TRUE(seen.insert(*row.find("id")->as_string()).second) << "delivered once"; });
    EXPECT_NE(answer.at("cursor"), cursor) << "a page with rows moves the cursor";
    cursor = answer.at("cursor");
    EXPECT_EQ(answer.at("has_more"), page < 3 ? "true" : "false");
  }
  EXPECT_EQ(seen.size(), 650U);
}

TEST_F(KaishoDevicesTest, D4_an_echo_changes_nothing_and_does_not_beat_an_older_edit) {
  apply(R"("id":"n","title":"a","created_at":"[2026-11-22 Sun 09:00]","updated_at":"2026-11-22T09:00:00Z")",
        "/sync/notes");
  events();
  const std::string cursor = changes("", "/sync/notes").at("cursor");
  const auto echo = apply(
      R"("id":"n","title":"a","created_at":"2026-11-22T09:00:00Z","updated_at":"2026-11-22T12:00:00Z")", "/sync/notes");
  EXPECT_EQ(echo.at("skipped"), "1");
  EXPECT_EQ(events(), "");
  EXPECT_EQ(changes(cursor, "/sync/notes").at("entries"), "[]");
  EXPECT_EQ(field("n", "updated_at", "/sync/notes"), "2026-11-22T09:00:00.000000Z");
  apply(R"("id":"n","title":"edited offline","updated_at":"2026-11-22T11:00:00Z")", "/sync/notes");
  EXPECT_EQ(field("n", "title", "/sync/notes"), "edited offline");
}

TEST_F(KaishoDevicesTest, D9_the_loser_of_a_stale_push_receives_the_winner_again) {
  apply_entry("e", "winner", "12:00:00");
  const std::string b = changes().at("cursor");  // B has seen it
  EXPECT_EQ(apply_entry("e", "B's edit", "11:00:00").at("skipped"), "1");
  const auto page = changes(b);
  EXPECT_EQ(page.at("entries.0.description"), "winner");
  EXPECT_EQ(page.at("entries.0.updated_at"), "2026-11-22T12:00:00.000000Z");
  apply_entry("e", "B's edit", "11:00:00");
  EXPECT_EQ(changes(page.at("cursor")).at("entries.0.id"), "e") << "B has passed it again";
}

TEST_F(KaishoDevicesTest, D9_a_winner_that_was_not_pulled_yet_is_delivered_once) {
  apply_entry("e", "winner", "12:00:00");
  apply_entry("e", "loser", "11:00:00");
  EXPECT_EQ(changes().at("cursor"), "1970-01-01T00:00:00.000001Z");
}

TEST_F(KaishoDevicesTest, D11_the_same_id_in_two_accounts_is_two_rows) {
  apply_entry("e", "Ann's", "10:00:00");
  const std::string bob = add_key("bob@example.org", {Scope::read, Scope::write});
  const auto pushed = call({.method = http::Method::post,
                            .target = "/sync/apply",
                            .token = bob,
                            .body = R"({"entries":[{"id":"e","start":"2026-11-22T08:00:00Z","description":"Bob's",)"
                                    R"("updated_at":"2026-11-22T09:00:00Z"}]})"});
  EXPECT_EQ(pushed.at("inserted"), "1");
  EXPECT_EQ(field("e", "description"), "Ann's");
  const auto patched =
      call({.method = http::Method::patch, .target = "/clocks/only-anns", .token = bob, .body = R"({"notes":"x"})"});
  EXPECT_EQ(patched.status, 404);
}

TEST_F(KaishoDevicesTest, D12_one_request_carries_5000_rows_or_5000_acks) {
  std::string rows = "[";
  std::string ids = "[";
  for (int i = 0; i < 5000; ++i) {
    const std::string id = "row-" + std::to_string(i);
    rows += (i > 0 ? "," : "") + std::string(R"({"id":")") + id +
            R"(","start":"2026-11-22T08:00:00Z","end":"2026-11-22T09:00:00Z","updated_at":"2026-11-22T09:00:00Z"})";
    ids += (i > 0 ? ",\"" : "\"") + id + '"';
  }
  EXPECT_EQ(apply(rows + "]").at("inserted"), "5000");
  EXPECT_EQ(post("/sync/ack", "{\"ids\":" + ids + "]}").at("acked"), "5000");
  EXPECT_EQ(get("/sync/stats").at("entry_count"), "5000");
}

TEST_F(KaishoDevicesTest, D15_duplicate_ids_in_a_batch_are_applied_in_order_and_the_newest_wins) {
  const auto answer = apply(R"([
    {"id":"e","start":"2026-11-22T08:00:00Z","description":"1","updated_at":"2026-11-22T09:00:00Z"},
    {"id":"e","start":"2026-11-22T08:00:00Z","description":"3","updated_at":"2026-11-22T11:00:00Z"},
    {"id":"e","start":"2026-11-22T08:00:00Z","description":"2","updated_at":"2026-11-22T10:00:00Z"}])");
  EXPECT_EQ(answer.at("inserted") + answer.at("updated") + answer.at("skipped"), "111");
  EXPECT_EQ(answer.at("errors"), "[]");
  EXPECT_EQ(field("e", "description"), "3");
}

// ---- nothing a person wrote is lost ----

TEST_F(KaishoDevicesTest, a_version_replaced_by_an_unaware_edit_becomes_a_conflict) {
  set_time("2026-11-22T10:00:00Z");
  apply_entry("e", "base", "09:00:00");
  changes();  // both devices pull
  set_time("2026-11-22T11:00:00Z");
  apply_entry("e", "laptop, offline at 10:10", "10:10:00");
  changes();  // a desktop pulls right before it pushes, and keeps its own newer edit
  apply_entry("e", "tower, offline at 10:20", "10:20:00");
  EXPECT_EQ(field("e", "description"), "tower, offline at 10:20");
  const auto kept = conflicts();
  EXPECT_NE(kept.body.find("laptop, offline at 10:10"), std::string::npos) << kept.body;
  EXPECT_EQ(kept.at("conflicts.1"), "(none)") << "both had seen the first version: " << kept.body;
}

TEST_F(KaishoDevicesTest, an_edit_over_an_unpulled_edit_keeps_it_as_a_conflict) {
  set_time("2026-11-22T10:00:00Z");
  apply_entry("e", "base", "09:00:00");
  changes();
  apply_entry("e", "laptop", "10:00:01");
  set_time("2026-11-22T10:00:10Z");
  apply_entry("e", "tower has not polled", "10:00:05");
  EXPECT_NE(conflicts().body.find("laptop"), std::string::npos);
}

TEST_F(KaishoDevicesTest, a_copy_with_the_shown_timestamp_does_not_win) {
  set_time("2026-11-22T10:00:00Z");
  const auto push = [&](const std::string& text, const std::string& stamp) {
    return apply(R"("id":"e","start":"2026-11-22T08:00:00Z","end":"2026-11-22T09:00:00Z","description":")" + text +
                 R"(","updated_at":")" + stamp + "\"");
  };
  push("v1", "2026-11-23T10:00:00Z");
  push("v2", "2026-11-22T10:00:01Z");
  const std::string shown = field("e", "updated_at");
  push("v3", "2026-11-22T10:00:02Z");
  EXPECT_EQ(push("v2", shown).at("updated"), "0") << "a desktop that pulled v2 pushes it again each cycle";
  EXPECT_EQ(field("e", "description"), "v3");
}

TEST_F(KaishoDevicesTest, a_later_deletion_replaces_the_live_row) {
  const auto live = [&](const std::string& at) { return apply_entry("e", "live", at); };
  const auto dead = [&](const std::string& at) {
    return apply(R"("id":"e","start":"2026-11-22T08:00:00Z","updated_at":"2026-11-22T)" + at +
                 R"(Z","deleted_at":"2026-11-22T)" + at + R"(Z")");
  };
  live("01:00:00");
  dead("02:00:00");
  EXPECT_EQ(dead("04:00:00").at("updated"), "1");
  EXPECT_EQ(dead("04:00:00").at("skipped"), "1");
  live("03:00:00");
  EXPECT_NE(field("e", "deleted_at"), "null");
}

TEST_F(KaishoDevicesTest, D4_the_same_content_in_other_json_spelling_is_an_echo) {
  apply(R"("id":"n","title":"\u00fc","tags":["a","b"],"updated_at":"2026-11-22T09:00:00Z")", "/sync/notes");
  const auto echo = apply(
      "\"id\":\"n\",\"title\":\"\xC3\xBC\",\"tags\":[\"a\", \"\\u0062\"],"
      "\"updated_at\":\"2026-11-22T10:00:00Z\"",
      "/sync/notes");
  EXPECT_EQ(echo.at("skipped"), "1");
}

TEST_F(KaishoDevicesTest, D4_a_real_edit_is_shown_as_newer_than_the_echo_it_beats) {
  set_time("2026-11-22T10:00:30Z");
  apply(R"("id":"n","title":"a","updated_at":"2026-11-22T10:00:00Z")", "/sync/notes");
  set_time("2026-11-22T10:11:00Z");
  apply(R"("id":"n","title":"a","updated_at":"2026-11-22T10:06:00Z")", "/sync/notes");  // B's copy, stamped as it came
  EXPECT_EQ(field("n", "updated_at", "/sync/notes"), "2026-11-22T10:00:00.000000Z");
  apply(R"("id":"n","title":"A's edit","updated_at":"2026-11-22T10:03:00Z")", "/sync/notes");
  EXPECT_EQ(field("n", "title", "/sync/notes"), "A's edit");
  EXPECT_EQ(field("n", "updated_at", "/sync/notes"), "2026-11-22T10:06:00.000001Z") << "B takes only what is newer";
}

TEST_F(KaishoDevicesTest, D9_an_empty_page_advances_the_pull_progress) {
  apply_entry("e", "winner", "12:00:00");
  // Another key, as after a restart that forgot how far this one had pulled.
  key_ = add_key("ann@example.org", {Scope::read, Scope::write});
  const std::string b = "1970-01-01T00:00:00.000001Z";
  EXPECT_EQ(changes(b).at("entries"), "[]");
  apply_entry("e", "loser", "11:00:00");
  EXPECT_EQ(changes(b).at("entries.0.description"), "winner");
}

TEST_F(KaishoDevicesTest, D9_a_loser_with_a_fast_clock_receives_a_winner_that_it_accepts) {
  set_time("2026-11-22T10:00:00Z");
  apply(R"("id":"e","start":"2026-11-22T08:00:00Z","end":"2026-11-22T09:00:00Z","description":"winner",)"
        R"("updated_at":"2026-11-22T10:04:00Z")");
  const std::string cursor = changes().at("cursor");
  apply(R"("id":"e","start":"2026-11-22T08:00:00Z","end":"2026-11-22T09:00:00Z","description":"a day ahead",)"
        R"("updated_at":"2026-11-23T10:00:00Z")");
  const auto page = changes(cursor);
  EXPECT_EQ(page.at("entries.0.description"), "winner");
  EXPECT_GT(page.at("entries.0.updated_at"), "2026-11-23T10:00:00.000000Z");
}

TEST_F(KaishoDevicesTest, an_edit_reaches_a_device_whose_clock_was_ahead) {
  set_time("2026-11-22T10:00:00Z");
  apply(R"("id":"e","start":"2026-11-22T08:00:00Z","end":"2026-11-22T09:00:00Z","description":"ahead",)"
        R"("updated_at":"2026-11-24T10:00:00Z")");
  clock_.advance_micros(60 * kMicrosPerSecond);
  EXPECT_EQ(apply_entry("e", "right clock", "10:01:00").at("updated"), "1") << "2026-11-24 does not win for ever";
  EXPECT_EQ(field("e", "description"), "right clock");
  EXPECT_EQ(field("e", "updated_at"), "2026-11-24T10:00:00.000001Z") << "newer than the other device's own copy";
}

}  // namespace
}  // namespace syncline
