// What a command is: its types and their fields, how it is made from a request, and which steps a runner may take.
// Pure functions; docs/api/kiro.md is the contract.
#pragma once

#include "api/kiro/command.hpp"
#include "service/principal.hpp"

namespace syncline::kiro {

/// Fields that the hub writes, in the document or in an answer; what a client sends for them does not count.
inline constexpr std::array<std::string_view, 12> kHubFields = {
    "commandId", "status",  "result",          "error",       "createdAt",        "updatedAt",
    "claimedBy", "leaseMs", "cancelRequested", "submittedBy", "submittedByLabel", "approval"};

/// The stored document of a new command, or invalid_argument naming the field.
[[nodiscard]] Result<std::string> make_command(JsonView request, const Principal& submitter, std::int64_t now_ms);
/// "cmd-<ms>-<random>"
[[nodiscard]] std::string make_command_id(std::int64_t now_ms);

struct Step {
  enum class Kind { changed, same, refused };
  Kind kind = Kind::same;
  Command command;
  std::string reason;  // of a refusal
  bool owned_by_other = false;
};
/// A runner's PATCH: `key_id` is the runner's key. invalid_argument for a bad body; refusals are steps.
[[nodiscard]] Result<Step> take_step(Command command, JsonView patch, std::string_view key_id, std::int64_t lease_ms,
                                     std::int64_t now_ms);

/// Hands a pending command to a runner.
void claim(Command& command, std::string_view key_id, std::int64_t lease_ms, std::int64_t now_ms);
/// When a command that waits for a runner expires: its time begins when it is submitted, approved or requeued. Nothing
/// if it does not wait, or waits for ever. `ttl_ms`: of commands without ttlMs; 0: for ever.
[[nodiscard]] std::optional<std::int64_t> expiry_of(const Command& command, std::int64_t ttl_ms);
/// Fails a command that has expired. False if it has not.
[[nodiscard]] bool expire(Command& command, std::int64_t ttl_ms, std::int64_t now_ms);
/// What becomes of a command whose runner was not heard of for its lease.
void handle_lost_runner(Command& command, std::int64_t now_ms);
/// Cancels: a pending command fails, one in progress is marked for its runner. False if that changes nothing.
[[nodiscard]] bool cancel(Command& command, std::int64_t now_ms);

}  // namespace syncline::kiro
