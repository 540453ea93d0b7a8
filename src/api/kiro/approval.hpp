// Commands that a runner's policy wants approved: handed back by the runner, held as pending and shown to no agent
// until somebody with commands:approve has answered. A pattern can be approved for good. Pure functions.
#pragma once

#include "api/kiro/command.hpp"
#include "service/access.hpp"

namespace syncline::kiro {

/// {"rule", "pattern", "hash"?}. The runner's key is not in it.
[[nodiscard]] Result<ApprovalRequest> parse_approval_request(JsonView json);
/// invalid_argument unless the pattern that a runner wants approved covers the command, and the hash is the command's
/// own: a person is to see what the answer counts for.
[[nodiscard]] Result<> check_approval_request(const Command& command, const ApprovalRequest& request);

struct ApprovalAnswer {
  bool approves = false;
  bool for_good = false;
  std::string reason;
};
/// {"decision": "approve" or "deny", "always"?: boolean, "reason"?: text}
[[nodiscard]] Result<ApprovalAnswer> parse_approval_answer(JsonView json);

/// `forbidden` for a key that submitted the command, or has the same label: whoever asks does not answer. A session
/// that a person opened may. `submitter` and `origin`: the keys behind the submitter and the approver, if they still
/// exist.
[[nodiscard]] Result<> check_approver(const Command& command, const Principal& approver,
                                      const std::optional<Key>& submitter, const std::optional<Key>& origin);

/// A command in progress goes back to pending and is held.
void hold(Command& command, const ApprovalRequest& request, std::int64_t now_ms);
/// Approves a command that is held, or in progress if its pattern is approved for good.
void approve(Command& command, const ApprovalRequest& request, std::string_view by, bool for_good, std::int64_t now_ms);
/// Fails a command that is held.
void deny(Command& command, std::string_view by, std::string_view reason, std::int64_t now_ms);

/// Where an approval for good is kept, and as what.
[[nodiscard]] std::string approval_id(std::string_view type, const ApprovalRequest& request);
[[nodiscard]] std::string make_approval_doc(std::string_view type, const ApprovalRequest& request, std::string_view by,
                                            std::int64_t now_ms);
/// What a runner gets with a command: an answer that another runner asked for is none.
void drop_foreign_approval(Command& command, std::string_view runner);

}  // namespace syncline::kiro
