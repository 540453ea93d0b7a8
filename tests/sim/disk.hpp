// The disks of a run: stores that outlive the processes on them. In memory for many runs, SQLite files for deep ones;
// both must make the same run of a seed.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "store/store.hpp"

namespace syncline::sim {

class Disk {
 public:
  virtual ~Disk() = default;
  [[nodiscard]] virtual Store& store() = 0;
  /// A new process opens what the last one left; call it when there is none.
  virtual void reopen() = 0;
  /// A copy as a restored backup is one: with everything of this disk and a history of its own.
  [[nodiscard]] virtual std::unique_ptr<Disk> restore(const std::string& epoch) = 0;
};

/// Makes the disks of a run, and removes their files after it.
class Disks {
 public:
  enum class Kind { memory, sqlite };
  explicit Disks(Kind kind);
  Disks(const Disks&) = delete;
  Disks& operator=(const Disks&) = delete;
  ~Disks();

  /// `clock` outlives the disk.
  [[nodiscard]] std::unique_ptr<Disk> make(const Clock& clock, const std::string& epoch);

 private:
  const Kind kind_;
  std::filesystem::path directory_;  // of files; empty if there are none
};

}  // namespace syncline::sim
