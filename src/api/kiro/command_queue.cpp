#include "api/kiro/command_queue.hpp"

#include <algorithm>

#include "base/log.hpp"

namespace syncline::kiro {
namespace {

/// Before what could not be written is tried again.
constexpr std::int64_t kPauseMs = 5000;

}  // namespace

Result<> CommandQueue::store(SpaceWriter& writer, std::string_view id, const Command& command) {
  TRY([[maybe_unused]] const Seq seq, writer.replace(kCommands, id, command.to_text(), Rule::command));
  note_deadline(writer, id, command);
  if (!is_terminal(command.status) || !writer.wants(kCommandCompleted)) return {};
  writer.emit(kCommandCompleted, [&](JsonWriter& data) {
    data.string("command_id", id).string("type", command.type).string("status", to_text(command.status));
  });
  return {};
}

Result<> CommandQueue::add(SpaceWriter& writer, std::string_view id, std::string doc) {
  writer.expect(kCommands, id);
  note_deadline(writer, id, Command{JsonView(doc)});
  TRY([[maybe_unused]] const Seq seq, writer.replace(kCommands, id, std::move(doc), Rule::first));
  return {};
}

Result<Command> CommandQueue::get(SpaceWriter& writer, std::string_view id) {
  TRY(const auto stored, writer.txn().find(kCommands, id));
  if (!stored || stored->deleted) return fail(ErrorCode::not_found, "Command not found");
  return Command(JsonView(stored->doc));
}

Result<Step> CommandQueue::patch(SpaceWriter& writer, std::string_view id, JsonView patch, const Principal& runner) {
  TRY(Command command, get(writer, id));
  const std::int64_t now = writer.now().millis();
  if (expire(command, times_.ttl_ms, now)) {
    CHECK_OK(store(writer, id, command));
    const std::string reason = command.to_object().text_of("error");
    return Step{.kind = Step::Kind::refused, .command = std::move(command), .reason = reason};
  }
  TRY(Step step, take_step(std::move(command), patch, runner.key_id, times_.patch_lease_ms, now));
  if (step.kind == Step::Kind::changed) CHECK_OK(store(writer, id, step.command));
  return step;
}

Result<std::optional<Claimed>> CommandQueue::claim_first(SpaceWriter& writer,
                                                         const std::vector<std::string>& candidates,
                                                         const Principal& runner) {
  for (const std::string& id : candidates) {
    TRY(const auto stored, writer.txn().find(kCommands, id));
    if (!stored || stored->deleted) continue;
    Command command{JsonView(stored->doc)};
    if (command.status != CommandStatus::pending || command.is_held()) continue;
    if (expire(command, times_.ttl_ms, writer.now().millis())) {
      CHECK_OK(store(writer, id, command));
      continue;
    }
    claim(command, runner.key_id, times_.claim_lease_ms, writer.now().millis());
    CHECK_OK(store(writer, id, command));
    return Claimed{id, std::move(command)};
  }
  return std::nullopt;
}

Result<Command> CommandQueue::cancel(SpaceWriter& writer, std::string_view id) {
  TRY(Command command, get(writer, id));
  if (kiro::cancel(command, writer.now().millis())) CHECK_OK(store(writer, id, command));
  return command;
}

Result<Command> CommandQueue::ask_approval(SpaceWriter& writer, std::string_view id, ApprovalRequest request,
                                           const Principal& runner) {
  TRY(Command command, get(writer, id));
  if (!command.is_run_by(runner.key_id)) {
    return fail(ErrorCode::conflict, "this key does not run the command");
  }
  CHECK_OK(check_approval_request(command, request));
  request.runner = runner.key_id;
  const std::string approval = approval_id(command.type, request);
  writer.expect(kApprovals, approval);
  TRY(const auto standing, writer.txn().find(kApprovals, approval));
  if (standing && !standing->deleted) {
    const std::string by = JsonObject(JsonView(standing->doc)).text_of("by");
    approve(command, request, by, true, writer.now().millis());
  } else {
    hold(command, request, writer.now().millis());
  }
  CHECK_OK(store(writer, id, command));
  return command;
}

Result<Command> CommandQueue::answer_approval(SpaceWriter& writer, std::string_view id, const ApprovalAnswer& answer,
                                              const Principal& approver, Access& access) {
  TRY(Command command, get(writer, id));
  if (!command.is_held()) return fail(ErrorCode::conflict, "the command does not wait for approval");
  if (answer.approves && !approver.is_person) {
    TRY(const auto submitter, access.origin_of_key_id(command.document().text_of("submittedBy")));
    TRY(const auto origin, access.origin_of_key_id(approver.key_id));
    CHECK_OK(check_approver(command, approver, submitter, origin));
  }
  const std::string& by = approver.label.empty() ? approver.key_id : approver.label;
  const ApprovalRequest request = command.approval->request;
  if (answer.approves) {
    approve(command, request, by, answer.for_good, writer.now().millis());
  } else {
    deny(command, by, answer.reason, writer.now().millis());
  }
  CHECK_OK(store(writer, id, command));
  if (!answer.approves || !answer.for_good) return command;
  const std::string approval = approval_id(command.type, request);
  writer.expect(kApprovals, approval);
  TRY([[maybe_unused]] const Seq seq,
      writer.replace(kApprovals, approval, make_approval_doc(command.type, request, by, writer.now().millis()),
                     Rule::command));
  return command;
}

Result<> CommandQueue::forget_approval(SpaceWriter& writer, std::string_view id) {
  TRY(const auto stored, writer.txn().find(kApprovals, id));
  if (!stored || stored->deleted) return fail(ErrorCode::not_found, "approval not found");
  TRY([[maybe_unused]] const Seq seq, writer.replace(kApprovals, id, "", Rule::command));
  return {};
}

void CommandQueue::note_lease(const SpaceName& space, std::string_view id, const Command& command,
                              const Principal& runner) {
  if (command.status != CommandStatus::pending) deadlines_.remove(space, id);
  if (command.status != CommandStatus::processing) return leases_.end({space, std::string(id)});
  const std::int64_t length_ms = command.lease_ms.value_or(times_.patch_lease_ms);
  leases_.hold({{space, std::string(id)}, runner.key_id, now_ms() + length_ms, length_ms});
}

void CommandQueue::touch(const Principal& runner) { leases_.renew(runner.key_id, times_.patch_lease_ms, now_ms()); }

void CommandQueue::note_deadline(const SpaceName& space, std::string_view id, const Command& command) {
  if (const auto at_ms = expiry_of(command, times_.ttl_ms)) deadlines_.set(space, id, *at_ms);
}

void CommandQueue::note_deadline(SpaceWriter& writer, std::string_view id, const Command& command) {
  writer.after_commit(
      [this, space = writer.txn().info().name, id = std::string(id), at_ms = expiry_of(command, times_.ttl_ms)] {
        if (at_ms) deadlines_.set(space, id, *at_ms);
      });
}

Result<> CommandQueue::adopt_open() {
  std::vector<Leases::Lease> running;
  TRY(const auto infos, spaces_.list(std::nullopt));
  for (const SpaceInfo& info : infos) {
    if (info.name.name != kSpace) continue;
    CHECK_OK(spaces_.read(info.name, [&](Snapshot& snapshot) {
      return snapshot.scan(kCommands, "", [&](const RecordView& record) {
        if (record.deleted) return true;
        const Command command{JsonView(record.doc)};
        note_deadline(info.name, record.id, command);
        if (command.status == CommandStatus::processing) {
          const std::int64_t length_ms = command.lease_ms.value_or(times_.patch_lease_ms);
          running.push_back({{info.name, std::string(record.id)}, command.claimed_by, now_ms() + length_ms, length_ms});
        }
        return true;
      });
    }));
  }
  return leases_.adopt(running);
}

void CommandQueue::expire_leases() {
  auto over = leases_.save_and_find_over(now_ms());
  if (!over) return log(LogLevel::warning, "leases_not_stored", {{"error", over.error().text}});
  for (const Leases::Lease& lease : *over) {
    const auto ended = end_lease(lease);
    if (ended && !*ended) continue;
    if (ended || ended.error().code == ErrorCode::not_found) {
      leases_.end_over(lease);
    } else {
      leases_.postpone(lease, now_ms() + kPauseMs);
    }
    log(LogLevel::warning, "runner_lost",
        {{"command", lease.of.command}, {"key", lease.holder}, {"outcome", ended ? "ended" : ended.error().text}});
  }
}

Result<bool> CommandQueue::end_lease(const Leases::Lease& lease) {
  const auto reads = [&] { return Reads{.records = {RecordKey{std::string(kCommands), lease.of.command}}}; };
  bool is_over = false;
  TRY([[maybe_unused]] const Cursor cursor,
      spaces_.write_and_wait(lease.of.space, KeyNumber{0}, reads, [&](SpaceWriter& writer) -> Result<> {
        // Under the lock of the space: nobody reports for the command meanwhile.
        TRY(is_over, leases_.is_over(lease, writer.now().millis()));
        if (!is_over) return {};
        TRY(Command command, get(writer, lease.of.command));
        if (!command.is_run_by(lease.holder)) return {};
        handle_lost_runner(command, writer.now().millis());
        return store(writer, lease.of.command, command);
      }));
  return is_over;
}

void CommandQueue::expire_commands() {
  constexpr std::size_t kCommandsAtOnceMax = 2000;
  for (const auto& [space, ids] : deadlines_.take_due(now_ms(), kCommandsAtOnceMax)) {
    const auto expired = expire_in(space, ids);
    if (expired) continue;
    for (const std::string& id : ids) deadlines_.set(space, id, now_ms() + kPauseMs);
    log(LogLevel::warning, "commands_not_expired", {{"error", expired.error().text}});
  }
}

Result<> CommandQueue::expire_in(const SpaceName& space, const std::vector<std::string>& ids) {
  // Most of them have run meanwhile: only what is to be changed goes to the writing thread.
  std::vector<std::string> over;
  CHECK_OK(spaces_.read(space, [&](Snapshot& snapshot) -> Result<> {
    for (const std::string& id : ids) {
      TRY(const auto stored, snapshot.find(kCommands, id));
      if (!stored || stored->deleted) continue;
      Command command{JsonView(stored->doc)};
      if (expire(command, times_.ttl_ms, now_ms())) over.push_back(id);
    }
    return {};
  }));
  if (over.empty()) return {};
  const auto reads = [&] {
    Reads all;
    for (const std::string& id : over) all.records.push_back({std::string(kCommands), id});
    return all;
  };
  TRY([[maybe_unused]] const Cursor cursor,
      spaces_.write_and_wait(space, KeyNumber{0}, reads, [&](SpaceWriter& writer) -> Result<> {
        for (const std::string& id : over) {
          TRY(const auto stored, writer.txn().find(kCommands, id));
          if (!stored || stored->deleted) continue;
          Command command{JsonView(stored->doc)};
          if (expire(command, times_.ttl_ms, writer.now().millis())) CHECK_OK(store(writer, id, command));
        }
        return {};
      }));
  for (const std::string& id : over) log(LogLevel::info, "command_expired", {{"command", id}});
  return {};
}

Result<> CommandQueue::purge(std::int64_t days) {
  TRY(const auto infos, spaces_.list(std::nullopt));
  for (const SpaceInfo& info : infos) {
    if (info.name.name == kSpace) CHECK_OK(purge_space(info.name, days));
  }
  return {};
}

Result<> CommandQueue::purge_space(const SpaceName& space, std::int64_t days) {
  const std::int64_t ended_before_ms = now_ms() - days * 86'400'000;
  const std::int64_t held_before_ms = now_ms() - limits::kApprovalWaitHours * 3'600'000;
  std::vector<std::string> old;
  std::vector<std::string> not_approved;
  CHECK_OK(spaces_.read(space, [&](Snapshot& snapshot) {
    return snapshot.scan(kCommands, "", [&](const RecordView& record) {
      if (record.deleted) return true;
      const Command command{JsonView(record.doc)};
      if (command.is_held() && command.approval->at_ms < held_before_ms) not_approved.emplace_back(record.id);
      const bool ended_long_ago = record.committed_at.millis() < ended_before_ms && is_terminal(command.status);
      if (ended_long_ago) old.emplace_back(record.id);
      return true;
    });
  }));
  if (old.empty() && not_approved.empty()) return {};
  const auto reads = [&] {
    Reads all;
    for (const auto& ids : {old, not_approved}) {
      for (const std::string& id : ids) all.records.push_back({std::string(kCommands), id});
    }
    return all;
  };
  TRY([[maybe_unused]] const Cursor cursor,
      spaces_.write_and_wait(space, KeyNumber{0}, reads, [&](SpaceWriter& writer) -> Result<> {
        for (const std::string& id : old) {
          TRY([[maybe_unused]] const Seq seq, writer.replace(kCommands, id, "", Rule::command));
        }
        for (const std::string& id : not_approved) {
          TRY(Command command, get(writer, id));
          if (!command.is_held()) continue;
          command.fail("not approved within " + std::to_string(limits::kApprovalWaitHours) + " hours",
                       writer.now().millis());
          CHECK_OK(store(writer, id, command));
        }
        return {};
      }));
  return {};
}

}  // namespace syncline::kiro
