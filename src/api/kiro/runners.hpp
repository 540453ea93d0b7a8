// Which runners of a space are connected: those that wait for a command, and those that were heard of lately. For
// people only; a runner that has just been killed counts until its request ends. Safe from any thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "base/mutex.hpp"
#include "core/record.hpp"

namespace syncline::kiro {

class Runners {
 public:
  /// A runner waits as long as one of these lives. It may outlive the Runners.
  class Waiting;

  [[nodiscard]] std::shared_ptr<Waiting> wait(const SpaceName& space, const std::string& key_id);
  /// The runner was heard of: it counts until then.
  void note(const SpaceName& space, const std::string& key_id, std::int64_t until_ms, std::int64_t now_ms);
  /// How many there are, counting those of `busy` in any case.
  [[nodiscard]] std::size_t count(const SpaceName& space, std::set<std::string> busy, std::int64_t now_ms);

 private:
  struct Runner {
    std::size_t waiting = 0;  // requests
    std::int64_t until_ms = 0;
  };
  struct Shared {
    Mutex mutex;
    std::map<std::pair<SpaceName, std::string>, Runner> runners GUARDED_BY(mutex);  // by space and key
  };
  const std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

}  // namespace syncline::kiro
