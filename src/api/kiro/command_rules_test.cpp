#include "api/kiro/command_rules.hpp"

#include <gtest/gtest.h>

namespace syncline::kiro {
namespace {

TEST(CommandStatus, moves_forward_only) {
  using enum CommandStatus;
  for (const auto from : {pending, processing, completed, failed}) {
    for (const auto to : {pending, processing, completed, failed}) {
      const bool allowed = (from == pending && (to == processing || to == failed)) ||
                           (from == processing && (to == completed || to == failed));
      EXPECT_EQ(may_move(from, to), allowed) << to_text(from) << " to " << to_text(to);
    }
  }
}

TEST(MakeCommand, server_fields_cannot_be_set_by_clients) {
  Principal ide;
  ide.key_id = "k7";
  ide.label = "ide";
  const auto doc = make_command(
      JsonView(
          R"({"type":"execute_bash","command":"ls","status":"completed","claimedBy":"me","commandId":"cmd-of-another","x":[ 1 ]})"),
      ide, 5);
  EXPECT_EQ(*doc, R"({"type":"execute_bash","command":"ls","x":[ 1 ],"status":"pending","createdAt":5,"updatedAt":5,)"
                  R"("submittedBy":"k7","submittedByLabel":"ide"})");
}

TEST(MakeCommandId, is_unique_in_one_millisecond) {
  std::set<std::string> ids;
  for (int i = 0; i < 10'000; ++i) ids.insert(make_command_id(7));
  EXPECT_EQ(ids.size(), 10'000U);
  EXPECT_TRUE(ids.begin()->starts_with("cmd-7-"));
}

TEST(TakeStep, a_runner_cannot_change_the_order) {
  const Command command(JsonView(R"({"type":"execute_bash","command":"ls","status":"processing","claimedBy":"k1"})"));
  const auto step = take_step(
      command, JsonView(R"({"command":"rm","type":"x","claimedBy":"k2","note":1,"workingDir":"/","commandId":"y"})"),
      "k1", 9, 5);
  const JsonObject after = step->command.to_object();
  EXPECT_EQ(after.text_of("command"), "ls");
  EXPECT_EQ(after.text_of("claimedBy"), "k1");
  EXPECT_EQ(after.integer_of("note"), 1);
  EXPECT_FALSE(after.find("workingDir"));
  EXPECT_FALSE(after.find("commandId"));
}

}  // namespace
}  // namespace syncline::kiro
