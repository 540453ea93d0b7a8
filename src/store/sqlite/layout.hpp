// How spaces, collections and records map to rows: interned numbers, packed places, and the shared knowledge of
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

/// Above every seq.
inline constexpr Seq kAnySeq{INT64_MAX};

constexpr std::int64_t pack_pos(std::int64_t space, Seq seq) { return space << kSeqBits | seq.value; }
constexpr Seq seq_of(std::int64_t pos) { return {pos & ((std::int64_t{1} << kSeqBits) - 1)}; }
constexpr std::int64_t pack_scope(std::int64_t space, std::int64_t collection) {
  return space << kCollectionBits | collection;
}
constexpr std::int64_t space_of_pos(std::int64_t pos) { return pos >> kSeqBits; }
constexpr std::int64_t space_of_scope(std::int64_t scope) { return scope >> kCollectionBits; }
constexpr std::int64_t collection_of(std::int64_t scope) { return scope & ((std::int64_t{1} << kCollectionBits) - 1); }
/// Of conflicts.
constexpr std::int64_t pack_flags(Rule rule, bool deleted) {
  return static_cast<std::int64_t>(rule) << 1 | static_cast<std::int64_t>(deleted);
}

/// The names behind the numbers of one space, and who wrote it.
struct SpaceEntry {
  std::int64_t number = 0;
  std::vector<std::string> collections;  // by number
  /// Ends with the incarnation of this opening, stored or not.
  std::shared_ptr<const Lineage> lineage;
  bool has_stored_incarnation = false;

  [[nodiscard]] std::optional<std::int64_t> collection_number(std::string_view name) const;
};

/// Reads the current row of a query for `pos, row` of `record` or `history`; texts are valid until the next step.
/// Nothing if it is not what was written, or not one of that space.
[[nodiscard]] std::optional<RecordView> read_version(const Statement& row, const SpaceEntry& space);

/// What is known of all spaces. Readers see only what is committed.
class Catalog {
 public:
  /// `incarnation`: of this opening of the store.
  explicit Catalog(IncarnationId incarnation);

  [[nodiscard]] Result<> load(Connection& connection);

  /// Nothing for a space that was never written.
  [[nodiscard]] std::shared_ptr<const SpaceEntry> find(const SpaceName& name) const;
  [[nodiscard]] Seq head(const SpaceName& name) const;
  /// The store's, unless the space has one of its own.
  [[nodiscard]] std::string epoch(const SpaceName& name) const;
  [[nodiscard]] std::shared_ptr<const Lineage> lineage(const SpaceName& name) const;
  /// The entry of a space that is about to be written for the first time.
  [[nodiscard]] SpaceEntry make_entry() const { return {.lineage = new_lineage_}; }
  [[nodiscard]] std::int64_t last_number() const;
  void forget(AccountNumber account);
  void publish(const SpaceName& name, std::shared_ptr<const SpaceEntry> entry, Seq head);

 private:
  struct Known {
    std::shared_ptr<const SpaceEntry> entry;
    Seq head;
  };
  const IncarnationId incarnation_;
  const std::shared_ptr<const Lineage> new_lineage_;  // of a space without changes
  mutable SharedMutex mutex_;
  std::unordered_map<SpaceName, Known> spaces_ GUARDED_BY(mutex_);
  std::string epoch_ GUARDED_BY(mutex_);
  /// Of spaces that came from another store with their history.
  std::unordered_map<SpaceName, std::string> own_epochs_ GUARDED_BY(mutex_);
  std::int64_t last_number_ GUARDED_BY(mutex_) = 0;
};

}  // namespace syncline::sqlite
