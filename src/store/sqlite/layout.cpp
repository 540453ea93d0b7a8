#include "store/sqlite/layout.hpp"

#include <algorithm>

#include "store/sqlite/record_row.hpp"

namespace syncline::sqlite {

std::optional<std::int64_t> SpaceEntry::collection_number(std::string_view name) const {
  const auto found = std::ranges::find(collections, name);
  if (found == collections.end()) return std::nullopt;
  return found - collections.begin();
}

std::optional<RecordView> read_version(const Statement& row, const SpaceEntry& space) {
  // A bit may turn bytes into text, which reads the same.
  if (row.type(1) != ColumnType::bytes) return std::nullopt;
  const std::int64_t pos = row.integer(0);
  const std::string_view bytes = row.bytes(1);
  if (space_of_pos(pos) != space.number || !is_as_written(pos, bytes)) return std::nullopt;
  const auto parsed = parse_row(bytes);
  if (!parsed || static_cast<std::size_t>(parsed->collection) >= space.collections.size()) return std::nullopt;
  RecordView version = parsed->version;
  version.seq = seq_of(pos);
  version.collection = space.collections[static_cast<std::size_t>(parsed->collection)];
  return version;
}

namespace {

std::shared_ptr<const Lineage> begin_lineage(IncarnationId incarnation) {
  auto lineage = std::make_shared<Lineage>();
  lineage->begin(incarnation, Seq{});
  return lineage;
}

using Lineages = std::map<std::int64_t, std::shared_ptr<Lineage>>;

Result<> load_lineages(Connection& connection, Lineages& lineages) {
  TRY(Statement rows, connection.prepare("SELECT space, id, head_before FROM incarnation ORDER BY space, head_before"));
  for (;;) {
    TRY(const bool row, rows.step());
    if (!row) return {};
    lineages.at(rows.integer(0))->begin({rows.integer(1)}, {rows.integer(2)});
  }
}

}  // namespace

Catalog::Catalog(IncarnationId incarnation) : incarnation_(incarnation), new_lineage_(begin_lineage(incarnation)) {}

Result<> Catalog::load(Connection& connection) {
  std::map<std::int64_t, std::pair<SpaceName, Seq>> names;
  std::map<std::int64_t, std::shared_ptr<SpaceEntry>> entries;
  Lineages lineages;
  std::int64_t last_number = 0;
  TRY(Statement spaces, connection.prepare("SELECT number, account, name, head FROM space"));
  for (;;) {
    TRY(const bool row, spaces.step());
    if (!row) break;
    const std::int64_t number = spaces.integer(0);
    names[number] = {SpaceName{{spaces.integer(1)}, std::string(spaces.bytes(2))}, Seq{spaces.integer(3)}};
    entries[number] = std::make_shared<SpaceEntry>(SpaceEntry{.number = number});
    lineages[number] = std::make_shared<Lineage>();
    last_number = std::max(last_number, number);
  }
  TRY(const std::int64_t erased, connection.query_integer("SELECT value FROM meta WHERE name = 'last_space_number'"));
  TRY(Statement collections, connection.prepare("SELECT space, name FROM collection ORDER BY space, number"));
  for (;;) {
    TRY(const bool row, collections.step());
    if (!row) break;
    entries.at(collections.integer(0))->collections.emplace_back(collections.bytes(1));
  }
  TRY(std::string epoch, connection.query_text("SELECT value FROM meta WHERE name = 'epoch'"));
  std::unordered_map<SpaceName, std::string> own_epochs;
  TRY(Statement epochs, connection.prepare("SELECT account, space.name, value FROM space "
                                           "JOIN meta ON meta.name = 'epoch/' || number"));
  for (;;) {
    TRY(const bool row, epochs.step());
    if (!row) break;
    own_epochs[{{epochs.integer(0)}, std::string(epochs.bytes(1))}] = epochs.bytes(2);
  }
  CHECK_OK(load_lineages(connection, lineages));
  for (const auto& [number, named] : names) {
    lineages[number]->begin(incarnation_, named.second);
    entries[number]->lineage = lineages[number];
  }
  const MutexLock lock(mutex_);
  last_number_ = std::max(last_number, erased);
  epoch_ = std::move(epoch);
  own_epochs_ = std::move(own_epochs);
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

std::string Catalog::epoch(const SpaceName& name) const {
  const SharedLock lock(mutex_);
  const auto own = own_epochs_.empty() ? own_epochs_.end() : own_epochs_.find(name);
  return own == own_epochs_.end() ? epoch_ : own->second;
}

std::shared_ptr<const Lineage> Catalog::lineage(const SpaceName& name) const {
  const SharedLock lock(mutex_);
  const auto found = spaces_.find(name);
  return found == spaces_.end() ? new_lineage_ : found->second.entry->lineage;
}

std::int64_t Catalog::last_number() const {
  const SharedLock lock(mutex_);
  return last_number_;
}

void Catalog::forget(AccountNumber account) {
  const MutexLock lock(mutex_);
  const auto is_of_account = [&](const auto& entry) { return entry.first.account == account; };
  std::erase_if(spaces_, is_of_account);
  std::erase_if(own_epochs_, is_of_account);
}

void Catalog::publish(const SpaceName& name, std::shared_ptr<const SpaceEntry> entry, Seq head) {
  const MutexLock lock(mutex_);
  last_number_ = std::max(last_number_, entry->number);
  spaces_[name] = {std::move(entry), head};
}

}  // namespace syncline::sqlite
