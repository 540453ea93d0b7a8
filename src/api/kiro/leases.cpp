#include "api/kiro/leases.hpp"

#include <algorithm>

namespace syncline::kiro {
namespace {

/// A lease is stored again when this part of it has passed: often enough for whoever reads the row, seldom enough for
/// a runner that sends many requests.
constexpr std::int64_t kStoredParts = 5;

}  // namespace

void Leases::hold(Lease lease) {
  const MutexLock lock(mutex_);
  Entry& entry = entries_[lease.of];
  if (ended_.erase(lease.of) > 0) entry.has_row = true;
  if (entry.holder != lease.holder) entry.stored_until_ms = 0;
  entry.holder = std::move(lease.holder);
  entry.until_ms = lease.until_ms;
  entry.length_ms = lease.length_ms;
}

void Leases::erase(Entries::iterator entry) {
  // Most commands end before their lease was stored. What is being stored at this moment, save() notices.
  if (entry->second.has_row) ended_.insert(entry->first);
  entries_.erase(entry);
}

void Leases::end(const Of& of) {
  const MutexLock lock(mutex_);
  const auto entry = entries_.find(of);
  if (entry != entries_.end()) return erase(entry);
  ended_.insert(of);  // somebody else may have given it
}

void Leases::end_over(const Lease& lease) {
  const MutexLock lock(mutex_);
  const auto entry = entries_.find(lease.of);
  if (entry == entries_.end()) {
    ended_.insert(lease.of);
  } else if (is_same(entry->second, lease)) {
    erase(entry);
  }
}

void Leases::postpone(const Lease& lease, std::int64_t until_ms) {
  const MutexLock lock(mutex_);
  const auto [entry, is_new] = entries_.try_emplace(lease.of);
  if (is_new) {
    entry->second = {.holder = lease.holder, .length_ms = lease.length_ms, .has_row = true};
  } else if (!is_same(entry->second, lease)) {
    return;
  }
  entry->second.until_ms = until_ms;
}

void Leases::renew(std::string_view holder, std::int64_t length_ms, std::int64_t now_ms) {
  const MutexLock lock(mutex_);
  for (auto& [of, entry] : entries_) {
    if (entry.holder == holder && entry.length_ms == length_ms) entry.until_ms = now_ms + length_ms;
  }
}

std::set<std::string> Leases::holders(const SpaceName& space) const {
  const MutexLock lock(mutex_);
  std::set<std::string> holders;
  for (auto at = entries_.lower_bound({space, ""}); at != entries_.end() && at->first.space == space; ++at) {
    holders.insert(at->second.holder);
  }
  return holders;
}

Result<> Leases::adopt(const std::vector<Lease>& running) {
  std::vector<LeaseRow> rows;
  CHECK_OK(directory_.read([&](DirectoryView& view) {
    rows.clear();
    return view.leases_that_end(kTimestampMax, [&](const LeaseRow& row) {
      rows.push_back(row);
      return true;
    });
  }));
  for (const Lease& lease : running) hold(lease);
  const MutexLock lock(mutex_);
  for (const LeaseRow& row : rows) {
    const Of of{row.space, row.command};
    const auto entry = entries_.find(of);
    if (entry == entries_.end()) {
      ended_.insert(of);
      continue;
    }
    entry->second.has_row = true;
    if (entry->second.holder == row.holder) entry->second.stored_until_ms = row.until.millis();
  }
  return {};
}

Result<> Leases::save() {
  std::vector<Lease> changed;
  std::vector<Of> ended;
  {
    const MutexLock lock(mutex_);
    for (const auto& [of, entry] : entries_) {
      const bool is_new = entry.stored_until_ms == 0;
      if (!is_new && entry.until_ms - entry.stored_until_ms < entry.length_ms / kStoredParts) continue;
      if (!is_new && entry.until_ms == entry.stored_until_ms) continue;
      changed.push_back({of, entry.holder, entry.until_ms, entry.length_ms});
    }
    ended.assign(ended_.begin(), ended_.end());
  }
  if (changed.empty() && ended.empty()) return {};
  CHECK_OK(directory_.write([&](DirectoryTxn& txn) -> Result<> {
    for (const Of& of : ended) CHECK_OK(txn.remove_lease(of.space, of.command));
    for (const Lease& lease : changed) {
      CHECK_OK(txn.put_lease({lease.of.space, lease.of.command, lease.holder, Timestamp::from_millis(lease.until_ms)}));
    }
    return {};
  }));
  const MutexLock lock(mutex_);
  for (const Of& of : ended) {
    ended_.erase(of);
    // Held again meanwhile: what hold() took for its row is gone.
    if (const auto entry = entries_.find(of); entry != entries_.end()) entry->second.has_row = false;
  }
  for (const Lease& lease : changed) {
    const auto entry = entries_.find(lease.of);
    if (entry == entries_.end()) {
      ended_.insert(lease.of);  // it has ended meanwhile
      continue;
    }
    entry->second.has_row = true;
    if (entry->second.holder == lease.holder) entry->second.stored_until_ms = lease.until_ms;
  }
  return {};
}

Result<std::vector<Leases::Lease>> Leases::save_and_find_over(std::int64_t now_ms) {
  CHECK_OK(save());
  std::vector<LeaseRow> rows;
  CHECK_OK(directory_.read([&](DirectoryView& view) {
    rows.clear();
    return view.leases_that_end(Timestamp::from_millis(now_ms), [&](const LeaseRow& row) {
      rows.push_back(row);
      return true;
    });
  }));
  std::vector<Lease> over;
  const MutexLock lock(mutex_);
  for (const auto& [of, entry] : entries_) {
    if (entry.until_ms <= now_ms) over.push_back({of, entry.holder, entry.until_ms, entry.length_ms});
  }
  // And those of which only the rows know, because somebody else gave them.
  for (const LeaseRow& row : rows) {
    const Of of{row.space, row.command};
    if (entries_.contains(of) || ended_.contains(of)) continue;
    over.push_back({of, row.holder, row.until.millis(), 0});
  }
  return over;
}

Result<bool> Leases::is_over(const Lease& lease, std::int64_t now_ms) {
  std::optional<LeaseRow> row;
  const auto read = directory_.read([&](DirectoryView& view) -> Result<> {
    TRY(row, view.find_lease(lease.of.space, lease.of.command));
    return {};
  });
  // A row that cannot be believed says nothing.
  if (!read && read.error().code != ErrorCode::damaged) return std::unexpected(read.error());
  const MutexLock lock(mutex_);
  const auto entry = entries_.find(lease.of);
  if (entry != entries_.end()) {
    if (row && row->holder == entry->second.holder) {
      entry->second.until_ms = std::max(entry->second.until_ms, row->until.millis());
    }
    return entry->second.holder == lease.holder && entry->second.until_ms <= now_ms;
  }
  return !row || row->holder != lease.holder || row->until.millis() <= now_ms;
}

}  // namespace syncline::kiro
