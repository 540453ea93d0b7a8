#include "support/failing_store.hpp"

namespace syncline::test {

Result<> FailingStore::next_read() {
  if (!is_on_ || passing_left_-- > 0 || failures_left_-- <= 0) return {};
  ++failed_;
  return fail(ErrorCode::storage_damaged, "database: database disk image is malformed (11)");
}

/// The reading half of a snapshot or a transaction, each read of which may fail.
template <class Base>
class FailingStore::FailingReads : public Base {
 public:
  FailingReads(FailingStore& owner, Base& below) : owner_(owner), below_(below) {}

  const SpaceInfo& info() const override { return below_.info(); }
  const std::vector<std::string>& collections() const override { return below_.collections(); }
  Result<Located> locate(std::string_view collection, std::string_view id) override {
    CHECK_OK(owner_.next_read());
    return below_.locate(collection, id);
  }
  Result<> scan(std::string_view collection, std::string_view after, const RecordVisitor& visit,
                const DamagedVisitor& on_damaged) override {
    const auto failure = owner_.next_read();
    const auto scanned = below_.scan(collection, after, first_only_if(!failure, visit), on_damaged);
    return failure ? scanned : failure;
  }
  Result<> feed(Seq since, const RecordVisitor& visit, const DamagedVisitor& on_damaged) override {
    const auto failure = owner_.next_read();
    const auto fed = below_.feed(since, first_only_if(!failure, visit), on_damaged);
    return failure ? fed : failure;
  }
  Result<std::vector<Record>> history(const Record& newest, std::size_t count_max, std::size_t bytes_max) override {
    CHECK_OK(owner_.next_read());
    return below_.history(newest, count_max, bytes_max);
  }
  Result<std::vector<Conflict>> conflicts(std::optional<ConflictState> state, ConflictNumber after,
                                          std::size_t count_max) override {
    CHECK_OK(owner_.next_read());
    return below_.conflicts(state, after, count_max);
  }
  Result<std::optional<Conflict>> find_conflict(ConflictNumber number) override {
    CHECK_OK(owner_.next_read());
    return below_.find_conflict(number);
  }
  Result<std::optional<std::string>> find_value(std::string_view name) override {
    CHECK_OK(owner_.next_read());
    return below_.find_value(name);
  }

 protected:
  [[nodiscard]] bool fetches_ahead() const override { return true; }
  void fetch(const Reads& reads) override {
    below_.expect([&] { return reads; });
  }

  FailingStore& owner_;
  Base& below_;

 private:
  static RecordVisitor first_only_if(bool is_cut, const RecordVisitor& visit) {
    if (!is_cut) return visit;
    return [&visit](const RecordView& record) {
      (void)visit(record);
      return false;
    };
  }
};

class FailingStore::FailingSnapshot final : public FailingReads<Snapshot> {
 public:
  using FailingReads::FailingReads;
};

class FailingStore::FailingTxn final : public FailingReads<Txn> {
 public:
  using FailingReads::FailingReads;

  Timestamp now() const override { return below_.now(); }
  Timestamp latest() const override { return below_.latest(); }
  Timestamp stamp() const override { return below_.stamp(); }
  bool has_room_for_collection(std::string_view name) const override { return below_.has_room_for_collection(name); }
  Seq put(Record record, const Record* replaced) override { return below_.put(std::move(record), replaced); }
  Seq heal(Record record, const DamagedRecord& damaged) override { return below_.heal(std::move(record), damaged); }
  void set_hidden_stamps(const Record& stored, Timestamp effective_at, Timestamp claimed_at) override {
    below_.set_hidden_stamps(stored, effective_at, claimed_at);
  }
  Result<KeptConflict> add_conflict(const Conflict& conflict) override {
    CHECK_OK(owner_.next_read());  // whether it is kept already
    return below_.add_conflict(conflict);
  }
  void set_conflict_state(ConflictNumber number, ConflictState state) override {
    below_.set_conflict_state(number, state);
  }
  Result<std::optional<Receipt>> find_receipt(std::string_view key) override {
    CHECK_OK(owner_.next_read());
    return below_.find_receipt(key);
  }
  void put_receipt(std::string_view key, Receipt receipt) override { below_.put_receipt(key, std::move(receipt)); }
  void put_value(std::string_view name, std::string value) override { below_.put_value(name, std::move(value)); }
  void add_event(std::string type, std::string data) override { below_.add_event(std::move(type), std::move(data)); }
};

void FailingStore::write(const SpaceName& space, const WriteOptions& options, WriteFunction run, WriteDone done) {
  ForwardingStore::write(
      space, options,
      [this, run = std::move(run), before = std::optional<Counts>()](Txn& below) mutable {
        if (!before) before = counts();
        set(*before);
        FailingTxn txn(*this, below);
        return run(txn);
      },
      std::move(done));
}

Result<> FailingStore::read(const SpaceName& space, const ReadFunction& run) {
  CHECK_OK(next_read());
  return ForwardingStore::read(space, [&](Snapshot& below) {
    FailingSnapshot snapshot(*this, below);
    return run(snapshot);
  });
}

Result<std::vector<SpaceInfo>> FailingStore::spaces(std::optional<AccountNumber> account) {
  CHECK_OK(next_read());
  return ForwardingStore::spaces(account);
}

Result<std::vector<CollectionInfo>> FailingStore::collections(const SpaceName& space) {
  CHECK_OK(next_read());
  return ForwardingStore::collections(space);
}

Result<std::vector<Event>> FailingStore::take_events(std::size_t count_max) {
  CHECK_OK(next_read());
  return ForwardingStore::take_events(count_max);
}

}  // namespace syncline::test
