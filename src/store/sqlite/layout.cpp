#include "store/sqlite/layout.hpp"

#include <algorithm>
#include <cassert>

namespace syncline::sqlite {

std::optional<std::int64_t> SpaceEntry::collection_number(std::string_view name) const {
  const auto found = std::ranges::find(collections, name);
  if (found == collections.end()) return std::nullopt;
  return found - collections.begin();
}

RecordView read_record(const Statement& row, const SpaceEntry& space) {
  RecordView record;
  record.seq = seq_of(row.integer(0));
  record.collection = space.collections.at(static_cast<std::size_t>(collection_of(row.integer(1))));
  record.id = row.bytes(2);
  record.updated_at = {row.integer(3)};
  record.effective_at = record.updated_at.plus_micros(row.integer(4));
  record.claimed_at = {row.integer(5)};
  record.committed_at = {row.integer(6)};
  record.origin = {row.integer(7)};
  const std::int64_t flags = row.integer(8);
  record.rule = static_cast<Rule>(flags >> 1);
  record.deleted = (flags & 1) != 0;
  record.previous = row.integer(9);
  record.doc = row.bytes(10);
  return record;
}

void bind_record(Statement& statement, const Record& record, const SpaceEntry& space) {
  const auto collection = space.collection_number(record.collection);
  assert(collection && static_cast<std::size_t>(*collection) < limits::kCollectionsMax);
  statement.bind(1, pack_pos(space.number, record.seq));
  statement.bind(2, pack_scope(space.number, *collection));
  statement.bind_bytes(3, record.id);
  statement.bind(4, record.updated_at.micros);
  statement.bind(5, record.effective_at.micros - record.updated_at.micros);
  statement.bind(6, record.claimed_at.micros);
  statement.bind(7, record.committed_at.micros);
  statement.bind(8, record.origin.value);
  statement.bind(9, pack_flags(record.rule, record.deleted));
  statement.bind(10, record.previous);
  statement.bind_bytes(11, record.doc);
}

Result<> Catalog::load(Connection& connection) {
  std::map<std::int64_t, std::pair<SpaceName, Seq>> names;
  std::map<std::int64_t, std::shared_ptr<SpaceEntry>> entries;
  std::int64_t last_number = 0;
  TRY(Statement spaces, connection.prepare("SELECT number, account, name, head FROM space"));
  for (;;) {
    TRY(const bool row, spaces.step());
    if (!row) break;
    const std::int64_t number = spaces.integer(0);
    names[number] = {SpaceName{{spaces.integer(1)}, std::string(spaces.bytes(2))}, Seq{spaces.integer(3)}};
    entries[number] = std::make_shared<SpaceEntry>(SpaceEntry{number, {}});
    last_number = std::max(last_number, number);
  }
  TRY(const std::int64_t erased, connection.query_integer("SELECT value FROM meta WHERE name = 'last_space_number'"));
  TRY(Statement collections, connection.prepare("SELECT space, name FROM collection ORDER BY space, number"));
  for (;;) {
    TRY(const bool row, collections.step());
    if (!row) break;
    entries.at(collections.integer(0))->collections.emplace_back(collections.bytes(1));
  }
  const MutexLock lock(mutex_);
  last_number_ = std::max(last_number, erased);
  for (const auto& [number, named] : names) spaces_[named.first] = {entries[number], named.second};
  return {};
}

std::shared_ptr<const SpaceEntry> Catalog::find(const SpaceName& name) const {
  const SharedLock lock(mutex_);
  const auto found = spaces_.find(name);
  return found == spaces_.end() ? nullptr : found->second.entry;
}

Seq Catalog::head(const SpaceName& name) const {
  const SharedLock lock(mutex_);
  const auto found = spaces_.find(name);
  return found == spaces_.end() ? Seq{} : found->second.head;
}

std::int64_t Catalog::last_number() const {
  const SharedLock lock(mutex_);
  return last_number_;
}

void Catalog::forget(AccountNumber account) {
  const MutexLock lock(mutex_);
  std::erase_if(spaces_, [&](const auto& known) { return known.first.account == account; });
}

void Catalog::publish(const SpaceName& name, std::shared_ptr<const SpaceEntry> entry, Seq head) {
  const MutexLock lock(mutex_);
  last_number_ = std::max(last_number_, entry->number);
  spaces_[name] = {std::move(entry), head};
}

}  // namespace syncline::sqlite
