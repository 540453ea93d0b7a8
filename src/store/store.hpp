// The store contract. A store holds spaces; a space is an ordered change feed over records.
//
// - write(): the function runs alone on its space and sees all earlier commits. Its changes are committed durably, and
//   only then is `done` called: nothing that a client may see happens before the commit is on disk (the output gate).
//   If the function fails, its changes vanish and nobody else's do.
// - read(): a consistent snapshot that never waits for writers.
// - Each change takes the next seq of its space, in commit order, gapless; a record stands in the feed once, at its
//   latest seq.
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
#include "core/record.hpp"

namespace syncline {

struct SpaceInfo {
  SpaceName name;
  Seq head;                  // newest seq, 0 for a space without changes
  std::int64_t records = 0;  // live ones
  std::int64_t bytes = 0;    // of the live documents
  Timestamp updated_at;      // commit stamp of the newest change
  Seq purged_through;        // deletions up to here are no longer in the feed
};

/// Returns false to stop the visit.
using RecordVisitor = std::function<bool(const RecordView&)>;

/// Documents that one list of versions or conflicts may hold in memory.
inline constexpr std::size_t kListBytesMax = 32UL << 20U;

/// A stored answer that makes a repeated request harmless (Idempotency-Key).
struct Receipt {
  std::string fingerprint;  // of the request
  int status = 0;
  std::string body;
};

/// Something that happened in a write, for those who asked to be told.
struct Event {
  EventNumber number;
  AccountNumber account;
  std::string type;  // "record.changed"
  Timestamp at;
  std::string data;  // a JSON object
};

class Snapshot {
 public:
  virtual ~Snapshot() = default;

  [[nodiscard]] virtual const SpaceInfo& info() const = 0;
  /// Names of all collections the space ever had.
  [[nodiscard]] virtual const std::vector<std::string>& collections() const = 0;
  /// Live or deleted.
  [[nodiscard]] virtual Result<std::optional<Record>> find(std::string_view collection, std::string_view id) = 0;
  /// Records of a collection, live and deleted, with an id greater than `after`, in byte order of the id.
  [[nodiscard]] virtual Result<> scan(std::string_view collection, std::string_view after,
                                      const RecordVisitor& visit) = 0;
  /// Records with a seq greater than `since`, by seq. Deletions up to purged_through are left out.
  [[nodiscard]] virtual Result<> feed(Seq since, const RecordVisitor& visit) = 0;
  /// Versions that `newest` replaced, newest first, as far as they are kept; no more than `bytes_max` of documents but
  /// for the first.
  [[nodiscard]] virtual Result<std::vector<Record>> history(const Record& newest, std::size_t count_max,
                                                            std::size_t bytes_max) = 0;
  /// Conflicts with a number greater than `after`, by number; fewer than `count_max` if their documents are large:
  /// ask again after the last until none comes.
  [[nodiscard]] virtual Result<std::vector<Conflict>> conflicts(std::optional<ConflictState> state,
                                                                ConflictNumber after, std::size_t count_max) = 0;
  [[nodiscard]] virtual Result<std::optional<Conflict>> find_conflict(ConflictNumber number) = 0;
  /// What put_value() kept under that name.
  [[nodiscard]] virtual Result<std::optional<std::string>> find_value(std::string_view name) = 0;
};

/// What a write function works with. find() and find_value() see the function's own changes; scan() and feed() show the
/// state before.
class Txn : public Snapshot {
 public:
  /// Commit stamp of everything written here: later than that of any earlier commit of the space.
  [[nodiscard]] virtual Timestamp stamp() const = 0;
  /// False when the space has as many collections as it may and this is not one of them: put() needs true.
  [[nodiscard]] virtual bool has_room_for_collection(std::string_view name) const = 0;
  /// Stores `record` under the next seq and returns that. `replaced` is what find() answered for the key in this
  /// transaction. seq, committed_at and previous of `record` are set here.
  virtual Seq put(Record record, const Record* replaced) = 0;
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
  /// Durable with the commit, and kept in the order of commits until Store::forget_events(). `data` is a JSON object.
  virtual void add_event(std::string type, std::string data) = 0;
};

struct Committed {
  Seq head;
  bool changed = false;  // the write took at least one seq
};

struct WriteOptions {
  /// Commit stamps of the space are multiples of this.
  std::int64_t stamp_step_micros = 1;
};

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

struct StoreStatus {
  std::int64_t file_bytes = 0;
  std::int64_t wal_bytes = 0;
  std::int64_t queued_writes = 0;
  std::int64_t commits = 0;
  /// Why the last write failed; empty when the last one succeeded.
  std::string failing;
};

class Store {
 public:
  virtual ~Store() = default;

  virtual void write(const SpaceName& space, const WriteOptions& options, WriteFunction run, WriteDone done) = 0;
  /// Runs on the calling thread. A space that was never written reads as empty.
  [[nodiscard]] virtual Result<> read(const SpaceName& space, const ReadFunction& run) = 0;

  /// Random id of this store's history; another one after a restore.
  [[nodiscard]] virtual const std::string& epoch() const = 0;
  /// Newest committed seq, from memory.
  [[nodiscard]] virtual Seq head(const SpaceName& space) const = 0;
  /// Spaces of one account, or of all, by account and name.
  [[nodiscard]] virtual Result<std::vector<SpaceInfo>> spaces(std::optional<AccountNumber> account) = 0;

  /// Events with a number greater than `after`, by number; fewer than `count_max` if they are large.
  [[nodiscard]] virtual Result<std::vector<Event>> events(EventNumber after, std::size_t count_max) = 0;
  /// Removes the events up to `through`: whoever is to be told of them has noted them.
  [[nodiscard]] virtual Result<> forget_events(EventNumber through) = 0;

  /// Removes all spaces and events of an account for good.
  [[nodiscard]] virtual Result<> erase_account(AccountNumber account) = 0;
  [[nodiscard]] virtual Result<> purge(const PurgeCutoffs& cutoffs) = 0;
  /// Checks everything that can be checked and returns the problems found, one text each.
  [[nodiscard]] virtual Result<std::vector<std::string>> verify() = 0;
  /// Writes a consistent copy into a new file while everything goes on.
  [[nodiscard]] virtual Result<> backup(const std::string& path) = 0;
  [[nodiscard]] virtual StoreStatus status() const = 0;
};

/// write() for callers that wait: commands of the operator and tests, never a network thread.
[[nodiscard]] Result<Committed> write_and_wait(Store& store, const SpaceName& space, const WriteOptions& options,
                                               WriteFunction run);

}  // namespace syncline
