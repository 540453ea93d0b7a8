// Remote commands of the Kiro face: submit, claim, lease, cancel, live output.
#include "support/kiro_fixture.hpp"

namespace syncline {
namespace {

using KiroCommandTest = test::KiroFixture;
using test::message;

TEST_F(KiroCommandTest, a_command_passes_through_all_its_states) {
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

TEST_F(KiroCommandTest, bad_commands_are_refused_naming_the_field) {
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

TEST_F(KiroCommandTest, an_unknown_command_is_not_found) {
  const test::Answer answer = as(ide_, http::Method::get, "/command/cmd-1-x");
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(answer.at("error"), "Command not found");
}

TEST_F(KiroCommandTest, the_first_claim_owns_a_command) {
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

TEST_F(KiroCommandTest, a_retried_submission_creates_one_command) {
  const std::map<std::string, std::string> header = {{"Idempotency-Key", "once"}};
  const std::string body = R"({"type":"execute_bash","command":"ls"})";
  const test::Answer first = as(ide_, http::Method::post, "/command", body, header);
  const test::Answer second = as(ide_, http::Method::post, "/command", body, header);
  EXPECT_EQ(first.at("commandId"), second.at("commandId"));
  EXPECT_EQ(second.headers.at("Idempotent-Replayed"), "true");
}

TEST_F(KiroCommandTest, claims_follow_priority_then_age_and_happen_once) {
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

TEST_F(KiroCommandTest, a_submission_wakes_waiting_claims_and_readers) {
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

TEST_F(KiroCommandTest, a_lost_runner_requeues_safe_commands_and_fails_the_rest) {
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

TEST_F(KiroCommandTest, any_request_of_a_published_agent_renews_its_claim) {
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

TEST_F(KiroCommandTest, cancelling_fails_pending_commands_and_marks_running_ones) {
  const std::string waiting = submit();
  EXPECT_EQ(as(ide_, http::Method::del, "/command/" + waiting).at("error"), "cancelled");
  const std::string running = submit();
  patch(agent_, running, R"({"status":"processing"})");
  EXPECT_EQ(as(ide_, http::Method::del, "/command/" + running).at("cancelRequested"), "true");
  EXPECT_EQ(patch(agent_, running, R"({"status":"failed","error":"cancelled"})").at("status"), "failed");
  EXPECT_EQ(as(ide_, http::Method::del, "/command/none").status, 404);
}

TEST_F(KiroCommandTest, live_output_is_forwarded_and_ends_with_the_command) {
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

// Whoever comes after the end reads the result: the same text as while the command ran.
TEST_F(KiroCommandTest, live_output_is_text_also_if_the_result_is_base64) {
  const std::string id = submit();
  patch(agent_, id, R"({"status":"processing"})");
  patch(agent_, id, R"({"status":"completed","result":{"stdout":"YQL/Yg==","stderr":"","encoding":"base64"}})");
  const std::string all = as(ide_, http::Method::get, "/command/" + id + "/output").body;
  EXPECT_NE(all.find("\"stream\":\"stdout\",\"data\":\"a\\u0002\uFFFDb\"}"), std::string::npos) << all;
  EXPECT_NE(all.find("YQL/Yg=="), std::string::npos) << "the result itself has all bytes";
}

TEST_F(KiroCommandTest, a_state_upload_cannot_bypass_the_scopes) {
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

TEST_F(KiroCommandTest, a_state_upload_of_an_agent_without_write_succeeds) {
  const test::Answer answer =
      upload(agent_, R"({"conversations":{"c":[)" + message("user", "x", 1) + R"(]},"lastUpdate":1})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.at("ignored.0.part"), "conversations");
  EXPECT_EQ(state("conversations"), "{}");
}

TEST_F(KiroCommandTest, finished_commands_are_removed_after_their_time) {
  const std::string id = submit();
  as(ide_, http::Method::del, "/command/" + id);
  const std::string open = submit(R"({"type":"execute_bash","command":"ls","ttlMs":0})");
  clock_.advance_micros(31LL * 86400 * 1'000'000);
  ASSERT_TRUE(each_hour());
  EXPECT_EQ(state("commands." + id), "(none)");
  EXPECT_EQ(state("commands." + open + ".status"), "pending");
}

}  // namespace
}  // namespace syncline
