// How far a space is in step with the hub: kept in one value beside the feed, written in the transaction that it
// belongs to. LocalSpace has the rules; this is what it remembers.
#pragma once

#include <string>
#include <string_view>

#include "core/cursor.hpp"
#include "store/store.hpp"

namespace syncline::replica {

/// Author of the versions that came from the hub.
inline constexpr KeyNumber kHubAuthor{0};
/// Author of what this device makes of the hub's versions: the first key of its store, its own programs'.
inline constexpr KeyNumber kDeviceAuthor{1};

struct SpaceState {
  /// Rises when what is known of the hub's versions becomes worthless.
  std::int64_t generation = 1;
  /// The history of the hub that this generation knows of; empty until it has said one.
  std::string epoch;
  Cursor cursor;
  /// The newest of the hub's answers: what it has acknowledged counts, though it was not pulled. Empty until it has
  /// answered in this generation.
  Cursor known;
  /// The outbox begins behind this.
  Seq pushed;
  /// Everything up to here is offered, wherever it came from.
  Seq offer_through;
  /// Reading from the beginning. What the hub acknowledged in this history and does not deliver then was deleted, and
  /// the deletion purged.
  bool reads_from_start = true;
  /// The opening of the hub's store that could not read a record which this device lacks; 0 if there was none. A later
  /// one may have it again, of an older copy, as an old change that no cursor leads to.
  IncarnationId missed_in;
  /// How far a dialect without such a cursor has read: an object of its own.
  std::string positions = "{}";
  Timestamp exchanged_at;
};

/// A record by one text.
[[nodiscard]] inline std::string record_key(std::string_view collection, std::string_view id) {
  return std::string(collection) + '/' + std::string(id);
}

/// That of a new space if there is none yet.
[[nodiscard]] Result<SpaceState> read_space_state(Snapshot& snapshot);
void put_space_state(Txn& txn, const SpaceState& state);

}  // namespace syncline::replica
