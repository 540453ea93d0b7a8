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

Result<std::vector<Record>> KnownVersions::list_own_earlier(Snapshot& snapshot, const Record& pending,
                                                            const std::optional<KnownVersion>& known) const {
  TRY(auto versions, snapshot.history(pending, kOwnVersionsMax, kOwnVersionsBytesMax));
  const auto is_known_to_hub = [&](const Record& version) {
    return version.origin == kHubAuthor || (known && version.seq <= known->local);
  };
  versions.erase(std::ranges::find_if(versions, is_known_to_hub), versions.end());
  return versions;
}

Result<bool> KnownVersions::settle_waiting(Txn& txn, const Record& pending, const HubVersion& delivered,
                                           const SentVersions& sent) const {
  TRY(const auto known, find(txn, pending.collection, pending.id));
  TRY(const auto versions, list_own_earlier(txn, pending, known));
  const auto may_be_at_hub = [&](const Record& version) { return sent.may_have(version.seq); };
  const auto is_delivered = [&](const Record& earlier) {
    // The hub may have given it another stamp. Deletions are all alike: of those only one that it lowered, if any.
    const bool has_its_stamp = !delivered.deleted || delivered.updated_at <= earlier.updated_at;
    return has_its_stamp && may_be_at_hub(earlier) && same_content(earlier, delivered);
  };
  const bool same = same_content(pending, delivered);
  // While the hub may have a version in between, what looks like the pending one may be what that replaced.
  const bool is_known = known && known->hub == delivered.seq;
  const bool has_sent = std::ranges::any_of(versions, may_be_at_hub);
  if (is_known) return same && !has_sent;
  if (const auto own = std::ranges::find_if(versions, is_delivered); own != versions.end()) {
    CHECK_OK(put(txn, pending.collection, pending.id, {delivered.seq, own->seq}));
    return false;
  }
  if (!same || may_be_at_hub(pending) || !has_sent) return same;
  CHECK_OK(put(txn, pending.collection, pending.id, {delivered.seq, known ? known->local : Seq{}}));
  return false;
}

}  // namespace syncline::replica
