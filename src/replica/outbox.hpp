// What waits for the hub. The outbox is the local feed itself: the versions behind SpaceState::pushed that did not come
// from the hub, and beside them what was refused and still stands. What changes while its push is on the way has a
// later place in the feed, so an answer can never clear a newer edit. For one thread at a time.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <vector>

#include "replica/refused_changes.hpp"
#include "replica/space_state.hpp"

namespace syncline::replica {

/// How much one step may carry.
struct Limits {
  std::size_t ops_max = 500;
  std::size_t bytes_max = 4UL << 20U;
  std::int64_t page_max = 2000;
};

/// What a push is made of.
struct Batch {
  struct Item {
    Record record;  // its seq is that of the local feed
    /// The hub's version that it was made of; nothing if the hub is not known to have the record.
    std::optional<Seq> base;
    bool was_refused = false;
  };
  std::int64_t generation = 0;
  Seq after;    // the outbox begins behind this
  Seq through;  // and all of it up to here is in the batch, or came from the hub
  std::vector<Item> items;
  bool more = false;
};

class Outbox {
 public:
  using Carries = std::function<bool(std::string_view collection)>;

  explicit Outbox(Limits limits) : limits_(limits) {}

  /// True if the hub has not acknowledged the version, dead letters included.
  [[nodiscard]] static Result<bool> is_waiting(Snapshot& snapshot, const SpaceState& state, const Record& stored);
  /// Visits all that waits, dead letters included.
  [[nodiscard]] Result<> for_each_waiting(Snapshot& snapshot, const SpaceState& state,
                                          const std::function<void(const RecordView&)>& visit) const;
  /// What to push now; no items if nothing waits. Collections that the hub does not carry are passed over.
  [[nodiscard]] Result<Batch> next_batch(Snapshot& snapshot, const SpaceState& state, bool with_refused,
                                         std::size_t ops_max, const Carries& carries);

  /// True when a feed up to `head` may hold something for the hub.
  [[nodiscard]] bool may_wait(const SpaceState& state, Seq head) const { return head > begin(state); }
  /// What was looked at may be for the hub after all.
  void look_again() { skipped_through_ = {}; }

 private:
  /// The rule: whether a version of the feed is for the hub.
  [[nodiscard]] static bool holds(const SpaceState& state, const RecordView& record);
  /// The feed has something to look at only behind this.
  [[nodiscard]] Seq begin(const SpaceState& state) const { return std::max(state.pushed, skipped_through_); }

  Limits limits_;
  /// Behind `pushed`, nothing for the hub up to here.
  Seq skipped_through_;
};

}  // namespace syncline::replica
