// The table `key`: where the newest record of each key stands, in the order of the keys. It has all keys but the newest
// ones, which are in RecentKeys; how far it goes in each space, the file says itself:
//
//   meta keys_merged_before   keys of commits with a lesser number are in the table
//   space.merged_through      so are those of the space up to this seq, even if it was written later
//   meta raised_merged_through  raised stamps in rows of `raised` up to this number are in the table
//
// So what the table lacks is the tail of some feeds, and that is read when the store is opened. The table `superseded`
// lacks the same: the marks that the records of these tails have made (superseded_rows.hpp).
#pragma once

#include <map>

#include "store/sqlite/connection.hpp"
#include "store/sqlite/recent_keys.hpp"
#include "store/sqlite/superseded_rows.hpp"

namespace syncline::sqlite {

/// By space: the seq that its tail begins after. Spaces that the table has whole are not in it.
using Tails = std::map<std::int64_t, Seq>;
[[nodiscard]] Result<Tails> read_tails(Connection& connection);
/// Reads the table `superseded`, and the keys and marks of these tails; false if that table is damaged. A damaged row
/// is that of the key of the version which it replaced; if that cannot be told, of the key that it names, unless that
/// is another record's.
[[nodiscard]] Result<bool> load_recent(Connection& connection, const Tails& tails, RecentKeys& keys,
                                       SupersededRows& superseded);

/// Keys of commits before this one are in the table.
[[nodiscard]] Result<std::int64_t> read_first_unmerged_commit(Connection& connection);

/// Makes the marks and the tables `key` and `superseded` anew of the records, in a transaction of its own. The marks in
/// memory are right even if the tables cannot be written.
[[nodiscard]] Result<> rebuild_key_table(Connection& connection, SupersededRows& superseded);

/// Moves keys and marks from memory into their tables, within the transactions of the thread that writes.
class KeyMerger {
 public:
  struct Options {
    /// Keys that are gathered before they are merged.
    std::size_t generation_keys = RecentKeys::kGenerationKeys;
    /// Fewer are not worth a page each: they wait for others.
    std::size_t slice_keys_min = 64;
  };
  KeyMerger(RecentKeys& keys, SupersededRows& superseded, Options options)
      : keys_(keys), superseded_(superseded), options_(options) {}

  /// Stores what was raised in a space (append_raised()) with the open transaction.
  [[nodiscard]] Result<> store_raised(std::int64_t space, std::string_view stamps);

  /// `next_commit`: the number of the next commit.
  [[nodiscard]] Result<> prepare(Connection& connection, std::int64_t next_commit);

  /// What this transaction owes: so much that the older generation is in the table before the young one is full.
  [[nodiscard]] Result<> merge_share();
  /// As many, whatever is owed.
  [[nodiscard]] Result<> merge(std::size_t count_max);
  /// The transaction is committed, or it is not.
  void note_committed(std::int64_t next_commit);
  void note_rolled_back();

  /// False if the table has everything.
  [[nodiscard]] bool has_more() const { return !is_marked_ || keys_.young_size() > 0; }
  /// If nothing else is left, the young generation is merged from now on, full or not.
  void begin_rest(std::int64_t next_commit);

 private:
  void turn(std::int64_t next_commit);
  [[nodiscard]] Result<> put_mark();
  [[nodiscard]] Result<> store_marks(std::size_t count_max);

  RecentKeys& keys_;
  SupersededRows& superseded_;
  const Options options_;
  Statement put_key_, put_mark_, put_raised_mark_, put_chunk_, put_raised_, delete_raised_;
  /// The first commit whose keys are in the young generation.
  std::int64_t young_since_ = 0;
  bool has_commits_since_ = false;
  /// Numbers of rows of `raised`: the last one, the last of before the young generation, and the last one whose records
  /// can be in no tail any more. After an opening that is none: the tails were read again.
  std::int64_t last_raised_ = 0;
  std::int64_t raised_before_young_ = 0;
  std::int64_t raised_outside_tails_ = 0;
  /// The older generation is in the table, and the file says so.
  bool is_marked_ = true;
  bool marks_now_ = false;      // in this transaction
  std::size_t merged_now_ = 0;  // in this transaction
  std::size_t owed_ = 0;
  std::size_t owed_percent_ = 0;  // keys to merge for a hundred that come
};

}  // namespace syncline::sqlite
