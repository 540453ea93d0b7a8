// A transaction that keeps its changes aside until the write function has succeeded, so a function that fails leaves
// nothing behind and many functions can share one commit. Both stores build on it: they give it the reading half and
// the next free numbers, and apply its list of changes.
#pragma once

#include <map>
#include <set>
#include <unordered_map>
#include <variant>

#include "core/merge.hpp"
#include "store/hidden_stamps.hpp"
#include "store/store.hpp"

namespace syncline {

/// What a change adds to the live records of a space and of a collection.
struct LiveDelta {
  std::int64_t records = 0;
  std::int64_t bytes = 0;

  void add(const LiveDelta& other) {
    records += other.records;
    bytes += other.bytes;
  }
};

struct PutChange {
  /// Its `previous` names the version that becomes history.
  Record record;
  /// The row that goes without a trace: nobody knows what it was.
  std::optional<DamagedRecord> damaged;
  LiveDelta delta;
};
struct HiddenStampsChange {
  std::string collection;
  std::string id;
  Seq seq;
  HiddenStamps stamps;
};
struct ConflictChange {
  Conflict conflict;  // with its number
  std::string fingerprint;
};
struct ConflictStateChange {
  ConflictNumber number;
  ConflictState state;
};
struct ReceiptChange {
  std::string key;
  Receipt receipt;
  Timestamp at;
};
struct ValueChange {
  std::string name;
  std::string value;
};
struct EventChange {
  std::string type;
  std::string data;
  Timestamp at;
};
using Change = std::variant<PutChange, HiddenStampsChange, ConflictChange, ConflictStateChange, ReceiptChange,
                            ValueChange, EventChange>;

class BufferedTxn final : public Txn {
 public:
  /// The store's half: committed state plus what only it knows.
  class Backing {
   public:
    virtual ~Backing() = default;
    [[nodiscard]] virtual Snapshot& snapshot() = 0;
    [[nodiscard]] virtual ConflictNumber next_conflict_number() = 0;
    /// The conflict of the space that keeps that version.
    [[nodiscard]] virtual Result<std::optional<ConflictNumber>> find_kept(std::string_view fingerprint) = 0;
    [[nodiscard]] virtual Result<std::optional<Receipt>> find_receipt(std::string_view key) = 0;
  };

  BufferedTxn(Backing& backing, MergeTime time, const WriteOptions& options);

  [[nodiscard]] const SpaceInfo& info() const override { return info_; }
  [[nodiscard]] Result<Located> locate(std::string_view collection, std::string_view id) override;
  [[nodiscard]] Result<> scan(std::string_view collection, std::string_view after, const RecordVisitor& visit,
                              const DamagedVisitor& on_damaged) override;
  [[nodiscard]] Result<> feed(Seq since, const RecordVisitor& visit, const DamagedVisitor& on_damaged) override;
  [[nodiscard]] Result<std::vector<Record>> history(const Record& newest, std::size_t count_max,
                                                    std::size_t bytes_max) override;
  [[nodiscard]] const std::vector<std::string>& collections() const override {
    return backing_.snapshot().collections();
  }
  [[nodiscard]] bool has_room_for_collection(std::string_view name) const override;
  [[nodiscard]] Result<std::vector<Conflict>> conflicts(std::optional<ConflictState> state, ConflictNumber after,
                                                        std::size_t count_max) override;
  [[nodiscard]] Result<std::optional<Conflict>> find_conflict(ConflictNumber number) override;

  [[nodiscard]] Timestamp now() const override { return time_.now; }
  [[nodiscard]] Timestamp latest() const override { return time_.latest; }
  [[nodiscard]] Timestamp stamp() const override { return stamp_; }
  Seq put(Record record, const Record* replaced) override;
  Seq heal(Record record, const DamagedRecord& damaged) override;
  void set_hidden_stamps(const Record& stored, Timestamp effective_at, Timestamp claimed_at) override;
  Result<KeptConflict> add_conflict(const Conflict& conflict) override;
  void set_conflict_state(ConflictNumber number, ConflictState state) override;
  [[nodiscard]] Result<std::optional<Receipt>> find_receipt(std::string_view key) override;
  void put_receipt(std::string_view key, Receipt receipt) override;
  [[nodiscard]] Result<std::optional<std::string>> find_value(std::string_view name) override;
  void put_value(std::string_view name, std::string value) override;
  void add_event(std::string type, std::string data) override {
    changes_.emplace_back(EventChange{std::move(type), std::move(data), time_.now});
  }

  /// The space after this transaction, and what to apply to get there, in order.
  [[nodiscard]] const std::vector<Change>& changes() const { return changes_; }
  [[nodiscard]] bool took_seq() const { return took_seq_; }
  /// True if a change replaces a damaged row.
  [[nodiscard]] bool heals() const { return heals_; }
  /// The first read that failed.
  [[nodiscard]] const std::optional<Error>& failed_read() const { return failed_read_; }
  /// What became of the function that used this transaction and returned `ran`: it has failed if a read of it has.
  [[nodiscard]] Result<> outcome(Result<> ran) const {
    return failed_read_ ? Result<>(std::unexpected(*failed_read_)) : std::move(ran);
  }

 private:
  /// What was read, on its way to the function.
  template <class T>
  Result<T> noted(Result<T> read) {
    if (!read && !failed_read_) failed_read_ = read.error();
    return read;
  }

  Backing& backing_;
  SpaceInfo info_;
  const MergeTime time_;
  Timestamp stamp_;
  bool took_seq_ = false;
  bool heals_ = false;
  std::optional<Error> failed_read_;
  std::vector<Change> changes_;
  /// The newest put of a key, or nothing.
  [[nodiscard]] PutChange* find_own(std::string_view collection, std::string_view id);

  /// Indexes into changes_ of the newest put of each key, by the hash of the key.
  std::unordered_multimap<std::size_t, std::size_t> own_puts_;
  std::set<std::string, std::less<>> new_collections_;
  std::map<Seq, HiddenStamps> hidden_stamps_;
  std::unordered_map<std::string, ConflictNumber> own_conflicts_;  // by fingerprint
  /// Index into changes_ of the newest value of a name.
  std::unordered_map<std::string, std::size_t> own_values_;
};

}  // namespace syncline
