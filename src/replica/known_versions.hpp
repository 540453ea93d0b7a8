// Which versions of the hub this device has: for each record the one that later edits are made of, in a value beside
// the feed. What an earlier generation knew (SpaceState) counts no more. For one thread at a time.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "replica/native_wire.hpp"
#include "replica/sent_versions.hpp"
#include "service/space_writer.hpp"

namespace syncline::replica {

/// Some hubs keep milliseconds only: stamps that are closer may be one.
inline constexpr std::int64_t kStampGrainMicros = 1000;

/// A version that both have.
struct KnownVersion {
  Seq hub;
  Seq local;  // the same version in this device's feed
  friend bool operator==(const KnownVersion&, const KnownVersion&) = default;
};

[[nodiscard]] bool same_content(const Record& stored, const HubVersion& version);
/// True if what is delivered is an earlier version of what waits here, by its stamp: a hub sends what it was sent.
[[nodiscard]] Result<bool> is_own_earlier_version(Snapshot& snapshot, const Record& waiting, const Op& delivered);

class KnownVersions {
 public:
  explicit KnownVersions(std::int64_t generation) : generation_(generation) {}

  /// Nothing if the hub is not known to have the record.
  [[nodiscard]] Result<std::optional<KnownVersion>> find(Snapshot& snapshot, std::string_view collection,
                                                         std::string_view id) const;
  [[nodiscard]] Result<> put(Txn& txn, std::string_view collection, std::string_view id, KnownVersion known) const;
  /// The hub delivers `delivered`, and `pending` waits. True if `pending` waits no more: the hub has it. Else the hub
  /// decides when it is pushed; if it was made of the very version that is delivered, the push says so.
  [[nodiscard]] Result<bool> settle_waiting(Txn& txn, const Record& pending, const HubVersion& delivered,
                                            const SentVersions& sent) const;

 private:
  /// The versions of this device that `pending` replaced and the hub has not acknowledged, newest first.
  [[nodiscard]] Result<std::vector<Record>> list_own_earlier(Snapshot& snapshot, const Record& pending,
                                                             const std::optional<KnownVersion>& known) const;

  std::int64_t generation_;
};

}  // namespace syncline::replica
