// When keys were last used: counted in memory, and written down now and then.
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

Result<> Access::store_usage() {
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
