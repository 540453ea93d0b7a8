// How well a store can be read. Counts the reads that failed because what is stored is damaged, by what was to be read,
// and reports damage once it repeats: whatever serves from such a store must stop. A full disk and a lock that somebody
// holds are no damage. Safe from any thread.
#pragma once

#include <array>
#include <chrono>
#include <deque>
#include <functional>
#include <optional>
#include <string>

#include "base/mutex.hpp"
#include "store/store.hpp"

namespace syncline {

[[nodiscard]] std::string_view to_text(ReadKind kind);

class ReadHealth {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// One failed read may be a disturbance; more of them in a minute are not.
  static constexpr std::size_t kFailuresMax = 5;
  static constexpr std::chrono::minutes kWindow{1};

  /// `on_damaged` is called once, on the thread whose read was one too many. Null: nobody.
  explicit ReadHealth(std::function<void(const Error&)> on_damaged) : on_damaged_(std::move(on_damaged)) {}

  [[nodiscard]] static bool is_damage(const Error& error);
  /// What a read of that space is a read of.
  [[nodiscard]] static ReadKind kind_of(const SpaceName& space);

  /// Counts the error if it is damage; any other is ignored.
  void note(ReadKind kind, const Error& error, Time now = std::chrono::steady_clock::now());

  /// Why the last read failed, for a minute from then on; empty if none did.
  [[nodiscard]] std::string recent_failure(Time now = std::chrono::steady_clock::now()) const;
  /// Since the start, by kind.
  [[nodiscard]] FailedReads counts() const;

 private:
  struct Counted {
    std::deque<Time> recent;  // at most kFailuresMax
    std::int64_t all = 0;
  };

  const std::function<void(const Error&)> on_damaged_;
  mutable Mutex mutex_;
  std::array<Counted, kReadKinds> counted_ GUARDED_BY(mutex_);
  std::optional<Time> failed_at_ GUARDED_BY(mutex_);
  std::string failure_ GUARDED_BY(mutex_);
  bool is_reported_ GUARDED_BY(mutex_) = false;
};

}  // namespace syncline
