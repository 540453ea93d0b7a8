#include "api/kiro/command.hpp"

#include <gtest/gtest.h>

#include "api/kiro/approval.hpp"
#include "api/kiro/command_rules.hpp"

namespace syncline::kiro {
namespace {

Command parse(std::string_view document) { return Command(JsonView(document)); }

constexpr std::string_view kPending =
    R"({"x":[ 1.0 ],"type":"execute_bash","command":"l\u0073","status":"pending","createdAt":5,"updatedAt":5})";

TEST(Command, keeps_the_bytes_of_what_nobody_changed) {
  for (const std::string_view document :
       {kPending,
        std::string_view(
            R"({"type":"execute_bash","status":"p\u0065nding","createdAt":5.0,"leaseMs":9,"claimedBy":"k",)"
            R"("cancelRequested": 1 ,"error":null,"approval":{"by":"ann" , "state":"approved"},"y":{}})"),
        std::string_view(R"({"status":"failed","approval":7})")}) {
    EXPECT_EQ(parse(document).to_text(), JsonObject(JsonView(document)).to_text());
  }
}

TEST(Command, a_claim_is_written_behind_what_the_client_sent_and_before_what_the_runner_reports) {
  const auto step = take_step(parse(kPending), JsonView(R"({"note":1,"status":"processing","result":{}})"), "k", 9, 6);
  EXPECT_EQ(step->command.to_text(),
            R"({"x":[ 1.0 ],"type":"execute_bash","command":"l\u0073","status":"processing","createdAt":5,)"
            R"("updatedAt":6,"claimedBy":"k","leaseMs":9,"note":1,"result":{}})");
}

TEST(Command, approvals_are_written_in_the_same_form_as_before) {
  Command command = parse(R"({"type":"read_file","status":"processing","updatedAt":5,"claimedBy":"k","leaseMs":9})");
  hold(command, {"r", "p"}, 6);
  EXPECT_TRUE(command.is_held());
  const std::string held = command.to_text();
  EXPECT_EQ(held, R"({"type":"read_file","status":"pending","updatedAt":6,)"
                  R"("approval":{"state":"requested","rule":"r","pattern":"p","requestedAt":6}})");
  Command approved = parse(held);
  approve(approved, approved.approval->request, "ann", true, 7);
  EXPECT_EQ(approved.to_text(),
            R"({"type":"read_file","status":"pending","updatedAt":7,)"
            R"("approval":{"state":"approved","rule":"r","pattern":"p","by":"ann","at":7,"always":true}})");
  Command denied = parse(held);
  deny(denied, "ann", "", 7);
  EXPECT_EQ(denied.to_text(), R"({"type":"read_file","status":"failed","updatedAt":7,)"
                              R"("approval":{"state":"denied","rule":"r","pattern":"p","by":"ann","at":7},)"
                              R"("error":"denied by ann"})");
}

TEST(Command, a_lost_runner_leaves_no_trace_of_its_claim) {
  Command command = parse(R"({"claimedBy":"k","type":"read_file","status":"processing","leaseMs":9,"updatedAt":5})");
  handle_lost_runner(command, 6);
  EXPECT_EQ(command.to_text(), R"({"type":"read_file","status":"pending","updatedAt":6})");
}

}  // namespace
}  // namespace syncline::kiro
