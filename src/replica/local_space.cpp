#include "replica/local_space.hpp"

#include <algorithm>
#include <set>

#include "base/log.hpp"
#include "service/replica_writer.hpp"

namespace syncline::replica {
namespace {

/// Not by rounding.
bool is_older(const Op& delivered, const Record& stored) {
  return delivered.updated_at->plus_micros(kStampGrainMicros) <= stored.updated_at;
}

bool is_unnamed(const DamagedRecord& lost) { return lost.id.empty(); }
/// A dialect without such cursors answers with the old one.
void note_answer(SpaceState& state, const Cursor& answered) {
  state.epoch = answered.epoch;
  const bool says_less =
      answered.history() == state.known.history() && answered.knows_through() < state.known.knows_through();
  if (!answered.epoch.empty() && !says_less) state.known = answered;
}

HubVersion with_stamp(const Record& stored, Timestamp updated_at, Seq seq) {
  return {stored.collection, stored.id, seq, updated_at, stored.deleted, stored.doc};
}

}  // namespace

Result<> LocalSpace::write(const Body& body, Stores stores) {
  SpaceState after;
  const Transfer before = transfer_;
  const auto done = spaces_.write_and_wait(name_, kHubAuthor, [&](SpaceWriter& writer) -> Result<> {
    transfer_ = before;  // an earlier run of this function may have counted
    TRY(after, read_space_state(writer.txn()));
    const Seq head = writer.txn().info().head;
    CHECK_OK(body(writer, after));
    // If nothing waited before, nothing waits now.
    const bool waited = outbox_.may_wait(after, head) || after.pushed < after.offer_through;
    if (stores == Stores::the_hubs && !waited) {
      after.pushed = writer.txn().info().head;
    }
    put_space_state(writer.txn(), after);
    return {};
  });
  if (!done) {
    transfer_ = before;
    return std::unexpected(done.error());
  }
  state_ = after;
  return {};
}

Result<> LocalSpace::load() {
  CHECK_OK(spaces_.read(name_, [&](Snapshot& snapshot) -> Result<> {
    TRY(state_, read_space_state(snapshot));
    sent_.set_unknown_through(snapshot.info().head);
    return {};
  }));
  outbox_.look_again();
  forget_delivered();
  // What was delivered before is not known any more.
  if (state_.reads_from_start && !state_.cursor.epoch.empty()) CHECK_OK(read_from_start());
  return count_refused();
}

Result<> LocalSpace::count_refused() {
  return spaces_.read(name_, [&](Snapshot& snapshot) { return refused_.count(snapshot); });
}

Result<> LocalSpace::set_known(SpaceWriter& writer, const SpaceState& state, std::string_view collection,
                               std::string_view id, KnownVersion known) {
  return KnownVersions(state.generation).put(writer.txn(), collection, id, known);
}

Result<> LocalSpace::adopt(SpaceWriter& writer, const SpaceState& state, const HubVersion& version,
                           const Record* stored) {
  if (!writer.txn().has_room_for_collection(version.collection)) {
    return fail(ErrorCode::too_many, "this space has reached the maximum number of collections");
  }
  if (stored != nullptr && refused_.any()) {
    CHECK_OK(RefusedChanges::forget(writer, version.collection, version.id));
  }
  Record record;
  record.collection = version.collection;
  record.id = version.id;
  record.updated_at = record.effective_at = version.updated_at;
  record.origin = kHubAuthor;
  record.rule = Rule::later_stamp;
  record.deleted = version.deleted;
  record.doc = version.doc;
  TRY(const Seq seq, ReplicaWriter(writer).adopt(std::move(record), stored));
  return set_known(writer, state, version.collection, version.id, {version.seq, seq});
}

Result<> LocalSpace::take(SpaceWriter& writer, const SpaceState& state, const HubVersion& version) {
  if (version.collection == kRefusedCollection) return {};
  TRY(const auto stored, writer.find(version.collection, version.id));
  if (stored) {
    const bool same = same_content(*stored, version);
    const KnownVersions versions(state.generation);
    TRY(const auto known, versions.find(writer.txn(), version.collection, version.id));
    // A page that was made before the answer to a push came later: what it has is replaced.
    if (known && version.seq < known->hub) return {};
    TRY(const bool pending, Outbox::is_waiting(writer.txn(), state, *stored));
    if (pending) {
      TRY(const bool settles, versions.settle_waiting(writer.txn(), *stored, version, sent_));
      if (!settles) return {};
    }
    if (same && !pending && stored->updated_at == version.updated_at) {
      return set_known(writer, state, version.collection, version.id, {version.seq, stored->seq});
    }
  }
  (version.deleted ? transfer_.pulled_deleted : transfer_.pulled_live) += 1;
  return adopt(writer, state, version, stored ? &*stored : nullptr);
}

Result<std::optional<Record>> LocalSpace::find_copy(Snapshot& snapshot, const SpaceState& state,
                                                    const DamagedRecord& lost) {
  if (lost.id.empty() || lost.collection == kRefusedCollection) return std::nullopt;
  TRY(auto stored, snapshot.find_undamaged(lost.collection, lost.id));
  if (!stored) return std::nullopt;
  TRY(const auto known, KnownVersions(state.generation).find(snapshot, lost.collection, lost.id));
  if (!known || known->hub != lost.seq) return std::nullopt;
  // What was made of it since goes out anyway.
  TRY(const bool pending, Outbox::is_waiting(snapshot, state, *stored));
  if (pending) return std::nullopt;
  return stored;
}

Result<bool> LocalSpace::misses_any(Snapshot& snapshot, const SpaceState& state,
                                    const std::vector<DamagedRecord>& lost) {
  for (const DamagedRecord& one : lost) {
    if (one.is_replaced) continue;
    if (one.id.empty()) return true;
    TRY(const auto known, KnownVersions(state.generation).find(snapshot, one.collection, one.id));
    if (!known || known->hub < one.seq) return true;
  }
  return false;
}

Result<bool> LocalSpace::has_copies(const std::vector<DamagedRecord>& lost) {
  bool found = false;
  if (lost.empty()) return found;
  CHECK_OK(spaces_.read(name_, [&](Snapshot& snapshot) -> Result<> {
    for (const DamagedRecord& one : lost) {
      TRY(const auto copy, find_copy(snapshot, state_, one));
      found = found || copy;
    }
    return {};
  }));
  return found;
}

Result<> LocalSpace::offer_copy(SpaceWriter& writer, const SpaceState& state, const DamagedRecord& lost) {
  TRY(const auto copy, find_copy(writer.txn(), state, lost));
  if (!copy) return {};
  log(LogLevel::info, "lost_version_offered",
      {{"collection", lost.collection}, {"id", lost.id}, {"seq", lost.seq.value}});
  Record again = *copy;
  again.origin = kDeviceAuthor;
  TRY([[maybe_unused]] const Seq seq, ReplicaWriter(writer).adopt(std::move(again), &*copy));
  return {};
}

Result<> LocalSpace::apply(const Page& page) {
  const bool says_nothing = page.versions.empty() && page.cursor.to_text() == state_.cursor.to_text();
  TRY(const bool offers, has_copies(page.damaged));
  if (says_nothing && !offers && !state_.reads_from_start) return {};
  const auto goes_on_from = [&](const Cursor& cursor) {
    return page.since.epoch == cursor.epoch && page.since.seq == cursor.seq;
  };
  if (state_.reads_from_start && goes_on_from(state_.cursor)) {
    for (const DamagedRecord& lost : page.damaged) {
      if (lost.id.empty()) unnamed_.insert(lost.seq);
      // Of a record that has been written since, a lost version tells nothing: it may be deleted by now.
      if (!lost.is_replaced) delivered_.insert(record_key(lost.collection, lost.id));
    }
    for (const HubVersion& version : page.versions) delivered_.insert(record_key(version.collection, version.id));
  }
  const auto take_all = [&](SpaceWriter& writer, SpaceState& state) -> Result<> {
    if (!goes_on_from(state.cursor)) return {};
    // First: a newer version in this page must meet the copy, not replace it.
    for (const DamagedRecord& lost : page.damaged) CHECK_OK(offer_copy(writer, state, lost));
    for (const HubVersion& version : page.versions) CHECK_OK(take(writer, state, version));
    TRY(const bool misses, misses_any(writer.txn(), state, page.damaged));
    if (misses) state.missed_in = page.cursor.incarnation;
    state.cursor = page.cursor;
    note_answer(state, page.cursor);
    state.exchanged_at = writer.now();
    if (state.reads_from_start && !page.more) {
      CHECK_OK(sweep(writer, state));
      state.reads_from_start = false;
    }
    return {};
  };
  const bool may_offer = offers || !unnamed_.empty() || std::ranges::any_of(page.damaged, is_unnamed);
  CHECK_OK(write(take_all, may_offer ? Stores::also_own : Stores::the_hubs));
  if (!state_.reads_from_start) forget_delivered();
  // What a hub delivers refuses nothing more.
  return refused_.any() ? count_refused() : Result<>{};
}

Result<> LocalSpace::merge_one(SpaceWriter& writer, const SpaceState& state, const Op& delivered) {
  TRY(const auto stored, writer.find(delivered.collection, delivered.id));
  bool pending = false;
  if (stored) {
    TRY(pending, Outbox::is_waiting(writer.txn(), state, *stored));
  }
  Op op = delivered;
  // A version without a stamp is no reason to give up one that waits.
  if (!op.updated_at) op.updated_at = kTimestampMin;
  if (pending) {
    TRY(const bool is_own, is_own_earlier_version(writer.txn(), *stored, op));
    if (is_own) return set_known(writer, state, op.collection, op.id, {{}, stored->seq});
  }
  // What does not wait was the hub's own version, and this is its next one.
  if (stored && !pending && !is_older(op, *stored)) op.base = stored->seq;
  const bool undoes_own = op.base && op.deleted && !stored->deleted && stored->origin != kHubAuthor;
  if (undoes_own) CHECK_OK(writer.keep_version(*stored, Rule::direct));
  TRY(const OpResult result, ReplicaWriter(writer).merge(op, kDeviceAuthor));
  if (result.status == OpStatus::refused) {
    log(LogLevel::warning, "version_not_taken",
        {{"collection", delivered.collection}, {"id", delivered.id}, {"error", result.error->text}});
    return {};
  }
  const bool is_new = result.status == OpStatus::applied || result.status == OpStatus::merged;
  if (is_new) (delivered.deleted ? transfer_.pulled_deleted : transfer_.pulled_live) += 1;
  if (result.conflict) transfer_.conflicts += 1;
  Seq known = result.seq;
  if (result.status == OpStatus::stale && !pending) {
    // Another device has put an older version over this one: it goes out once more.
    Record again = *stored;
    again.origin = kDeviceAuthor;
    TRY([[maybe_unused]] const Seq seq, ReplicaWriter(writer).adopt(std::move(again), &*stored));
  }
  const bool is_same_as_waits = result.status == OpStatus::noop && pending && !result.record;
  if (is_same_as_waits) {
    Record same = *stored;
    same.origin = kHubAuthor;
    TRY(known, ReplicaWriter(writer).adopt(std::move(same), &*stored));
  }
  const bool waits_no_more = result.status == OpStatus::applied || is_same_as_waits;
  if (waits_no_more && refused_.any()) CHECK_OK(RefusedChanges::forget(writer, delivered.collection, delivered.id));
  return set_known(writer, state, delivered.collection, delivered.id, {{}, known});
}

Result<> LocalSpace::merge_in(std::span<const Op> ops, std::string positions) {
  if (ops.empty() && positions == state_.positions) return {};
  const auto merge_all = [&](SpaceWriter& writer, SpaceState& state) -> Result<> {
    for (const Op& op : ops) CHECK_OK(merge_one(writer, state, op));
    state.positions = positions;
    state.exchanged_at = writer.now();
    return {};
  };
  CHECK_OK(write(merge_all, Stores::also_own));
  // What a hub delivers refuses nothing more.
  return refused_.any() ? count_refused() : Result<>{};
}

Result<> LocalSpace::sweep(SpaceWriter& writer, const SpaceState& state) {
  Txn& txn = writer.txn();
  std::vector<std::pair<std::string, std::string>> missing;
  for (const std::string& collection : txn.collections()) {
    if (collection == kRefusedCollection) continue;
    CHECK_OK(txn.scan(collection, "", [&](const RecordView& record) {
      if (!record.deleted && !delivered_.contains(record_key(collection, record.id))) {
        missing.emplace_back(collection, record.id);
      }
      return true;
    }));
  }
  for (const auto& [collection, id] : missing) {
    TRY(const auto stored, txn.find_undamaged(collection, id));
    if (!stored || stored->deleted) continue;
    TRY(const bool pending, Outbox::is_waiting(txn, state, *stored));
    TRY(const auto known, KnownVersions(state.generation).find(txn, collection, id));
    if (pending || !known) continue;
    if (!unnamed_.empty()) {
      // It may be what the hub has lost: nothing is deleted here because of that.
      if (unnamed_.contains(known->hub)) CHECK_OK(offer_copy(writer, state, {collection, id, known->hub}));
      continue;
    }
    transfer_.pulled_deleted += 1;
    CHECK_OK(adopt(writer, state, {collection, id, known->hub, stored->updated_at, true, ""}, &*stored));
  }
  return {};
}

Result<Batch> LocalSpace::next_batch(bool with_refused, std::size_t ops_max, const Outbox::Carries& carries) {
  Batch batch;
  Seq head;
  CHECK_OK(spaces_.read(name_, [&](Snapshot& snapshot) -> Result<> {
    TRY(const SpaceState state, read_space_state(snapshot));
    TRY(batch, outbox_.next_batch(snapshot, state, with_refused, ops_max, carries));
    head = snapshot.info().head;
    return {};
  }));
  for (const Batch::Item& item : batch.items) sent_.add(item.record.seq, head);
  return batch;
}

Result<bool> LocalSpace::settle_one(SpaceWriter& writer, const SpaceState& state, const Batch::Item& item,
                                    const Verdict& verdict) {
  const Record& sent = item.record;
  TRY(const auto stored, writer.find(sent.collection, sent.id));
  if (!stored) return true;
  const bool is_unchanged = stored->seq == sent.seq;
  if (verdict.status == Verdict::Status::refused) {
    // What came from the hub and is only offered again is the hub's own affair.
    if (is_unchanged && stored->origin != kHubAuthor) {
      CHECK_OK(RefusedChanges::note(writer, sent, verdict.code, verdict.detail));
    }
    return true;
  }
  const bool took_it = verdict.status == Verdict::Status::applied || verdict.status == Verdict::Status::noop;
  const bool stands_as_sent = took_it && !verdict.version;
  if (!took_it && !verdict.version) return false;
  CHECK_OK(RefusedChanges::forget(writer, sent.collection, sent.id));
  (stored->deleted ? transfer_.pushed_deleted : transfer_.pushed_live) += 1;
  if (stands_as_sent) {
    CHECK_OK(set_known(writer, state, sent.collection, sent.id, {verdict.seq, sent.seq}));
    const bool other_stamp = verdict.updated_at && *verdict.updated_at != stored->updated_at;
    if (is_unchanged && other_stamp) {
      CHECK_OK(adopt(writer, state, with_stamp(*stored, *verdict.updated_at, verdict.seq), &*stored));
    }
    return true;
  }
  // A newer edit waits already: the hub will decide about that one.
  if (!is_unchanged) return true;
  if (verdict.status == Verdict::Status::stale && !same_content(*stored, *verdict.version)) {
    CHECK_OK(writer.keep_version(*stored, Rule::later_stamp));
    transfer_.conflicts += 1;
  }
  CHECK_OK(adopt(writer, state, *verdict.version, &*stored));
  return true;
}

Result<Settled> LocalSpace::settle(const Batch& batch, const PushAnswer& answer) {
  Settled settled;
  if (answer.verdicts.size() != batch.items.size()) {
    return fail(ErrorCode::unavailable, "invalid answer from the hub: a result is missing");
  }
  std::size_t settled_count = 0;
  CHECK_OK(write([&](SpaceWriter& writer, SpaceState& state) -> Result<> {
    settled = {};
    settled_count = 0;
    if (state.generation != batch.generation || state.pushed != batch.after) return {};
    note_answer(state, answer.cursor);
    state.exchanged_at = writer.now();
    const Seq cursor_before = state.cursor.seq;
    std::set<Seq> own;
    for (std::size_t i = 0; i < batch.items.size(); ++i) {
      const Batch::Item& item = batch.items[i];
      TRY(const bool is_settled, settle_one(writer, state, item, answer.verdicts[i]));
      if (!is_settled) {
        settled.is_partial = true;
        if (settled_count > 0) return {};
        return fail(ErrorCode::unavailable, "invalid answer from the hub: the stored version is missing from a result");
      }
      ++settled_count;
      if (!item.was_refused) state.pushed = item.record.seq;
      const Seq seq = answer.verdicts[i].seq;
      if (seq > cursor_before) own.insert(seq);
      settled.needs_pull = settled.needs_pull || answer.verdicts[i].status == Verdict::Status::merged;
    }
    state.pushed = batch.through;
    // If all that is new at the hub is ours, there is nothing to pull.
    const bool all_ours = answer.cursor.epoch == state.cursor.epoch &&
                          answer.cursor.seq.value - cursor_before.value == static_cast<std::int64_t>(own.size());
    if (all_ours && !state.reads_from_start) state.cursor = answer.cursor;
    settled.needs_pull = answer.needs_pull || (settled.needs_pull && !all_ours);
    return {};
  }));
  for (std::size_t i = 0; i < settled_count; ++i) sent_.settle(batch.items[i].record.seq);
  settled.cursor = state_.cursor;
  settled.needs_pull = settled.needs_pull || may_have_missed();
  CHECK_OK(count_refused());
  return settled;
}

Result<> LocalSpace::start_over() {
  outbox_.look_again();
  forget_delivered();
  return write([](SpaceWriter& writer, SpaceState& state) -> Result<> {
    state = {.generation = state.generation + 1,
             .epoch = "",
             .cursor = {},
             .known = {},
             .pushed = {},
             .offer_through = writer.txn().info().head};
    return {};
  });
}

bool LocalSpace::has_new_damage() {
  bool is_new = false;
  for (const Damage& damage : spaces_.damage(name_)) {
    if (damage.table == Damage::Table::record) is_new = asked_for_.insert(damage.seq).second || is_new;
  }
  return is_new;
}

Result<> LocalSpace::read_from_start() {
  forget_delivered();
  return write([](SpaceWriter&, SpaceState& state) -> Result<> {
    state.cursor = {};
    state.missed_in = {};
    state.reads_from_start = true;
    state.positions = "{}";
    return {};
  });
}

Result<std::vector<RefusedChange>> LocalSpace::refused() {
  std::vector<RefusedChange> changes;
  CHECK_OK(spaces_.read(name_, [&](Snapshot& snapshot) -> Result<> {
    TRY(changes, RefusedChanges::list(snapshot));
    return {};
  }));
  return changes;
}

Result<std::int64_t> LocalSpace::revive_dead_letters() {
  std::int64_t revived = 0;
  CHECK_OK(write([&](SpaceWriter& writer, SpaceState&) -> Result<> {
    TRY(revived, RefusedChanges::revive(writer));
    return {};
  }));
  CHECK_OK(count_refused());
  return revived;
}

Result<> LocalSpace::for_each_pending(const std::function<void(const RecordView&)>& visit) {
  return spaces_.read(name_, [&](Snapshot& snapshot) -> Result<> {
    TRY(const SpaceState state, read_space_state(snapshot));
    return outbox_.for_each_waiting(snapshot, state, visit);
  });
}

Result<std::int64_t> LocalSpace::count_pending() {
  std::int64_t count = 0;
  CHECK_OK(for_each_pending([&](const RecordView&) { ++count; }));
  return count;
}

}  // namespace syncline::replica
