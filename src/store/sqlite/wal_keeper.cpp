#include "store/sqlite/wal_keeper.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "base/log.hpp"

namespace syncline::sqlite {
namespace {

/// So few pages are copied by the writer in a few milliseconds.
constexpr std::int64_t kFewFrames = 512;
/// The background thread follows a busy writer this often before it leaves the rest to it.
constexpr int kRoundsMax = 4;
constexpr std::int64_t kHardStepBytes = 16LL << 20U;

}  // namespace

WalKeeper::WalKeeper(Connection background, std::function<void(const Error&)> on_failure)
    : background_(std::move(background)), on_failure_(std::move(on_failure)), thread_([this] { run(); }) {}

WalKeeper::~WalKeeper() {
  {
    const MutexLock lock(mutex_);
    phase_ = Phase::stopping;
  }
  changed_.notify_one();
  thread_.join();
}

Result<> WalKeeper::after_commit(Connection& writer, std::int64_t log_bytes) {
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

void WalKeeper::run() {
  MutexLock lock(mutex_);
  for (;;) {
    while (phase_ != Phase::copying && phase_ != Phase::stopping) changed_.wait(mutex_);
    if (phase_ == Phase::stopping) return;
    lock.unlock();
    copy_most();
    lock.lock();
    if (phase_ == Phase::copying) phase_ = Phase::finishing;
  }
}

void WalKeeper::copy_most() {
  for (int round = 0; round < kRoundsMax; ++round) {
    const auto progress = background_.checkpoint_passive();
    if (!progress) {
      on_failure_(progress.error());
      return;
    }
    if (progress->frames_in_log - progress->frames_done < kFewFrames) return;
  }
}

}  // namespace syncline::sqlite
