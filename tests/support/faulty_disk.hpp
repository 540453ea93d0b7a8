// A disk under SQLite that fails when it is told to, and that remembers what was written, so that a test can make what
// a power cut would have left. As long as it exists it is SQLite's default VFS: one at a time, and no file that was
// opened through it may outlive it.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "base/mutex.hpp"

struct sqlite3_vfs;

namespace syncline::test {

class FaultyDisk {
 public:
  /// What a call answers: that it failed; that the disk is full (only writes); the same after half of it was written.
  enum class Fault : std::uint8_t { io_error, full, short_write };
  enum class Call : std::uint8_t { read, write, sync, truncate, remove };

  FaultyDisk();
  ~FaultyDisk();
  FaultyDisk(const FaultyDisk&) = delete;
  FaultyDisk& operator=(const FaultyDisk&) = delete;

  /// Of the calls from now on that can fail in this way, the `nth` fails (1 is the next), and with `for_good` all later
  /// ones as well.
  void fail(Fault fault, std::int64_t nth, bool for_good);
  void heal();
  [[nodiscard]] bool has_failed() const;
  /// Calls since fail() that could have failed so.
  [[nodiscard]] std::int64_t calls() const;

  /// Changes of files so far. A test notes the number to remember a moment.
  [[nodiscard]] std::size_t changes() const;
  /// Writes what a power cut after `changes` would have left of the files into `directory`: all that was synced, and of
  /// what was not, each sector with the probability `survival`.
  void write_image(const std::string& directory, std::size_t changes, double survival, std::mt19937_64& random) const;

  // For the VFS alone.
  [[nodiscard]] bool fails(Call call);
  [[nodiscard]] Fault fault() const;
  void note(Call call, const std::string& path, std::int64_t offset = 0, std::string bytes = {});

 private:
  struct Change {
    Call call;
    std::string path;
    std::int64_t offset;  // of a cut: the new length
    std::string bytes;
  };

  mutable Mutex mutex_;
  sqlite3_vfs* before_;  // the default until now
  Fault fault_ GUARDED_BY(mutex_) = Fault::io_error;
  std::int64_t calls_ GUARDED_BY(mutex_) = 0;
  std::int64_t nth_ GUARDED_BY(mutex_) = 0;  // 0: none fails
  bool for_good_ GUARDED_BY(mutex_) = false;
  bool has_failed_ GUARDED_BY(mutex_) = false;
  std::vector<Change> changes_ GUARDED_BY(mutex_);
};

}  // namespace syncline::test
