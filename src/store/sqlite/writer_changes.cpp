// How the writer puts the changes of one write function into the tables.
#include "store/sqlite/record_row.hpp"
#include "store/sqlite/writer.hpp"

namespace syncline::sqlite {

Result<> Writer::ensure_collection(Touched& space, const std::string& name) {
  if (space.entry->collection_number(name)) return {};
  const StatementScope scope(insert_collection_);
  insert_collection_.bind(1, space.entry->number);
  insert_collection_.bind(2, static_cast<std::int64_t>(space.entry->collections.size()));
  insert_collection_.bind_text(3, name);
  CHECK_OK(insert_collection_.run());
  space.entry->collections.push_back(name);
  return {};
}

Result<> Writer::apply_all(Touched& space, const BufferedTxn& txn) {
  if (txn.took_seq()) CHECK_OK(ensure_incarnation(space));
  for (const Change& change : txn.changes()) {
    CHECK_OK(std::visit([&](const auto& one) { return apply(space, one); }, change));
  }
  space.info = txn.info();
  return {};
}

Result<> Writer::ensure_incarnation(Touched& space) {
  if (space.entry->has_stored_incarnation) return {};
  const auto& entries = space.entry->lineage->entries();
  {
    const StatementScope scope(insert_incarnation_);
    insert_incarnation_.bind(1, space.entry->number);
    insert_incarnation_.bind(2, entries.back().head_before.value);
    insert_incarnation_.bind(3, entries.back().incarnation.value);
    CHECK_OK(insert_incarnation_.run());
  }
  const StatementScope scope(forget_incarnations_);
  forget_incarnations_.bind(1, space.entry->number);
  forget_incarnations_.bind(2, entries.front().head_before.value);
  CHECK_OK(forget_incarnations_.run());
  space.entry->has_stored_incarnation = true;
  return {};
}

Result<> Writer::delete_record(std::int64_t pos) {
  const StatementScope scope(delete_record_);
  delete_record_.bind(1, pos);
  return delete_record_.run();
}

Result<> Writer::apply(Touched& space, const PutChange& change) {
  const Record& record = change.record;
  CHECK_OK(ensure_collection(space, record.collection));
  const std::int64_t number = space.entry->number;
  if (change.damaged) CHECK_OK(delete_record(pack_pos(number, change.damaged->seq)));
  const std::int64_t pos = pack_pos(number, record.seq);
  const std::int64_t collection = *space.entry->collection_number(record.collection);
  const auto before = reader_->raised.find(pack_pos(number, Seq{record.previous}));
  write_row(row_, pos, record, collection,
            before == reader_->raised.end() ? std::nullopt : std::optional(before->second));
  const StatementScope scope(insert_record_);
  insert_record_.bind(1, pos);
  insert_record_.bind_bytes(2, row_);
  CHECK_OK(insert_record_.run());
  // The version before stays where it is, as history.
  if (record.previous != 0) superseded_.mark(pack_pos(number, Seq{record.previous}), record.seq, keys_.next_commit());
  keys_.put(pack_scope(number, collection), record.id, pos);
  space.added.add(collection, change.delta);
  return {};
}

Result<> Writer::apply(Touched& space, const HiddenStampsChange& change) {
  const std::int64_t number = space.entry->number;
  const std::int64_t scope = pack_scope(number, *space.entry->collection_number(change.collection));
  const Place place{.pos = pack_pos(number, change.seq), .raised = change.stamps};
  keys_.raise(scope, change.id, place);
  append_raised(space.raised, scope, change.id, place);
  reader_->raised[place.pos] = place.raised;
  return {};
}

Result<> Writer::apply(Touched& space, const ConflictChange& change) {
  const Conflict& conflict = change.conflict;
  const Record& loser = conflict.loser;
  CHECK_OK(ensure_collection(space, loser.collection));
  const StatementScope scope(insert_conflict_);
  Columns to(kConflictForm, insert_conflict_);
  to.add(conflict.number.value);
  to.add(static_cast<std::int64_t>(conflict.rule));
  to.add(static_cast<std::int64_t>(conflict.state));
  to.add(conflict.at.micros);
  to.add(pack_pos(space.entry->number, loser.seq));
  to.add(pack_scope(space.entry->number, *space.entry->collection_number(loser.collection)));
  to.add(loser.id);
  to.add(loser.updated_at.micros);
  to.add(loser.committed_at.micros);
  to.add(loser.origin.value);
  to.add(pack_flags(loser.rule, loser.deleted));
  to.add(loser.doc);
  to.add(space.entry->number);
  to.add(change.fingerprint);
  to.finish();
  return insert_conflict_.run();
}

Result<> Writer::apply(Touched& space, const ConflictStateChange& change) {
  Statement& row = reader_->conflict;
  const StatementScope row_scope(row);
  row.bind(1, change.number.value);
  row.bind(2, space.entry->number);
  TRY(const bool found, row.step());
  if (!found || !is_as_written(kConflictForm, row)) return {};
  const auto state = static_cast<std::int64_t>(change.state);
  const StatementScope scope(update_conflict_);
  update_conflict_.bind(1, change.number.value);
  update_conflict_.bind(2, state);
  update_conflict_.bind(3, hash_of(kConflictForm, row, {{2, state}}));
  return update_conflict_.run();
}

Result<> Writer::apply(Touched& space, const ReceiptChange& change) {
  const StatementScope scope(insert_receipt_);
  Columns to(kReceiptForm, insert_receipt_);
  to.add(space.entry->number);
  to.add(change.key);
  to.add(change.at.micros);
  to.add(change.receipt.fingerprint);
  to.add(change.receipt.status);
  to.add(change.receipt.body);
  to.finish();
  return insert_receipt_.run();
}

Result<> Writer::apply(Touched& space, const ValueChange& change) {
  if (change.value.empty()) {
    const StatementScope scope(delete_value_);
    delete_value_.bind(1, space.entry->number);
    delete_value_.bind_bytes(2, change.name);
    return delete_value_.run();
  }
  const StatementScope scope(insert_value_);
  Columns to(kValueForm, insert_value_);
  to.add(space.entry->number);
  to.add(change.name);
  to.add(change.value);
  to.finish();
  return insert_value_.run();
}

Result<> Writer::apply(Touched& space, const EventChange& change) {
  const StatementScope scope(insert_event_);
  insert_event_.bind(1, space.info.name.account.value);
  insert_event_.bind_text(2, change.type);
  insert_event_.bind(3, change.at.micros);
  insert_event_.bind_bytes(4, change.data);
  return insert_event_.run();
}

}  // namespace syncline::sqlite
