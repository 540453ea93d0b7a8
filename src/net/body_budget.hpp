// The memory that bodies of requests take, from their first byte until they are answered. Bytes count as they arrive,
// not as they are announced, and each payer (an account, or an address that has named none) has a share: who sends
// slowly or sends much holds up nobody else. Safe from any thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/mutex.hpp"

namespace syncline::net {

class BodyBudget {
 public:
  struct Limits {
    std::size_t all = 0;
    std::size_t share = 0;
    /// So much every payer gets, however much the others have.
    std::size_t granted = 0;
  };
  enum class Verdict { taken, share_is_used_up, all_is_used_up };

 private:
  struct Share {
    std::atomic<std::size_t> bytes = 0;
  };

 public:
  /// What one body has taken. Belongs to its connection; gives back what it has at the end.
  class Charge {
   public:
    Charge() = default;
    Charge(const Charge&) = delete;
    Charge& operator=(const Charge&) = delete;
    ~Charge() { release(); }

    /// The budget outlives the charge.
    void begin(BodyBudget& budget, const std::string& payer);
    [[nodiscard]] bool has_begun() const { return share_ != nullptr; }
    /// From `taken` on, the body may have so many bytes; otherwise it has as many as before. After begin().
    [[nodiscard]] Verdict grow_to(std::size_t bytes);
    void release();

   private:
    BodyBudget* budget_ = nullptr;
    std::shared_ptr<Share> share_;
    std::size_t bytes_ = 0;
  };

  explicit BodyBudget(const Limits& limits) : limits_(limits) {}

  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  /// The most bytes since the last call.
  [[nodiscard]] std::size_t take_peak() { return peak_.exchange(bytes_); }

 private:
  [[nodiscard]] std::shared_ptr<Share> share_of(const std::string& payer);

  const Limits limits_;
  std::atomic<std::size_t> bytes_ = 0;
  std::atomic<std::size_t> peak_ = 0;
  Mutex mutex_;
  /// Those that nobody has any more are removed when the list has doubled.
  std::unordered_map<std::string, std::weak_ptr<Share>> shares_ GUARDED_BY(mutex_);
  std::size_t shares_max_ GUARDED_BY(mutex_) = 64;
};

}  // namespace syncline::net
