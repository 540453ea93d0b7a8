// What belongs to the account as a whole: snapshot and reference lists, plan, wipe and its undoing.
#include "api/kaisho/wipe.hpp"
#include "support/kaisho_fixture.hpp"

namespace syncline {
namespace {

class KaishoAccountTest : public test::KaishoFixture {
 protected:
  test::Answer wipe() { return call({.method = http::Method::del, .target = "/sync/entries", .token = key_}); }
  std::int64_t undo_wipe(std::int64_t days = 7) {
    std::int64_t restored = 0;
    EXPECT_TRUE(
        spaces_.write_and_wait({AccountNumber{1}, "kaisho"}, KeyNumber{0}, [&](SpaceWriter& writer) -> Result<> {
          TRY(restored, kaisho::undo_wipe(writer, clock_.now().plus_micros(-days * 86'400 * kMicrosPerSecond)));
          return {};
        }));
    return restored;
  }
};

TEST_F(KaishoAccountTest, a_snapshot_replaces_the_reference_lists) {
  EXPECT_EQ(get("/ref/customers").body, "[]");
  EXPECT_EQ(get("/ref/tasks").body, "[]");
  EXPECT_EQ(get("/ref/config").body, R"({"tags":[],"github_configured":false})");
  const auto pushed = post("/sync/push-snapshot", R"({
    "customers":[{"name":"Zeta","contracts":[]},
                 {"name":"Acme","contracts":[{"name":"Q1","budget":40,"start_date":"2026-01-01"}]}],
    "tasks":[{"id":"b","customer":"Acme","title":"Write","status":"TODO"},
             {"id":"a","customer":"Zeta","title":"Build","status":"NEXT"}],
    "snapshot_at":"2026-11-22T09:00:00"})");
  EXPECT_EQ(pushed.body, R"({"ok":true,"config":null})");
  EXPECT_EQ(get("/ref/customers").at("0.name"), "Acme");
  EXPECT_EQ(get("/ref/customers").at("0.contracts.0.budget"), "40");
  EXPECT_EQ(get("/ref/tasks").at("0.title"), "Build");
  EXPECT_EQ(get("/ref/tasks?customer=Acme").body, R"([{"id":"b","customer":"Acme","title":"Write","status":"TODO"}])");
  post("/sync/push-snapshot", R"({"customers":[],"tasks":[],"snapshot_at":"2026-11-22T09:00:00"})");
  EXPECT_EQ(get("/ref/customers").body, "[]");
}

TEST_F(KaishoAccountTest, D14_settings_are_returned_byte_for_byte_and_duplicate_customers_merge) {
  const std::string config =
      R"({"user_name":"\u00c5sa \ud83d\ude00","tags":[{"name":"x","color":"#fff"}],"github_configured":true,)"
      R"("avatar_seed":1.50,"unknown":{"b":1,"a":[1e2,-0.0]}})";
  const auto pushed = post("/sync/push-snapshot", R"({
    "customers":[{"name":"Acme","contracts":[{"name":"1"}]},{"name":"Acme","contracts":[{"name":"1"},{"name":"2"}]}],
    "tasks":[{"id":"a","title":"old"},{"id":"a","title":"new"}],"config":)" +
                                                      config + "}");
  EXPECT_EQ(pushed.body, R"({"ok":true,"config":)" + config + "}");
  EXPECT_EQ(get("/ref/config").body, config);
  EXPECT_EQ(get("/ref/customers").body, R"([{"name":"Acme","contracts":[{"name":"1"},{"name":"2"}]}])");
  EXPECT_EQ(get("/ref/tasks").body, R"([{"id":"a","customer":"","title":"new","status":""}])");
}

TEST_F(KaishoAccountTest, reference_lists_through_the_native_api_must_be_lists) {
  const auto push = [&](const std::string& id, const std::string& doc) {
    return post("/v1/spaces/kaisho/push",
                R"({"ops":[{"collection":"reference","id":")" + id + R"(","doc":)" + doc + "}]}")
        .at("results.0.status");
  };
  EXPECT_EQ(push("customers", R"({"foo":1})"), "refused");
  EXPECT_EQ(push("customers", R"({"items":"a, b]"})"), "refused");
  EXPECT_EQ(push("customers", R"({"items":[1,{"name":"Acme"}]})"), "applied");
  EXPECT_EQ(get("/ref/customers").body, R"([{"name":"Acme","contracts":[]}])");
  EXPECT_EQ(push("config", R"({"user_name":"Ann"})"), "applied");
  EXPECT_EQ(get("/ref/config").at("user_name"), "Ann");
}

TEST_F(KaishoAccountTest, settings_are_merged_one_level_deep) {
  post("/sync/push-snapshot", R"({"customers":[],"tasks":[],"config":{"user_name":"Ann","tags":[1]}})");
  const auto patched = call({.method = http::Method::patch,
                             .target = "/ref/config",
                             .token = key_,
                             .body = R"({"tags":[],"avatar_style":"x"})"});
  EXPECT_EQ(patched.body, R"({"user_name":"Ann","tags":[],"avatar_style":"x"})");
  EXPECT_EQ(get("/ref/config").body, patched.body);
  EXPECT_EQ(post("/sync/push-snapshot", R"({"customers":{},"tasks":[]})").status, 400);
  EXPECT_EQ(post("/sync/push-snapshot", R"({"config":[]})").status, 400);
}

TEST_F(KaishoAccountTest, an_item_of_a_snapshot_that_cannot_be_stored_is_named_and_blocks_no_other) {
  const std::string deep = std::string(900, '[') + std::string(900, ']');
  const auto pushed = post("/sync/push-snapshot", R"({"customers":[7,{"name":"Acme"},{"name":"B","x":1e999}],)"
                                                  R"("tasks":[{"id":"t","title":"one"},{"id":"u","x":)" +
                                                      deep + R"(}],"config":{"x":-1e999}})");
  EXPECT_EQ(pushed.status, 200) << pushed.body;
  EXPECT_EQ(pushed.at("config"), "null");
  EXPECT_EQ(pushed.at("problems"), R"([{"list":"customers","row":0,"error":"must be an object"},)"
                                   R"({"list":"customers","row":2,"error":"has a number that no double holds"},)"
                                   R"({"list":"tasks","row":1,"error":"is nested deeper than 62 levels"},)"
                                   R"({"list":"config","row":0,"error":"has a number that no double holds"}])");
  EXPECT_EQ(get("/ref/customers").body, R"([{"name":"Acme","contracts":[]}])");
  EXPECT_EQ(get("/ref/tasks").at("0.id"), "t");
  const auto patched = call({.method = http::Method::patch,
                             .target = "/ref/config",
                             .token = key_,
                             .body = R"({"x":)" + std::string(66, '[') + std::string(66, ']') + "}"});
  EXPECT_EQ(patched.status, 400) << "no device could read it";
}

TEST_F(KaishoAccountTest, the_plan_name_fits_the_client_generation) {
  EXPECT_EQ(get("/sync/stats").at("plan"), "sync") << "1.7.3 connects with it, and sets up no AI";
  access_.offer_ai(true);
  EXPECT_EQ(get("/sync/stats").at("plan"), "sync_ai") << "with this name it sets up kaisho:advisor";
  EXPECT_EQ(get("/sync/status").body, R"({"plan":"sync_ai","pending":0})");
  EXPECT_EQ(get("/v1/me").at("plan"), "pro");
  EXPECT_EQ(get("/v1/me").at("ai"), "true");
  EXPECT_EQ(get("/auth/me").at("plan"), "pro");
  ASSERT_TRUE(access_.set_plan_label("ann@example.org", "pro"));
  EXPECT_EQ(get("/sync/stats").at("plan"), "pro");
  ASSERT_TRUE(access_.set_plan_label("ann@example.org", ""));
  ASSERT_TRUE(access_.set_plan("ann@example.org", Plan::companion));
  EXPECT_EQ(get("/sync/stats").at("plan"), "sync");
  EXPECT_FALSE(access_.set_plan_label("ann@example.org", "gold"));
  EXPECT_EQ(*parse_plan("sync_ai"), Plan::pro);
}

TEST_F(KaishoAccountTest, a_wipe_removes_everything_and_change_numbers_continue) {
  post("/sync/push-snapshot", R"({"customers":[{"name":"Acme"}],"tasks":[{"id":"t"}],"config":{"user_name":"Ann"}})");
  apply_entry("e", "x", "10:00:00");
  post("/sync/active/start", R"({"id":"running","start":"2026-11-22T11:00:00Z"})");
  for (const std::string name : {"inbox", "tasks", "notes"}) {
    apply(R"("id":"1","updated_at":"2026-11-22T09:00:00Z")", "/sync/" + name);
  }
  const std::string cursor = changes("", "/sync/notes").at("cursor");
  events();

  EXPECT_EQ(wipe().body, R"({"deleted":5})");
  EXPECT_EQ(events(), "") << "no event";
  for (const std::string prefix : {"/sync", "/sync/inbox", "/sync/tasks", "/sync/notes"}) {
    EXPECT_EQ(changes("", prefix).at("entries"), "[]") << "hard: no tombstones";
  }
  EXPECT_EQ(get("/ref/customers").body, "[]");
  EXPECT_EQ(get("/ref/tasks").body, "[]");
  EXPECT_EQ(get("/ref/config").at("user_name"), "Ann") << "settings stay";
  EXPECT_EQ(get("/sync/active").at("active"), "false");
  EXPECT_EQ(get("/sync/stats").at("entry_count"), "0");
  EXPECT_EQ(get("/sync/stats").at("last_change_at"), "null");
  EXPECT_EQ(wipe().body, R"({"deleted":0})");

  const auto again =
      apply(R"("id":"1","title":"older than the wipe","updated_at":"2026-11-22T08:00:00Z")", "/sync/notes");
  EXPECT_EQ(again.at("inserted"), "1") << "as if it had never been there";
  EXPECT_GT(changes("", "/sync/notes").at("cursor"), cursor);
  EXPECT_EQ(changes(cursor, "/sync/notes").at("entries.0.title"), "older than the wipe");
  EXPECT_EQ(conflicts().at("conflicts"), "[]");
  EXPECT_EQ(post("/sync/active/start", R"({"id":"running","start":"2026-11-22T11:00:00Z"})").status, 201);
}

TEST_F(KaishoAccountTest, a_wipe_can_be_undone_for_a_week) {
  apply_entry("e", "kept", "10:00:00");
  apply_entry("f", "written again", "10:00:00");
  apply(R"("id":"gone","start":"2026-11-22T08:00:00Z","updated_at":"2026-11-22T09:00:00Z",)"
        R"("deleted_at":"2026-11-22T09:00:00Z")");
  post("/sync/push-snapshot", R"({"customers":[{"name":"Acme"}],"tasks":[]})");
  const std::string cursor = changes().at("cursor");
  wipe();
  apply_entry("f", "after the wipe", "09:00:00");
  events();

  EXPECT_EQ(undo_wipe(), 1);
  EXPECT_EQ(field("e", "description"), "kept");
  EXPECT_EQ(field("e", "updated_at"), "2026-11-22T10:00:00.000000Z");
  EXPECT_EQ(field("f", "description"), "after the wipe");
  EXPECT_NE(field("gone", "deleted_at"), "null");
  EXPECT_EQ(get("/ref/customers").at("0.name"), "Acme");
  EXPECT_EQ(get("/sync/stats").at("entry_count"), "2");
  EXPECT_EQ(events(), "entries:changed") << "the devices come and fetch it";
  EXPECT_NE(changes(cursor).at("entries"), "[]");
  EXPECT_EQ(undo_wipe(), 0);

  wipe();
  clock_.advance_micros(kMicrosPerSecond * 8 * 86'400);
  EXPECT_EQ(undo_wipe(), 0);
}

}  // namespace
}  // namespace syncline
