// Which local versions a hub may have though it has not acknowledged them: those that a push carried whose answer did
// not come. Kept in memory: of what was written before the start nobody knows. For one thread at a time.
#pragma once

#include <unordered_set>

#include "base/ids.hpp"

namespace syncline::replica {

class SentVersions {
 public:
  /// Any version up to `head` of the local feed may have been sent.
  void set_unknown_through(Seq head) { unknown_through_ = head; }
  void add(Seq local, Seq head) {
    sent_.insert(local);
    if (sent_.size() <= kSentMax) return;
    sent_.clear();
    set_unknown_through(head);
  }
  /// The hub has answered what became of it.
  void settle(Seq local) { sent_.erase(local); }

  [[nodiscard]] bool may_have(Seq local) const { return local <= unknown_through_ || sent_.contains(local); }

 private:
  static constexpr std::size_t kSentMax = 50'000;

  std::unordered_set<Seq> sent_;
  Seq unknown_through_;
};

}  // namespace syncline::replica
