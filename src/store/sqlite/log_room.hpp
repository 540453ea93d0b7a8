// Room for the write-ahead log of a busy store, made before it is needed. A commit that makes the log longer must also
// store its new length, which costs the sync of the commit about half as much again, and makes it wait for whatever the
// file system has to write first: in the middle of a checkpoint, all pages that were copied. A commit that overwrites
// zeros needs neither.
//
// SQLite reads the log up to the first frame without the right salt, so zeros end it. A log that stays small gets no
// room: each burst of writes would cost what the log's emptying saves.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "base/file_descriptor.hpp"
#include "base/limits.hpp"

namespace syncline::sqlite {

/// What a checkpoint that keeps up needs. There is no room beyond it, and SQLite cuts a larger file to it when the log
/// begins anew.
inline constexpr std::int64_t kLogFileBytes = limits::kWalSoftBytes + (16LL << 20U);

class LogRoom {
 public:
  explicit LogRoom(std::string log_path) : log_path_(std::move(log_path)) {}

  /// Called by the thread that appends, between two transactions, with what the log contains. True if sync() has
  /// something to do. Without room on the disk, nothing happens.
  [[nodiscard]] bool after_commit(std::int64_t log_bytes);
  /// From any thread, after after_commit() returned true: takes the sync of the new room away from the next commit.
  void sync() const;

 private:
  [[nodiscard]] bool extend();

  const std::string log_path_;
  FileDescriptor log_;
  std::int64_t end_ = 0;         // of the file when it was last asked
  std::int64_t last_bytes_ = 0;  // less than before: the log has begun anew, and may have been cut
};

}  // namespace syncline::sqlite
