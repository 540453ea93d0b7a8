#include "api/kiro/runners.hpp"

#include <algorithm>

namespace syncline::kiro {

class Runners::Waiting {
 public:
  Waiting(const std::shared_ptr<Shared>& shared, std::pair<SpaceName, std::string> key)
      : shared_(shared), key_(std::move(key)) {
    const MutexLock lock(shared->mutex);
    shared->runners[key_].waiting += 1;
  }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  ~Waiting() {
    const auto shared = shared_.lock();
    if (!shared) return;
    const MutexLock lock(shared->mutex);
    const auto runner = shared->runners.find(key_);
    if (runner != shared->runners.end()) runner->second.waiting -= 1;
  }

 private:
  const std::weak_ptr<Shared> shared_;
  const std::pair<SpaceName, std::string> key_;
};

std::shared_ptr<Runners::Waiting> Runners::wait(const SpaceName& space, const std::string& key_id) {
  return std::make_shared<Waiting>(shared_, std::pair(space, key_id));
}

void Runners::note(const SpaceName& space, const std::string& key_id, std::int64_t until_ms, std::int64_t now_ms) {
  const MutexLock lock(shared_->mutex);
  auto& runners = shared_->runners;
  Runner& runner = runners[{space, key_id}];
  runner.until_ms = std::max(runner.until_ms, until_ms);
  const auto is_gone = [now_ms](const auto& entry) {
    return entry.second.waiting == 0 && entry.second.until_ms <= now_ms;
  };
  for (auto at = runners.lower_bound({space, ""}); at != runners.end() && at->first.first == space;) {
    at = is_gone(*at) ? runners.erase(at) : std::next(at);
  }
}

std::size_t Runners::count(const SpaceName& space, std::set<std::string> busy, std::int64_t now_ms) {
  const MutexLock lock(shared_->mutex);
  auto& runners = shared_->runners;
  for (auto at = runners.lower_bound({space, ""}); at != runners.end() && at->first.first == space; ++at) {
    if (at->second.waiting > 0 || at->second.until_ms > now_ms) busy.insert(at->first.second);
  }
  return busy.size();
}

}  // namespace syncline::kiro
