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
  virtual void reopen(IncarnationId incarnation) = 0;
  /// A record rots where it lies: a bit of its document or, if it has none, of its stamp. Nobody notices.
  virtual void rot(const SpaceName& space, std::string_view collection, std::string_view id) = 0;
  /// A copy as a restored backup is one: with everything of this disk and a history of its own.
  [[nodiscard]] virtual std::unique_ptr<Disk> restore(const std::string& epoch) = 0;
};

/// What write functions are held to (support/proving_store.hpp). None of it may change a run.
struct Proof {
  bool twice = false;   // each runs twice, the first time for nothing
  bool strict = false;  // those of the hub name what they look up; nodes are never on a store where that matters

  [[nodiscard]] bool any() const { return twice || strict; }
};

/// Makes the disks of a run, and removes their files after it.
class Disks {
 public:
  enum class Kind { memory, sqlite };
  enum class Owner { hub, node };
  Disks(Kind kind, Proof proof);
  Disks(const Disks&) = delete;
  Disks& operator=(const Disks&) = delete;
  ~Disks();

  /// `clock` outlives the disk.
  [[nodiscard]] std::unique_ptr<Disk> make(Owner owner, const Clock& clock, const std::string& epoch);

 private:
  [[nodiscard]] std::unique_ptr<Disk> make_plain(const Clock& clock, const std::string& epoch) const;

  const Kind kind_;
  const Proof proof_;
  std::filesystem::path directory_;  // of files; empty if there are none
};

}  // namespace syncline::sim
