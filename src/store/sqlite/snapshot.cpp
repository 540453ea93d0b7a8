#include "store/sqlite/snapshot.hpp"

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

constexpr std::string_view kConflictColumns =
    "number, rule, state, at, pos, scope, id, updated_at, committed_at, origin, flags, doc";

}  // namespace

Result<std::unique_ptr<Reader>> Reader::make(Connection connection) {
  auto reader = std::make_unique<Reader>();
  reader->connection = std::move(connection);
  Connection& on = reader->connection;
  const std::string records = "SELECT " + std::string(kRecordColumns) + " FROM record WHERE ";
  const std::string conflicts = "SELECT " + std::string(kConflictColumns) + " FROM conflict WHERE ";
  TRY(reader->begin, on.prepare("BEGIN"));
  TRY(reader->commit, on.prepare("COMMIT"));
  TRY(reader->info, on.prepare("SELECT head, records, bytes, updated_at, purged_through, collections "
                               "FROM space WHERE number = ?"));
  TRY(reader->collections, on.prepare("SELECT name FROM collection WHERE space = ? ORDER BY number"));
  TRY(reader->find, on.prepare(records + "scope = ? AND id = ?"));
  TRY(reader->scan, on.prepare(records + "scope = ? AND id > ? ORDER BY id"));
  TRY(reader->feed, on.prepare(records + "pos > ? AND pos <= ? ORDER BY pos"));
  TRY(reader->history, on.prepare("SELECT " + std::string(kRecordColumns) + " FROM history WHERE number = ?"));
  TRY(reader->conflicts, on.prepare(conflicts + "space = ? AND number > ? ORDER BY number LIMIT ?"));
  TRY(reader->conflicts_of_state,
      on.prepare(conflicts + "space = ? AND number > ? AND state = ?4 ORDER BY number LIMIT ?3"));
  TRY(reader->conflict, on.prepare(conflicts + "number = ? AND space = ?"));
  TRY(reader->receipt, on.prepare("SELECT fingerprint, status, body FROM receipt WHERE space = ? AND key = ?"));
  TRY(reader->value, on.prepare("SELECT value FROM value WHERE space = ? AND name = ?"));
  TRY(reader->kept, on.prepare("SELECT number FROM conflict WHERE space = ? AND fingerprint = ?"));
  TRY(reader->events, on.prepare("SELECT number, account, type, at, data FROM event WHERE number > ? ORDER BY number "
                                 "LIMIT ?"));
  return reader;
}

Result<SqliteSnapshot> make_snapshot(Reader& reader, const SpaceName& name, std::shared_ptr<const SpaceEntry> entry) {
  SpaceInfo info;
  info.name = name;
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
    auto complete = std::make_shared<SpaceEntry>(SpaceEntry{entry->number, {}});
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

Result<std::optional<Record>> SqliteSnapshot::find(std::string_view collection, std::string_view id) {
  const auto number = entry_ ? entry_->collection_number(collection) : std::nullopt;
  if (!number) return std::nullopt;
  const StatementScope scope(reader_.find);
  reader_.find.bind(1, pack_scope(entry_->number, *number));
  reader_.find.bind_bytes(2, id);
  TRY(const bool row, reader_.find.step());
  if (!row) return std::nullopt;
  return read_record(reader_.find, *entry_).to_record();
}

Result<> SqliteSnapshot::scan(std::string_view collection, std::string_view after, const RecordVisitor& visit) {
  const auto number = entry_ ? entry_->collection_number(collection) : std::nullopt;
  if (!number) return {};
  const StatementScope scope(reader_.scan);
  reader_.scan.bind(1, pack_scope(entry_->number, *number));
  reader_.scan.bind_bytes(2, after);
  for (;;) {
    TRY(const bool row, reader_.scan.step());
    if (!row || !visit(read_record(reader_.scan, *entry_))) return {};
  }
}

Result<> SqliteSnapshot::feed(Seq since, const RecordVisitor& visit) {
  if (!entry_) return {};
  const StatementScope scope(reader_.feed);
  reader_.feed.bind(1, pack_pos(entry_->number, since));
  reader_.feed.bind(2, pack_pos(entry_->number, info_.head));
  for (;;) {
    TRY(const bool row, reader_.feed.step());
    if (!row) return {};
    const RecordView record = read_record(reader_.feed, *entry_);
    if (record.deleted && record.seq <= info_.purged_through) continue;
    if (!visit(record)) return {};
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
  for (std::int64_t number = newest.previous; number != 0 && versions.size() < count_max;) {
    const StatementScope scope(reader_.history);
    reader_.history.bind(1, number);
    TRY(const bool row, reader_.history.step());
    if (!row) break;
    const RecordView version = read_record(reader_.history, *entry_);
    bytes += version.doc.size();
    if (!versions.empty() && bytes > bytes_max) break;
    versions.push_back(version.to_record());
    number = versions.back().previous;
  }
  return versions;
}

Result<std::vector<Conflict>> SqliteSnapshot::conflicts(std::optional<ConflictState> state, ConflictNumber after,
                                                        std::size_t count_max) {
  std::vector<Conflict> found;
  std::size_t bytes = 0;
  if (!entry_) return found;
  Statement& statement = state ? reader_.conflicts_of_state : reader_.conflicts;
  const StatementScope scope(statement);
  statement.bind(1, entry_->number);
  statement.bind(2, after.value);
  statement.bind(3, static_cast<std::int64_t>(count_max));
  if (state) statement.bind(4, static_cast<std::int64_t>(*state));
  for (;;) {
    TRY(const bool row, statement.step());
    if (!row) return found;
    bytes += statement.bytes(11).size();
    if (!found.empty() && bytes > kListBytesMax) return found;
    found.push_back(read_conflict(statement, *entry_));
  }
}

Result<std::optional<Conflict>> SqliteSnapshot::find_conflict(ConflictNumber number) {
  if (!entry_) return std::nullopt;
  const StatementScope scope(reader_.conflict);
  reader_.conflict.bind(1, number.value);
  reader_.conflict.bind(2, entry_->number);
  TRY(const bool row, reader_.conflict.step());
  if (!row) return std::nullopt;
  return read_conflict(reader_.conflict, *entry_);
}

Result<std::optional<Receipt>> SqliteSnapshot::find_receipt(std::string_view key) {
  if (!entry_) return std::nullopt;
  const StatementScope scope(reader_.receipt);
  reader_.receipt.bind(1, entry_->number);
  reader_.receipt.bind_bytes(2, key);
  TRY(const bool row, reader_.receipt.step());
  if (!row) return std::nullopt;
  return Receipt{std::string(reader_.receipt.bytes(0)), static_cast<int>(reader_.receipt.integer(1)),
                 std::string(reader_.receipt.bytes(2))};
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

Result<std::vector<Event>> read_events(Reader& reader, EventNumber after, std::size_t count_max) {
  std::vector<Event> found;
  std::size_t bytes = 0;
  const StatementScope scope(reader.events);
  reader.events.bind(1, after.value);
  reader.events.bind(2, static_cast<std::int64_t>(count_max));
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
  return std::string(reader_.value.bytes(0));
}

}  // namespace syncline::sqlite
