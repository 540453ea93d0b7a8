// The store contract. A store holds spaces; a space is an ordered change feed over records.
//
// - write(): the function runs alone on its space and sees all earlier commits. Its changes are committed durably, and
//   only then is `done` called: nothing that a client may see happens before the commit is on disk (the output gate).
//   If the function fails, its changes vanish and nobody else's do. If a read of the function fails, the function has
//   failed, whatever it makes of that: it has decided without knowing what is stored.
// - A write function may run more than once; only the last run counts. See WriteFunction for what that asks of it.
// - The time inside a write is Txn::now(), how late it may be is Txn::latest(), and there is no other clock.
// - A write names what it is going to look up (WriteOptions::reads, Snapshot::expect), for stores whose lookups cost a
//   round trip. The names are hints: a lookup that nobody has named gets the same answer, only later.
// - read(): a consistent snapshot that never waits for writers.
// - Each change takes the next seq of its space, in commit order, gapless; a record stands in the feed once, at its
//   latest seq. Seqs belong to the epoch of their space: in another epoch they name other changes.
// - A row that is no longer what was written is never delivered: it is left out of every list, or said to be damaged,
//   and named by damage(). All other rows are delivered as ever.
//
// Every implementation passes conformance_test.cpp; memory/ is the oracle. All methods may be called from any thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.hpp"
#include "base/result.hpp"
#include "core/lineage.hpp"
#include "core/record.hpp"
#include "store/damage_list.hpp"
#include "store/directory.hpp"
#include "store/store_status.hpp"

namespace syncline {

struct SpaceInfo {
  SpaceName name;
  std::string epoch;               // of this space's history
  Seq head;                        // newest seq, 0 for a space without changes
  std::int64_t records = 0;        // live ones
  std::int64_t bytes = 0;          // of the live documents
  std::int64_t history_bytes = 0;  // kept beside the records: replaced and losing versions, answers; by bytes_of()
  Timestamp updated_at;            // commit stamp of the newest change
  Seq purged_through;              // deletions up to here are no longer in the feed
};

struct CollectionInfo {
  std::string name;
  std::int64_t records = 0;  // live ones
  std::int64_t bytes = 0;    // of the live documents
};

/// What a version takes in the store.
template <class Text>
[[nodiscard]] std::int64_t bytes_of(const BasicRecord<Text>& version) {
  return static_cast<std::int64_t>(64 + version.id.size() + version.doc.size());
}

/// What stands for a key: a record, live or deleted, a damaged row, or neither.
struct Located {
  std::optional<Record> record;
  std::optional<DamagedRecord> damaged;
};

/// Returns false to stop the visit.
using RecordVisitor = std::function<bool(const RecordView&)>;
using DamagedVisitor = std::function<bool(const DamagedRecord&)>;

/// Documents that one list of versions or conflicts may hold in memory.
inline constexpr std::size_t kListBytesMax = 32UL << 20U;

/// A stored answer that makes a repeated request harmless (Idempotency-Key).
struct Receipt {
  std::string fingerprint;  // of the request
  int status = 0;
  std::string body;
};
[[nodiscard]] inline std::int64_t bytes_of(const Receipt& receipt) {
  return static_cast<std::int64_t>(64 + receipt.body.size());
}

/// Something that happened in a write, for those who asked to be told.
struct Event {
  EventNumber number;
  AccountNumber account;
  std::string type;  // "record.changed"
  Timestamp at;
  std::string data;  // a JSON object
};

/// A record by its key. Of a range: the collection, and how the ids begin.
struct RecordKey {
  std::string collection;
  std::string id;
};

/// What is going to be looked up. A store whose lookups cost a round trip fetches all of it in one.
struct Reads {
  std::vector<RecordKey> records;         // find()
  std::vector<RecordKey> histories;       // history() of the records under these keys
  std::vector<RecordKey> prefixes;        // scan(), and find() of any id that begins so; "" for the whole collection
  std::vector<std::string> values;        // find_value()
  std::vector<std::string> receipts;      // find_receipt()
  std::vector<ConflictNumber> conflicts;  // find_conflict()
  std::vector<std::string> fingerprints;  // add_conflict(): version_fingerprint() of the losing versions
};
/// Names them. A function, because stores that need no hints never call it: there, hints cost nothing.
using NameReads = std::function<Reads()>;

class Snapshot {
 public:
  virtual ~Snapshot() = default;

  /// Names what will be looked up next, where that turns out only now. `name_reads` returns Reads. A hint, like
  /// WriteOptions::reads; if fetching fails, the lookup says so.
  template <class Name>
  void expect(const Name& name_reads) {
    if (fetches_ahead()) fetch(name_reads());
  }

  [[nodiscard]] virtual const SpaceInfo& info() const = 0;
  /// Names of all collections the space ever had.
  [[nodiscard]] virtual const std::vector<std::string>& collections() const = 0;
  [[nodiscard]] virtual Result<Located> locate(std::string_view collection, std::string_view id) = 0;
  /// Live or deleted. `damaged` if its row is.
  [[nodiscard]] Result<std::optional<Record>> find(std::string_view collection, std::string_view id);
  /// find() for those who leave damaged records out: nothing if the row is damaged.
  [[nodiscard]] Result<std::optional<Record>> find_undamaged(std::string_view collection, std::string_view id);
  /// Records of a collection, live and deleted, with an id greater than `after`, in byte order of the id. Those that
  /// are damaged are passed to `on_damaged`, or left out if it is null.
  [[nodiscard]] virtual Result<> scan(std::string_view collection, std::string_view after, const RecordVisitor& visit,
                                      const DamagedVisitor& on_damaged) = 0;
  [[nodiscard]] Result<> scan(std::string_view collection, std::string_view after, const RecordVisitor& visit) {
    return scan(collection, after, visit, nullptr);
  }
  /// Records with a seq greater than `since`, by seq. Deletions up to purged_through are left out. Those that are
  /// damaged as with scan().
  /// effective_at and claimed_at are those that the version was stored with: set_hidden_stamps() may have raised them.
  [[nodiscard]] virtual Result<> feed(Seq since, const RecordVisitor& visit, const DamagedVisitor& on_damaged) = 0;
  [[nodiscard]] Result<> feed(Seq since, const RecordVisitor& visit) { return feed(since, visit, nullptr); }
  /// Versions that `newest` replaced, newest first, as far as they are kept and undamaged; no more than `bytes_max` of
  /// documents but for the first.
  [[nodiscard]] virtual Result<std::vector<Record>> history(const Record& newest, std::size_t count_max,
                                                            std::size_t bytes_max) = 0;
  /// Conflicts with a number greater than `after`, by number; fewer than `count_max` if their documents are large:
  /// ask again after the last until none comes.
  [[nodiscard]] virtual Result<std::vector<Conflict>> conflicts(std::optional<ConflictState> state,
                                                                ConflictNumber after, std::size_t count_max) = 0;
  /// `damaged` if its row is.
  [[nodiscard]] virtual Result<std::optional<Conflict>> find_conflict(ConflictNumber number) = 0;
  /// What put_value() kept under that name; nothing if its row is damaged: what it said can be told again.
  [[nodiscard]] virtual Result<std::optional<std::string>> find_value(std::string_view name) = 0;

 protected:
  /// True for stores that use hints.
  [[nodiscard]] virtual bool fetches_ahead() const { return false; }
  virtual void fetch(const Reads&) {}
};

/// What a write function works with. find() and find_value() see the function's own changes; scan() and feed() show the
/// state before.
class Txn : public Snapshot {
 public:
  /// The store's time when this run of the function began. The only clock that a write function reads: a time that was
  /// read before is older than the commits it will follow, and another machine's clock says something else.
  [[nodiscard]] virtual Timestamp now() const = 0;
  /// The latest time that it may be (Clock::latest()). The store's too: a store that doubts its clock says so here.
  [[nodiscard]] virtual Timestamp latest() const = 0;
  /// Commit stamp of everything written here: later than that of any earlier commit of the space.
  [[nodiscard]] virtual Timestamp stamp() const = 0;
  /// False when the space has as many collections as it may and this is not one of them: put() needs true.
  [[nodiscard]] virtual bool has_room_for_collection(std::string_view name) const = 0;
  /// Stores `record` under the next seq and returns that. `replaced` is what find() answered for the key in this
  /// transaction. seq, committed_at and previous of `record` are set here.
  virtual Seq put(Record record, const Record* replaced) = 0;
  /// Stores `record` like put(), in place of the row that locate() answered for the key in this transaction.
  virtual Seq heal(Record record, const DamagedRecord& damaged) = 0;
  /// Raises what merges compare, without a new seq: nobody is told, nobody pulls it.
  virtual void set_hidden_stamps(const Record& stored, Timestamp effective_at, Timestamp claimed_at) = 0;
  struct KeptConflict {
    ConflictNumber number;
    bool is_new = false;
  };
  /// Keeps a losing version; the same version is kept once.
  virtual Result<KeptConflict> add_conflict(const Conflict& conflict) = 0;
  virtual void set_conflict_state(ConflictNumber number, ConflictState state) = 0;
  [[nodiscard]] virtual Result<std::optional<Receipt>> find_receipt(std::string_view key) = 0;
  virtual void put_receipt(std::string_view key, Receipt receipt) = 0;
  /// Keeps a value beside the feed: durable with the commit, but without a seq, so nobody pulls it. For what can be
  /// told from the records (counts, positions) and for marks that are no change of a record. An empty value erases.
  virtual void put_value(std::string_view name, std::string value) = 0;
  /// Durable with the commit, and kept until Store::forget_events(). `data` is a JSON object.
  virtual void add_event(std::string type, std::string data) = 0;
};

struct Committed {
  Seq head;
  bool changed = false;  // the write took at least one seq
};

struct WriteOptions {
  /// Commit stamps of the space are multiples of this.
  std::int64_t stamp_step_micros = 1;
  /// What the function is going to look up, as far as that is known before it runs. Null: nothing. May be called on any
  /// thread and any number of times until `done` is called, but never while the function runs.
  NameReads reads;
};

/// May run more than once: a store that loses its transaction runs the function again in a new one, which may see other
/// commits and a later now(). Only the last run counts. So a write function
/// - does not use up what it captured: it copies what it stores, it does not move it;
/// - overwrites its results outside at each run, also the ones that this run leaves empty, and never adds to them;
/// - does nothing else outside of the transaction: that belongs into `done`.
using WriteFunction = std::move_only_function<Result<>(Txn&)>;
/// Called exactly once, after the commit is durable or has failed, on a thread of the store: must be quick.
using WriteDone = std::move_only_function<void(Result<Committed>)>;
using ReadFunction = std::function<Result<>(Snapshot&)>;

/// What housekeeping may remove. Each cutoff is a time; what is older goes.
struct PurgeCutoffs {
  Timestamp history;
  Timestamp tombstones;
  Timestamp receipts;
};

class Store {
 public:
  virtual ~Store() = default;

  virtual void write(const SpaceName& space, const WriteOptions& options, WriteFunction run, WriteDone done) = 0;
  /// Runs on the calling thread. A space that was never written reads as empty.
  [[nodiscard]] virtual Result<> read(const SpaceName& space, const ReadFunction& run) = 0;

  /// Who may enter: accounts and keys (directory.hpp). Lives as long as the store.
  [[nodiscard]] virtual Directory& directory() = 0;

  /// Random id of this store's history; another one after a restore.
  [[nodiscard]] virtual const std::string& epoch() const = 0;
  /// Epoch of the space, from memory: the store's, unless the space has brought its own from another store. Where it
  /// meets a seq, take SpaceInfo::epoch of the snapshot that the seq is from.
  [[nodiscard]] virtual std::string epoch(const SpaceName& space) const = 0;
  /// The newest seq that this process has heard of: a hint, from memory. A write is in it when its `done` is called.
  /// Others may have committed more, and a snapshot may show more. It tells when to look, never what is there: whoever
  /// refuses, expires or skips something takes SpaceInfo::head from a snapshot.
  [[nodiscard]] virtual Seq head(const SpaceName& space) const = 0;
  /// Which openings of the store wrote the space. This one comes last, whether it has written yet or not; so the
  /// lineage stays as it is while the store is open.
  [[nodiscard]] virtual std::shared_ptr<const Lineage> lineage(const SpaceName& space) const = 0;
  /// Spaces of one account, or of all, by account and name.
  [[nodiscard]] virtual Result<std::vector<SpaceInfo>> spaces(std::optional<AccountNumber> account) = 0;
  /// All collections that the space ever had, by name. The counts are kept with each write: no record is read.
  [[nodiscard]] virtual Result<std::vector<CollectionInfo>> collections(const SpaceName& space) = 0;

  /// Events that nobody has forgotten, those with the least numbers first; fewer than `count_max` if they are large. An
  /// event may be taken more than once until it is forgotten, for whoever took it may have crashed: what is made of it
  /// goes by its number. Numbers are not the order of commits: a lesser one may appear later.
  [[nodiscard]] virtual Result<std::vector<Event>> take_events(std::size_t count_max) = 0;
  /// Removes these events and no others: whoever is to be told of them has noted them.
  [[nodiscard]] virtual Result<> forget_events(const std::vector<EventNumber>& numbers) = 0;

  /// Removes all spaces and events of an account for good.
  [[nodiscard]] virtual Result<> erase_account(AccountNumber account) = 0;
  [[nodiscard]] virtual Result<> purge(const PurgeCutoffs& cutoffs) = 0;
  /// Rows that were found damaged since the store was opened, by verify() or because somebody came across them, and
  /// have not been replaced since; of one space, or of all.
  [[nodiscard]] virtual std::vector<Damage> damage(const std::optional<SpaceName>&) const { return {}; }
  /// Checks everything that can be checked and returns the problems found, one text each. Afterwards damage() is what
  /// is damaged now.
  [[nodiscard]] virtual Result<std::vector<std::string>> verify() = 0;
  /// Writes a consistent copy into a new file while everything goes on. Damaged rows are copied as they are.
  [[nodiscard]] virtual Result<> backup(const std::string& path) = 0;
  [[nodiscard]] virtual StoreStatus status() const = 0;
};

/// write() for callers that wait: commands of the operator and tests, never a network thread.
[[nodiscard]] Result<Committed> write_and_wait(Store& store, const SpaceName& space, const WriteOptions& options,
                                               WriteFunction run);

}  // namespace syncline
