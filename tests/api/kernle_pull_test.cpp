// Pulling, full syncs and status, by the rules of docs/api/kernle.md. "D3" and so on number the known faults of the
// original.
#include "support/kernle_fixture.hpp"

namespace syncline {
namespace {

using test::Answer;
using test::label;

class KernlePullTest : public test::KernleFixture {
 protected:
  /// One note of the other device, with its id as its content.
  void write(const std::string& id, const std::string& at = "10:00:00") {
    push(other_, {{id, R"({"content":")" + id + "\"}", at}});
  }

  std::string device_ = log_in();
  std::string other_ = log_in();
};

TEST_F(KernlePullTest, one_body_has_the_documented_and_the_actual_members) {
  write("n1");
  push(other_, {{"b1", R"({"statement":"s"})", "10:00:00", "beliefs"}});
  const Answer answer = pull(device_);
  EXPECT_EQ(answer.at("success"), "true");
  EXPECT_EQ(answer.at("operations.0"),
            R"({"operation":"update","table":"notes","record_id":"n1","data":{"content":"n1"},)"
            R"("local_updated_at":"2026-11-22T10:00:00.000000+00:00","version":1,"seq":1})");
  EXPECT_EQ(answer.at("has_more"), "false");
  EXPECT_EQ(answer.at("server_time"), "2026-11-22T12:00:00.000000Z");
  EXPECT_EQ(answer.at("cursor"), "e1.2");
  EXPECT_EQ(answer.at("data.pulled"), "2");
  EXPECT_EQ(answer.at("data.tables"), R"({"beliefs":1,"notes":1})");
  EXPECT_EQ(answer.at("data.last_sync"), "2026-11-22T12:00:00.000000Z");
  EXPECT_EQ(answer.at("data.conflicts"), "0");
}

TEST_F(KernlePullTest, D3_deletes_reach_incremental_pulls) {
  write("n1");
  pull(device_);
  push(other_, {{"n1", "", "11:00:00"}});
  const Answer answer = pull(device_, label("11:30:00"));
  EXPECT_EQ(contents(answer), "n1-");
  EXPECT_EQ(answer.at("operations.0.operation"), "delete");
  EXPECT_EQ(answer.at("operations.0.data"), "null");
}

TEST_F(KernlePullTest, D29_a_full_pull_has_no_deletes) {
  write("n1");
  write("n2");
  push(other_, {{"n1", "", "11:00:00"}});
  EXPECT_EQ(contents(pull(device_)), "n2=n2");
  EXPECT_EQ(contents(pull(device_, label("11:30:00"), "claire", R"(,"full":true)")), "n2=n2");
}

TEST_F(KernlePullTest, D9_D10_no_change_is_missed_for_any_label) {
  write("n1");
  EXPECT_EQ(contents(pull(device_)), "n1=n1");
  // The device's clock is an hour fast, and it took its time to apply the answer: meanwhile the other one wrote.
  write("n2");
  EXPECT_EQ(contents(pull(device_, label("13:00:00"))), "n2=n2");
  // Or far behind.
  write("n3");
  EXPECT_EQ(contents(pull(device_, label("03:00:00"))), "n3=n3");
}

TEST_F(KernlePullTest, D12_applied_changes_are_not_delivered_again) {
  write("n1");
  pull(device_);
  EXPECT_EQ(contents(pull(device_, label("12:00:00"))), "");
  EXPECT_EQ(contents(pull(device_, label("12:00:00"))), "");
  write("n2");
  EXPECT_EQ(contents(pull(device_, label("12:00:00"))), "n2=n2") << "an empty answer does not change the label";
  EXPECT_EQ(contents(pull(device_, label("12:05:00"))), "");
}

TEST_F(KernlePullTest, a_lost_answer_is_repeated) {
  write("n1");
  pull(device_);
  write("n2");
  EXPECT_EQ(contents(pull(device_, label("12:00:00"))), "n2=n2");
  write("n3");
  const Answer again = pull(device_, label("12:00:00"));
  EXPECT_EQ(contents(again), "n2=n2") << "the label says it was not applied, or not yet: the same once more";
  EXPECT_EQ(contents(pull(device_, label("12:05:00"))), "n3=n3");
  EXPECT_EQ(contents(pull(device_, label("12:06:00"))), "");
}

TEST_F(KernlePullTest, a_repeated_answer_contains_the_current_versions) {
  write("n1");
  pull(device_);
  write("n2");
  pull(device_, label("12:00:00"));
  push(other_, {{"n2", R"({"content":"new"})", "11:30:00"}});
  EXPECT_EQ(contents(pull(device_, label("12:00:00"))), "n2=new");
}

TEST_F(KernlePullTest, the_second_of_two_full_pulls_may_be_lost) {
  write("n1");
  pull(device_);
  write("n2");
  pull(device_);  // lost: the label is that of the first
  EXPECT_EQ(contents(pull(device_, label("12:00:00"))), "n2=n2");
}

TEST_F(KernlePullTest, a_label_from_before_the_login_does_not_confirm_a_full_pull) {
  set_time("07:00:00");
  write("n1");
  set_time("12:00:00");
  write("n2");
  pull(device_);  // lost
  EXPECT_EQ(contents(pull(device_, label("08:00:00"))), "n2=n2");
}

TEST_F(KernlePullTest, a_device_restored_from_a_backup_continues_at_its_label) {
  write("n1");
  pull(device_);
  EXPECT_EQ(contents(pull(device_, label("12:00:00"))), "");
  write("n2");
  pull(device_, label("12:00:00"));
  write("n3");
  EXPECT_EQ(contents(pull(device_, label("12:05:00"))), "n3=n3");
  EXPECT_EQ(contents(pull(device_, label("12:00:00"))), "n2=n2 n3=n3") << "as it was before n2";
}

TEST_F(KernlePullTest, deletes_reach_a_device_after_a_full_pull) {
  write("n1");
  pull(device_);
  pull(device_, label("12:00:00"));
  push(other_, {{"n1", "", "11:00:00"}});
  write("n2");
  EXPECT_EQ(contents(pull(device_)), "n2=n2");
  EXPECT_EQ(contents(pull(device_, label("12:10:00"))), "n1-");
  EXPECT_EQ(contents(pull(device_, label("12:11:00"))), "");
}

TEST_F(KernlePullTest, only_the_device_whose_edit_lost_gets_the_winner_again) {
  push(other_, {{"n1", R"({"content":"winner"})", "11:00:00"}});
  const std::string third = log_in();
  for (const std::string& device : {device_, third}) {
    pull(device);
    pull(device, label("12:00:00"));
  }
  // Its clock is an hour behind: it edits what it has pulled, and loses.
  push(device_, {{"n1", R"({"content":"loser"})", "10:30:00"}});
  EXPECT_EQ(contents(pull(third, label("12:00:00"))), "");
  EXPECT_EQ(contents(pull(other_, "null")), "");
  EXPECT_EQ(contents(pull(device_, label("12:00:00"))), "n1=winner");
  EXPECT_EQ(contents(pull(device_, label("12:00:00"))), "n1=winner") << "until it has applied it";
  push(device_, {{"n1", R"({"content":"loser"})", "10:30:00"}});
  EXPECT_EQ(contents(pull(device_, label("12:01:00"))), "") << "the same push again is nothing new";
}

TEST_F(KernlePullTest, a_lost_full_pull_loses_no_changes) {
  write("n1");
  pull(device_);
  pull(device_, label("12:00:00"));
  write("n2");
  pull(device_);  // never arrived
  EXPECT_EQ(contents(pull(device_, label("12:00:00"))), "n2=n2");
}

TEST_F(KernlePullTest, of_two_unconfirmed_answers_the_earlier_one_counts) {
  write("n1");
  pull(device_);
  pull(device_, label("12:00:00"));
  write("n2");
  pull(device_, label("12:00:00"));  // applied: the next label is another one
  write("n3");
  pull(device_);  // everything, and lost
  EXPECT_EQ(contents(pull(device_, label("12:05:00"))), "n3=n3");
}

TEST_F(KernlePullTest, own_changes_are_returned_only_if_the_hub_altered_them) {
  write("n1");
  pull(device_);
  push(device_, {{"n2", R"({"content":"own"})", "10:00:00"}});
  EXPECT_EQ(contents(pull(device_, label("12:00:00"))), "");
  push(other_, {{"n2", R"({"content":"own","tags":["b"]})", "10:30:00"}});
  EXPECT_EQ(contents(pull(device_, label("12:00:00"))), "n2=own");
  push(device_, {{"n2", R"({"content":"mine","tags":["a"]})", "11:00:00"}});
  const Answer merged = pull(device_, label("12:05:00"));
  EXPECT_EQ(merged.at("operations.0.data.tags"), R"(["b","a"])");
  EXPECT_EQ(contents(pull(other_, "null")), "n2=mine") << "news for the other one";
}

TEST_F(KernlePullTest, a_first_full_sync_omits_the_devices_own_writes_but_a_restore_includes_them) {
  push(device_, {{"n1", R"({"content":"own"})", "10:00:00"}});
  write("n2");
  EXPECT_EQ(contents(pull(device_, "null")), "n2=n2");
  EXPECT_EQ(contents(pull(device_)), "n1=own n2=n2");
}

TEST_F(KernlePullTest, D6_D7_D8_D36_one_answer_has_everything_in_commit_order) {
  std::vector<test::KernleOperation> operations;
  operations.reserve(1500);
  for (int i = 0; i < 1500; ++i) operations.push_back({"n" + std::to_string(i), R"({"content":"c"})", "10:00:00"});
  push(other_, operations);
  const Answer answer = pull(device_);
  EXPECT_EQ(answer.at("data.pulled"), "1500");
  EXPECT_EQ(answer.at("has_more"), "false");
  EXPECT_EQ(answer.at("operations.0.record_id"), "n0");
  EXPECT_EQ(answer.at("operations.1499.seq"), "1500");
}

TEST_F(KernlePullTest, a_limited_pull_continues_at_its_cursor) {
  for (const char* id : {"n1", "n2", "n3"}) write(id);
  Answer page = pull(device_, "", "claire", R"(,"limit":2)");
  EXPECT_EQ(contents(page), "n1=n1 n2=n2");
  EXPECT_EQ(page.at("has_more"), "true");
  push(other_, {{"n1", "", "11:00:00"}});
  push(device_, {{"own", R"({"content":"own"})", "11:00:00"}});
  page = pull(device_, "", "claire", R"(,"limit":2,"cursor":")" + page.at("cursor") + '"');
  EXPECT_EQ(contents(page), "n3=n3 own=own") << "still everything that is not deleted";
  EXPECT_EQ(contents(pull(device_, label("12:01:00"))), "n1-") << "and all pages were applied";
  EXPECT_EQ(page.at("has_more"), "false");
  EXPECT_EQ(pull(device_, "", "claire", R"(,"limit":0)").status, 400);
}

TEST_F(KernlePullTest, D33_a_record_is_ordered_by_its_last_change) {
  push(other_,
       {{"p1", R"({"name":"p"})", "10:00:00", "playbooks"}, {"e1", R"({"objective":"o"})", "10:00:00", "episodes"}});
  push(other_, {{"p1", R"({"name":"q"})", "11:00:00", "playbooks"}});
  EXPECT_EQ(pull(device_).at("operations.0.record_id"), "e1");
}

TEST_F(KernlePullTest, a_bare_key_pulls_by_time_with_a_margin) {
  set_time("09:00:00");
  write("n1");
  set_time("11:00:00");
  write("n2");
  set_time("12:00:00");
  EXPECT_EQ(contents(pull(api_key_, label("11:05:00"))), "n2=n2") << "its clock may be some minutes fast";
  EXPECT_EQ(contents(pull(api_key_, label("11:30:00"))), "");
  EXPECT_EQ(contents(pull(api_key_, label("08:00:00"))), "n1=n1 n2=n2");
  // Two machines with one key: each has its own time, and gets what the other wrote.
  push(api_key_, {{"n3", R"({"content":"n3"})", "11:59:00"}});
  EXPECT_EQ(contents(pull(api_key_, label("11:55:00"))), "n3=n3");
  EXPECT_EQ(pull(api_key_, R"("yesterday")").status, 400);
}

TEST_F(KernlePullTest, a_device_that_logs_in_again_continues_by_its_clock) {
  set_time("09:00:00");
  write("n1");
  set_time("11:00:00");
  write("n2");
  const std::string again = log_in();
  EXPECT_EQ(contents(pull(again, label("10:30:00"))), "n2=n2");
  EXPECT_EQ(contents(pull(again, label("11:30:00"))), "");
}

TEST_F(KernlePullTest, D14_a_client_that_changes_its_label_on_push_misses_nothing) {
  write("n1");
  pull(device_);
  write("n2");
  push(device_, {{"n3", R"({"content":"own"})", "10:00:00"}});
  EXPECT_EQ(contents(pull(device_, label("12:10:00"))), "n2=n2");
}

TEST_F(KernlePullTest, full_sync_stores_its_operations_and_returns_everything) {
  write("n1");
  push(other_, {{"n0", R"({"content":"gone"})", "10:00:00"}});
  push(other_, {{"n0", "", "10:01:00"}});
  const Answer answer =
      request(device_, "/sync/full",
              R"({"agent_id":"claire","operations":[)" +
                  test::KernleOperation{"n2", R"({"content":"own"})", "10:00:00"}.text() + ',' +
                  test::KernleOperation{"r1", R"({"content":"raw"})", "10:00:00", "raw_entries"}.text() + "]}");
  EXPECT_EQ(contents(answer), "n1=n1 n2=own r1=raw");
  EXPECT_EQ(answer.at("has_more"), "false");
  EXPECT_EQ(answer.at("data.pull.records"), "3");
  EXPECT_EQ(answer.at("data.pull.tables"), R"(["notes","raw_captures"])");
  EXPECT_EQ(answer.at("data.push.records"), "2");
  EXPECT_EQ(answer.at("data.push.tables"), R"(["notes","raw_entries"])");
  EXPECT_EQ(answer.at("data.conflicts_resolved"), "0");
  EXPECT_EQ(answer.at("data.sync_completed_at"), "2026-11-22T12:00:00.000000Z");
  EXPECT_EQ(answer.at("synced"), "2");
  EXPECT_EQ(contents(pull(device_, label("12:01:00"))), "") << "applied, as another label says";
  EXPECT_EQ(contents(request(other_, "/sync/full", R"({"agent_id":"claire"})")), "n1=n1 n2=own r1=raw");
  const std::string reader = add_key("ann@example.org", {Scope::read});
  EXPECT_EQ(request(reader, "/sync/full", R"({"agent_id":"claire"})").status, 200);
  EXPECT_EQ(request(reader, "/sync/full", R"({"agent_id":"claire","operations":[]})").status, 403);
}

TEST_F(KernlePullTest, status_reports_the_progress_of_a_device) {
  write("n1");
  const auto status = [&] { return call({.target = "/sync/status?agent_id=claire", .token = device_}); };
  Answer answer = status();
  EXPECT_EQ(answer.at("data.agent_id"), "claire");
  EXPECT_EQ(answer.at("data.status"), "connected");
  EXPECT_EQ(answer.at("data.remote_changes_available"), "1");
  EXPECT_EQ(answer.at("data.last_pull"), "null");
  EXPECT_EQ(answer.at("last_push"), "null");
  pull(device_);
  push(device_, {{"n2", R"({"content":"own"})", "10:00:00"}, {"x", "{}", "10:00:00", "no_table"}});
  answer = status();
  EXPECT_EQ(answer.at("data.remote_changes_available"), "0");
  EXPECT_EQ(answer.at("data.last_pull"), "2026-11-22T12:00:00.000000Z");
  EXPECT_EQ(answer.at("data.last_push"), "2026-11-22T12:00:00.000000Z");
  EXPECT_EQ(answer.at("data.pending_operations"), "1") << "what was refused is still in the device's queue";
  EXPECT_EQ(call({.target = "/sync/status", .token = device_}).at("pending"), "0") << "Kaisho's answer";
  EXPECT_EQ(call({.target = "/kernle/sync/status", .token = device_}).status, 400) << "Kernle's path wants an agent";
}

TEST_F(KernlePullTest, the_same_routes_exist_under_a_prefix) {
  write("n1");
  EXPECT_EQ(contents(request(device_, "/kernle/sync/pull", R"({"stack_id":"claire"})")), "n1=n1");
}

}  // namespace
}  // namespace syncline
