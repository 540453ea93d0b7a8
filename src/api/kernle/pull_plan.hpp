// What a pull delivers. Kernle's clients keep no cursor: they send as `since` a time of their own clock, which they
// change when, and only when, they have applied an answer that was not empty. So for a session, which is one device,
// the time is only a label: another label says that the last answer was applied, the same one that it was not. A bare
// key may stand for several devices, and is answered by time.
#pragma once

#include "core/cursor.hpp"
#include "store/store.hpp"

namespace syncline::kernle {

struct PullRequest {
  /// `whole`: everything, to restore a device. `whole_but_own`: without what the device wrote. `label`: see above.
  /// `after`: what follows a seq.
  enum class Kind { whole, whole_but_own, label, after };
  KeyNumber key;
  bool is_session = false;
  Kind kind = Kind::whole;
  std::string label;
  Seq after;                       // for `after`, and for the further pages of a whole pull
  std::int64_t limit = INT64_MAX;  // operations in the answer
};

/// How far the device of a session is. Kept beside the feed of its agent's space.
struct PullState {
  struct Row {
    std::string collection;
    std::string id;
    friend bool operator==(const Row&, const Row&) = default;
  };
  /// Where a label stood: a device that was restored from a backup comes back with an old one.
  struct Mark {
    std::string label;
    Seq applied;
    friend bool operator==(const Mark&, const Mark&) = default;
  };

  std::string label;  // of the last pull that had one
  Seq applied;        // the device has everything up to here ...
  Seq deletes;        // ... and the deletes up to here: answers to whole pulls have none
  /// How far the answer to `label` goes, if it was not empty; and the first answer to a whole pull since.
  std::optional<Seq> offered;
  std::optional<Seq> offered_whole;
  Timestamp offered_whole_at;
  Seq offered_whole_first;  // where its first page ended: what it has may have been deleted after that
  /// Records whose version on the device lost: they come once more, whatever their seq. The first `again_offered` of
  /// them are in the last answer.
  std::vector<Row> again;
  std::int64_t again_offered = 0;
  std::vector<Mark> marks;  // oldest first
  Timestamp pulled_at;

  /// The most that the device can have seen.
  [[nodiscard]] Seq seen_through() const;
  friend bool operator==(const PullState&, const PullState&) = default;
};

struct PullPlan {
  std::vector<PullState::Row> again;  // come first
  Seq from;
  Seq through;
  /// Where deletes are delivered from: before `from` if the device has missed some. Nothing: no deletes at all.
  std::optional<Seq> deletes_from;
  bool skip_own = false;
  bool is_empty = false;
  bool has_more = false;
  PullRequest::Kind kind = PullRequest::Kind::whole;
  /// For sessions: what to remember before the answer goes out.
  std::optional<PullState> next;

  /// Where reading the feed begins.
  [[nodiscard]] Seq begin() const { return std::min(from, deletes_from.value_or(from)); }
};

/// Works out an answer on a snapshot of the agent's space. Fails for a label that is no time where one is needed.
[[nodiscard]] Result<PullPlan> plan_pull(Snapshot& snapshot, const PullRequest& request, Timestamp now);
/// True if the plan's answer has the record.
[[nodiscard]] bool is_delivered(const PullPlan& plan, KeyNumber key, const RecordView& record);

/// A cursor as pulls answer it: one that goes on with a whole pull says so, for it must not change into another.
[[nodiscard]] std::string format_pull_cursor(const PullPlan& plan, const Cursor& cursor);
struct PullCursor {
  PullRequest::Kind kind = PullRequest::Kind::after;
  Cursor cursor;
};
[[nodiscard]] Result<PullCursor> parse_pull_cursor(std::string_view text);

/// Name of the value that holds the state of the key's device.
[[nodiscard]] std::string pull_value(KeyNumber key);
[[nodiscard]] Result<std::optional<PullState>> find_pull_state(Snapshot& snapshot, KeyNumber key);
void put_pull_state(Txn& txn, KeyNumber key, const PullState& state);
/// The session is offered everything up to there, by a request without a label.
[[nodiscard]] Result<> note_full_pull_offer(Txn& txn, KeyNumber key, Seq through, Timestamp now);
/// Versions of the session's device have lost to these records. If it can have had the winners before, it does not get
/// them by themselves: they are sent once more, to this device only, for others may have edited them since.
void send_again(Txn& txn, KeyNumber key, PullState state, const std::vector<PullState::Row>& winners);

/// What is known of a key's pushes to an agent.
struct PushState {
  Timestamp pushed_at;
  std::int64_t refused = 0;  // operations of the last push: they are still in the device's queue
};
[[nodiscard]] Result<std::optional<PushState>> find_push_state(Snapshot& snapshot, KeyNumber key);
void put_push_state(Txn& txn, KeyNumber key, const PushState& state);

}  // namespace syncline::kernle
