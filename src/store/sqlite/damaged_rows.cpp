// What a snapshot does where a row is damaged: finds out whose it is, and lists it.
#include "store/sqlite/record_row.hpp"
#include "store/sqlite/snapshot.hpp"

namespace syncline::sqlite {

Result<std::optional<RecordKey>> find_key_at(Reader& reader, std::int64_t pos) {
  RecordKey own;
  {
    const StatementScope scope(reader.record_at);
    reader.record_at.bind(1, pos);
    const auto row = reader.record_at.step();
    const auto parsed = row && *row ? parse_row(reader.record_at.bytes(1)) : std::nullopt;
    if (parsed) own = {pack_scope(space_of_pos(pos), parsed->collection), std::string(parsed->version.id)};
  }
  {
    const auto place = find_place(reader, own.scope, own.id, kAnySeq);
    if (!place && place.error().code != ErrorCode::storage_damaged) return std::unexpected(place.error());
    if (place && place->pos == pos) return own;
  }
  if (auto recent = reader.shared.keys->find_key(pos)) return recent;
  const StatementScope scope(reader.key_of_pos);
  reader.key_of_pos.bind(1, space_of_pos(pos));
  reader.key_of_pos.bind(2, pos);
  const auto row = reader.key_of_pos.step();
  if (!row && !reader.key_of_pos.is_corrupt()) return std::unexpected(row.error());
  if (!row || !*row) return std::nullopt;
  return RecordKey{reader.key_of_pos.integer(0), std::string(reader.key_of_pos.bytes(1))};
}

void SqliteSnapshot::note(Damage::Table table, std::string_view id, Seq seq, std::int64_t number) {
  reader_.shared.damage->note(
      {.table = table, .space = info_.name, .collection = "", .id = std::string(id), .seq = seq, .number = number});
}

Result<bool> SqliteSnapshot::is_intact_at(std::int64_t pos) {
  reader_.record_at.reset();
  reader_.record_at.bind(1, pos);
  const auto row = reader_.record_at.step();
  if (!row && !reader_.record_at.is_corrupt()) return std::unexpected(row.error());
  return row && *row && read_version(reader_.record_at, *entry_);
}

Result<bool> SqliteSnapshot::has_left_its_place(std::int64_t pos) {
  Statement& other = reader_.record_at;
  const StatementScope scope(other);
  other.bind(1, pos);
  const auto row = other.step();
  if (!row && !other.is_corrupt()) return std::unexpected(row.error());
  // A good row belongs where it is: to the next space.
  if (row && *row && is_as_written(pos, other.bytes(1))) return false;
  if (space_of_pos(pos) == entry_->number) note(Damage::Table::record, "", seq_of(pos), 0);
  return true;
}

Result<DamagedRecord> SqliteSnapshot::note_damaged(std::int64_t pos) {
  DamagedRecord damaged{.collection = "", .id = "", .seq = seq_of(pos)};
  if (const auto known = reader_.shared.damage->find(info_.name, damaged.seq)) {
    damaged.collection = known->collection;
    damaged.id = known->id;
    return damaged;
  }
  TRY(const auto key, find_key_at(reader_, pos));
  const auto collection = key ? static_cast<std::size_t>(collection_of(key->scope)) : 0;
  if (key && collection < entry_->collections.size()) {
    damaged.collection = entry_->collections[collection];
    damaged.id = key->id;
  }
  reader_.shared.damage->note({.table = Damage::Table::record,
                               .space = info_.name,
                               .collection = damaged.collection,
                               .id = damaged.id,
                               .seq = damaged.seq});
  return damaged;
}

Result<bool> SqliteSnapshot::pass_damaged(std::int64_t pos, const DamagedVisitor& on_damaged) {
  TRY(const DamagedRecord damaged, note_damaged(pos));
  return !on_damaged || on_damaged(damaged);
}

std::int64_t SqliteSnapshot::find_previous(std::int64_t scope, std::string_view id, std::int64_t seq) {
  if (seq <= 0 || Seq{seq} > info_.head) return 0;
  Statement& row = reader_.version;
  const StatementScope version_scope(row);
  row.bind(1, pack_pos(entry_->number, Seq{seq}));
  const auto found = row.step();
  reader_.met_unreadable = reader_.met_unreadable || !found;
  const auto version = found && *found ? read_version(row, *entry_) : std::nullopt;
  const bool is_its_own = version && version->id == id &&
                          version->collection == entry_->collections[static_cast<std::size_t>(collection_of(scope))];
  return is_its_own ? seq : 0;
}

Result<bool> SqliteSnapshot::has_row_at(std::int64_t pos) {
  const StatementScope scope(reader_.next_pos);
  reader_.next_pos.bind(1, pos - 1);
  reader_.next_pos.bind(2, pos);
  return reader_.next_pos.step();
}

Result<Located> SqliteSnapshot::look_closer(std::string_view collection, std::string_view id, std::int64_t key_scope,
                                            std::int64_t pos, const std::optional<Error>& error) {
  // A page that makes no sense is more than a damaged row.
  const auto place = has_row_at(pos);
  if (!place) return std::unexpected(error ? *error : place.error());
  if (error) reader_.unreadable.push_back(pos);
  TRY(const bool intact, is_intact_at(pos));
  const StatementScope at_scope(reader_.record_at);
  if (intact || !*place) {
    // A key that leads to a good row of another key, or to none: the table is damaged, not the row.
    note(Damage::Table::key_index, id, seq_of(pos), 0);
    return fail(ErrorCode::damaged, "the key index of the store is damaged; 'syncline verify' rebuilds it");
  }
  const auto parsed = error ? std::nullopt : parse_row(reader_.record_at.bytes(1));
  const std::int64_t previous = parsed ? parsed->version.previous : 0;
  reader_.shared.damage->note({.table = Damage::Table::record,
                               .space = info_.name,
                               .collection = std::string(collection),
                               .id = std::string(id),
                               .seq = seq_of(pos)});
  return Located{std::nullopt, DamagedRecord{.collection = std::string(collection),
                                             .id = std::string(id),
                                             .seq = seq_of(pos),
                                             .previous = find_previous(key_scope, id, previous)}};
}

}  // namespace syncline::sqlite
