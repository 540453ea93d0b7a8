#include "store/sqlite/snapshot.hpp"

#include <algorithm>

namespace syncline::sqlite {
namespace {

Conflict read_conflict(const Statement& row, const SpaceEntry& space) {
  Conflict conflict;
  conflict.number = {row.integer(0)};
  conflict.rule = static_cast<Rule>(row.integer(1));
  conflict.state = static_cast<ConflictState>(row.integer(2));
  conflict.at = {row.integer(3)};
  Record& loser = conflict.loser;
  loser.seq = seq_of(row.integer(4));
  loser.collection = space.collections.at(static_cast<std::size_t>(collection_of(row.integer(5))));
  loser.id = row.bytes(6);
  loser.updated_at = loser.effective_at = {row.integer(7)};
  loser.committed_at = {row.integer(8)};
  loser.origin = {row.integer(9)};
  const std::int64_t flags = row.integer(10);
  loser.rule = static_cast<Rule>(flags >> 1);
  loser.deleted = (flags & 1) != 0;
  loser.doc = row.bytes(11);
  return conflict;
}

bool is_intact_conflict(const Statement& row, const SpaceEntry& space) {
  return is_as_written(kConflictForm, row) &&
         static_cast<std::size_t>(collection_of(row.integer(5))) < space.collections.size();
}

std::string select(const RowForm& form) {
  return "SELECT " + std::string(form.columns) + ", hash FROM " + std::string(to_text(form.table)) + " WHERE ";
}

/// How the columns of a conflict are read.
constexpr int kConflictIdColumn = 6;
constexpr int kConflictDocColumn = 11;

/// Superseded rows in a row after which a feed looks for the next one that is not.
constexpr int kPassedOverMax = 64;

/// Keys in memory that a scan takes at once: most scans are short.
constexpr std::size_t kFirstKeys = 32;
constexpr std::size_t kMoreKeys = 512;

}  // namespace

Result<std::unique_ptr<Reader>> Reader::make(Connection connection, const Shared& shared) {
  auto reader = std::make_unique<Reader>();
  reader->connection = std::move(connection);
  reader->shared = shared;
  Connection& on = reader->connection;
  const std::string record_at = "SELECT pos, row FROM record WHERE pos = ?";
  const std::string conflicts = select(kConflictForm);
  TRY(reader->begin, on.prepare("BEGIN"));
  TRY(reader->commit, on.prepare("COMMIT"));
  TRY(reader->info, on.prepare("SELECT head, records, bytes, updated_at, purged_through, collections "
                               "FROM space WHERE number = ?"));
  TRY(reader->collections, on.prepare("SELECT name FROM collection WHERE space = ? ORDER BY number"));
  TRY(reader->key, on.prepare("SELECT pos FROM key WHERE scope = ? AND id = ?"));
  TRY(reader->keys_after, on.prepare("SELECT id, pos FROM key WHERE scope = ? AND id > ? ORDER BY id"));
  TRY(reader->find, on.prepare(record_at));
  TRY(reader->listed, on.prepare(record_at));
  // Not up to the end: a row whose place is damaged may lie beyond it, with good ones behind. The first row of the next
  // space, which may be large, is not read.
  TRY(reader->feed, on.prepare("SELECT pos, CASE WHEN pos <= ?2 THEN row END FROM record WHERE pos > ?1 ORDER BY pos"));
  TRY(reader->version, on.prepare("SELECT pos, row FROM record WHERE pos = ?1 "
                                  "UNION ALL SELECT pos, row FROM history WHERE pos = ?1 LIMIT 1"));
  TRY(reader->conflicts, on.prepare(conflicts + "space = ? AND number > ? ORDER BY number LIMIT ?"));
  TRY(reader->conflicts_of_state,
      on.prepare(conflicts + "space = ? AND number > ? AND state = ?4 ORDER BY number LIMIT ?3"));
  TRY(reader->conflict, on.prepare(conflicts + "number = ? AND space = ?"));
  TRY(reader->receipt, on.prepare(select(kReceiptForm) + "space = ? AND key = ?"));
  TRY(reader->value, on.prepare(select(kValueForm) + "space = ? AND name = ?"));
  TRY(reader->kept, on.prepare("SELECT number FROM conflict WHERE space = ? AND fingerprint = ?"));
  TRY(reader->events, on.prepare("SELECT number, account, type, at, data FROM event ORDER BY number LIMIT ?"));
  TRY(reader->record_at, on.prepare(record_at));
  TRY(reader->next_pos, on.prepare("SELECT pos FROM record WHERE pos > ? AND pos <= ? ORDER BY pos LIMIT 1"));
  TRY(reader->key_of_pos, on.prepare("SELECT scope, id FROM key "
                                     "WHERE scope >= ?1 << 12 AND scope < (?1 + 1) << 12 AND pos = ?2"));
  TRY(reader->next_conflict, on.prepare("SELECT number FROM conflict WHERE number > ? ORDER BY number LIMIT 1"));
  return reader;
}

Result<SqliteSnapshot> make_snapshot(Reader& reader, const SpaceName& name, const Catalog& catalog) {
  std::shared_ptr<const SpaceEntry> entry = catalog.find(name);
  SpaceInfo info;
  info.name = name;
  info.epoch = catalog.epoch(name);
  if (!entry) return SqliteSnapshot(reader, nullptr, std::move(info));
  const StatementScope scope(reader.info);
  reader.info.bind(1, entry->number);
  TRY(const bool row, reader.info.step());
  if (!row) return SqliteSnapshot(reader, nullptr, std::move(info));
  info.head = {reader.info.integer(0)};
  info.records = reader.info.integer(1);
  info.bytes = reader.info.integer(2);
  info.updated_at = {reader.info.integer(3)};
  info.purged_through = {reader.info.integer(4)};
  const auto collections = static_cast<std::size_t>(reader.info.integer(5));
  if (collections > entry->collections.size()) {
    auto complete = std::make_shared<SpaceEntry>(SpaceEntry{.number = entry->number});
    const StatementScope names(reader.collections);
    reader.collections.bind(1, entry->number);
    for (;;) {
      TRY(const bool more, reader.collections.step());
      if (!more) break;
      complete->collections.emplace_back(reader.collections.bytes(0));
    }
    entry = std::move(complete);
  }
  return SqliteSnapshot(reader, std::move(entry), std::move(info));
}

Result<std::int64_t> find_pos(Reader& reader, std::int64_t scope, std::string_view id, Seq head) {
  const RecentKeys::Found recent = reader.shared.keys->find(scope, id, head);
  if (recent.is_newest) return recent.pos;
  const StatementScope key_scope(reader.key);
  reader.key.bind(1, scope);
  reader.key.bind_bytes(2, id);
  TRY(const bool is_in_table, reader.key.step());
  const std::int64_t pos = is_in_table ? std::max(recent.pos, reader.key.integer(0)) : recent.pos;
  if (pos == 0 && reader.shared.keys->has_gap(space_of_scope(scope))) {
    return fail(ErrorCode::storage_damaged, "some of the newest records of the space cannot be read");
  }
  return pos;
}

Result<Located> SqliteSnapshot::locate(std::string_view collection, std::string_view id) {
  const auto number = entry_ ? entry_->collection_number(collection) : std::nullopt;
  if (!number) return Located{};
  const std::int64_t key_scope = pack_scope(entry_->number, *number);
  TRY(const std::int64_t pos, find_pos(reader_, key_scope, id, info_.head));
  if (pos == 0) return Located{};
  std::optional<Error> error;
  {
    const StatementScope scope(reader_.find);
    reader_.find.bind(1, pos);
    const auto row = reader_.find.step();
    const auto version = row && *row ? read_version(reader_.find, *entry_) : std::nullopt;
    if (version && version->id == id && version->collection == collection) {
      return Located{version->to_record(), std::nullopt};
    }
    if (!row && !reader_.find.is_corrupt()) return std::unexpected(row.error());
    if (!row) error = row.error();
  }
  return look_closer(collection, id, key_scope, pos, error);
}

Result<> SqliteSnapshot::scan(std::string_view collection, std::string_view after, const RecordVisitor& visit,
                              const DamagedVisitor& on_damaged) {
  const auto number = entry_ ? entry_->collection_number(collection) : std::nullopt;
  if (!number) return {};
  const std::int64_t scope = pack_scope(entry_->number, *number);
  Statement& table = reader_.keys_after;
  const StatementScope table_scope(table);
  table.bind(1, scope);
  table.bind_bytes(2, after);
  TRY(bool is_in_table, table.step());
  // Two lists, each in order: the keys of the table and those in memory, which come by pages.
  RecentKeys::Page recent = reader_.shared.keys->list(scope, after, info_.head, kFirstKeys);
  std::size_t at = 0;
  for (;;) {
    if (at == recent.keys.size() && recent.through) {
      recent = reader_.shared.keys->list(scope, *recent.through, info_.head, kMoreKeys);
      at = 0;
      continue;
    }
    const bool is_recent = at < recent.keys.size();
    if (!is_in_table && !is_recent) return {};
    const int order = !is_recent ? -1 : !is_in_table ? 1 : table.bytes(0).compare(recent.keys[at].id);
    const std::string id(order <= 0 ? table.bytes(0) : recent.keys[at].id);
    const std::int64_t pos = std::max(order <= 0 ? table.integer(1) : 0, order >= 0 ? recent.keys[at].pos : 0);
    TRY(const bool goes_on, visit_listed(id, pos, visit, on_damaged));
    if (!goes_on) return {};
    if (order >= 0) ++at;
    if (order <= 0) {
      TRY(is_in_table, table.step());
    }
  }
}

Result<bool> SqliteSnapshot::visit_listed(std::string_view id, std::int64_t pos, const RecordVisitor& visit,
                                          const DamagedVisitor& on_damaged) {
  Statement& row = reader_.listed;
  const StatementScope scope(row);
  row.bind(1, pos);
  const auto found = row.step();
  if (const auto version = found && *found ? read_version(row, *entry_) : std::nullopt) {
    // The row is good, so if it has another key, the table does not.
    if (version->id != id) note(Damage::Table::key_index, id, seq_of(pos), 0);
    return visit(*version);
  }
  if (!found && !row.is_corrupt()) return std::unexpected(found.error());
  if (found && !*found) {
    note(Damage::Table::key_index, id, seq_of(pos), 0);
    return true;
  }
  if (!found) {
    // A page that makes no sense is more than a damaged row.
    const auto place = has_row_at(pos);
    if (!place || !*place) return std::unexpected(found.error());
    reader_.unreadable.push_back(pos);
  }
  return pass_damaged(pos, on_damaged);
}

Result<> SqliteSnapshot::feed(Seq since, const RecordVisitor& visit, const DamagedVisitor& on_damaged) {
  if (!entry_ || since >= info_.head) return {};
  std::int64_t at = pack_pos(entry_->number, since);
  const std::int64_t end = pack_pos(entry_->number, info_.head);
  SupersededRows::View superseded;
  for (;;) {
    const StatementScope scope(reader_.feed);
    reader_.feed.bind(1, at);
    reader_.feed.bind(2, end);
    int passed_over = 0;
    auto row = reader_.feed.step();
    for (; row && *row && passed_over < kPassedOverMax; row = reader_.feed.step()) {
      const std::int64_t pos = reader_.feed.integer(0);
      if (pos > end) {
        TRY(const bool has_left, has_left_its_place(pos));
        if (!has_left) return {};
        continue;
      }
      if (chunk_of(pos) != superseded.chunk) reader_.shared.superseded->look(chunk_of(pos), info_.head, superseded);
      if (superseded.contains(pos)) {
        at = std::max(at, pos);
        ++passed_over;
        continue;
      }
      passed_over = 0;
      const auto record = read_version(reader_.feed, *entry_);
      if (!record && pos <= at) continue;
      at = pos;
      if (!record) {
        TRY(const bool goes_on, pass_damaged(pos, on_damaged));
        if (!goes_on) return {};
        continue;
      }
      if (record->deleted && record->seq <= info_.purged_through) continue;
      if (!visit(*record)) return {};
    }
    if (row && *row) {
      // So many at once that looking for the next one costs less.
      at = superseded.next_unmarked(at) - 1;
      continue;
    }
    if (row) return {};
    if (!reader_.feed.is_corrupt()) return std::unexpected(row.error());
    // One row cannot be read: it is passed over by its place.
    const StatementScope next_scope(reader_.next_pos);
    reader_.next_pos.bind(1, at);
    reader_.next_pos.bind(2, end);
    TRY(const bool more, reader_.next_pos.step());
    if (!more) return std::unexpected(row.error());
    at = reader_.next_pos.integer(0);
    TRY(const bool intact, is_intact_at(at));
    reader_.record_at.reset();
    if (intact) return std::unexpected(row.error());
    reader_.unreadable.push_back(at);
    if (reader_.shared.superseded->contains(at, info_.head)) continue;
    TRY(const bool goes_on, pass_damaged(at, on_damaged));
    if (!goes_on) return {};
  }
}

const std::vector<std::string>& SqliteSnapshot::collections() const {
  static const std::vector<std::string> kNone;
  return entry_ ? entry_->collections : kNone;
}

Result<std::vector<Record>> SqliteSnapshot::history(const Record& newest, std::size_t count_max,
                                                    std::size_t bytes_max) {
  std::vector<Record> versions;
  std::size_t bytes = 0;
  if (!entry_) return versions;
  for (std::int64_t seq = newest.previous; seq != 0 && versions.size() < count_max;) {
    Statement& row = reader_.version;
    const StatementScope scope(row);
    row.bind(1, pack_pos(entry_->number, Seq{seq}));
    const auto found = row.step();
    if (!found && !row.is_corrupt()) return std::unexpected(found.error());
    if (found && !*found) break;
    reader_.met_unreadable = reader_.met_unreadable || !found;
    const auto version = found ? read_version(row, *entry_) : std::nullopt;
    if (!version) {
      note(Damage::Table::history, newest.id, Seq{seq}, 0);
      break;
    }
    if (version->id != newest.id || version->collection != newest.collection) break;
    bytes += version->doc.size();
    if (!versions.empty() && bytes > bytes_max) break;
    versions.push_back(version->to_record());
    seq = version->previous;
  }
  return versions;
}

Result<std::vector<Conflict>> SqliteSnapshot::conflicts(std::optional<ConflictState> state, ConflictNumber after,
                                                        std::size_t count_max) {
  std::vector<Conflict> found;
  std::size_t bytes = 0;
  if (!entry_) return found;
  Statement& statement = state ? reader_.conflicts_of_state : reader_.conflicts;
  while (found.size() < count_max) {
    const StatementScope scope(statement);
    statement.bind(1, entry_->number);
    statement.bind(2, after.value);
    const std::size_t wanted = count_max - found.size();
    statement.bind(3, static_cast<std::int64_t>(wanted));
    if (state) statement.bind(4, static_cast<std::int64_t>(*state));
    std::size_t rows = 0;
    auto row = statement.step();
    for (; row && *row; row = statement.step()) {
      ++rows;
      after = {statement.integer(0)};
      if (!is_intact_conflict(statement, *entry_)) {
        note(Damage::Table::conflict, statement.bytes(kConflictIdColumn), {}, after.value);
        continue;
      }
      bytes += statement.bytes(kConflictDocColumn).size();
      if (!found.empty() && bytes > kListBytesMax) return found;
      found.push_back(read_conflict(statement, *entry_));
    }
    if (row && rows < wanted) return found;
    if (row) continue;  // damaged ones have taken the place of others
    if (!statement.is_corrupt()) return std::unexpected(row.error());
    reader_.met_unreadable = true;
    const StatementScope next_scope(reader_.next_conflict);
    reader_.next_conflict.bind(1, after.value);
    TRY(const bool more, reader_.next_conflict.step());
    if (!more) return std::unexpected(row.error());
    after = {reader_.next_conflict.integer(0)};
    // SQLite may have read on, to sort: the next row need not be the one that cannot be read.
    auto next = find_conflict(after);
    if (!next && next.error().code != ErrorCode::damaged) return std::unexpected(next.error());
    if (!next || !*next || (state && (*next)->state != *state)) continue;
    bytes += (*next)->loser.doc.size();
    if (!found.empty() && bytes > kListBytesMax) return found;
    found.push_back(**std::move(next));
  }
  return found;
}

Result<std::optional<Conflict>> SqliteSnapshot::find_conflict(ConflictNumber number) {
  if (!entry_) return std::nullopt;
  const StatementScope scope(reader_.conflict);
  reader_.conflict.bind(1, number.value);
  reader_.conflict.bind(2, entry_->number);
  const auto row = reader_.conflict.step();
  if (!row && !reader_.conflict.is_corrupt()) return std::unexpected(row.error());
  if (row && !*row) return std::nullopt;
  reader_.met_unreadable = reader_.met_unreadable || !row;
  if (row && is_intact_conflict(reader_.conflict, *entry_)) {
    return read_conflict(reader_.conflict, *entry_);
  }
  note(Damage::Table::conflict, "", {}, number.value);
  return fail(ErrorCode::damaged, "conflict " + std::to_string(number.value) + " is damaged in the store");
}

Result<std::optional<Receipt>> SqliteSnapshot::find_receipt(std::string_view key) {
  if (!entry_) return std::nullopt;
  const StatementScope scope(reader_.receipt);
  reader_.receipt.bind(1, entry_->number);
  reader_.receipt.bind_bytes(2, key);
  TRY(const bool row, reader_.receipt.step());
  if (!row) return std::nullopt;
  if (!is_as_written(kReceiptForm, reader_.receipt)) {
    note(Damage::Table::receipt, key, {}, 0);
    return std::nullopt;
  }
  return Receipt{std::string(reader_.receipt.bytes(3)), static_cast<int>(reader_.receipt.integer(4)),
                 std::string(reader_.receipt.bytes(5))};
}

Result<std::optional<ConflictNumber>> SqliteSnapshot::find_kept(std::string_view fingerprint) {
  if (!entry_) return std::nullopt;
  const StatementScope scope(reader_.kept);
  reader_.kept.bind(1, entry_->number);
  reader_.kept.bind_bytes(2, fingerprint);
  TRY(const bool row, reader_.kept.step());
  if (!row) return std::nullopt;
  return ConflictNumber{reader_.kept.integer(0)};
}

Result<std::vector<Event>> read_events(Reader& reader, std::size_t count_max) {
  std::vector<Event> found;
  std::size_t bytes = 0;
  const StatementScope scope(reader.events);
  reader.events.bind(1, static_cast<std::int64_t>(count_max));
  while (bytes < kListBytesMax) {
    TRY(const bool row, reader.events.step());
    if (!row) break;
    found.push_back({.number = {reader.events.integer(0)},
                     .account = {reader.events.integer(1)},
                     .type = std::string(reader.events.bytes(2)),
                     .at = {reader.events.integer(3)},
                     .data = std::string(reader.events.bytes(4))});
    bytes += found.back().data.size();
  }
  return found;
}

Result<std::optional<std::string>> SqliteSnapshot::find_value(std::string_view name) {
  if (!entry_) return std::nullopt;
  const StatementScope scope(reader_.value);
  reader_.value.bind(1, entry_->number);
  reader_.value.bind_bytes(2, name);
  TRY(const bool row, reader_.value.step());
  if (!row) return std::nullopt;
  if (!is_as_written(kValueForm, reader_.value)) {
    note(Damage::Table::value, name, {}, 0);
    return std::nullopt;
  }
  return std::string(reader_.value.bytes(2));
}

}  // namespace syncline::sqlite
