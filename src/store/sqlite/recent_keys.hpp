// The keys that the key table does not have yet. Ids are random, so in the table each new one lies on a page of its
// own: the writer gathers them here and puts them into the table in the order of the key, where many share a page.
//
// There are two generations. Every change goes to the young one. The older one loses a slice to the table with each
// commit; once it is empty, the young one takes its place. Nothing here is durable, for the records are: the newest of
// them are read again when a store is opened (key_table.hpp).
//
// A reader asks for the state of its snapshot. An entry counts for it only if its seq is not beyond the snapshot's
// head, and what was replaced or merged stays until every reader that began before has ended: the table that such a
// reader sees does not have it.
//
// A record whose stamps are raised has an entry too, with the place that it had before; readers may see the stamps of
// either moment.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory_resource>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/ids.hpp"
#include "base/mutex.hpp"
#include "store/sqlite/key_filter.hpp"
#include "store/sqlite/raised_stamps.hpp"

namespace syncline::sqlite {

/// The key of a record, in the numbers of the store.
struct RecordKey {
  std::int64_t scope = 0;
  std::string id;
};

class RecentKeys {
 public:
  /// Keys of the young generation before it is merged. More: fewer pages written for each key, more memory (120 bytes
  /// each), more to read when a store is opened after a crash.
  static constexpr std::size_t kGenerationKeys = 524'288;

  RecentKeys() = default;
  RecentKeys(const RecentKeys&) = delete;
  RecentKeys& operator=(const RecentKeys&) = delete;
  ~RecentKeys() = default;

  // Any thread.

  /// Held by a reader from before its snapshot begins until after that has ended.
  class Pin {
   public:
    explicit Pin(RecentKeys& keys) : keys_(keys), at_(keys.add_pin()) {}
    Pin(const Pin&) = delete;
    Pin& operator=(const Pin&) = delete;
    ~Pin() { keys_.remove_pin(at_); }

   private:
    RecentKeys& keys_;
    const std::multiset<std::int64_t>::iterator at_;
  };

  struct Found {
    Place place;  // nowhere: it is not here
    /// Nothing in the table can be newer. Else the greater of the two places is the record's.
    bool is_newest = false;
  };
  /// The newest place of the key that is not beyond `head`.
  [[nodiscard]] Found find(std::int64_t scope, std::string_view id, Seq head) const EXCLUDES(mutex_);

  struct Listed {
    std::string id;
    Place place;
    int age = 0;  // of two entries with the same place, the younger one counts
  };
  struct Page {
    std::vector<Listed> keys;
    /// The page ends with this id; the next one begins after it. Nothing: there is no next one.
    std::optional<std::string> through;
  };
  /// Keys of a scope after `after`, in the order of their ids, each with its newest place not beyond `head`. A page may
  /// be empty though it is not the last.
  [[nodiscard]] Page list(std::int64_t scope, std::string_view after, Seq head, std::size_t count_max) const
      EXCLUDES(mutex_);
  /// Whose the record at `pos` is. Looks at everything.
  [[nodiscard]] std::optional<RecordKey> find_key(std::int64_t pos) const EXCLUDES(mutex_);
  /// True if some of the newest records of the space could not be read when the store was opened: then a key that is
  /// neither here nor in the table may still be that of a record.
  [[nodiscard]] bool has_gap(std::int64_t space) const EXCLUDES(mutex_);
  [[nodiscard]] bool has_gaps() const { return has_gaps_; }

  // While the store is being opened.

  /// The next record that the table may not have, by place.
  void load(std::int64_t scope, std::string_view id, std::int64_t pos) EXCLUDES(mutex_);
  /// After all of these, in the order of the commits: stamps that were raised. If the table has them already, they
  /// count only for a record that was loaded, since its entry hides that of the table.
  void load_raised(std::int64_t scope, std::string_view id, const Place& place, bool is_in_table) EXCLUDES(mutex_);
  /// The table has the keys of all records of the space up to `through`.
  void load_space(std::int64_t space, Seq through) EXCLUDES(mutex_);
  /// Somewhere after `through` a record of the space could not be read.
  void note_gap(std::int64_t space, Seq through) EXCLUDES(mutex_);

  // The thread that writes.

  /// Number of the commit that this transaction will be, counted since the store was opened.
  [[nodiscard]] std::int64_t next_commit() const EXCLUDES(mutex_);
  /// The commit at which the oldest reader of now began.
  [[nodiscard]] std::int64_t oldest_reader() const EXCLUDES(mutex_);
  /// The record at `pos` is the newest of its key. Readers see it once the transaction is committed.
  void put(std::int64_t scope, std::string_view id, std::int64_t pos) EXCLUDES(mutex_);
  /// The stamps of the newest record of the key, which is at `place`, are raised.
  void raise(std::int64_t scope, std::string_view id, const Place& place) EXCLUDES(mutex_);
  /// How many were put in this transaction.
  [[nodiscard]] std::size_t put_count() const { return journal_.size(); }
  /// Takes back all that were put in this transaction but the first `count`: they are not stored.
  void take_back(std::size_t count = 0) EXCLUDES(mutex_);
  struct Entry {
    std::int64_t scope = 0;
    std::string_view id;
    Place place;
  };
  /// The first entries of the older generation, in the order of the key; valid until commit().
  [[nodiscard]] std::vector<Entry> next_to_merge(std::size_t count_max) const EXCLUDES(mutex_);
  /// The transaction is committed, with what was put and with the first `merged` entries in the table.
  void commit(std::size_t merged) EXCLUDES(mutex_);
  /// The file has everything of the older generation.
  void end_generation() EXCLUDES(mutex_);
  /// The young generation is merged from now on. The older one is empty.
  void turn() EXCLUDES(mutex_);
  /// The spaces are gone.
  void forget_spaces(const std::vector<std::int64_t>& spaces) EXCLUDES(mutex_);

  [[nodiscard]] std::size_t young_size() const EXCLUDES(mutex_);
  [[nodiscard]] std::size_t merging_size() const EXCLUDES(mutex_);
  /// The table has the keys of all records of the space up to this; `head` is the newest.
  [[nodiscard]] Seq merged_through(std::int64_t space, Seq head) const EXCLUDES(mutex_);

 private:
  struct Key {
    std::int64_t scope = 0;
    std::string_view id;  // in pool_
  };
  struct Less {
    bool operator()(const Key& a, const Key& b) const { return a.scope != b.scope ? a.scope < b.scope : a.id < b.id; }
  };
  using Map = std::pmr::map<Key, Place, Less>;
  using Multimap = std::pmr::multimap<Key, Place, Less>;
  struct Generation {
    explicit Generation(std::pmr::memory_resource* pool) : keys(pool) {}
    Map keys;
    /// By space: the head before its first change here.
    std::unordered_map<std::int64_t, Seq> heads_before;
    KeyFilter filter;
  };
  /// What a reader may still need; gone once every reader has begun at `until` or later.
  struct Kept {
    std::int64_t until;
    Multimap::iterator at;
  };
  struct Put {
    enum class Kind { added, replaced, moved, raised };
    Kind kind;
    Map::iterator at;  // in the young generation
    Place previous;    // but of an added key
  };

  [[nodiscard]] std::multiset<std::int64_t>::iterator add_pin() EXCLUDES(mutex_);
  void remove_pin(std::multiset<std::int64_t>::iterator at) EXCLUDES(mutex_);
  [[nodiscard]] Map::node_type take_merging(const Key& key) REQUIRES(mutex_);
  void note_in_filter(Generation& generation, const Key& key) REQUIRES(mutex_);
  [[nodiscard]] std::string_view copy(std::string_view id) REQUIRES(mutex_);
  void release(std::string_view id) REQUIRES(mutex_);
  void keep(const Key& key, const Place& place) REQUIRES(mutex_);
  /// The caller takes it out of kept_in_order_.
  void remove_kept(const Kept& kept) REQUIRES(mutex_);
  /// The entry is in the table, or its space is gone: readers that began before still need it.
  void retire(Map& from, Map::iterator at) REQUIRES(mutex_);
  void drop_unneeded() REQUIRES(mutex_);

  mutable SharedMutex mutex_;
  std::pmr::unsynchronized_pool_resource pool_;
  Generation young_ GUARDED_BY(mutex_){&pool_};
  Generation merging_ GUARDED_BY(mutex_){&pool_};
  Multimap kept_ GUARDED_BY(mutex_){&pool_};
  std::deque<Kept> kept_in_order_ GUARDED_BY(mutex_);  // by `until`
  std::unordered_map<std::int64_t, Seq> gaps_ GUARDED_BY(mutex_);
  /// So that nobody looks while there are none.
  std::atomic<bool> has_gaps_ = false;
  /// Commits so far, and at which of them the readers of this moment began.
  std::int64_t commits_ GUARDED_BY(mutex_) = 0;
  std::multiset<std::int64_t> pins_ GUARDED_BY(mutex_);
  std::vector<Put> journal_;  // of this transaction; the writer's
};

}  // namespace syncline::sqlite
