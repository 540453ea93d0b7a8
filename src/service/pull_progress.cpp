#include "service/pull_progress.hpp"

#include "base/text.hpp"
#include "service/access.hpp"

namespace syncline {
namespace {

constexpr std::string_view kProgressCollection = "pull_progress";

std::string id_of(KeyNumber key, const SpaceName& space) {
  return std::to_string(key.value) + '/' + std::to_string(space.account.value) + '/' + space.name;
}

}  // namespace

Result<> PullProgress::load() {
  TRY(const auto infos, store_.spaces(std::nullopt));
  std::unordered_map<std::string, Progress> stored;
  CHECK_OK(store_.read(system_space(), [&](Snapshot& snapshot) {
    return snapshot.scan(kProgressCollection, "", [&](const RecordView& record) {
      stored[std::string(record.id)] = {Seq{parse_integer(record.doc).value_or(0)}, false};
      return true;
    });
  }));
  const MutexLock lock(mutex_);
  for (const SpaceInfo& info : infos) heads_at_start_[info.name] = info.head;
  progress_ = std::move(stored);
  return {};
}

void PullProgress::note(KeyNumber key, const SpaceName& space, Seq seq) {
  if (seq.value == 0) return;
  const MutexLock lock(mutex_);
  Progress& progress = progress_[id_of(key, space)];
  if (seq <= progress.seq) return;
  progress = {seq, true};
}

Seq PullProgress::seen_through(KeyNumber key, const SpaceName& space) const {
  const MutexLock lock(mutex_);
  const auto found = progress_.find(id_of(key, space));
  return found == progress_.end() ? Seq{} : found->second.seq;
}

Seq PullProgress::head_at_start(const SpaceName& space) const {
  const MutexLock lock(mutex_);
  const auto found = heads_at_start_.find(space);
  return found == heads_at_start_.end() ? Seq{} : found->second;
}

Result<> PullProgress::save() {
  std::vector<std::pair<std::string, Seq>> unsaved;
  {
    const MutexLock lock(mutex_);
    for (auto& [id, progress] : progress_) {
      if (progress.unsaved) unsaved.emplace_back(id, progress.seq);
      progress.unsaved = false;
    }
  }
  if (unsaved.empty()) return {};
  const auto written = write_and_wait(store_, system_space(), {}, [&](Txn& txn) -> Result<> {
    for (const auto& [id, seq] : unsaved) {
      TRY(const auto existing, txn.find(kProgressCollection, id));
      Record record;
      record.collection = kProgressCollection;
      record.id = id;
      record.updated_at = record.effective_at = txn.stamp();
      record.doc = std::to_string(seq.value);
      txn.put(std::move(record), existing ? &*existing : nullptr);
    }
    return {};
  });
  if (!written) return std::unexpected(written.error());
  return {};
}

}  // namespace syncline
