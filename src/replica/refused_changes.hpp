// Changes that the hub refused. They are noted in a collection of the space that never leaves the device, offered again
// a few times, and then are dead letters: kept, shown, and offered again only when asked for. A note counts as long as
// the record is as it was refused; one that is edited since is in the outbox again. For one thread at a time.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "service/space_writer.hpp"

namespace syncline::replica {

/// Never leaves the device: what the hub refused, by "<collection>/<id>".
inline constexpr std::string_view kRefusedCollection = "syncline.refused";
/// A change that was refused so often is a dead letter.
inline constexpr std::int64_t kOffersMax = 5;

struct RefusedChange {
  std::string collection;
  std::string id;
  Seq seq;
  std::int64_t offers = 0;
  std::string code;
  std::string detail;
  Timestamp since;

  [[nodiscard]] bool is_dead() const { return offers >= kOffersMax; }
};

class RefusedChanges {
 public:
  /// All that are noted, also those that do not count any more.
  [[nodiscard]] static Result<std::vector<RefusedChange>> list(Snapshot& snapshot);
  /// The record as it was refused; nothing if it is another one now.
  [[nodiscard]] static Result<std::optional<Record>> find_record(Snapshot& snapshot, const RefusedChange& change);
  /// True if that very version of the record was refused.
  [[nodiscard]] static Result<bool> has(Snapshot& snapshot, const Record& stored);

  /// The hub has refused the version.
  [[nodiscard]] static Result<> note(SpaceWriter& writer, const Record& refused, std::string code, std::string detail);
  [[nodiscard]] static Result<> forget(SpaceWriter& writer, std::string_view collection, std::string_view id);
  /// Offers the dead letters once more, as if they were new; how many there were.
  [[nodiscard]] static Result<std::int64_t> revive(SpaceWriter& writer);

  /// Counts those that count.
  [[nodiscard]] Result<> count(Snapshot& snapshot);
  [[nodiscard]] std::int64_t waiting() const { return waiting_; }
  [[nodiscard]] std::int64_t dead() const { return dead_; }
  [[nodiscard]] bool any() const { return waiting_ + dead_ > 0; }

 private:
  std::int64_t waiting_ = 0;
  std::int64_t dead_ = 0;
};

}  // namespace syncline::replica
