#include "store/sqlite/wal_keeper.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/limits.hpp"
#include "base/log.hpp"
#include "base/thread_name.hpp"

namespace syncline::sqlite {
namespace {

/// So few pages are copied by the writer between two commits. More: the background thread has done sooner; those who
/// wait for the next commit wait longer.
constexpr std::int64_t kFewFrames = 64;
/// The background thread follows a busy writer this often before it leaves the rest to it.
constexpr int kRoundsMax = 4;
constexpr std::int64_t kHardStepBytes = 16LL << 20U;
/// Between two syncs of the mark. Longer: less for the disk to do; more commits whose loss in a power cut stays unseen.
constexpr auto kSyncInterval = std::chrono::milliseconds(100);

}  // namespace

WalKeeper::WalKeeper(Connection background, CommitMark& mark, Options options)
    : background_(std::move(background)),
      mark_(mark),
      room_(background_.log_path()),
      options_(std::move(options)),
      thread_([this] { run(); }) {}

WalKeeper::~WalKeeper() {
  {
    const MutexLock lock(mutex_);
    phase_ = Phase::stopping;
  }
  changed_.notify_one();
  thread_.join();
  mark_.sync();
}

void WalKeeper::note_commit() {
  const auto now = Deadline::clock::now();
  bool was_resting = false;
  {
    const MutexLock lock(mutex_);
    was_resting = !sync_at_;
    if (was_resting) sync_at_ = now + kSyncInterval;
    empty_at_ = now + std::chrono::milliseconds(options_.empty_after_ms);
  }
  if (was_resting) changed_.notify_one();
}

void WalKeeper::make_room(std::int64_t log_bytes) {
  if (!room_.after_commit(log_bytes)) return;
  {
    const MutexLock lock(mutex_);
    room_is_new_ = true;
  }
  changed_.notify_one();
}

Result<> WalKeeper::after_commit(Connection& writer, std::int64_t log_bytes) {
  note_commit();
  make_room(log_bytes);
  if (log_bytes >= std::max(limits::kWalHardBytes, next_hard_bytes_)) {
    TRY(const CheckpointProgress progress, writer.checkpoint_passive());
    const std::int64_t frames_left = progress.frames_in_log - progress.frames_done;
    next_hard_bytes_ = frames_left > 0 ? log_bytes + kHardStepBytes : 0;
    log(LogLevel::warning, "wal_hard_bound", {{"wal_bytes", log_bytes}, {"frames_left", frames_left}});
    return {};
  }
  MutexLock lock(mutex_);
  if (phase_ == Phase::idle && log_bytes >= limits::kWalSoftBytes) {
    phase_ = Phase::copying;
    changed_.notify_one();
  } else if (phase_ == Phase::finishing) {
    lock.unlock();
    TRY(const CheckpointProgress progress, writer.checkpoint_passive());
    lock.lock();
    // A reader of old pages keeps some back: the next commit tries again.
    if (progress.frames_done == progress.frames_in_log && phase_ == Phase::finishing) phase_ = Phase::idle;
  }
  return {};
}

std::optional<Deadline> WalKeeper::next_task() const {
  return sync_at_ && empty_at_ ? std::min(sync_at_, empty_at_) : sync_at_ ? sync_at_ : empty_at_;
}

void WalKeeper::run() {
  name_thread("wal keeper");
  MutexLock lock(mutex_);
  for (;;) {
    const auto task = next_task();
    const auto now = Deadline::clock::now();
    if (phase_ == Phase::stopping) return;
    if (std::exchange(room_is_new_, false)) {
      lock.unlock();
      room_.sync();
      lock.lock();
    } else if (phase_ == Phase::copying) {
      lock.unlock();
      copy_most();
      lock.lock();
      if (phase_ == Phase::copying) phase_ = Phase::finishing;
    } else if (sync_at_ && *sync_at_ <= now) {
      sync_at_.reset();
      lock.unlock();
      mark_.sync();
      lock.lock();
    } else if (empty_at_ && *empty_at_ <= now) {
      const auto asked_at = std::exchange(empty_at_, std::nullopt);
      lock.unlock();
      const bool is_empty = empty_log();
      lock.lock();
      // Whoever commits meanwhile sets the next time.
      if (!is_empty && !empty_at_) empty_at_ = *asked_at + std::chrono::milliseconds(options_.empty_after_ms);
      if (is_empty && phase_ == Phase::finishing) phase_ = Phase::idle;
    } else if (task) {
      (void)changed_.wait_until(mutex_, *task);
    } else {
      changed_.wait(mutex_);
    }
  }
}

bool WalKeeper::empty_log() {
  // First the bulk, which disturbs nobody; then, with the writer kept out, what is left of it.
  auto progress = background_.checkpoint_passive();
  if (progress) progress = background_.try_checkpoint_truncate();
  if (!progress) {
    options_.on_failure(progress.error());
    return true;  // the next commit tries again
  }
  const bool is_empty = progress->frames_in_log == 0;
  if (is_empty) options_.on_empty();
  return is_empty;
}

void WalKeeper::copy_most() {
  std::int64_t done_before = 0;
  for (int round = 0; round < kRoundsMax; ++round) {
    const auto progress = background_.checkpoint_passive();
    if (!progress) {
      options_.on_failure(progress.error());
      return;
    }
    // SQLite syncs what it has copied once it has copied the last page. That is the writer's part, and the writer must
    // not wait for all that was copied here.
    if (const auto synced = background_.sync_database(); !synced) {
      options_.on_failure(synced.error());
      return;
    }
    // What the writer has added meanwhile is not in the log that this round saw.
    if (progress->frames_done - std::exchange(done_before, progress->frames_done) < kFewFrames) return;
  }
}

}  // namespace syncline::sqlite
