#include "store/buffered_txn.hpp"

#include <algorithm>
#include <future>

namespace syncline {
namespace {

std::size_t hash_of(std::string_view collection, std::string_view id) {
  return std::hash<std::string_view>{}(collection) * 31 + std::hash<std::string_view>{}(id);
}

/// The first multiple of `step` that is neither before `now`'s own nor at or before `previous`.
Timestamp next_stamp(Timestamp now, Timestamp previous, std::int64_t step) {
  const std::int64_t current = now.micros - now.micros % step;
  const std::int64_t after_previous = previous.micros - previous.micros % step + step;
  return {std::max(current, after_previous)};
}

}  // namespace

Result<std::optional<Record>> Snapshot::find(std::string_view collection, std::string_view id) {
  TRY(Located located, locate(collection, id));
  if (!located.damaged) return std::move(located.record);
  return fail(ErrorCode::damaged, "the record is damaged in the store; it can be written again");
}

Result<std::optional<Record>> Snapshot::find_undamaged(std::string_view collection, std::string_view id) {
  TRY(Located located, locate(collection, id));
  return std::move(located.record);
}

BufferedTxn::BufferedTxn(Backing& backing, MergeTime time, const WriteOptions& options)
    : backing_(backing),
      info_(backing.snapshot().info()),
      time_(time),
      stamp_(next_stamp(time.now, info_.updated_at, options.stamp_step_micros)) {}

PutChange* BufferedTxn::find_own(std::string_view collection, std::string_view id) {
  if (own_puts_.empty()) return nullptr;
  const auto [begin, end] = own_puts_.equal_range(hash_of(collection, id));
  for (auto at = begin; at != end; ++at) {
    auto& put = std::get<PutChange>(changes_[at->second]);
    if (put.record.id == id && put.record.collection == collection) return &put;
  }
  return nullptr;
}

Result<Located> BufferedTxn::locate(std::string_view collection, std::string_view id) {
  if (const PutChange* own = find_own(collection, id)) return Located{own->record, std::nullopt};
  auto located = noted(backing_.snapshot().locate(collection, id));
  if (!hidden_stamps_.empty() && located && located->record) {
    Record& record = *located->record;
    if (const auto hidden = hidden_stamps_.find(record.seq); hidden != hidden_stamps_.end()) {
      record.effective_at = hidden->second.effective_at;
      record.claimed_at = hidden->second.claimed_at;
    }
  }
  return located;
}

bool BufferedTxn::has_room_for_collection(std::string_view name) const {
  const auto& known = collections();
  if (new_collections_.contains(name) || std::ranges::find(known, name) != known.end()) return true;
  return known.size() + new_collections_.size() < limits::kCollectionsMax;
}

Result<> BufferedTxn::scan(std::string_view collection, std::string_view after, const RecordVisitor& visit,
                           const DamagedVisitor& on_damaged) {
  return noted(backing_.snapshot().scan(collection, after, visit, on_damaged));
}

Result<> BufferedTxn::feed(Seq since, const RecordVisitor& visit, const DamagedVisitor& on_damaged) {
  return noted(backing_.snapshot().feed(since, visit, on_damaged));
}

Result<std::vector<Record>> BufferedTxn::history(const Record& newest, std::size_t count_max, std::size_t bytes_max) {
  return noted(backing_.snapshot().history(newest, count_max, bytes_max));
}

Result<std::vector<Conflict>> BufferedTxn::conflicts(std::optional<ConflictState> state, ConflictNumber after,
                                                     std::size_t count_max) {
  return noted(backing_.snapshot().conflicts(state, after, count_max));
}

Result<std::optional<Conflict>> BufferedTxn::find_conflict(ConflictNumber number) {
  return noted(backing_.snapshot().find_conflict(number));
}

Seq BufferedTxn::put(Record record, const Record* replaced) {
  took_seq_ = true;
  const auto& known = collections();
  if (std::ranges::find(known, record.collection) == known.end()) new_collections_.insert(record.collection);
  info_.head.value += 1;
  info_.updated_at = stamp_;
  record.seq = info_.head;
  record.committed_at = stamp_;
  record.previous = 0;
  PutChange change{std::move(record), std::nullopt, {}};
  if (!change.record.deleted) change.delta.add({1, static_cast<std::int64_t>(change.record.doc.size())});
  if (replaced != nullptr) {
    if (!replaced->deleted) change.delta.add({-1, -static_cast<std::int64_t>(replaced->doc.size())});
    change.record.previous = replaced->seq.value;
    info_.history_bytes += bytes_of(*replaced);
  }
  info_.records += change.delta.records;
  info_.bytes += change.delta.bytes;
  const std::size_t hash = hash_of(change.record.collection, change.record.id);
  const auto [begin, end] = own_puts_.equal_range(hash);
  const auto own = std::find_if(begin, end, [&](const auto& entry) {
    const Record& earlier = std::get<PutChange>(changes_[entry.second]).record;
    return earlier.id == change.record.id && earlier.collection == change.record.collection;
  });
  if (own == end) {
    own_puts_.emplace(hash, changes_.size());
  } else {
    own->second = changes_.size();
  }
  changes_.emplace_back(std::move(change));
  return info_.head;
}

Seq BufferedTxn::heal(Record record, const DamagedRecord& damaged) {
  const Seq seq = put(std::move(record), nullptr);
  auto& change = std::get<PutChange>(changes_.back());
  change.record.previous = damaged.previous;
  change.damaged = damaged;
  heals_ = true;
  return seq;
}

void BufferedTxn::set_hidden_stamps(const Record& stored, Timestamp effective_at, Timestamp claimed_at) {
  if (PutChange* own = find_own(stored.collection, stored.id)) {
    own->record.effective_at = effective_at;
    own->record.claimed_at = claimed_at;
    return;
  }
  const HiddenStamps stamps{effective_at, claimed_at};
  hidden_stamps_.insert_or_assign(stored.seq, stamps);
  changes_.emplace_back(HiddenStampsChange{stored.collection, stored.id, stored.seq, stamps});
}

Result<Txn::KeptConflict> BufferedTxn::add_conflict(const Conflict& conflict) {
  std::string fingerprint = version_fingerprint(conflict.loser);
  if (const auto own = own_conflicts_.find(fingerprint); own != own_conflicts_.end()) {
    return KeptConflict{own->second, false};
  }
  TRY(const auto kept, noted(backing_.find_kept(fingerprint)));
  if (kept) return KeptConflict{*kept, false};
  ConflictChange change{conflict, std::move(fingerprint)};
  const ConflictNumber number = change.conflict.number = backing_.next_conflict_number();
  own_conflicts_.emplace(change.fingerprint, number);
  info_.history_bytes += bytes_of(conflict.loser);
  changes_.emplace_back(std::move(change));
  return KeptConflict{number, true};
}

void BufferedTxn::set_conflict_state(ConflictNumber number, ConflictState state) {
  changes_.emplace_back(ConflictStateChange{number, state});
}

Result<std::optional<Receipt>> BufferedTxn::find_receipt(std::string_view key) {
  return noted(backing_.find_receipt(key));
}

void BufferedTxn::put_receipt(std::string_view key, Receipt receipt) {
  info_.history_bytes += bytes_of(receipt);
  changes_.emplace_back(ReceiptChange{std::string(key), std::move(receipt), time_.now});
}

Result<std::optional<std::string>> BufferedTxn::find_value(std::string_view name) {
  const auto own = own_values_.find(std::string(name));
  if (own == own_values_.end()) return noted(backing_.snapshot().find_value(name));
  const std::string& value = std::get<ValueChange>(changes_[own->second]).value;
  if (value.empty()) return std::nullopt;
  return value;
}

void BufferedTxn::put_value(std::string_view name, std::string value) {
  const auto [own, is_new] = own_values_.emplace(name, changes_.size());
  if (is_new) {
    changes_.emplace_back(ValueChange{std::string(name), std::move(value)});
  } else {
    std::get<ValueChange>(changes_[own->second]).value = std::move(value);
  }
}

Result<Committed> write_and_wait(Store& store, const SpaceName& space, const WriteOptions& options, WriteFunction run) {
  std::promise<Result<Committed>> promise;
  auto future = promise.get_future();
  store.write(space, options, std::move(run), [&](Result<Committed> result) { promise.set_value(std::move(result)); });
  return future.get();
}

}  // namespace syncline
