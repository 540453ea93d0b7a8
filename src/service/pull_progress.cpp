#include "service/pull_progress.hpp"

#include <algorithm>
#include <vector>

namespace syncline {
namespace {

/// More than this are read again when they are needed: about 30 MB.
constexpr std::size_t kPlacesMax = 200'000;

}  // namespace

Result<> PullProgress::load() {
  TRY(const auto infos, store_.spaces(std::nullopt));
  const MutexLock lock(mutex_);
  for (const SpaceInfo& info : infos) heads_at_start_[info.name] = info.head;
  return {};
}

PullProgress::Progress& PullProgress::progress_of(const Place& place) {
  if (progress_.size() >= kPlacesMax && !progress_.contains(place)) {
    for (auto at = progress_.begin(); at != progress_.end();) {
      at = unsaved_.contains(at->first) ? std::next(at) : progress_.erase(at);
    }
  }
  return progress_[place];
}

void PullProgress::note(KeyNumber key, const SpaceName& space, Seq seq) {
  if (seq.value == 0) return;
  const Place place{key, space};
  const MutexLock lock(mutex_);
  Progress& progress = progress_of(place);
  if (seq <= progress.seq) return;
  progress.seq = seq;
  unsaved_.insert(place);
}

Result<Seq> PullProgress::seen_through(KeyNumber key, const SpaceName& space) {
  const Place place{key, space};
  {
    const MutexLock lock(mutex_);
    const auto found = progress_.find(place);
    if (found != progress_.end() && found->second.has_stored) return found->second.seq;
  }
  Seq stored;
  CHECK_OK(directory_.read([&](DirectoryView& view) -> Result<> {
    TRY(stored, view.find_pulled(key, space));
    return {};
  }));
  const MutexLock lock(mutex_);
  Progress& progress = progress_of(place);
  progress.seq = std::max(progress.seq, stored);
  progress.has_stored = true;
  return progress.seq;
}

Seq PullProgress::head_at_start(const SpaceName& space) const {
  const MutexLock lock(mutex_);
  const auto found = heads_at_start_.find(space);
  return found == heads_at_start_.end() ? Seq{} : found->second;
}

Result<> PullProgress::save() {
  std::vector<PulledRow> unsaved;
  {
    const MutexLock lock(mutex_);
    for (const Place& place : unsaved_) unsaved.push_back({place.key, place.space, progress_[place].seq});
    unsaved_.clear();
  }
  if (unsaved.empty()) return {};
  const auto written = directory_.write([&](DirectoryTxn& txn) -> Result<> {
    for (const PulledRow& row : unsaved) CHECK_OK(txn.put_pulled(row));
    return {};
  });
  if (written) return {};
  const MutexLock lock(mutex_);
  for (const PulledRow& row : unsaved) {  // for the next time
    Progress& progress = progress_of({row.key, row.space});
    progress.seq = std::max(progress.seq, row.seq);
    unsaved_.insert({row.key, row.space});
  }
  return std::unexpected(written.error());
}

}  // namespace syncline
