// The merge: one stored version, one requested change, one decision. Pure: time comes in as an argument, nothing is
// read or written. Hub, node and simulation all decide with this one function.
//
// Without `base`, the outcome depends on the set of ops only: any order and any repetition ends in the same content.
// The order that makes it so is (stamp, tie rule of the two contents).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/limits.hpp"
#include "core/record.hpp"

namespace syncline {

/// How a collection decides where collections differ.
struct MergePolicy {
  /// `smaller_hash`: a live record beats a tombstone, then the smaller SHA-256 of the document in one spelling.
  enum class Tie { live_then_hash, stored_stays, smaller_hash };
  /// What the same content with a later stamp does to the stamp that merges compare.
  enum class Echo { lifts_stamp, changes_nothing };

  /// What becomes of the visible stamp of a writer whose clock is too far ahead. `kept`: for clients that take only
  /// what is newer than their own copy; a later version is then shown as newer than any stamp that such a copy is known
  /// to have (Record::claimed_at).
  enum class Ahead { lowered, kept };
  /// When an author without `base` has seen the version it replaces. `pulled_before_edit`: for clients that pull right
  /// before they push, so that the edit must also be later than the version's arrival at the hub.
  enum class Seen { pulled, pulled_before_edit };

  Tie tie = Tie::live_then_hash;
  Echo echo = Echo::lifts_stamp;
  Ahead ahead = Ahead::lowered;
  Seen seen = Seen::pulled;
  /// Array fields that become the union of both sides whoever wins. With any field named here (or below) a null or
  /// missing field never erases a stored value.
  std::vector<std::string> union_fields;
  /// Fields that keep the earlier of two RFC 3339 times.
  std::vector<std::string> earliest_fields;
  /// Values, as JSON, that a field has when a program never set it. A version whose earliest_fields are later than the
  /// other's was made anew by a program that keeps some fields only: there these, and what is empty, 0 or false,
  /// replace nothing.
  std::map<std::string, std::string, std::less<>> unset_values;

  [[nodiscard]] bool merges_fields() const { return !union_fields.empty() || !earliest_fields.empty(); }
};

/// Who asks for the change, and how much of the space that key is known to have seen.
struct Author {
  KeyNumber key;
  Seq seen_through;
  /// It cannot have seen more than this: higher than seen_through where a crash may have lost what is known.
  Seq may_have_seen_through;
};

struct Decision {
  enum class Kind {
    insert,  // there was nothing: store it
    update,  // it replaces the stored version
    merged,  // `merged_doc` replaces the stored version
    noop,    // the stored version has this very content
    stale,   // the stored version stands
  };
  /// Which version goes to the conflict list.
  enum class Keep { nothing, stored, incoming };

  Kind kind = Kind::insert;
  Rule rule = Rule::first;
  Keep keep = Keep::nothing;
  /// Stamps of the record from now on; of noop and stale, its hidden stamps may rise without a new seq.
  Timestamp updated_at;
  Timestamp effective_at;
  Timestamp claimed_at;
  /// The writer's clock was too far ahead: the stamp was lowered to the hub's now.
  bool clock_lowered = false;
  std::string merged_doc;

  [[nodiscard]] bool takes_seq() const { return kind <= Kind::merged; }
};

/// The time of a store while it merges.
struct MergeTime {
  // Where nobody doubts the clock, both are the same.
  MergeTime(Timestamp time) : now(time), latest(time) {}  // NOLINT(google-explicit-constructor)
  MergeTime(Timestamp believed, Timestamp latest_possible) : now(believed), latest(latest_possible) {}

  Timestamp now;
  /// The latest time that it may be (Clock::latest()).
  Timestamp latest;
};

/// The clock guard: a time that no clock near enough to the hub's can have shown.
[[nodiscard]] inline bool is_too_far_ahead(Timestamp time, Timestamp now) {
  return time.micros > now.micros + limits::kClockAheadMicrosMax;
}

/// The stamp with which a stored version meets another one. A version that the store wrote while its own clock was
/// ahead has none that counts: any other edit is later.
[[nodiscard]] Timestamp standing_stamp(const Record& stored, Timestamp now);

/// Decides. `stored` is the current version or nothing; a wiped record counts as nothing. `time` is the hub's time.
[[nodiscard]] Decision merge(const Record* stored, const Op& op, const MergePolicy& policy, const Author& author,
                             const MergeTime& time);

/// Fields of both documents as `policy` says; `winner` gives every other field. Both are JSON objects.
[[nodiscard]] std::string merge_fields(std::string_view stored, std::string_view incoming, bool incoming_wins,
                                       const MergePolicy& policy);
/// True when two documents say the same; a field that is null is one that is not there.
[[nodiscard]] bool same_fields(std::string_view a, std::string_view b);

}  // namespace syncline
