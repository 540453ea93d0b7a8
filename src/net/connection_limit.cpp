#include "net/connection_limit.hpp"

namespace syncline::net {

std::optional<ConnectionLimit::Place> ConnectionLimit::take(const std::string& peer) {
  if (count_ >= limits_.all) return std::nullopt;
  std::string address;
  if (limits_.per_address > 0 && !limits_.proxies.contains(peer)) {
    address = network_of_customer(peer);
    const MutexLock lock(mutex_);
    std::size_t& count = counts_[address];
    if (count >= limits_.per_address) return std::nullopt;
    count += 1;
  }
  const std::size_t now = ++count_;
  for (std::size_t peak = peak_; peak < now && !peak_.compare_exchange_weak(peak, now);) {
  }
  return Place(*this, std::move(address));
}

void ConnectionLimit::free(const std::string& address) {
  count_ -= 1;
  if (address.empty()) return;
  const MutexLock lock(mutex_);
  const auto found = counts_.find(address);
  if (--found->second == 0) counts_.erase(found);
}

}  // namespace syncline::net
