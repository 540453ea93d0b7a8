// Commands that wait for approval: who sees them, who may answer, what stays approved.
#include "support/api_fixture.hpp"

namespace syncline {
namespace {

class KiroApprovalTest : public test::ApiFixture {
 protected:
  KiroApprovalTest() {
    ide_ = add_key("ann@example.org", {Scope::read, Scope::write, Scope::commands_submit}, "ide");
    agent_ = add_key("ann@example.org", {Scope::read, Scope::commands_run}, "agent");
    phone_ = add_key("ann@example.org", {Scope::commands_approve}, "phone");
  }

  test::Answer as(const std::string& key, http::Method method, const std::string& target,
                  const std::string& body = "") {
    clock_.advance_micros(1000);
    return call({.method = method, .target = target, .token = key, .body = body});
  }
  std::string submit(const std::string& line = "git push") {
    return as(ide_, http::Method::post, "/command", R"({"type":"execute_bash","command":")" + line + R"("})")
        .at("commandId");
  }
  test::Answer claim() { return as(agent_, http::Method::post, "/command/claim"); }
  test::Answer ask(const std::string& id, const std::string& pattern = "git push *") {
    return as(agent_, http::Method::post, "/command/" + id + "/approval/request",
              R"-({"rule":"commands.execute_bash[1] (p.yaml:5)","pattern":")-" + pattern + "\"}");
  }
  test::Answer answer(const std::string& key, const std::string& id, const std::string& body) {
    return as(key, http::Method::post, "/command/" + id + "/approval", body);
  }
  /// A command that a runner has handed back.
  std::string submit_held() {
    const std::string id = submit();
    EXPECT_EQ(claim().at("commandId"), id);
    EXPECT_EQ(ask(id).at("state"), "requested");
    return id;
  }
  std::string show(const std::string& id, const std::string& path) {
    return as(ide_, http::Method::get, "/command/" + id).at(path);
  }

  std::string ide_, agent_, phone_;
};

TEST_F(KiroApprovalTest, a_held_command_is_pending_for_the_ide_and_hidden_from_agents) {
  const std::string id = submit_held();
  EXPECT_EQ(show(id, "status"), "pending");
  EXPECT_EQ(show(id, "approval.rule"), "commands.execute_bash[1] (p.yaml:5)");
  EXPECT_EQ(show(id, "claimedBy"), "(none)");
  EXPECT_EQ(as(ide_, http::Method::get, "/sync").at("commands." + id + ".status"), "pending");
  EXPECT_EQ(as(agent_, http::Method::get, "/sync").at("commands"), "{}");
  EXPECT_EQ(as(agent_, http::Method::get, "/sync?since=0").at("commands"), "{}");
  EXPECT_EQ(claim().status, 204);
  const auto taken = as(agent_, http::Method::patch, "/command/" + id, R"({"status":"processing"})");
  EXPECT_EQ(taken.status, 409);
  EXPECT_EQ(taken.at("error"), "the command waits for approval");
  EXPECT_EQ(as(agent_, http::Method::patch, "/command/" + id, R"({"status":"failed"})").status, 409);
  EXPECT_EQ(as(phone_, http::Method::get, "/command?status=held").at("commands.0.commandId"), id);
}

TEST_F(KiroApprovalTest, a_single_approval_covers_one_command) {
  const std::string id = submit_held();
  EXPECT_EQ(answer(phone_, id, R"({"decision":"approve"})").at("approval.by"), "phone");
  const auto claimed = claim();
  EXPECT_EQ(claimed.at("commandId"), id);
  EXPECT_EQ(claimed.at("approval.state"), "approved");
  EXPECT_EQ(claimed.at("approval.pattern"), "git push *");
  const std::string other = submit();
  claim();
  EXPECT_EQ(ask(other).at("state"), "requested");
}

TEST_F(KiroApprovalTest, a_standing_approval_covers_its_pattern_until_revoked) {
  answer(phone_, submit_held(), R"({"decision":"approve","always":true})");
  claim();
  const std::string second = submit();
  claim();
  const auto granted = ask(second);
  EXPECT_EQ(granted.at("state"), "approved");
  EXPECT_EQ(show(second, "status"), "processing");
  const std::string third = submit();
  claim();
  EXPECT_EQ(ask(third, "git *").at("state"), "requested");
  const auto list = as(phone_, http::Method::get, "/command/approvals");
  EXPECT_EQ(list.at("approvals.0.pattern"), "git push *");
  EXPECT_EQ(list.at("approvals.0.by"), "phone");
  EXPECT_EQ(as(phone_, http::Method::del, "/command/approvals/" + list.at("approvals.0.id")).status, 204);
  EXPECT_EQ(as(phone_, http::Method::del, "/command/approvals/" + list.at("approvals.0.id")).status, 404);
  const std::string fourth = submit();
  claim();
  EXPECT_EQ(ask(fourth).at("state"), "requested");
}

TEST_F(KiroApprovalTest, a_pattern_must_match_the_command_that_it_is_asked_for) {
  const std::string id = submit("git push origin");
  claim();
  for (const std::string pattern : {"rm *", "git pull *", "git *x", "exactly: git push origin (0000)", "*"}) {
    const auto refused = ask(id, pattern);
    EXPECT_EQ(refused.status, 400) << pattern;
    EXPECT_EQ(refused.at("detail"), "the pattern does not match the command");
  }
  const auto other = as(agent_, http::Method::post, "/command/" + id + "/approval/request",
                        R"({"rule":"r","pattern":"git push *","hash":"00"})");
  EXPECT_EQ(other.at("detail"), "the hash is that of another command");
  EXPECT_EQ(show(id, "status"), "processing");
  EXPECT_EQ(ask(id).at("state"), "requested");
}

TEST_F(KiroApprovalTest, an_approval_counts_for_the_runner_that_asked) {
  const std::string other = add_key("ann@example.org", {Scope::read, Scope::commands_run}, "other");
  const auto claim_as_other = [&] { return as(other, http::Method::post, "/command/claim"); };
  const std::string id = submit_held();
  EXPECT_EQ(answer(phone_, id, R"({"decision":"approve","always":true})").status, 200);
  const auto claimed = claim_as_other();
  EXPECT_EQ(claimed.at("commandId"), id);
  EXPECT_EQ(claimed.at("approval"), "(none)") << "another runner asks for itself";
  const auto asked =
      as(other, http::Method::post, "/command/" + id + "/approval/request", R"({"rule":"r","pattern":"git push *"})");
  EXPECT_EQ(asked.at("state"), "requested") << "what is approved for good is approved for the first runner";
  const std::string second = submit();
  EXPECT_EQ(claim().at("commandId"), second);
  EXPECT_EQ(ask(second).at("state"), "approved");
  EXPECT_NE(as(phone_, http::Method::get, "/command/approvals").at("approvals.0.runner"), "(none)");
}

TEST_F(KiroApprovalTest, a_denied_command_names_the_approver_and_the_reason) {
  const std::string id = submit_held();
  answer(phone_, id, R"({"decision":"deny","reason":"not on Friday"})");
  EXPECT_EQ(show(id, "status"), "failed");
  EXPECT_EQ(show(id, "error"), "denied by phone: not on Friday");
  EXPECT_EQ(answer(phone_, id, R"({"decision":"approve"})").status, 409);
}

TEST_F(KiroApprovalTest, only_approvers_can_answer_and_only_the_owner_can_request) {
  const std::string id = submit_held();
  for (const std::string& key : {ide_, agent_}) EXPECT_EQ(answer(key, id, R"({"decision":"approve"})").status, 403);
  const std::string other = submit();
  EXPECT_EQ(ask(other).status, 409) << "not claimed";
  EXPECT_EQ(as(ide_, http::Method::post, "/command/" + id + "/approval/request", "{}").status, 403);
  EXPECT_EQ(answer(phone_, other, R"({"decision":"approve"})").status, 409);
  EXPECT_EQ(answer(phone_, "cmd-none", R"({"decision":"approve"})").status, 404);
  for (const std::string bad : {"{}", R"({"decision":"yes"})", R"({"decision":"approve","always":1})"}) {
    EXPECT_EQ(answer(phone_, id, bad).status, 400) << bad;
  }
}

TEST_F(KiroApprovalTest, a_key_does_not_approve_what_it_submitted) {
  const std::string both = add_key("ann@example.org", {Scope::commands_submit, Scope::commands_approve}, "both");
  ide_ = both;
  const std::string id = submit_held();
  const auto refused = answer(both, id, R"({"decision":"approve"})");
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.at("code"), "own_command");
  EXPECT_NE(refused.at("detail").find("approve it with a key of another label"), std::string::npos) << refused.body;
  EXPECT_EQ(answer(both, id, R"({"decision":"approve","always":true})").status, 403);
  EXPECT_EQ(as(phone_, http::Method::get, "/command/approvals").at("approvals"), "[]");
  EXPECT_EQ(answer(phone_, id, R"({"decision":"approve"})").status, 200) << "it still waits";
  EXPECT_EQ(claim().at("commandId"), id);
  EXPECT_EQ(answer(both, id, R"({"decision":"approve"})").status, 409);
  EXPECT_EQ(answer(both, submit_held(), R"({"decision":"deny"})").status, 200) << "it may take it back";
}

TEST_F(KiroApprovalTest, nor_does_another_key_of_its_label) {
  const std::string twin = add_key("ann@example.org", {Scope::commands_approve}, "ide");
  EXPECT_EQ(answer(twin, submit_held(), R"({"decision":"approve"})").at("code"), "own_command");
}

TEST_F(KiroApprovalTest, nor_does_a_session_of_the_key_or_the_key_for_its_session) {
  const ScopeSet scopes{Scope::read, Scope::commands_submit, Scope::commands_approve};
  const std::string both = add_key("ann@example.org", scopes, "both");
  const auto open_session = [&](const std::string& key) {
    return call({.method = http::Method::post, .target = "/auth/login", .token = key}).at("token");
  };
  const std::string first = open_session(both);
  const std::string second = open_session(both);
  for (const auto& [submitter, approver] : {std::pair(both, first), std::pair(first, both), std::pair(first, second)}) {
    ide_ = submitter;
    EXPECT_EQ(answer(approver, submit_held(), R"({"decision":"approve"})").at("code"), "own_command");
  }
}

TEST_F(KiroApprovalTest, a_new_name_does_not_make_it_another_key) {
  const ScopeSet scopes{Scope::read, Scope::keys, Scope::commands_submit, Scope::commands_approve};
  ide_ = add_key("ann@example.org", scopes, "both");
  const std::string id = submit_held();
  const std::string own = as(ide_, http::Method::get, "/v1/me").at("key.id");
  ASSERT_EQ(as(ide_, http::Method::patch, "/v1/keys/" + own, R"({"label":"other"})").status, 200);
  EXPECT_EQ(answer(ide_, id, R"({"decision":"approve"})").at("code"), "own_command");
  const std::string session = call({.method = http::Method::post, .target = "/auth/login", .token = ide_}).at("token");
  EXPECT_EQ(answer(session, id, R"({"decision":"approve"})").at("code"), "own_command") << "nor a session of it";
}

TEST_F(KiroApprovalTest, a_person_who_is_signed_in_may_approve_what_the_same_session_submitted) {
  ASSERT_TRUE(sessions_.set_password("ann@example.org", "correct horse"));
  ide_ = sessions_.log_in("ann@example.org", "correct horse", "-")->access_token;
  EXPECT_EQ(answer(ide_, submit_held(), R"({"decision":"approve"})").status, 200);
}

TEST_F(KiroApprovalTest, submit_patch_and_push_cannot_approve) {
  const std::string forged = R"("approval":{"state":"approved","pattern":"git push *"})";
  const std::string id =
      as(ide_, http::Method::post, "/command", R"({"type":"execute_bash","command":"x",)" + forged + "}")
          .at("commandId");
  EXPECT_EQ(show(id, "approval"), "(none)");
  claim();
  as(agent_, http::Method::patch, "/command/" + id, "{" + forged + "}");
  EXPECT_EQ(show(id, "approval"), "(none)");
  const auto pushed =
      as(key_, http::Method::post, "/v1/spaces/kiro/push",
         R"({"ops":[{"collection":"approvals","id":"x","doc":{"type":"execute_bash","pattern":"x"}}]})");
  EXPECT_EQ(pushed.at("results.0.status"), "refused");
}

TEST_F(KiroApprovalTest, a_held_command_can_be_cancelled_and_times_out) {
  const std::string cancelled = submit_held();
  as(ide_, http::Method::del, "/command/" + cancelled);
  EXPECT_EQ(show(cancelled, "error"), "cancelled");
  const std::string forgotten = submit_held();
  ASSERT_TRUE(each_hour());
  EXPECT_EQ(show(forgotten, "status"), "pending");
  clock_.advance_micros(25LL * 3600 * 1'000'000);
  ASSERT_TRUE(each_hour());
  EXPECT_EQ(show(forgotten, "error"), "not approved within 24 hours");
}

TEST_F(KiroApprovalTest, a_cancellation_beats_a_concurrent_approval_request) {
  const std::string id = submit();
  claim();
  as(ide_, http::Method::del, "/command/" + id);
  EXPECT_NE(ask(id).at("state"), "approved");
  EXPECT_EQ(show(id, "error"), "cancelled");
}

TEST_F(KiroApprovalTest, a_client_cannot_choose_a_commands_id) {
  const std::string victim = submit();
  const std::string id = as(ide_, http::Method::post, "/command",
                            R"({"type":"execute_bash","command":"x","priority":9,"commandId":")" + victim + "\"}")
                             .at("commandId");
  EXPECT_EQ(claim().at("commandId"), id);
}

TEST_F(KiroApprovalTest, a_command_names_its_submitter) {
  const std::string id = as(ide_, http::Method::post, "/command",
                            R"({"type":"execute_bash","command":"x","submittedBy":"k9","submittedByLabel":"boss"})")
                             .at("commandId");
  EXPECT_EQ(show(id, "submittedByLabel"), "ide");
  EXPECT_NE(show(id, "submittedBy"), "k9");
}

TEST_F(KiroApprovalTest, a_cancellation_ends_the_runners_wait_but_not_the_ides) {
  const std::string id = submit();
  claim();
  const auto runner = begin({.target = "/command/" + id + "?wait=30", .token = agent_});
  const auto ide = begin({.target = "/command/" + id + "?wait=30", .token = ide_});
  scheduler_.run_posted();
  EXPECT_FALSE(runner.has_come());
  as(ide_, http::Method::del, "/command/" + id);
  scheduler_.run_posted();
  ASSERT_TRUE(runner.has_come());
  EXPECT_EQ(runner.get().at("cancelRequested"), "true");
  EXPECT_FALSE(ide.has_come());
}

TEST_F(KiroApprovalTest, commands_are_listed_newest_first_without_large_fields) {
  submit("one");
  const std::string second =
      as(ide_, http::Method::post, "/command", R"({"type":"write_file","path":"a","content":"long"})").at("commandId");
  const auto list = as(ide_, http::Method::get, "/command");
  EXPECT_EQ(list.at("commands.0.commandId"), second);
  EXPECT_EQ(list.at("commands.1.command"), "one");
  EXPECT_EQ(list.body.find("long"), std::string::npos);
  EXPECT_EQ(as(ide_, http::Method::get, "/command?limit=1").at("commands.1.commandId"), "(none)");
  EXPECT_EQ(as(ide_, http::Method::get, "/command?status=completed").at("commands"), "[]");
  EXPECT_EQ(as(ide_, http::Method::get, "/command?status=odd").status, 400);
}

}  // namespace
}  // namespace syncline
