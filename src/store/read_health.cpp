#include "store/read_health.hpp"

#include "base/log.hpp"

namespace syncline {
namespace {

/// Accounts and keys are in the space of an account that nobody has.
constexpr AccountNumber kNobody{0};

}  // namespace

std::string_view to_text(ReadKind kind) {
  switch (kind) {
    case ReadKind::accounts: return "accounts";
    case ReadKind::spaces: return "spaces";
    case ReadKind::tables: return "tables";
  }
  return "tables";
}

bool ReadHealth::is_damage(const Error& error) {
  // A reader writes nothing: whatever the disk does not do for it is a failed read. A file that is no database any more
  // was one when it was opened.
  return error.code == ErrorCode::storage_damaged || error.code == ErrorCode::storage_broken ||
         error.code == ErrorCode::wrong_store;
}

ReadKind ReadHealth::kind_of(const SpaceName& space) {
  return space.account == kNobody ? ReadKind::accounts : ReadKind::spaces;
}

void ReadHealth::note(ReadKind kind, const Error& error, Time now) {
  if (!is_damage(error)) return;
  log(LogLevel::error, "read_failed", {{"kind", to_text(kind)}, {"error", error.text}});
  {
    const MutexLock lock(mutex_);
    failed_at_ = now;
    failure_ = error.text;
    Counted& counted = counted_.at(static_cast<std::size_t>(kind));
    counted.all += 1;
    counted.recent.push_back(now);
    while (now - counted.recent.front() >= kWindow) counted.recent.pop_front();
    if (counted.recent.size() < kFailuresMax) return;
    counted.recent.pop_front();
    if (std::exchange(is_reported_, true)) return;
  }
  if (on_damaged_) on_damaged_({ErrorCode::storage_damaged, error.text});
}

std::string ReadHealth::recent_failure(Time now) const {
  const MutexLock lock(mutex_);
  return failed_at_ && now - *failed_at_ < kWindow ? failure_ : "";
}

FailedReads ReadHealth::counts() const {
  const MutexLock lock(mutex_);
  FailedReads counts{};
  for (std::size_t i = 0; i < kReadKinds; ++i) counts.at(i) = counted_.at(i).all;
  return counts;
}

}  // namespace syncline
