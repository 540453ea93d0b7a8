#include "replica/known_versions.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "replica/space_state.hpp"

namespace syncline::replica {
namespace {

/// So many own versions below one that waits are compared with what the hub delivers.
constexpr std::size_t kOwnVersionsMax = 64;
constexpr std::size_t kOwnVersionsBytesMax = 4UL << 20U;

std::string value_name(std::string_view collection, std::string_view id) {
  return "base/" + record_key(collection, id);
}

}  // namespace

bool same_content(const Record& stored, const HubVersion& version) {
  return stored.deleted == version.deleted && (version.deleted || stored.doc == version.doc);
}

Result<bool> is_own_earlier_version(Snapshot& snapshot, const Record& waiting, const Op& delivered) {
  TRY(const auto versions, snapshot.history(waiting, kOwnVersionsMax, kOwnVersionsBytesMax));
  return std::ranges::any_of(versions, [&](const Record& earlier) {
    const std::int64_t apart = earlier.updated_at.micros - delivered.updated_at->micros;
    return earlier.deleted == delivered.deleted && std::abs(apart) < kStampGrainMicros && earlier.seq < waiting.seq;
  });
}

Result<std::optional<KnownVersion>> KnownVersions::find(Snapshot& snapshot, std::string_view collection,
                                                        std::string_view id) const {
  TRY(const auto text, snapshot.find_value(value_name(collection, id)));
  if (!text) return std::nullopt;
  const auto parts = split(*text, '.');
  if (parts.size() != 3 || parse_integer(parts[0]) != generation_) return std::nullopt;
  return KnownVersion{{parse_integer(parts[1]).value_or(0)}, {parse_integer(parts[2]).value_or(0)}};
}

Result<> KnownVersions::put(Txn& txn, std::string_view collection, std::string_view id, KnownVersion known) const {
  TRY(const auto before, find(txn, collection, id));
  if (before == known) return {};
  std::string text = std::to_string(generation_);
  text.append(".").append(std::to_string(known.hub.value)).append(".").append(std::to_string(known.local.value));
  txn.put_value(value_name(collection, id), std::move(text));
  return {};
}

Result<std::optional<Seq>> KnownVersions::find_own_earlier(Snapshot& snapshot, const Record& pending,
                                                           const HubVersion& delivered) const {
  TRY(const auto known, find(snapshot, pending.collection, pending.id));
  TRY(const auto versions, snapshot.history(pending, kOwnVersionsMax, kOwnVersionsBytesMax));
  for (const Record& earlier : versions) {
    const bool is_known_to_hub = earlier.origin == kHubAuthor || (known && earlier.seq <= known->local);
    if (is_known_to_hub) return std::nullopt;
    // The hub may have given it another stamp. Deletions are all alike: of those only one that it lowered, if any.
    const bool may_be_it = !delivered.deleted || delivered.updated_at <= earlier.updated_at;
    if (may_be_it && same_content(earlier, delivered)) return earlier.seq;
  }
  return std::nullopt;
}

}  // namespace syncline::replica
