// The queue of remote commands: submit, claim, step, cancel, the leases that tell when a runner is lost, and the
// deadlines of commands that no runner takes. State changes are commits like any other; leases are rows of the
// directory (leases.hpp), and a restart gives every running command a full one. Safe from any thread.
#pragma once

#include "api/kiro/approval.hpp"
#include "api/kiro/command_rules.hpp"
#include "api/kiro/deadlines.hpp"
#include "api/kiro/leases.hpp"
#include "api/kiro/space.hpp"

namespace syncline::kiro {

struct CommandTimes {
  std::int64_t claim_lease_ms = limits::kClaimLeaseMs;  // claimed by POST /command/claim
  std::int64_t patch_lease_ms = limits::kPatchLeaseMs;  // claimed by PATCH: the published agent knows no renewal
  std::int64_t ttl_ms = limits::kCommandTtlMs;          // of a command that says nothing else; 0: it waits for ever
};

struct Claimed {
  std::string id;
  Command command;
};

class CommandQueue {
 public:
  CommandQueue(Spaces& spaces, Directory& directory, CommandTimes times)
      : spaces_(spaces), times_(times), leases_(directory) {}

  /// In a transaction: stores a new command under that id.
  [[nodiscard]] Result<> add(SpaceWriter& writer, std::string_view id, std::string doc);
  /// In a transaction: the stored command, or not_found.
  [[nodiscard]] Result<Command> get(SpaceWriter& writer, std::string_view id);
  /// In a transaction: applies a runner's patch and stores the outcome, if there is one. A command that has expired
  /// fails, and the step is a refusal.
  [[nodiscard]] Result<Step> patch(SpaceWriter& writer, std::string_view id, JsonView patch, const Principal& runner);
  /// In a transaction: the first of the candidates that is still pending becomes the runner's. Those before it that
  /// have expired fail.
  [[nodiscard]] Result<std::optional<Claimed>> claim_first(SpaceWriter& writer,
                                                           const std::vector<std::string>& candidates,
                                                           const Principal& runner);
  [[nodiscard]] Result<Command> cancel(SpaceWriter& writer, std::string_view id);

  /// In a transaction: the runner that has the command wants it approved. Approved at once if its pattern is approved
  /// for good, else held. `conflict` if the runner does not have it.
  [[nodiscard]] Result<Command> ask_approval(SpaceWriter& writer, std::string_view id, ApprovalRequest request,
                                             const Principal& runner);
  /// In a transaction: somebody has answered. `conflict` if the command does not wait for it; `forbidden` if the
  /// approver submitted it (check_approver).
  [[nodiscard]] Result<Command> answer_approval(SpaceWriter& writer, std::string_view id, const ApprovalAnswer& answer,
                                                const Principal& approver, Access& access);
  /// In a transaction: ends an approval for good, or not_found.
  [[nodiscard]] Result<> forget_approval(SpaceWriter& writer, std::string_view id);

  /// After the commit of a step or claim: begins, renews or ends the lease.
  void note_lease(const SpaceName& space, std::string_view id, const Command& command, const Principal& runner);
  /// A request of this key: its long leases begin anew.
  void touch(const Principal& runner);

  /// Ids of the keys whose runners have commands of that space.
  [[nodiscard]] std::set<std::string> lease_holders(const SpaceName& space) { return leases_.holders(space); }

  /// Gives every running command of all spaces a lease, and every pending one its deadline. At start.
  [[nodiscard]] Result<> adopt_open();
  /// Stores what has changed of the leases, and ends those that are over. Called each second, from one thread.
  void expire_leases();
  /// Fails the commands that no runner has taken in time. Called each second, from one thread.
  void expire_commands();
  /// Removes commands that ended more than `days` ago, and fails those that nobody has approved in time.
  [[nodiscard]] Result<> purge(std::int64_t days);

 private:
  /// What the runner had becomes what handle_lost_runner() says. False if the lease was renewed meanwhile.
  [[nodiscard]] Result<bool> end_lease(const Leases::Lease& lease);
  [[nodiscard]] std::int64_t now_ms() const { return spaces_.clock().now().millis(); }
  void note_deadline(const SpaceName& space, std::string_view id, const Command& command);
  /// In a transaction: once the command is committed.
  void note_deadline(SpaceWriter& writer, std::string_view id, const Command& command);
  [[nodiscard]] Result<> expire_in(const SpaceName& space, const std::vector<std::string>& ids);
  [[nodiscard]] Result<> store(SpaceWriter& writer, std::string_view id, const Command& command);
  [[nodiscard]] Result<> purge_space(const SpaceName& space, std::int64_t days);

  Spaces& spaces_;
  const CommandTimes times_;
  Deadlines deadlines_;
  Leases leases_;
};

}  // namespace syncline::kiro
