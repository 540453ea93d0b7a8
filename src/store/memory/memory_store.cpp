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
  std::map<std::int64_t, Replaced> replaced;  // by seq
  std::map<ConflictNumber, Conflict> conflict_list;
  std::map<std::string, ConflictNumber> fingerprints;
  std::map<std::string, StoredReceipt> receipts;
  std::map<std::string, std::string, std::less<>> values;
  std::vector<std::string> collection_names;
  std::shared_ptr<const Lineage> lineage;
  /// Of records whose row is not what was written.
  std::set<Key> rotten;
  DamageList* damage = nullptr;  // of the store

  [[nodiscard]] bool is_as_written(const Key& key) const { return !rotten.contains(key); }

  DamagedRecord note_damaged(const Record& record) const {
    damage->note({.table = Damage::Table::record,
                  .space = state.name,
                  .collection = record.collection,
                  .id = record.id,
                  .seq = record.seq});
    return {.collection = record.collection, .id = record.id, .seq = record.seq, .previous = record.previous};
  }

  const SpaceInfo& info() const override { return state; }
  const std::vector<std::string>& collections() const override { return collection_names; }

  Result<Located> locate(std::string_view collection, std::string_view id) override {
    const auto found = records.find({std::string(collection), std::string(id)});
    if (found == records.end()) return Located{};
    if (is_as_written(found->first)) return Located{found->second, std::nullopt};
    return Located{std::nullopt, note_damaged(found->second)};
  }

  Result<> scan(std::string_view collection, std::string_view after, const RecordVisitor& visit,
                const DamagedVisitor& on_damaged) override {
    auto at = records.upper_bound({std::string(collection), std::string(after)});
    for (; at != records.end() && at->first.first == collection; ++at) {
      if (!is_as_written(at->first)) {
        const DamagedRecord damaged = note_damaged(at->second);
        if (on_damaged && !on_damaged(damaged)) break;
        continue;
      }
      if (!visit(view_of(at->second))) break;
    }
    return {};
  }

  Result<> feed(Seq since, const RecordVisitor& visit, const DamagedVisitor& on_damaged) override {
    for (auto at = order.upper_bound(since); at != order.end(); ++at) {
      const Record& record = records.at(at->second);
      if (!is_as_written(at->second)) {
        const DamagedRecord damaged = note_damaged(record);
        if (on_damaged && !on_damaged(damaged)) break;
        continue;
      }
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
    const auto before = records.find(key);
    if (before != records.end() && !change.damaged) {
      order.erase(before->second.seq);
      replaced[before->second.seq.value] = {std::move(before->second), change.record.committed_at};
    }
    if (change.damaged) {
      order.erase(change.damaged->seq);
      rotten.erase(key);
      damage->forget(state.name, change.damaged->seq);
    }
    if (std::ranges::find(collection_names, key.first) == collection_names.end()) collection_names.push_back(key.first);
    order[change.record.seq] = key;
    records[key] = change.record;
  }

  /// Nobody knows whether a row that was damaged was counted.
  void count_again() {
    state.records = state.bytes = 0;
    for (const auto& [key, record] : records) {
      if (record.deleted) continue;
      state.records += 1;
      state.bytes += static_cast<std::int64_t>(record.doc.size());
    }
  }

  void apply(const HiddenStampsChange& change) {
    Record& record = records.at(order.at(change.seq));
    record.effective_at = change.stamps.effective_at;
    record.claimed_at = change.stamps.claimed_at;
  }
};

struct MemoryStore::Backing final : BufferedTxn::Backing {
  Backing(MemoryStore& owner, Space& of) : store(owner), space(of) {}
  Snapshot& snapshot() override { return space; }
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

MemoryStore::MemoryStore(const Clock& clock, std::string epoch, IncarnationId incarnation)
    : clock_(clock), epoch_(std::move(epoch)), directory_(clock), incarnation_(incarnation) {}
MemoryStore::~MemoryStore() = default;

std::unique_ptr<MemoryStore> MemoryStore::restore(std::string epoch) const {
  const MutexLock lock(mutex_);
  auto copy = std::make_unique<MemoryStore>(clock_, std::move(epoch), incarnation_);
  const MutexLock copy_lock(copy->mutex_);
  for (const auto& [name, space] : spaces_) {
    auto copied = std::make_unique<Space>(*space);
    copied->state.epoch = copy->epoch_;
    copied->damage = &copy->damage_;
    copy->spaces_[name] = std::move(copied);
  }
  copy->last_conflict_number_ = last_conflict_number_;
  copy->last_event_number_ = last_event_number_;
  copy->events_ = events_;
  copy->directory_.copy_from(directory_);
  return copy;
}

std::shared_ptr<const Lineage> MemoryStore::new_lineage() const {
  auto lineage = std::make_shared<Lineage>();
  if (incarnation_.value != 0) lineage->begin(incarnation_, Seq{});
  return lineage;
}

void MemoryStore::reopen(IncarnationId incarnation) {
  const MutexLock lock(mutex_);
  incarnation_ = incarnation;
  for (auto& [name, space] : spaces_) {
    auto lineage = std::make_shared<Lineage>();
    for (const Lineage::Entry& entry : space->lineage->entries()) {
      const bool has_written = entry.head_before < space->state.head;
      if (has_written) lineage->begin(entry.incarnation, entry.head_before);
    }
    lineage->begin(incarnation, space->state.head);
    space->lineage = std::move(lineage);
  }
}

MemoryStore::Space& MemoryStore::space_of(const SpaceName& name) {
  auto& space = spaces_[name];
  if (!space) {
    space = std::make_unique<Space>();
    space->state.name = name;
    space->state.epoch = epoch_;
    space->damage = &damage_;
    space->lineage = new_lineage();
  }
  return *space;
}

void MemoryStore::write(const SpaceName& name, const WriteOptions& options, WriteFunction run, WriteDone done) {
  const MutexLock lock(mutex_);
  Space& space = space_of(name);
  Backing backing(*this, space);
  BufferedTxn txn(backing, {clock_.now(), clock_.latest()}, options);
  if (auto result = txn.outcome(run(txn)); !result) {
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
      events_.push_back({{++last_event_number_}, name.account, event->type, event->at, event->data});
    } else {
      const auto& receipt = std::get<ReceiptChange>(change);
      space.receipts[receipt.key] = {receipt.receipt, receipt.at};
    }
  }
  space.state = txn.info();
  if (txn.heals()) space.count_again();
  if (!txn.changes().empty()) commits_ += 1;
  done(Committed{space.state.head, txn.took_seq()});
}

Result<> MemoryStore::read(const SpaceName& name, const ReadFunction& run) {
  const MutexLock lock(mutex_);
  const auto found = spaces_.find(name);
  if (found != spaces_.end()) return run(*found->second);
  Space empty;
  empty.state.name = name;
  empty.state.epoch = epoch_;
  empty.damage = &damage_;
  return run(empty);
}

Seq MemoryStore::head(const SpaceName& name) const {
  const MutexLock lock(mutex_);
  const auto found = spaces_.find(name);
  return found == spaces_.end() ? Seq{} : found->second->state.head;
}

std::shared_ptr<const Lineage> MemoryStore::lineage(const SpaceName& name) const {
  const MutexLock lock(mutex_);
  const auto found = spaces_.find(name);
  return found == spaces_.end() ? new_lineage() : found->second->lineage;
}

Result<std::vector<SpaceInfo>> MemoryStore::spaces(std::optional<AccountNumber> account) {
  const MutexLock lock(mutex_);
  std::vector<SpaceInfo> infos;
  for (const auto& [name, space] : spaces_) {
    if ((!account || name.account == *account) && space->state.head.value > 0) infos.push_back(space->state);
  }
  return infos;
}

/// Counts each time: what the other stores keep is compared with this.
Result<std::vector<CollectionInfo>> MemoryStore::collections(const SpaceName& name) {
  const MutexLock lock(mutex_);
  std::vector<CollectionInfo> infos;
  const auto found = spaces_.find(name);
  if (found == spaces_.end()) return infos;
  const Space& space = *found->second;
  for (const std::string& collection : space.collection_names) {
    CollectionInfo info{.name = collection};
    for (auto at = space.records.lower_bound({collection, ""});
         at != space.records.end() && at->first.first == collection; ++at) {
      if (at->second.deleted) continue;
      info.records += 1;
      info.bytes += static_cast<std::int64_t>(at->second.doc.size());
    }
    infos.push_back(std::move(info));
  }
  std::ranges::sort(infos, {}, &CollectionInfo::name);
  return infos;
}

Result<std::vector<Event>> MemoryStore::take_events(std::size_t count_max) {
  const MutexLock lock(mutex_);
  const auto count = static_cast<std::ptrdiff_t>(std::min(count_max, events_.size()));
  return std::vector<Event>(events_.begin(), events_.begin() + count);
}

Result<> MemoryStore::forget_events(const std::vector<EventNumber>& numbers) {
  const MutexLock lock(mutex_);
  std::erase_if(events_, [&](const Event& event) { return std::ranges::find(numbers, event.number) != numbers.end(); });
  return {};
}

Result<> MemoryStore::erase_account(AccountNumber account) {
  const MutexLock lock(mutex_);
  std::erase_if(events_, [&](const Event& event) { return event.account == account; });
  std::erase_if(spaces_, [&](const auto& entry) { return entry.first.account == account; });
  damage_.forget(account);
  return {};
}

Result<> MemoryStore::purge(const PurgeCutoffs& cutoffs) {
  const MutexLock lock(mutex_);
  for (auto& [name, space] : spaces_) {
    std::erase_if(space->replaced, [&](const auto& entry) {
      const bool is_old = entry.second.at < cutoffs.history;
      if (is_old) space->state.history_bytes -= bytes_of(entry.second.record);
      return is_old;
    });
    std::erase_if(space->receipts, [&](const auto& entry) {
      const bool is_old = entry.second.at < cutoffs.receipts;
      if (is_old) space->state.history_bytes -= bytes_of(entry.second.receipt);
      return is_old;
    });
    for (const auto& [key, record] : space->records) {
      if (record.deleted && record.committed_at < cutoffs.tombstones) {
        space->state.purged_through = std::max(space->state.purged_through, record.seq);
      }
    }
  }
  return {};
}

void MemoryStore::rot(const SpaceName& name, std::string_view collection, std::string_view id,
                      const std::function<void(Record& record)>& alter) {
  const MutexLock lock(mutex_);
  Space& space = space_of(name);
  const auto found = space.records.find({std::string(collection), std::string(id)});
  if (found == space.records.end()) return;
  alter(found->second);
  space.rotten.insert(found->first);
}

void MemoryStore::forget_found_damage() { damage_.forget_all(); }

Result<std::vector<std::string>> MemoryStore::verify() {
  const MutexLock lock(mutex_);
  damage_.forget_all();
  for (const auto& [name, space] : spaces_) {
    for (const auto& key : space->rotten) space->note_damaged(space->records.at(key));
  }
  std::vector<std::string> problems;
  for (const Damage& damage : damage_.list(std::nullopt)) problems.push_back(describe(damage));
  return problems;
}

Result<> MemoryStore::backup(const std::string&) {
  return fail(ErrorCode::invalid_argument, "a memory store does not support backups");
}

StoreStatus MemoryStore::status() const {
  const MutexLock lock(mutex_);
  return {.commits = commits_ + directory_.commits(), .damaged_rows = damage_.size()};
}

}  // namespace syncline
