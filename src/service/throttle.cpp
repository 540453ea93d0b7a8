#include "service/throttle.hpp"

#include "base/ip_address.hpp"

namespace syncline {
namespace {

constexpr std::size_t kNamesMax = 100'000;

}  // namespace

std::string counted_peer(const std::string& peer) {
  return is_loopback(peer) || peer == "-" ? std::string() : network_of_customer(peer);
}

Result<> Throttle::check(const std::string& name, Timestamp now) {
  const MutexLock lock(mutex_);
  const auto found = counted_.find(name);
  if (found == counted_.end() || found->second.failures < failures_max_ || is_over(found->second, now)) return {};
  const std::int64_t left_s = window_s_ - (now.micros - found->second.since.micros) / kMicrosPerSecond;
  return fail(ErrorCode::too_many,
              "too many failed attempts; try again in " + std::to_string(left_s / 60 + 1) + " min");
}

void Throttle::note_failure(const std::string& name, Timestamp now) {
  if (name.empty()) return;
  const MutexLock lock(mutex_);
  if (counted_.size() >= kNamesMax) {
    std::erase_if(counted_, [&](const auto& entry) { return is_over(entry.second, now); });
    if (counted_.size() >= kNamesMax) counted_.clear();
  }
  Counted& counted = counted_[name];
  if (counted.failures == 0 || is_over(counted, now)) counted = {0, now};
  counted.failures += 1;
}

void KnownNames::add(const std::string& name) {
  const MutexLock lock(mutex_);
  if (names_.size() >= kNamesMax) names_.clear();
  names_.insert(name);
}

bool KnownNames::has(const std::string& name) {
  const MutexLock lock(mutex_);
  return names_.contains(name);
}

void Throttle::forget(const std::string& name) {
  const MutexLock lock(mutex_);
  counted_.erase(name);
}

}  // namespace syncline
