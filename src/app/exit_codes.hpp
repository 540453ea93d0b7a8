// Exit codes: those that command lines commonly have, and one of its own for each way a hub cannot start or continue.
// docs/operating.md lists them; exit_code_of() is the only table of them.
#pragma once

#include "base/result.hpp"

namespace syncline::app {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailure = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitNotFound = 3;
inline constexpr int kExitConflict = 4;
inline constexpr int kExitAuth = 5;
inline constexpr int kExitUnreachable = 6;
inline constexpr int kExitPartial = 7;  // some of it was not done, and the output says what
inline constexpr int kExitWrongStore = 10;
inline constexpr int kExitNewerStore = 11;
inline constexpr int kExitBusy = 12;  // the port is in use
inline constexpr int kExitStorageFull = 13;
inline constexpr int kExitStorageBroken = 14;
inline constexpr int kExitLocked = 15;          // the data directory is in use
inline constexpr int kExitStorageDamaged = 16;  // what is stored cannot be read
inline constexpr int kExitClockInDoubt = 17;
inline constexpr int kExitAuditBroken = 18;  // `audit verify`, of a hub or a runner: entries are missing or changed
inline constexpr int kExitTimedOut = 124;    // `command run`: the remote command, or nobody ran it
inline constexpr int kExitInterrupted = 130;

[[nodiscard]] constexpr int exit_code_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument:
    case ErrorCode::invalid_document:
    case ErrorCode::too_large: return kExitUsage;
    case ErrorCode::not_found: return kExitNotFound;
    case ErrorCode::conflict:
    case ErrorCode::precondition_failed:
    case ErrorCode::key_reused:
    case ErrorCode::epoch_changed:
    case ErrorCode::cursor_expired:
    case ErrorCode::cursor_ahead: return kExitConflict;
    case ErrorCode::unauthorized:
    case ErrorCode::forbidden:
    case ErrorCode::space_not_allowed: return kExitAuth;
    case ErrorCode::answer_too_large:
    case ErrorCode::timed_out:
    case ErrorCode::unavailable: return kExitUnreachable;
    case ErrorCode::wrong_store: return kExitWrongStore;
    case ErrorCode::newer_store: return kExitNewerStore;
    case ErrorCode::busy: return kExitBusy;
    case ErrorCode::locked: return kExitLocked;
    case ErrorCode::storage_full: return kExitStorageFull;
    case ErrorCode::storage_broken: return kExitStorageBroken;
    case ErrorCode::storage_damaged: return kExitStorageDamaged;
    case ErrorCode::clock_in_doubt: return kExitClockInDoubt;
    default: return kExitFailure;
  }
}

}  // namespace syncline::app
