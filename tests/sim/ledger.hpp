// What was written, and where it must be found in the end: nothing that a person wrote may be gone without a trace.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/record.hpp"

namespace syncline::sim {

struct Write {
  int number = 0;
  std::string actor;
  std::string id;
  bool deleted = false;
  /// The write is in the store of who made it, or was acknowledged by the hub.
  bool is_certain = false;
  /// Somebody who had this version before them has written another one.
  bool is_superseded = false;
};

class Ledger {
 public:
  /// A write that an actor is about to make. Returns its number, which its document carries.
  int begin(const std::string& actor, const std::string& id, bool deleted);
  /// The write is in a store, or the hub has acknowledged it: from now on it may not be lost.
  void set_certain(int number) { at(number).is_certain = true; }
  /// What the actor wrote so far may be lost.
  void give_up(const std::string& actor);
  /// The write took the place of a version that its author saw.
  void set_superseded(const Record& seen);

  [[nodiscard]] const std::vector<Write>& writes() const { return writes_; }
  /// The number that a version carries; nothing for a deletion.
  [[nodiscard]] static std::optional<int> number_of(const Record& version);

  /// Where versions may still be found.
  struct Found {
    std::set<int> numbers;
    std::set<std::string> deletions;  // ids
    void add(const Record& version);
  };
  /// The first certain write that is neither found nor superseded; empty if there is none.
  [[nodiscard]] std::string find_lost(const Found& found) const;
  /// The first record whose version had been replaced by somebody who had seen it; empty if there is none.
  [[nodiscard]] std::string find_revived(const std::map<std::string, Record>& current) const;

 private:
  [[nodiscard]] Write& at(int number) { return writes_[static_cast<std::size_t>(number)]; }

  std::vector<Write> writes_;
};

}  // namespace syncline::sim
