#include "net/body_budget.hpp"

#include <algorithm>

namespace syncline::net {

void BodyBudget::Charge::begin(BodyBudget& budget, const std::string& payer) {
  release();
  budget_ = &budget;
  share_ = budget.share_of(payer);
}

BodyBudget::Verdict BodyBudget::Charge::grow_to(std::size_t bytes) {
  if (bytes <= bytes_) return Verdict::taken;
  const std::size_t more = bytes - bytes_;
  const std::size_t mine = share_->bytes.fetch_add(more) + more;
  const std::size_t all = budget_->bytes_.fetch_add(more) + more;
  const Limits& limits = budget_->limits_;
  const bool share_is_full = mine > limits.share;
  if (share_is_full || (all > limits.all && mine > limits.granted)) {
    share_->bytes -= more;
    budget_->bytes_ -= more;
    return share_is_full ? Verdict::share_is_used_up : Verdict::all_is_used_up;
  }
  bytes_ = bytes;
  for (std::size_t peak = budget_->peak_; peak < all && !budget_->peak_.compare_exchange_weak(peak, all);) {
  }
  return Verdict::taken;
}

void BodyBudget::Charge::release() {
  if (share_ == nullptr) return;
  share_->bytes -= bytes_;
  budget_->bytes_ -= bytes_;
  bytes_ = 0;
  share_.reset();
}

std::shared_ptr<BodyBudget::Share> BodyBudget::share_of(const std::string& payer) {
  const MutexLock lock(mutex_);
  if (shares_.size() >= shares_max_) {
    std::erase_if(shares_, [](const auto& entry) { return entry.second.expired(); });
    shares_max_ = std::max<std::size_t>(64, 2 * shares_.size());
  }
  std::weak_ptr<Share>& known = shares_[payer];
  auto share = known.lock();
  if (share == nullptr) known = share = std::make_shared<Share>();
  return share;
}

}  // namespace syncline::net
