// How spaces, collections and records map to rows: interned numbers, packed positions, and the shared knowledge of
// which numbers are taken. The catalog is read by many threads and changed by the writer after each commit.
#pragma once

#include <map>
#include <unordered_map>

#include "base/mutex.hpp"
#include "store/sqlite/connection.hpp"
#include "store/store.hpp"

namespace syncline::sqlite {

inline constexpr int kSeqBits = 40;         // a trillion changes a space
inline constexpr int kCollectionBits = 12;  // limits::kCollectionsMax

constexpr std::int64_t pack_pos(std::int64_t space, Seq seq) { return space << kSeqBits | seq.value; }
constexpr Seq seq_of(std::int64_t pos) { return {pos & ((std::int64_t{1} << kSeqBits) - 1)}; }
constexpr std::int64_t pack_scope(std::int64_t space, std::int64_t collection) {
  return space << kCollectionBits | collection;
}
constexpr std::int64_t collection_of(std::int64_t scope) { return scope & ((std::int64_t{1} << kCollectionBits) - 1); }
constexpr std::int64_t pack_flags(Rule rule, bool deleted) {
  return static_cast<std::int64_t>(rule) << 1 | static_cast<std::int64_t>(deleted);
}

/// The names behind the numbers of one space.
struct SpaceEntry {
  std::int64_t number = 0;
  std::vector<std::string> collections;  // by number

  [[nodiscard]] std::optional<std::int64_t> collection_number(std::string_view name) const;
};

/// The columns of `record` in the order that read_record() expects, without the table's name.
inline constexpr std::string_view kRecordColumns =
    "pos, scope, id, updated_at, effective_lift, claimed_at, committed_at, origin, flags, previous, doc";

/// Reads kRecordColumns of the current row, valid until the next step.
[[nodiscard]] RecordView read_record(const Statement& row, const SpaceEntry& space);

/// Binds kRecordColumns from parameter 1 on. `record` must outlive the step.
void bind_record(Statement& statement, const Record& record, const SpaceEntry& space);

/// What is known of all spaces. Readers see only what is committed.
class Catalog {
 public:
  [[nodiscard]] Result<> load(Connection& connection);

  /// Nothing for a space that was never written.
  [[nodiscard]] std::shared_ptr<const SpaceEntry> find(const SpaceName& name) const;
  [[nodiscard]] Seq head(const SpaceName& name) const;
  [[nodiscard]] std::int64_t last_number() const;
  void forget(AccountNumber account);
  void publish(const SpaceName& name, std::shared_ptr<const SpaceEntry> entry, Seq head);

 private:
  struct Known {
    std::shared_ptr<const SpaceEntry> entry;
    Seq head;
  };
  mutable SharedMutex mutex_;
  std::unordered_map<SpaceName, Known> spaces_ GUARDED_BY(mutex_);
  std::int64_t last_number_ GUARDED_BY(mutex_) = 0;
};

}  // namespace syncline::sqlite
