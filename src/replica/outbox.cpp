#include "replica/outbox.hpp"

#include "replica/known_versions.hpp"

namespace syncline::replica {

bool Outbox::holds(const SpaceState& state, const RecordView& record) {
  if (record.seq <= state.pushed || record.collection == kRefusedCollection) return false;
  return record.origin != kHubAuthor || record.seq <= state.offer_through;
}

Result<bool> Outbox::is_waiting(Snapshot& snapshot, const SpaceState& state, const Record& stored) {
  if (holds(state, view_of(stored))) return true;
  if (stored.seq > state.pushed || stored.origin == kHubAuthor) return false;
  return RefusedChanges::has(snapshot, stored);
}

Result<> Outbox::for_each_waiting(Snapshot& snapshot, const SpaceState& state,
                                  const std::function<void(const RecordView&)>& visit) const {
  CHECK_OK(snapshot.feed(begin(state), [&](const RecordView& record) {
    if (holds(state, record)) visit(record);
    return true;
  }));
  TRY(const auto changes, RefusedChanges::list(snapshot));
  for (const RefusedChange& change : changes) {
    if (change.seq > state.pushed) continue;
    TRY(const auto record, RefusedChanges::find_record(snapshot, change));
    if (record) visit(view_of(*record));
  }
  return {};
}

Result<Batch> Outbox::next_batch(Snapshot& snapshot, const SpaceState& state, bool with_refused, std::size_t ops_max,
                                 const Carries& carries) {
  Batch batch;
  batch.generation = state.generation;
  batch.after = batch.through = state.pushed;
  const std::size_t count_max = std::min(ops_max, limits_.ops_max);
  std::size_t bytes = 0;
  if (with_refused) {
    TRY(const auto changes, RefusedChanges::list(snapshot));
    for (const RefusedChange& change : changes) {
      if (change.is_dead() || batch.items.size() >= count_max || bytes > limits_.bytes_max) continue;
      TRY(auto record, RefusedChanges::find_record(snapshot, change));
      // What is offered anyway is not offered twice.
      if (!record || holds(state, view_of(*record))) continue;
      bytes += record->doc.size();
      batch.items.push_back({*std::move(record), std::nullopt, true});
    }
  }
  CHECK_OK(snapshot.feed(begin(state), [&](const RecordView& record) {
    if (holds(state, record) && carries(record.collection)) {
      const bool is_full = batch.items.size() >= count_max || bytes + record.doc.size() > limits_.bytes_max;
      batch.more = is_full && !batch.items.empty();
      if (batch.more) return false;
      bytes += record.doc.size();
      batch.items.push_back({record.to_record(), std::nullopt, false});
    }
    batch.through = record.seq;
    return true;
  }));
  if (!batch.more) batch.through = std::max(batch.through, snapshot.info().head);
  const KnownVersions known(state.generation);
  for (Batch::Item& item : batch.items) {
    TRY(const auto version, known.find(snapshot, item.record.collection, item.record.id));
    if (version) item.base = version->hub;
  }
  if (batch.items.empty()) skipped_through_ = batch.through;
  return batch;
}

}  // namespace syncline::replica
