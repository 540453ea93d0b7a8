// What makes a command run at most once: before its process starts, its id is on disk; when it has ended, its outcome
// is, until the hub has it. After a crash the log says which commands were begun and never ended. Safe from any thread.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/hash_chain.hpp"
#include "base/mutex.hpp"
#include "runner/order.hpp"
#include "store/sqlite/connection.hpp"

namespace syncline::runner {

class IntentLog {
 public:
  /// Opens or makes the file. wrong_store if it is somebody else's, newer_store if a newer version wrote it.
  [[nodiscard]] static Result<std::unique_ptr<IntentLog>> open(const std::string& path);
  ~IntentLog();

  enum class State { begun, ended, reported };
  struct Entry {
    std::string id;
    State state = State::begun;
    Outcome outcome;  // if it has ended
  };

  /// On disk when it returns. False if the command was begun before.
  [[nodiscard]] Result<bool> begin(const std::string& id, CommandType type, std::int64_t now_ms);
  /// Survives the runner's end when it returns. The first end of a command counts.
  [[nodiscard]] Result<> end(const std::string& id, const Outcome& outcome);
  /// The hub has it: the outcome is dropped, the id stays.
  [[nodiscard]] Result<> set_reported(const std::string& id);

  [[nodiscard]] Result<std::optional<Entry>> find(const std::string& id);
  /// What the hub has not been told of.
  [[nodiscard]] Result<std::vector<Entry>> unreported();
  /// How far the audit log has come, kept here too: whoever cuts the log and its head must change this file as well.
  [[nodiscard]] Result<> set_audit_head(const ChainHead& head);
  [[nodiscard]] Result<std::optional<ChainHead>> audit_head();
  /// The same for those who only look, also while a runner owns the file. Nothing if there is no such file.
  [[nodiscard]] static Result<std::optional<ChainHead>> read_audit_head(const std::string& path);

  /// Forgets reported commands that were begun before that time, but for the newest: the time may be wrong.
  [[nodiscard]] Result<> purge(std::int64_t before_ms, std::int64_t keep_newest);

 private:
  IntentLog();
  struct Tables;
  Mutex mutex_;
  std::unique_ptr<Tables> tables_ PT_GUARDED_BY(mutex_);
};

}  // namespace syncline::runner
