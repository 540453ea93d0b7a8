#include "store/memory/memory_store.hpp"

#include <algorithm>

#include "store/buffered_txn.hpp"

namespace syncline {

struct MemoryStore::Space final : Snapshot {
  /// A record's collection and id.
  using Key = std::pair<std::string, std::string>;
  struct Replaced {
    Record record;
    Timestamp at;
  };
  struct StoredReceipt {
    Receipt receipt;
    Timestamp at;
  };

  SpaceInfo state;
  std::map<Key, Record> records;
  std::map<Seq, Key> order;
  std::map<std::int64_t, Replaced> replaced;
  std::map<ConflictNumber, Conflict> conflict_list;
  std::map<std::string, ConflictNumber> fingerprints;
  std::map<std::string, StoredReceipt> receipts;
  std::map<std::string, std::string, std::less<>> values;
  std::vector<std::string> collection_names;

  const SpaceInfo& info() const override { return state; }
  const std::vector<std::string>& collections() const override { return collection_names; }

  Result<std::optional<Record>> find(std::string_view collection, std::string_view id) override {
    const auto found = records.find({std::string(collection), std::string(id)});
    if (found == records.end()) return std::nullopt;
    return found->second;
  }

  Result<> scan(std::string_view collection, std::string_view after, const RecordVisitor& visit) override {
    auto at = records.upper_bound({std::string(collection), std::string(after)});
    for (; at != records.end() && at->first.first == collection; ++at) {
      if (!visit(view_of(at->second))) break;
    }
    return {};
  }

  Result<> feed(Seq since, const RecordVisitor& visit) override {
    for (auto at = order.upper_bound(since); at != order.end(); ++at) {
      const Record& record = records.at(at->second);
      if (record.deleted && record.seq <= state.purged_through) continue;
      if (!visit(view_of(record))) break;
    }
    return {};
  }

  Result<std::vector<Record>> history(const Record& newest, std::size_t count_max, std::size_t bytes_max) override {
    std::vector<Record> versions;
    std::size_t bytes = 0;
    for (auto at = replaced.find(newest.previous); at != replaced.end() && versions.size() < count_max;
         at = replaced.find(versions.back().previous)) {
      bytes += at->second.record.doc.size();
      if (!versions.empty() && bytes > bytes_max) break;
      versions.push_back(at->second.record);
    }
    return versions;
  }

  Result<std::vector<Conflict>> conflicts(std::optional<ConflictState> wanted, ConflictNumber after,
                                          std::size_t count_max) override {
    std::vector<Conflict> found;
    std::size_t bytes = 0;
    for (auto at = conflict_list.upper_bound(after); at != conflict_list.end() && found.size() < count_max; ++at) {
      if (wanted && at->second.state != *wanted) continue;
      bytes += at->second.loser.doc.size();
      if (!found.empty() && bytes > kListBytesMax) break;
      found.push_back(at->second);
    }
    return found;
  }

  Result<std::optional<Conflict>> find_conflict(ConflictNumber number) override {
    const auto found = conflict_list.find(number);
    if (found == conflict_list.end()) return std::nullopt;
    return found->second;
  }

  Result<std::optional<std::string>> find_value(std::string_view name) override {
    const auto found = values.find(name);
    if (found == values.end()) return std::nullopt;
    return found->second;
  }

  void apply(const ValueChange& change) {
    if (change.value.empty()) {
      values.erase(change.name);
    } else {
      values[change.name] = change.value;
    }
  }

  void apply(const PutChange& change) {
    const Key key{change.record.collection, change.record.id};
    if (change.replaced) {
      order.erase(change.replaced->seq);
      replaced[change.record.previous] = {*change.replaced, change.record.committed_at};
    }
    if (std::ranges::find(collection_names, key.first) == collection_names.end()) collection_names.push_back(key.first);
    order[change.record.seq] = key;
    records[key] = change.record;
  }

  void apply(const HiddenStampsChange& change) {
    Record& record = records.at(order.at(change.seq));
    record.effective_at = change.effective_at;
    record.claimed_at = change.claimed_at;
  }
};

struct MemoryStore::Backing final : BufferedTxn::Backing {
  Backing(MemoryStore& owner, Space& of) : store(owner), space(of) {}
  Snapshot& snapshot() override { return space; }
  std::int64_t next_history_number() override REQUIRES(store.mutex_) { return ++store.last_history_number_; }
  ConflictNumber next_conflict_number() override REQUIRES(store.mutex_) { return {++store.last_conflict_number_}; }
  Result<std::optional<ConflictNumber>> find_kept(std::string_view fingerprint) override {
    const auto found = space.fingerprints.find(std::string(fingerprint));
    if (found == space.fingerprints.end()) return std::nullopt;
    return found->second;
  }
  Result<std::optional<Receipt>> find_receipt(std::string_view key) override {
    const auto found = space.receipts.find(std::string(key));
    if (found == space.receipts.end()) return std::nullopt;
    return found->second.receipt;
  }

  MemoryStore& store;
  Space& space;
};

MemoryStore::MemoryStore(const Clock& clock, std::string epoch) : clock_(clock), epoch_(std::move(epoch)) {}
MemoryStore::~MemoryStore() = default;

std::unique_ptr<MemoryStore> MemoryStore::restore(std::string epoch) const {
  const MutexLock lock(mutex_);
  auto copy = std::make_unique<MemoryStore>(clock_, std::move(epoch));
  const MutexLock copy_lock(copy->mutex_);
  for (const auto& [name, space] : spaces_) copy->spaces_[name] = std::make_unique<Space>(*space);
  copy->last_history_number_ = last_history_number_;
  copy->last_conflict_number_ = last_conflict_number_;
  copy->last_event_number_ = last_event_number_;
  copy->events_ = events_;
  return copy;
}

MemoryStore::Space& MemoryStore::space_of(const SpaceName& name) {
  auto& space = spaces_[name];
  if (!space) {
    space = std::make_unique<Space>();
    space->state.name = name;
  }
  return *space;
}

void MemoryStore::write(const SpaceName& name, const WriteOptions& options, WriteFunction run, WriteDone done) {
  const MutexLock lock(mutex_);
  Space& space = space_of(name);
  Backing backing(*this, space);
  BufferedTxn txn(backing, clock_.now(), options);
  if (auto result = run(txn); !result) {
    done(std::unexpected(result.error()));
    return;
  }
  for (const Change& change : txn.changes()) {
    if (const auto* put = std::get_if<PutChange>(&change)) {
      space.apply(*put);
    } else if (const auto* hidden = std::get_if<HiddenStampsChange>(&change)) {
      space.apply(*hidden);
    } else if (const auto* kept = std::get_if<ConflictChange>(&change)) {
      space.fingerprints[kept->fingerprint] = kept->conflict.number;
      space.conflict_list[kept->conflict.number] = kept->conflict;
    } else if (const auto* state = std::get_if<ConflictStateChange>(&change)) {
      space.conflict_list.at(state->number).state = state->state;
    } else if (const auto* value = std::get_if<ValueChange>(&change)) {
      space.apply(*value);
    } else if (const auto* event = std::get_if<EventChange>(&change)) {
      events_.push_back({{++last_event_number_}, name.account, event->type, txn.stamp(), event->data});
    } else {
      const auto& receipt = std::get<ReceiptChange>(change);
      space.receipts[receipt.key] = {receipt.receipt, txn.stamp()};
    }
  }
  space.state = txn.info();
  commits_ += 1;
  done(Committed{space.state.head, txn.took_seq()});
}

Result<> MemoryStore::read(const SpaceName& name, const ReadFunction& run) {
  const MutexLock lock(mutex_);
  const auto found = spaces_.find(name);
  if (found != spaces_.end()) return run(*found->second);
  Space empty;
  empty.state.name = name;
  return run(empty);
}

Seq MemoryStore::head(const SpaceName& name) const {
  const MutexLock lock(mutex_);
  const auto found = spaces_.find(name);
  return found == spaces_.end() ? Seq{} : found->second->state.head;
}

Result<std::vector<SpaceInfo>> MemoryStore::spaces(std::optional<AccountNumber> account) {
  const MutexLock lock(mutex_);
  std::vector<SpaceInfo> infos;
  for (const auto& [name, space] : spaces_) {
    if ((!account || name.account == *account) && space->state.head.value > 0) infos.push_back(space->state);
  }
  return infos;
}

Result<std::vector<Event>> MemoryStore::events(EventNumber after, std::size_t count_max) {
  const MutexLock lock(mutex_);
  std::vector<Event> found;
  for (const Event& event : events_) {
    if (event.number > after && found.size() < count_max) found.push_back(event);
  }
  return found;
}

Result<> MemoryStore::forget_events(EventNumber through) {
  const MutexLock lock(mutex_);
  std::erase_if(events_, [&](const Event& event) { return event.number <= through; });
  return {};
}

Result<> MemoryStore::erase_account(AccountNumber account) {
  const MutexLock lock(mutex_);
  std::erase_if(events_, [&](const Event& event) { return event.account == account; });
  std::erase_if(spaces_, [&](const auto& entry) { return entry.first.account == account; });
  return {};
}

Result<> MemoryStore::purge(const PurgeCutoffs& cutoffs) {
  const MutexLock lock(mutex_);
  for (auto& [name, space] : spaces_) {
    std::erase_if(space->replaced, [&](const auto& entry) { return entry.second.at < cutoffs.history; });
    std::erase_if(space->receipts, [&](const auto& entry) { return entry.second.at < cutoffs.receipts; });
    for (const auto& [key, record] : space->records) {
      if (record.deleted && record.committed_at < cutoffs.tombstones) {
        space->state.purged_through = std::max(space->state.purged_through, record.seq);
      }
    }
  }
  return {};
}

Result<std::vector<std::string>> MemoryStore::verify() { return std::vector<std::string>{}; }

Result<> MemoryStore::backup(const std::string&) {
  return fail(ErrorCode::invalid_argument, "a memory store does not support backups");
}

StoreStatus MemoryStore::status() const {
  const MutexLock lock(mutex_);
  return {.commits = commits_};
}

}  // namespace syncline
