#include "api/kiro/commands.hpp"

#include <algorithm>

#include "base/log.hpp"

namespace syncline::kiro {

Result<> Commands::store(SpaceWriter& writer, std::string_view id, const JsonObject& command) {
  TRY([[maybe_unused]] const Seq seq, writer.replace(kCommands, id, command.to_text(), Rule::command));
  return {};
}

Result<> Commands::add(SpaceWriter& writer, std::string_view id, std::string doc) {
  TRY([[maybe_unused]] const Seq seq, writer.replace(kCommands, id, std::move(doc), Rule::first));
  return {};
}

Result<JsonObject> Commands::get(SpaceWriter& writer, std::string_view id) {
  TRY(const auto stored, writer.txn().find(kCommands, id));
  if (!stored || stored->deleted) return fail(ErrorCode::not_found, "Command not found");
  return JsonObject(JsonView(stored->doc));
}

Result<Step> Commands::patch(SpaceWriter& writer, std::string_view id, JsonView patch, const Principal& runner) {
  TRY(JsonObject command, get(writer, id));
  TRY(Step step, take_step(std::move(command), patch, runner.key_id, lease_times_.patch_ms, now_ms()));
  if (step.kind == Step::Kind::changed) CHECK_OK(store(writer, id, step.command));
  return step;
}

Result<std::optional<Claimed>> Commands::claim_first(SpaceWriter& writer, const std::vector<std::string>& candidates,
                                                     const Principal& runner) {
  for (const std::string& id : candidates) {
    TRY(const auto stored, writer.txn().find(kCommands, id));
    if (!stored || stored->deleted) continue;
    JsonObject command{JsonView(stored->doc)};
    if (status_of(command) != CommandStatus::pending) continue;
    command = claim(std::move(command), runner.key_id, lease_times_.claim_ms, now_ms());
    CHECK_OK(store(writer, id, command));
    return Claimed{id, std::move(command)};
  }
  return std::nullopt;
}

Result<JsonObject> Commands::cancel(SpaceWriter& writer, std::string_view id) {
  TRY(JsonObject command, get(writer, id));
  auto cancelled = kiro::cancel(command, now_ms());
  if (!cancelled) return command;
  CHECK_OK(store(writer, id, *cancelled));
  return *std::move(cancelled);
}

void Commands::note_lease(const SpaceName& space, std::string_view id, const JsonObject& command,
                          const Principal& runner) {
  const std::scoped_lock lock(mutex_);
  const std::pair<SpaceName, std::string> at{space, id};
  if (status_of(command) != CommandStatus::processing) {
    leases_.erase(at);
    return;
  }
  const std::int64_t length_ms = command.integer_of("leaseMs").value_or(lease_times_.patch_ms);
  leases_[at] = {space, std::string(id), runner.key_id, now_ms() + length_ms, length_ms};
}

void Commands::touch(const Principal& runner) {
  const std::scoped_lock lock(mutex_);
  for (auto& [at, lease] : leases_) {
    if (lease.key_id == runner.key_id && lease.length_ms == lease_times_.patch_ms) {
      lease.until_ms = now_ms() + lease.length_ms;
    }
  }
}

Result<> Commands::adopt_running() {
  TRY(const auto infos, spaces_.list(std::nullopt));
  for (const SpaceInfo& info : infos) {
    if (info.name.name != kSpace) continue;
    CHECK_OK(spaces_.read(info.name, [&](Snapshot& snapshot) {
      return snapshot.scan(kCommands, "", [&](const RecordView& record) {
        if (record.deleted) return true;
        const JsonObject command{JsonView(record.doc)};
        if (status_of(command) == CommandStatus::processing) {
          Principal owner;
          owner.key_id = command.text_of("claimedBy");
          note_lease(info.name, record.id, command, owner);
        }
        return true;
      });
    }));
  }
  return {};
}

void Commands::expire_leases() {
  std::vector<Lease> over;
  {
    const std::scoped_lock lock(mutex_);
    for (const auto& [at, lease] : leases_) {
      if (lease.until_ms <= now_ms()) over.push_back(lease);
    }
    for (const Lease& lease : over) leases_.erase({lease.space, lease.id});
  }
  for (const Lease& lease : over) {
    const auto ended = spaces_.write_and_wait(lease.space, KeyNumber{0}, [&](SpaceWriter& writer) -> Result<> {
      TRY(JsonObject command, get(writer, lease.id));
      const bool still_runs =
          status_of(command) == CommandStatus::processing && command.text_of("claimedBy") == lease.key_id;
      return still_runs ? store(writer, lease.id, lose_runner(std::move(command), now_ms())) : Result<>{};
    });
    if (!ended && ended.error().code != ErrorCode::not_found) try_again_soon(lease);
    log(LogLevel::warning, "runner_lost",
        {{"command", lease.id}, {"key", lease.key_id}, {"outcome", ended ? "ended" : ended.error().text}});
  }
}

void Commands::try_again_soon(Lease lease) {
  constexpr std::int64_t kPauseMs = 5000;
  lease.until_ms = now_ms() + kPauseMs;
  const std::scoped_lock lock(mutex_);
  leases_.try_emplace({lease.space, lease.id}, lease);
}

Result<> Commands::purge(std::int64_t days) {
  const std::int64_t cutoff_ms = now_ms() - days * 86'400'000;
  TRY(const auto infos, spaces_.list(std::nullopt));
  for (const SpaceInfo& info : infos) {
    if (info.name.name != kSpace) continue;
    std::vector<std::string> old;
    CHECK_OK(spaces_.read(info.name, [&](Snapshot& snapshot) {
      return snapshot.scan(kCommands, "", [&](const RecordView& record) {
        if (record.deleted || record.committed_at.millis() >= cutoff_ms) return true;
        if (is_terminal(status_of(JsonObject(JsonView(record.doc))))) old.emplace_back(record.id);
        return true;
      });
    }));
    if (old.empty()) continue;
    TRY([[maybe_unused]] const Cursor cursor,
        spaces_.write_and_wait(info.name, KeyNumber{0}, [&](SpaceWriter& writer) -> Result<> {
          for (const std::string& id : old) {
            TRY([[maybe_unused]] const Seq seq, writer.replace(kCommands, id, "", Rule::command));
          }
          return {};
        }));
  }
  return {};
}

}  // namespace syncline::kiro
