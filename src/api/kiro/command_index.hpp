// Which commands of a space wait: for a runner, in the order in which runners get them, or for approval. Built from the
// space's feed. Not safe for two threads at once.
#pragma once

#include <map>
#include <set>
#include <string>
#include <tuple>

#include "store/store.hpp"

namespace syncline::kiro {

class CommandIndex {
 public:
  /// A command that waits for a runner.
  struct Pending {
    std::int64_t priority = 0;
    std::int64_t created_at_ms = 0;
    std::string id;
    /// Higher priority first, else older first.
    friend bool operator<(const Pending& a, const Pending& b) {
      return std::tie(b.priority, a.created_at_ms, a.id) < std::tie(a.priority, b.created_at_ms, b.id);
    }
  };

  /// Takes in the next version of a command.
  void take(const RecordView& record);

  [[nodiscard]] const std::set<Pending>& pending() const { return pending_; }
  /// Ids of the commands that wait for approval.
  [[nodiscard]] const std::set<std::string>& held() const { return held_; }

 private:
  std::set<Pending> pending_;
  std::map<std::string, Pending> pending_by_id_;
  std::set<std::string> held_;
};

}  // namespace syncline::kiro
