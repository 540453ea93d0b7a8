#include "node/hub_session.hpp"

#include <algorithm>

namespace syncline::node {

void HubSession::begin(const replica::HubAccount& account) {
  const MutexLock lock(mutex_);
  account_ = account;
  since_ = std::chrono::steady_clock::now();
}

replica::HubAccount HubSession::account() {
  const MutexLock lock(mutex_);
  return account_;
}

bool HubSession::needs_renewal(bool is_refused) {
  const MutexLock lock(mutex_);
  if (account_.session.empty()) return false;
  if (std::chrono::steady_clock::now() < since_ + wait_) return false;
  const bool is_old = account_.renew_at && clock_.now() >= *account_.renew_at;
  // A new one that is refused too does not help: then less and less often.
  wait_ = is_refused ? std::min(wait_ * 2, kWaitMax) : kWaitMin;
  return is_old || is_refused;
}

}  // namespace syncline::node
