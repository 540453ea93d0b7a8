// A transaction that keeps its changes aside until the write function has succeeded, so a function that fails leaves
// nothing behind and many functions can share one commit. Both stores build on it: they give it the reading half and
// the next free numbers, and apply its list of changes.
#pragma once

#include <map>
#include <set>
#include <unordered_map>
#include <variant>

#include "store/store.hpp"

namespace syncline {

struct PutChange {
  Record record;
  /// The version that goes to the history, under the number record.previous.
  std::optional<Record> replaced;
};
struct HiddenStampsChange {
  Seq seq;
  Timestamp updated_at;
  Timestamp effective_at;
  Timestamp claimed_at;
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
};
struct ValueChange {
  std::string name;
  std::string value;
};
struct EventChange {
  std::string type;
  std::string data;
};
using Change = std::variant<PutChange, HiddenStampsChange, ConflictChange, ConflictStateChange, ReceiptChange,
                            ValueChange, EventChange>;

class BufferedTxn final : public Txn {
 public:
  /// The store's half: committed state plus the two things that only it knows.
  class Backing {
   public:
    virtual ~Backing() = default;
    [[nodiscard]] virtual Snapshot& snapshot() = 0;
    [[nodiscard]] virtual std::int64_t next_history_number() = 0;
    [[nodiscard]] virtual ConflictNumber next_conflict_number() = 0;
    /// The conflict of the space that keeps that version.
    [[nodiscard]] virtual Result<std::optional<ConflictNumber>> find_kept(std::string_view fingerprint) = 0;
    [[nodiscard]] virtual Result<std::optional<Receipt>> find_receipt(std::string_view key) = 0;
  };

  BufferedTxn(Backing& backing, Timestamp now, const WriteOptions& options);

  [[nodiscard]] const SpaceInfo& info() const override { return info_; }
  [[nodiscard]] Result<std::optional<Record>> find(std::string_view collection, std::string_view id) override;
  [[nodiscard]] Result<> scan(std::string_view collection, std::string_view after, const RecordVisitor& visit) override;
  [[nodiscard]] Result<> feed(Seq since, const RecordVisitor& visit) override;
  [[nodiscard]] Result<std::vector<Record>> history(const Record& newest, std::size_t count_max,
                                                    std::size_t bytes_max) override;
  [[nodiscard]] const std::vector<std::string>& collections() const override {
    return backing_.snapshot().collections();
  }
  [[nodiscard]] bool has_room_for_collection(std::string_view name) const override;
  [[nodiscard]] Result<std::vector<Conflict>> conflicts(std::optional<ConflictState> state, ConflictNumber after,
                                                        std::size_t count_max) override;
  [[nodiscard]] Result<std::optional<Conflict>> find_conflict(ConflictNumber number) override;

  [[nodiscard]] Timestamp stamp() const override { return stamp_; }
  Seq put(Record record, const Record* replaced) override;
  void set_hidden_stamps(const Record& stored, Timestamp effective_at, Timestamp claimed_at) override;
  Result<KeptConflict> add_conflict(const Conflict& conflict) override;
  void set_conflict_state(ConflictNumber number, ConflictState state) override;
  [[nodiscard]] Result<std::optional<Receipt>> find_receipt(std::string_view key) override;
  void put_receipt(std::string_view key, Receipt receipt) override;
  [[nodiscard]] Result<std::optional<std::string>> find_value(std::string_view name) override;
  void put_value(std::string_view name, std::string value) override;
  void add_event(std::string type, std::string data) override {
    changes_.emplace_back(EventChange{std::move(type), std::move(data)});
  }

  /// The space after this transaction, and what to apply to get there, in order.
  [[nodiscard]] const std::vector<Change>& changes() const { return changes_; }
  [[nodiscard]] bool took_seq() const { return took_seq_; }

 private:
  Backing& backing_;
  SpaceInfo info_;
  Timestamp stamp_;
  bool took_seq_ = false;
  std::vector<Change> changes_;
  /// The newest put of a key, or nothing.
  [[nodiscard]] PutChange* find_own(std::string_view collection, std::string_view id);

  /// Indexes into changes_ of the newest put of each key, by the hash of the key.
  std::unordered_multimap<std::size_t, std::size_t> own_puts_;
  std::set<std::string, std::less<>> new_collections_;
  std::map<Seq, HiddenStampsChange> hidden_stamps_;
  std::unordered_map<std::string, ConflictNumber> own_conflicts_;  // by fingerprint
  /// Index into changes_ of the newest value of a name.
  std::unordered_map<std::string, std::size_t> own_values_;
};

}  // namespace syncline
