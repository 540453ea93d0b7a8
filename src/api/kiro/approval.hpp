// Commands that a runner's policy wants approved: handed back by the runner, held as pending and shown to no agent
// until somebody with commands:approve has answered. A pattern can be approved for good. Pure functions over JSON text.
#pragma once

#include "api/kiro/command_rules.hpp"

namespace syncline::kiro {

/// What a runner says when it hands a command back.
struct ApprovalRequest {
  std::string rule;     // of its policy, for people
  std::string pattern;  // what an approval for good would cover
};
[[nodiscard]] Result<ApprovalRequest> parse_approval_request(JsonView json);

struct ApprovalAnswer {
  bool approves = false;
  bool for_good = false;
  std::string reason;
};
/// {"decision": "approve" or "deny", "always"?: boolean, "reason"?: text}
[[nodiscard]] Result<ApprovalAnswer> parse_approval_answer(JsonView json);

/// True while a command waits for an answer.
[[nodiscard]] bool is_held(const JsonObject& command);
/// What the runner has asked for.
[[nodiscard]] ApprovalRequest request_of(const JsonObject& command);

/// A command in progress goes back to pending and is held.
[[nodiscard]] JsonObject hold(JsonObject command, const ApprovalRequest& request, std::int64_t now_ms);
/// Approves a command that is held, or in progress if its pattern is approved for good.
[[nodiscard]] JsonObject approve(JsonObject command, const ApprovalRequest& request, std::string_view by, bool for_good,
                                 std::int64_t now_ms);
[[nodiscard]] JsonObject deny(JsonObject command, std::string_view by, std::string_view reason, std::int64_t now_ms);
/// When it was held, in milliseconds.
[[nodiscard]] std::int64_t held_since(const JsonObject& command);

/// Where an approval for good is kept, and as what.
[[nodiscard]] std::string approval_id(std::string_view type, std::string_view pattern);
[[nodiscard]] std::string make_approval_doc(std::string_view type, std::string_view pattern, std::string_view by,
                                            std::int64_t now_ms);

}  // namespace syncline::kiro
