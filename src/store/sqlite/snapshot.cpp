#include "store/sqlite/snapshot.hpp"

#include <algorithm>

#include "store/sqlite/record_row.hpp"

namespace syncline::sqlite {
namespace {

std::string select(const RowForm& form) {
  return "SELECT " + std::string(form.columns) + ", hash FROM " + std::string(to_text(form.table)) + " WHERE ";
}

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
  TRY(reader->info, on.prepare("SELECT head, records, bytes, updated_at, purged_through, collections, history_bytes "
                               "FROM space WHERE number = ?"));
  TRY(reader->collections, on.prepare("SELECT name FROM collection WHERE space = ? ORDER BY number"));
  TRY(reader->key, on.prepare("SELECT pos, raised FROM key WHERE scope = ? AND id = ?"));
  TRY(reader->keys_after, on.prepare("SELECT id, pos, raised FROM key WHERE scope = ? AND id > ? ORDER BY id"));
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
  info.history_bytes = reader.info.integer(6);
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

namespace {

/// What a row of the key table says.
Place read_place(std::int64_t scope, std::string_view id, std::int64_t pos, std::string_view raised) {
  Place place{.pos = pos};
  if (raised.empty()) return place;
  if (const auto stamps = read_raised_column(scope, id, pos, raised)) place.raised = *stamps;
  return place;
}

}  // namespace

Result<Place> find_place(Reader& reader, std::int64_t scope, std::string_view id, Seq head) {
  const RecentKeys::Found recent = reader.shared.keys->find(scope, id, head);
  if (recent.is_newest) return recent.place;
  const StatementScope key_scope(reader.key);
  reader.key.bind(1, scope);
  reader.key.bind_bytes(2, id);
  TRY(const bool is_in_table, reader.key.step());
  Place place = recent.place;
  if (is_in_table && reader.key.integer(0) >= place.pos) {
    place = read_place(scope, id, reader.key.integer(0), reader.key.bytes(1));
  }
  if (place.pos == 0 && reader.shared.keys->has_gap(space_of_scope(scope))) {
    return fail(ErrorCode::storage_damaged, "some of the newest records of the space cannot be read");
  }
  return place;
}

void SqliteSnapshot::apply_raised(const Place& place, RecordView& record) {
  if (!place.is_raised()) return;
  record.effective_at = place.raised.effective_at;
  record.claimed_at = place.raised.claimed_at;
  if (reader_.notes_raised) reader_.raised[place.pos] = place.raised;
}

Result<Located> SqliteSnapshot::locate(std::string_view collection, std::string_view id) {
  const auto number = entry_ ? entry_->collection_number(collection) : std::nullopt;
  if (!number) return Located{};
  const std::int64_t key_scope = pack_scope(entry_->number, *number);
  TRY(const Place place, find_place(reader_, key_scope, id, info_.head));
  const std::int64_t pos = place.pos;
  if (pos == 0) return Located{};
  std::optional<Error> error;
  {
    const StatementScope scope(reader_.find);
    reader_.find.bind(1, pos);
    const auto row = reader_.find.step();
    auto version = row && *row ? read_version(reader_.find, *entry_) : std::nullopt;
    if (version && version->id == id && version->collection == collection) {
      apply_raised(place, *version);
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
    Place place = order >= 0 ? recent.keys[at].place : Place{};
    // An entry in memory with the same place is the newer one.
    if (order <= 0 && table.integer(1) > place.pos) place = read_place(scope, id, table.integer(1), table.bytes(2));
    TRY(const bool goes_on, visit_listed(id, place, visit, on_damaged));
    if (!goes_on) return {};
    if (order >= 0) ++at;
    if (order <= 0) {
      TRY(is_in_table, table.step());
    }
  }
}

Result<bool> SqliteSnapshot::visit_listed(std::string_view id, const Place& place, const RecordVisitor& visit,
                                          const DamagedVisitor& on_damaged) {
  const std::int64_t pos = place.pos;
  Statement& row = reader_.listed;
  const StatementScope scope(row);
  row.bind(1, pos);
  const auto found = row.step();
  if (auto version = found && *found ? read_version(row, *entry_) : std::nullopt) {
    // The row is good, so if it has another key, the table does not.
    if (version->id == id) {
      apply_raised(place, *version);
    } else {
      note(Damage::Table::key_index, id, seq_of(pos), 0);
    }
    return visit(*version);
  }
  if (!found && !row.is_corrupt()) return std::unexpected(found.error());
  if (found && !*found) {
    note(Damage::Table::key_index, id, seq_of(pos), 0);
    return true;
  }
  if (!found) {
    // A page that makes no sense is more than a damaged row.
    const auto has_row = has_row_at(pos);
    if (!has_row || !*has_row) return std::unexpected(found.error());
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
  std::optional<HiddenStamps> stamps;
  if (newest.previous != 0 && count_max > 0) {
    TRY(stamps, find_stamps_before(newest));
  }
  for (std::int64_t seq = newest.previous; seq != 0 && versions.size() < count_max;) {
    Statement& row = reader_.version;
    const StatementScope scope(row);
    row.bind(1, pack_pos(entry_->number, Seq{seq}));
    const auto found = row.step();
    if (!found && !row.is_corrupt()) return std::unexpected(found.error());
    if (found && !*found) break;
    reader_.met_unreadable = reader_.met_unreadable || !found;
    auto version = found ? read_version(row, *entry_) : std::nullopt;
    if (!version) {
      note(Damage::Table::history, newest.id, Seq{seq}, 0);
      break;
    }
    if (version->id != newest.id || version->collection != newest.collection) break;
    bytes += version->doc.size();
    if (!versions.empty() && bytes > bytes_max) break;
    if (stamps) {
      version->effective_at = stamps->effective_at;
      version->claimed_at = stamps->claimed_at;
    }
    versions.push_back(version->to_record());
    seq = version->previous;
    stamps = parse_row(row.bytes(1))->before;
  }
  return versions;
}

Result<std::optional<HiddenStamps>> SqliteSnapshot::find_stamps_before(const Record& newest) {
  const std::int64_t before = pack_pos(entry_->number, Seq{newest.previous});
  if (newest.seq > info_.head) {
    // Not in the file yet, so what it replaces has still the place of the key.
    const auto collection = entry_->collection_number(newest.collection);
    if (!collection) return std::nullopt;
    TRY(const Place place, find_place(reader_, pack_scope(entry_->number, *collection), newest.id, info_.head));
    return place.pos == before && place.is_raised() ? std::optional(place.raised) : std::nullopt;
  }
  Statement& row = reader_.version;
  const StatementScope scope(row);
  row.bind(1, pack_pos(entry_->number, newest.seq));
  const auto found = row.step();
  if (!found && !row.is_corrupt()) return std::unexpected(found.error());
  reader_.met_unreadable = reader_.met_unreadable || !found;
  if (!found || !*found || !read_version(row, *entry_)) return std::nullopt;
  return parse_row(row.bytes(1))->before;
}

}  // namespace syncline::sqlite
