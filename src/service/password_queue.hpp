// Requests that hash a password: each takes a core and 64 MiB for some tens of milliseconds, and needs no credential.
// So they have threads of their own, few may wait, and one client has only some of the places. Safe from any thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/mutex.hpp"
#include "base/result.hpp"
#include "base/scheduler.hpp"

namespace syncline {

class PasswordQueue {
 public:
  /// Waiting or being served. Few enough that the last one is served before its client gives up.
  struct Limits {
    std::size_t all = 32;
    std::size_t per_client = 4;
  };

  /// `threads` outlives the queue, and what it has been given.
  explicit PasswordQueue(Executor& threads) : PasswordQueue(threads, Limits{}) {}
  PasswordQueue(Executor& threads, Limits limits) : threads_(threads), places_(std::make_shared<Places>(limits)) {}

  /// `busy` if there is no place. An empty client is nobody in particular, and has any place. What `run` does is done
  /// by whoever acts on this thread (ActingAs).
  [[nodiscard]] Result<> post(const std::string& client, std::move_only_function<void()> run);

 private:
  struct Places {
    explicit Places(Limits of) : limits(of) {}
    [[nodiscard]] bool take(const std::string& client);
    void free(const std::string& client);

    const Limits limits;
    Mutex mutex;
    std::size_t taken GUARDED_BY(mutex) = 0;
    std::unordered_map<std::string, std::size_t> by_client GUARDED_BY(mutex);
  };

  Executor& threads_;
  const std::shared_ptr<Places> places_;
};

}  // namespace syncline
