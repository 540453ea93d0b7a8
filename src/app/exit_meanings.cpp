#include "app/exit_meanings.hpp"

#include "app/exit_codes.hpp"

namespace syncline::app {

const std::map<int, std::string>& exit_meanings() {
  static const std::map<int, std::string> kMeanings = {
      {kExitOk, "success"},
      {kExitFailure, "failure"},
      {kExitUsage, "usage error"},
      {kExitNotFound, "not found"},
      {kExitConflict, "conflict: already exists, or already decided"},
      {kExitAuth, "not allowed: the key is wrong, revoked or expired, or lacks a scope"},
      {kExitUnreachable, "server unreachable"},
      {kExitPartial, "partly done"},
      {kExitWrongStore, "the directory or file does not belong to syncline"},
      {kExitNewerStore, "a newer version wrote the store"},
      {kExitBusy, "the port is in use"},
      {kExitStorageFull, "no space left"},
      {kExitStorageBroken, "the disk failed"},
      {kExitLocked, "another process uses the data directory"},
      {kExitStorageDamaged, "the store is damaged and cannot be read"},
      {kExitClockInDoubt, "clock.strict is set and the clock is in doubt"},
      {kExitAuditBroken, "entries of the audit log are missing or were changed"},
      {kExitTimedOut, "the remote command timed out, or no runner took it in time"},
      {kExitInterrupted, "interrupted, and the remote command cancelled"},
  };
  return kMeanings;
}

}  // namespace syncline::app
