// Commands that no runner takes: when they expire, and whether a runner is there at all.
#include "support/kiro_fixture.hpp"

namespace syncline {
namespace {

class KiroExpiryTest : public test::KiroFixture {
 protected:
  void pass_seconds(std::int64_t seconds) { clock_.advance_micros(seconds * 1'000'000); }
  test::Answer claim() { return as(agent_, http::Method::post, "/command/claim"); }
  test::Answer show(const std::string& id) { return as(ide_, http::Method::get, "/command/" + id); }
  std::string runners() {
    return as(ide_, http::Method::post, "/command", R"({"type":"read_file","path":"x"})").at("runners");
  }
};

constexpr std::int64_t kTtlSeconds = 900;

TEST_F(KiroExpiryTest, a_command_that_no_runner_took_in_time_fails_and_says_why) {
  const std::string id = submit();
  pass_seconds(kTtlSeconds - 1);
  each_second();
  EXPECT_EQ(show(id).at("status"), "pending");
  pass_seconds(1);
  each_second();
  EXPECT_EQ(show(id).at("status"), "failed");
  EXPECT_EQ(show(id).at("error"), "expired: no runner took it within 900 s");
}

TEST_F(KiroExpiryTest, an_expired_command_is_not_claimed_even_before_the_hub_has_looked) {
  const std::string old = submit();
  pass_seconds(kTtlSeconds);
  const std::string fresh = submit();
  EXPECT_EQ(claim().at("commandId"), fresh);
  EXPECT_EQ(show(old).at("status"), "failed");
  EXPECT_EQ(claim().status, 204);
}

TEST_F(KiroExpiryTest, a_claim_that_meets_only_expired_commands_fails_them) {
  const std::string old = submit();
  pass_seconds(kTtlSeconds);
  EXPECT_EQ(claim().status, 204);
  EXPECT_EQ(show(old).at("error"), "expired: no runner took it within 900 s");
}

TEST_F(KiroExpiryTest, a_published_agent_gets_409_for_an_expired_command) {
  const std::string id = submit();
  pass_seconds(kTtlSeconds);
  const test::Answer refused = patch(agent_, id, R"({"status":"processing"})");
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(refused.at("error"), "expired: no runner took it within 900 s");
  EXPECT_EQ(show(id).at("status"), "failed");
  EXPECT_EQ(show(id).at("claimedBy"), "(none)");
}

TEST_F(KiroExpiryTest, a_command_may_say_itself_how_long_it_waits) {
  const std::string brief = submit(R"({"type":"execute_bash","command":"ls","ttlMs":1500})");
  const std::string patient = submit(R"({"type":"execute_bash","command":"ls","ttlMs":86400000})");
  const std::string forever = submit(R"({"type":"execute_bash","command":"ls","ttlMs":0})");
  const std::string longest = submit(R"({"type":"execute_bash","command":"ls","ttlMs":9223372036854775807})");
  pass_seconds(2);
  each_second();
  EXPECT_EQ(show(brief).at("error"), "expired: no runner took it within 1500 ms");
  pass_seconds(23LL * 3600);
  each_second();
  for (const std::string& id : {patient, forever, longest}) EXPECT_EQ(show(id).at("status"), "pending");
  pass_seconds(3600);
  each_second();
  EXPECT_EQ(show(patient).at("status"), "failed");
  for (const std::string& id : {forever, longest}) EXPECT_EQ(show(id).at("status"), "pending");
  for (const std::string bad : {"-1", "\"900\"", "1.5"}) {
    const test::Answer refused =
        as(ide_, http::Method::post, "/command", R"({"type":"execute_bash","command":"ls","ttlMs":)" + bad + "}");
    EXPECT_EQ(refused.status, 400) << bad;
    EXPECT_NE(refused.at("detail").find("ttlMs"), std::string::npos);
  }
}

TEST_F(KiroExpiryTest, a_runner_cannot_change_how_long_a_command_waits) {
  const std::string id = submit(R"({"type":"read_file","path":"x"})");
  claim();
  EXPECT_EQ(patch(agent_, id, R"({"ttlMs":0,"note":1})").at("note"), "1");
  EXPECT_EQ(show(id).at("ttlMs"), "(none)");
}

TEST_F(KiroExpiryTest, neither_running_nor_waiting_for_approval_counts_and_an_approval_starts_the_time_again) {
  const std::string approver = add_key("ann@example.org", {Scope::commands_approve});
  const std::string id = submit(R"({"type":"execute_bash","command":"ls","ttlMs":60000})");
  pass_seconds(50);
  ASSERT_EQ(claim().at("commandId"), id);
  pass_seconds(50);
  each_second();
  const std::string approval = "/command/" + id + "/approval";
  ASSERT_EQ(as(agent_, http::Method::post, approval + "/request", R"({"rule":"r","pattern":"ls"})").status, 200);
  pass_seconds(3600);
  each_second();
  ASSERT_EQ(as(approver, http::Method::post, approval, R"({"decision":"approve"})").status, 200);
  pass_seconds(50);
  each_second();
  EXPECT_EQ(show(id).at("status"), "pending");
  pass_seconds(10);
  each_second();
  EXPECT_EQ(show(id).at("error"), "expired: no runner took it within 60 s");
}

TEST_F(KiroExpiryTest, a_command_that_a_lost_runner_leaves_behind_waits_its_whole_time_again) {
  const std::string id = submit(R"({"type":"read_file","path":"x","ttlMs":100000})");
  pass_seconds(90);
  ASSERT_EQ(claim().at("commandId"), id);
  pass_seconds(61);
  each_second();
  pass_seconds(90);
  each_second();
  EXPECT_EQ(show(id).at("status"), "pending");
  pass_seconds(10);
  each_second();
  EXPECT_EQ(show(id).at("status"), "failed");
}

TEST_F(KiroExpiryTest, a_command_of_a_state_upload_expires_too) {
  upload(ide_, R"({"commands":{"cmd-1-x":{"type":"execute_bash","command":"id","status":"pending"}}})");
  pass_seconds(kTtlSeconds);
  each_second();
  EXPECT_EQ(state("commands.cmd-1-x.status"), "failed");
}

TEST_F(KiroExpiryTest, a_waiting_submitter_hears_of_it_at_once) {
  const std::string id = submit(R"({"type":"execute_bash","command":"ls","ttlMs":5000})");
  const auto reader = begin({.target = "/command/" + id + "?wait=30", .token = ide_});
  scheduler_.run_posted();
  pass_seconds(5);
  each_second();
  scheduler_.run_posted();
  ASSERT_TRUE(reader.has_come());
  EXPECT_EQ(reader.get().at("status"), "failed");
}

TEST_F(KiroExpiryTest, a_submission_says_how_many_runners_are_connected) {
  EXPECT_EQ(runners(), "0");
  as(ide_, http::Method::get, "/sync");
  EXPECT_EQ(runners(), "0") << "an IDE is no runner";
  as(agent_, http::Method::get, "/sync");
  EXPECT_EQ(runners(), "1") << "it polls as published";
  claim();
  as(agent2_, http::Method::post, "/command/claim");
  EXPECT_EQ(runners(), "2");
  pass_seconds(31);
  EXPECT_EQ(runners(), "2") << "both have commands that run";
  pass_seconds(40);
  each_second();
  EXPECT_EQ(runners(), "0") << "both are lost";
}

TEST_F(KiroExpiryTest, a_runner_is_connected_as_long_as_its_claim_waits) {
  const auto waiting = begin({.method = http::Method::post, .target = "/command/claim?wait=30", .token = agent_});
  scheduler_.run_posted();
  pass_seconds(25);
  EXPECT_EQ(runners(), "1");
  scheduler_.run_posted();
  ASSERT_TRUE(waiting.has_come());
  pass_seconds(9);
  EXPECT_EQ(runners(), "1") << "it has just taken a command";
  const std::string other = add_key("bob@example.org", {Scope::commands_submit});
  EXPECT_EQ(as(other, http::Method::post, "/command", R"({"type":"read_file","path":"x"})").at("runners"), "0");
}

}  // namespace
}  // namespace syncline
