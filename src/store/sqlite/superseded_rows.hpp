// Which rows of the table `record` have been replaced by newer ones. An update leaves the old row where it is, as the
// record's history; feeds pass over it. One bit for each seq, in chunks of 4,096.
//
// A mark is made when the newer row is written, and that row names the older one (`previous`). So the marks need not be
// durable with the commit: they are stored with the keys of their generation (key_table.hpp), and those that the file
// lacks are read from the same tails when a store is opened.
//
// A mark stays when its row has left the table: it is harmless there, and a reader that began before still needs it.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"
#include "base/mutex.hpp"

namespace syncline::sqlite {

/// Places of a chunk have the same number but for this many bits.
inline constexpr int kChunkBits = 12;
inline constexpr std::int64_t kChunkRows = std::int64_t{1} << kChunkBits;
constexpr std::int64_t chunk_of(std::int64_t pos) { return pos >> kChunkBits; }

class SupersededRows {
 public:
  using Bits = std::array<std::uint64_t, kChunkRows / 64>;

  /// The marks of one chunk as one snapshot sees them.
  struct View {
    std::int64_t chunk = -1;
    bool has_marks = false;
    Bits bits{};

    [[nodiscard]] bool contains(std::int64_t pos) const;
    /// The next place of the chunk that has no mark, at `pos` or after; the first of the next chunk if there is none.
    [[nodiscard]] std::int64_t next_unmarked(std::int64_t pos) const;
  };

  // Any thread.

  /// Marks that were made by a seq beyond `head` do not count.
  void look(std::int64_t chunk, Seq head, View& view) const EXCLUDES(mutex_);
  [[nodiscard]] bool contains(std::int64_t pos, Seq head) const EXCLUDES(mutex_);

  // While the store is being opened.

  /// `stored` as stored_form() made it. False if it is not what was stored.
  [[nodiscard]] bool load_chunk(std::int64_t chunk, std::string_view stored) EXCLUDES(mutex_);
  /// A mark that the file may not have.
  void load(std::int64_t pos) EXCLUDES(mutex_);

  // The thread that writes.

  /// The row at `pos` is replaced by one with the seq `by`, in this transaction, which will be commit `commit`
  /// (RecentKeys::next_commit).
  void mark(std::int64_t pos, Seq by, std::int64_t commit) EXCLUDES(mutex_);
  /// How many were marked in this transaction.
  [[nodiscard]] std::size_t marked_count() const { return journal_.size(); }
  /// Takes back all that were marked in this transaction but the first `count`.
  void take_back(std::size_t count = 0) EXCLUDES(mutex_);
  /// The transaction is committed, with the chunks that were listed by next_to_store(). Every reader of now began at
  /// commit `oldest` or later.
  void commit(std::int64_t oldest) EXCLUDES(mutex_);

  /// Chunks of the older generation that have marks which the file lacks, the first of them.
  [[nodiscard]] std::vector<std::int64_t> next_to_store(std::size_t count_max);
  [[nodiscard]] std::size_t unstored_count() const { return merging_dirty_.size(); }
  /// A blob for load_chunk().
  [[nodiscard]] std::string stored_form(std::int64_t chunk) const EXCLUDES(mutex_);
  /// The marks of the young generation are to be stored from now on. The older one is stored.
  void turn();

  /// The first chunk at `from` or after in which at least `percent` of the rows that are still in the table are
  /// superseded.
  [[nodiscard]] std::optional<std::int64_t> find_sparse_chunk(std::int64_t from, int percent) const EXCLUDES(mutex_);
  /// So many rows with marks have left the table, and the transaction is committed.
  void note_gone(std::int64_t chunk, std::int64_t count) EXCLUDES(mutex_);
  /// Has the marks of `made`, and no others.
  void take_over(SupersededRows& made) EXCLUDES(mutex_);
  void forget_spaces(const std::vector<std::int64_t>& spaces) EXCLUDES(mutex_);

 private:
  struct Chunk {
    Bits bits{};
    std::int64_t marked = 0;
    /// Of the marked, those whose rows have left the table.
    std::int64_t gone = 0;
  };
  /// A mark that some reader must not see yet.
  struct Fresh {
    std::int64_t until;  // every reader that begins at this commit or later sees it
    std::int64_t pos;
  };

  bool set_mark(std::int64_t pos) REQUIRES(mutex_);

  mutable SharedMutex mutex_;
  std::map<std::int64_t, Chunk> chunks_ GUARDED_BY(mutex_);
  std::map<std::int64_t, Seq> fresh_ GUARDED_BY(mutex_);  // by place: the seq that made the mark
  std::deque<Fresh> fresh_in_order_ GUARDED_BY(mutex_);
  // The writer's.
  std::vector<std::int64_t> journal_;  // places marked in this transaction
  std::set<std::int64_t> young_dirty_, merging_dirty_;
  std::vector<std::int64_t> storing_;  // chunks that this transaction stores
};

}  // namespace syncline::sqlite
