// What a snapshot reads beside the records: conflicts, receipts, values and events.
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

bool is_intact_conflict(const Statement& row, const SpaceEntry& space) {
  return is_as_written(kConflictForm, row) &&
         static_cast<std::size_t>(collection_of(row.integer(5))) < space.collections.size();
}

/// How the columns of a conflict are read.
constexpr int kConflictIdColumn = 6;
constexpr int kConflictDocColumn = 11;

}  // namespace

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
