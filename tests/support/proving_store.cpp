#include "support/proving_store.hpp"

#include <algorithm>
#include <set>

namespace syncline::test {
namespace {

thread_local int g_write_functions = 0;  // that run on this thread

class WriteFunctionScope {
 public:
  WriteFunctionScope() { ++g_write_functions; }
  WriteFunctionScope(const WriteFunctionScope&) = delete;
  WriteFunctionScope& operator=(const WriteFunctionScope&) = delete;
  ~WriteFunctionScope() { --g_write_functions; }
};

/// What was named, or made by the transaction itself.
class Named {
 public:
  /// True if any of it is new.
  bool add(const Reads& reads) {
    const std::size_t before = size();
    for (const RecordKey& key : reads.records) records_.insert({key.collection, key.id});
    for (const RecordKey& key : reads.histories) histories_.insert({key.collection, key.id});
    for (const RecordKey& key : reads.prefixes) prefixes_.insert({key.collection, key.id});
    values_.insert(reads.values.begin(), reads.values.end());
    receipts_.insert(reads.receipts.begin(), reads.receipts.end());
    conflicts_.insert(reads.conflicts.begin(), reads.conflicts.end());
    fingerprints_.insert(reads.fingerprints.begin(), reads.fingerprints.end());
    return size() > before;
  }

  [[nodiscard]] bool has_record(std::string_view collection, std::string_view id) const {
    return records_.contains({std::string(collection), std::string(id)}) || has_prefix(collection, id);
  }
  [[nodiscard]] bool has_history(const Record& of) const { return histories_.contains({of.collection, of.id}); }
  /// True if all ids that begin with `start` were named.
  [[nodiscard]] bool has_prefix(std::string_view collection, std::string_view start) const {
    return std::ranges::any_of(
        prefixes_, [&](const Key& key) { return key.first == collection && start.starts_with(key.second); });
  }
  [[nodiscard]] bool has_value(std::string_view name) const { return values_.contains(std::string(name)); }
  [[nodiscard]] bool has_receipt(std::string_view key) const { return receipts_.contains(std::string(key)); }
  [[nodiscard]] bool has_conflict(ConflictNumber number) const { return conflicts_.contains(number); }
  [[nodiscard]] bool has_fingerprint(const std::string& text) const { return fingerprints_.contains(text); }

 private:
  using Key = std::pair<std::string, std::string>;
  [[nodiscard]] std::size_t size() const {
    return records_.size() + histories_.size() + prefixes_.size() + values_.size() + receipts_.size() +
           conflicts_.size() + fingerprints_.size();
  }

  std::set<Key> records_, histories_, prefixes_;
  std::set<std::string> values_, receipts_, fingerprints_;
  std::set<ConflictNumber> conflicts_;
};

class StrictTxn final : public Txn {
 public:
  StrictTxn(Txn& txn, const Reads& named, const OnFault& on_fault, int& fetches)
      : txn_(txn), on_fault_(on_fault), fetches_(fetches) {
    fetches_ = named_.add(named) ? 1 : 0;
  }

  [[nodiscard]] const SpaceInfo& info() const override { return txn_.info(); }
  [[nodiscard]] const std::vector<std::string>& collections() const override { return txn_.collections(); }
  [[nodiscard]] Result<Located> locate(std::string_view collection, std::string_view id) override {
    if (!named_.has_record(collection, id)) return unnamed("record " + std::string(collection) + '/' + std::string(id));
    return txn_.locate(collection, id);
  }
  [[nodiscard]] Result<> scan(std::string_view collection, std::string_view after, const RecordVisitor& visit,
                              const DamagedVisitor& on_damaged) override {
    if (!named_.has_prefix(collection, after)) {
      return unnamed("records of " + std::string(collection) + " after '" + std::string(after) + "'");
    }
    return txn_.scan(collection, after, visit, on_damaged);
  }
  [[nodiscard]] Result<> feed(Seq since, const RecordVisitor& visit, const DamagedVisitor& on_damaged) override {
    return txn_.feed(since, visit, on_damaged);
  }
  [[nodiscard]] Result<std::vector<Record>> history(const Record& newest, std::size_t count_max,
                                                    std::size_t bytes_max) override {
    if (!named_.has_history(newest)) return unnamed("history of " + newest.collection + '/' + newest.id);
    return txn_.history(newest, count_max, bytes_max);
  }
  [[nodiscard]] Result<std::vector<Conflict>> conflicts(std::optional<ConflictState> state, ConflictNumber after,
                                                        std::size_t count_max) override {
    return txn_.conflicts(state, after, count_max);
  }
  [[nodiscard]] Result<std::optional<Conflict>> find_conflict(ConflictNumber number) override {
    if (!named_.has_conflict(number)) return unnamed("conflict " + std::to_string(number.value));
    return txn_.find_conflict(number);
  }
  [[nodiscard]] Result<std::optional<std::string>> find_value(std::string_view name) override {
    if (!named_.has_value(name)) return unnamed("value " + std::string(name));
    return txn_.find_value(name);
  }

  [[nodiscard]] Timestamp now() const override { return txn_.now(); }
  [[nodiscard]] Timestamp latest() const override { return txn_.latest(); }
  [[nodiscard]] Timestamp stamp() const override { return txn_.stamp(); }
  [[nodiscard]] bool has_room_for_collection(std::string_view name) const override {
    return txn_.has_room_for_collection(name);
  }
  Seq put(Record record, const Record* replaced) override {
    (void)named_.add({.records = {RecordKey{record.collection, record.id}}});
    return txn_.put(std::move(record), replaced);
  }
  Seq heal(Record record, const DamagedRecord& damaged) override {
    (void)named_.add({.records = {RecordKey{record.collection, record.id}}});
    return txn_.heal(std::move(record), damaged);
  }
  void set_hidden_stamps(const Record& stored, Timestamp effective_at, Timestamp claimed_at) override {
    txn_.set_hidden_stamps(stored, effective_at, claimed_at);
  }
  Result<KeptConflict> add_conflict(const Conflict& conflict) override {
    if (!named_.has_fingerprint(version_fingerprint(conflict.loser))) {
      return unnamed("fingerprint of " + conflict.loser.collection + '/' + conflict.loser.id);
    }
    return txn_.add_conflict(conflict);
  }
  void set_conflict_state(ConflictNumber number, ConflictState state) override {
    txn_.set_conflict_state(number, state);
  }
  [[nodiscard]] Result<std::optional<Receipt>> find_receipt(std::string_view key) override {
    if (!named_.has_receipt(key)) return unnamed("receipt");
    return txn_.find_receipt(key);
  }
  void put_receipt(std::string_view key, Receipt receipt) override { txn_.put_receipt(key, std::move(receipt)); }
  void put_value(std::string_view name, std::string value) override {
    (void)named_.add({.values = {std::string(name)}});
    txn_.put_value(name, std::move(value));
  }
  void add_event(std::string type, std::string data) override { txn_.add_event(std::move(type), std::move(data)); }

 private:
  [[nodiscard]] bool fetches_ahead() const override { return true; }
  void fetch(const Reads& reads) override {
    if (named_.add(reads)) ++fetches_;
  }

  [[nodiscard]] std::unexpected<Error> unnamed(const std::string& what) {
    const std::string fault = "a write looks up something that nobody has named: " + what;
    on_fault_(fault);
    return fail(ErrorCode::internal, fault);
  }

  Txn& txn_;
  const OnFault& on_fault_;
  int& fetches_;
  Named named_;
};

}  // namespace

void TwiceStore::write(const SpaceName& space, const WriteOptions& options, WriteFunction run, WriteDone done) {
  struct Write {
    SpaceName space;
    WriteOptions options;
    WriteFunction run;
    WriteDone done;
  };
  auto write = std::make_shared<Write>(space, options, std::move(run), std::move(done));
  ForwardingStore::write(
      space, options,
      [write](Txn& txn) -> Result<> {
        (void)write->run(txn);
        return fail(ErrorCode::unavailable, "this transaction is thrown away");
      },
      [this, write](const Result<Committed>&) {
        between_();
        ForwardingStore::write(write->space, write->options, std::move(write->run), std::move(write->done));
      });
}

void StrictStore::write(const SpaceName& space, const WriteOptions& options, WriteFunction run, WriteDone done) {
  const bool is_checked = space.account.value != 0;
  Reads named = options.reads ? options.reads() : Reads{};
  ForwardingStore::write(
      space, options,
      [this, is_checked, named = std::move(named), run = std::move(run)](Txn& txn) mutable -> Result<> {
        const WriteFunctionScope scope;
        if (!is_checked) return run(txn);
        StrictTxn strict(txn, named, on_fault_, *fetches_);
        return run(strict);
      },
      std::move(done));
}

const Clock& OutsideClock::checked() const {
  if (g_write_functions > 0) on_fault_("a write function uses another clock than its transaction's");
  return clock_;
}

}  // namespace syncline::test
