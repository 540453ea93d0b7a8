// What a pull delivers. Kernle's clients keep no cursor: they send as `since` a time of their own clock, which they
// change when, and only when, they have applied an answer that was not empty. So for a session, which is one device,
// the time is only a label: another label says that the last answer was applied, the same one that it was not. A bare
// key may stand for several devices, and is answered by time.
#pragma once

#include <algorithm>

#include "core/cursor.hpp"
#include "store/store.hpp"

namespace syncline::kernle {

struct PullRequest {
  enum class Since { absent, null, label, cursor };
  KeyNumber key;
  bool is_session = false;
  Since since = Since::absent;
  std::string label;
  Cursor cursor;
  std::int64_t limit = INT64_MAX;  // operations in the answer
};

/// How far the device of a session is. Kept beside the feed of its agent's space.
struct PullState {
  std::string label;  // of the last pull that had one
  Seq applied;        // the device has everything up to here
  /// How far the answer to `label` went, if it was not empty; and the answer to a pull without one.
  std::optional<Seq> offered;
  std::optional<Seq> offered_whole;
  Timestamp pulled_at;

  /// The most that the device can have seen.
  [[nodiscard]] Seq seen_through() const {
    return std::max({applied, offered.value_or(Seq{}), offered_whole.value_or(Seq{})});
  }
  friend bool operator==(const PullState&, const PullState&) = default;
};

struct PullPlan {
  Seq from;
  Seq through;
  bool tombstones = false;
  bool skip_own = false;
  bool is_empty = false;
  bool has_more = false;
  /// For sessions: what to remember before the answer goes out.
  std::optional<PullState> next;
};

/// Works out an answer on a snapshot of the agent's space. Fails for a `since` that is no time where one is needed.
[[nodiscard]] Result<PullPlan> plan_pull(Snapshot& snapshot, const PullRequest& request, Timestamp now);
/// True if the plan's answer has the record.
[[nodiscard]] bool is_delivered(const PullPlan& plan, KeyNumber key, const RecordView& record);

[[nodiscard]] Result<std::optional<PullState>> find_pull_state(Snapshot& snapshot, KeyNumber key);
void put_pull_state(Txn& txn, KeyNumber key, const PullState& state);
/// The session is offered everything up to there, by a request without a label.
[[nodiscard]] Result<> note_whole_offer(Txn& txn, KeyNumber key, Seq through, Timestamp now);

/// What is known of a key's pushes to an agent.
struct PushState {
  Timestamp pushed_at;
  std::int64_t refused = 0;  // operations of the last push: they are still in the device's queue
};
[[nodiscard]] Result<std::optional<PushState>> find_push_state(Snapshot& snapshot, KeyNumber key);
void put_push_state(Txn& txn, KeyNumber key, const PushState& state);

}  // namespace syncline::kernle
