// How the writer puts a record in the place of a damaged row.
#include "base/log.hpp"
#include "store/sqlite/record_row.hpp"
#include "store/sqlite/writer.hpp"

namespace syncline::sqlite {

Result<> Writer::apply_over_damage(Touched& space, const BufferedTxn& txn, Task& task) {
  Connection& on = reader_->connection;
  const SpaceEntry entry_before = *space.entry;
  const SpaceInfo info_before = space.info;
  const std::size_t keys_before = keys_.put_count();
  const std::size_t marks_before = superseded_.marked_count();
  const std::size_t raised_before = space.raised.size();
  const LiveCounts added_before = space.added;
  CHECK_OK(on.execute("SAVEPOINT over_damage"));
  auto done = apply_all(space, txn);
  if (done) done = count_again(space);
  if (done) done = on.execute("RELEASE over_damage");
  if (done) {
    for (const Change& change : txn.changes()) {
      const auto* put = std::get_if<PutChange>(&change);
      if (put != nullptr && put->damaged) space.healed.push_back(put->damaged->seq);
    }
    task.result = Committed{space.info.head, txn.took_seq()};
    return {};
  }
  if (done.error().code == ErrorCode::storage_full || !on.in_transaction()) return done;
  // The page is damaged too, not the row alone. The other writes of the group have nothing to do with it.
  log(LogLevel::error, "damaged_row_stays", {{"space", space.info.name.name}, {"error", done.error().text}});
  CHECK_OK(on.execute("ROLLBACK TO over_damage; RELEASE over_damage"));
  keys_.take_back(keys_before);
  superseded_.take_back(marks_before);
  space.raised.resize(raised_before);
  space.added = added_before;
  *space.entry = entry_before;
  space.info = info_before;
  task.result = fail(ErrorCode::damaged, "the store is too damaged at this record to write it; restore a backup");
  return {};
}

Result<> Writer::make_readable(std::int64_t pos) {
  Connection& on = reader_->connection;
  const bool is_history = superseded_.contains(pos, kAnySeq);
  std::string row;
  if (!is_history) {
    TRY(const auto key, find_key_at(*reader_, pos));
    if (!key) return fail(ErrorCode::damaged, "nobody can tell whose the record is");
    Record unknown;
    unknown.id = key->id;
    write_row(row, pos, unknown, collection_of(key->scope));
    spoil_row(row);
  }
  TRY(Transaction transaction, Transaction::begin(on));
  CHECK_OK(delete_record(pos));
  if (!is_history) {
    const StatementScope scope(insert_record_);
    insert_record_.bind(1, pos);
    insert_record_.bind_bytes(2, row);
    CHECK_OK(insert_record_.run());
  }
  return transaction.commit();
}

/// Nobody knows whether the row that is gone was counted, and with how many bytes.
Result<> Writer::count_again(Touched& space) {
  const std::int64_t number = space.entry->number;
  TRY(const LiveCounts counts, count_live(reader_->connection, superseded_, number));
  if (counts.is_partial) return {};
  LiveDelta all;
  for (const LiveDelta& collection : counts.collections) all.add(collection);
  space.info.records = all.records;
  space.info.bytes = all.bytes;
  CHECK_OK(put_counts(reader_->connection, number, counts));
  space.added = {};
  return {};
}

}  // namespace syncline::sqlite
