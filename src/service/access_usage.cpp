// When keys were last used, and from where: kept in memory, and written down now and then.
#include <algorithm>

#include "service/access.hpp"
#include "service/access_records.hpp"

namespace syncline {

using namespace access;

Access::Usage Access::recent_usage() const {
  const SharedLock lock(mutex_);
  Usage usage = unsaved_usage_;
  for (const auto& [hash, cached] : cache_) {
    std::int64_t& used = usage[cached->principal->key];
    used = std::max<std::int64_t>(used, cached->last_used_micros);
  }
  return usage;
}

void Access::note_address(Cached* cached, KeyNumber key, std::string_view address) {
  if (address.empty() || address == "-") return;
  const std::size_t hash = std::hash<std::string_view>{}(address);
  // Most requests of a key come from where the last one came from.
  if (cached != nullptr && cached->address_hash.exchange(hash, std::memory_order_relaxed) == hash) return;
  const MutexLock lock(addresses_mutex_);
  unsaved_addresses_[key] = address;
}

Access::Addresses Access::recent_addresses() const {
  const MutexLock lock(addresses_mutex_);
  return unsaved_addresses_;
}

Result<> Access::store_addresses() {
  Addresses addresses;
  {
    const MutexLock lock(addresses_mutex_);
    addresses.swap(unsaved_addresses_);
  }
  if (addresses.empty()) return {};
  const auto written = directory_.write([&](DirectoryTxn& txn) -> Result<> {
    for (const auto& [number, address] : addresses) {
      TRY(const auto row, txn.find_key(number));
      if (!row) continue;
      StoredKey stored = key_from(*row);
      if (stored.key.last_address == address) continue;
      stored.key.last_address = address;
      CHECK_OK(put_key_in(txn, stored));
    }
    return {};
  });
  if (written) return {};
  const MutexLock lock(addresses_mutex_);
  unsaved_addresses_.merge(addresses);  // for the next time; what came meanwhile is newer
  return written;
}

Result<> Access::store_usage() {
  CHECK_OK(store_addresses());
  Usage usage;
  {
    const MutexLock lock(mutex_);
    usage.swap(unsaved_usage_);
    for (auto& [hash, cached] : cache_) {
      if (const std::int64_t used = cached->last_used_micros.exchange(0); used != 0) {
        std::int64_t& micros = usage[cached->principal->key];
        micros = std::max(micros, used);
      }
    }
  }
  std::erase_if(usage, [](const auto& entry) { return entry.second == 0; });
  if (usage.empty()) return {};
  std::vector<KeyRow> prolonged;
  const auto written = directory_.write([&](DirectoryTxn& txn) -> Result<> {
    for (const auto& [number, micros] : usage) CHECK_OK(txn.set_last_used(number, {micros}));
    TRY(prolonged, prolong(txn, usage));
    return {};
  });
  if (!written) {
    const MutexLock lock(mutex_);
    for (const auto& [number, micros] : usage) {
      std::int64_t& kept = unsaved_usage_[number];  // for the next time
      kept = std::max(kept, micros);
    }
    return std::unexpected(written.error());
  }
  for (const KeyRow& row : prolonged) forget_cached(row.account);
  return {};
}

Result<std::vector<KeyRow>> Access::prolong(DirectoryTxn& txn, const Usage& usage) {
  constexpr std::int64_t kWorthWritingSeconds = 3600;
  std::vector<KeyRow> prolonged;
  for (const auto& [number, micros] : usage) {
    TRY(const auto row, txn.find_key(number));
    if (!row || row->revoked_at) continue;
    StoredKey stored = key_from(*row);
    const bool lives_by_use = row->parent.value != 0 || stored.cookie;
    if (!lives_by_use || !stored.key.expires_at) continue;
    TRY(const auto parent, txn.find_key(row->parent));
    const Timestamp until = end_after_use(stored, {micros}, parent ? key_from(*parent).key.expires_at : std::nullopt);
    if (until.micros - stored.key.expires_at->micros < kWorthWritingSeconds * kMicrosPerSecond) continue;
    stored.key.expires_at = until;
    CHECK_OK(put_key_in(txn, stored));
    prolonged.push_back(*row);
  }
  return prolonged;
}

}  // namespace syncline
