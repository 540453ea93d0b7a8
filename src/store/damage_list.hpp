// The rows of a store that are no longer what was written, as far as somebody has come across them. Each is logged
// once, so that a damaged row that is read again and again does not fill the log. Safe from any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/ids.hpp"
#include "base/mutex.hpp"

namespace syncline {

/// One damaged row, and as far as that can still be told, whose it is.
struct Damage {
  enum class Table : std::uint8_t { record, history, conflict, value, receipt, key_index };

  Table table = Table::record;
  SpaceName space;         // account 0 and no name if nobody can tell
  std::string collection;  // of versions; empty if nobody can tell
  std::string id;          // of versions; the name of a value, the key of a receipt
  Seq seq;                 // of versions
  /// Tells apart the rows of a table that have a number of their own: conflicts.
  std::int64_t number = 0;

  friend auto operator<=>(const Damage&, const Damage&) = default;
};
[[nodiscard]] std::string_view to_text(Damage::Table table);
/// A sentence for people.
[[nodiscard]] std::string describe(const Damage& damage);

class DamageList {
 public:
  /// Rows that are listed and counted; there may be more.
  static constexpr std::size_t kRowsMax = 10'000;

  void note(const Damage& damage);
  /// The row of a record was replaced.
  void forget(const SpaceName& space, Seq seq);
  /// The account was erased.
  void forget(AccountNumber account);
  void forget_all();

  /// What is known of the damaged row of a record.
  [[nodiscard]] std::optional<Damage> find(const SpaceName& space, Seq seq) const;
  /// Of one space, or of all, by table and seq.
  [[nodiscard]] std::vector<Damage> list(const std::optional<SpaceName>& space) const;
  [[nodiscard]] std::int64_t size() const { return size_; }

 private:
  using Key = std::tuple<Damage::Table, SpaceName, Seq, std::int64_t, std::string>;
  [[nodiscard]] static Key key_of(const Damage& damage);

  mutable Mutex mutex_;
  std::map<Key, Damage> rows_ GUARDED_BY(mutex_);
  /// So that nobody waits for the mutex while nothing is damaged.
  std::atomic<std::int64_t> size_ = 0;
  std::int64_t logged_ GUARDED_BY(mutex_) = 0;  // in this minute
  std::int64_t unlogged_ GUARDED_BY(mutex_) = 0;
  Deadline minute_ends_ GUARDED_BY(mutex_);
};

}  // namespace syncline
