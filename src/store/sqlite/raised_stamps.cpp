#include "store/sqlite/raised_stamps.hpp"

#include <cstring>

#include "base/log.hpp"
#include "store/sqlite/connection.hpp"
#include "store/sqlite/recent_keys.hpp"
#include "store/sqlite/row_hash.hpp"

namespace syncline::sqlite {
namespace {

constexpr std::size_t kColumnBytes = 24;

// Numbers are little-endian; record_row.cpp asserts that the machine's are.

void append_number(std::string& to, std::int64_t number) {
  to.append(reinterpret_cast<const char*>(&number), sizeof number);
}

/// Takes the bytes from the front; 0 if there are too few.
std::int64_t take_number(std::string_view& from) {
  std::int64_t number = 0;
  if (from.size() < sizeof number) {
    from = {};
    return 0;
  }
  std::memcpy(&number, from.data(), sizeof number);
  from.remove_prefix(sizeof number);
  return number;
}

/// Of the column of a key.
std::int64_t hash_of_place(std::int64_t scope, std::string_view id, const Place& place) {
  RowHash hash(Damage::Table::key_index);
  for (const std::int64_t number :
       {scope, place.pos, place.raised.effective_at.micros, place.raised.claimed_at.micros}) {
    hash.add(number);
  }
  return hash.finish(id);
}

/// Of a row of `raised`.
std::int64_t hash_of_list(std::int64_t number, std::string_view stamps) {
  RowHash hash(Damage::Table::key_index);
  hash.add(number);
  return hash.finish(stamps);
}

/// False if the bytes end in the middle of a record.
bool load_row(std::string_view stamps, bool is_in_table, RecentKeys& keys) {
  while (!stamps.empty()) {
    const std::int64_t scope = take_number(stamps);
    Place place{.pos = take_number(stamps)};
    place.raised.effective_at = {take_number(stamps)};
    place.raised.claimed_at = {take_number(stamps)};
    const auto id_bytes = static_cast<std::size_t>(take_number(stamps));
    if (stamps.size() < id_bytes) return false;
    keys.load_raised(scope, stamps.substr(0, id_bytes), place, is_in_table);
    stamps.remove_prefix(id_bytes);
  }
  return true;
}

}  // namespace

std::string raised_column(std::int64_t scope, std::string_view id, const Place& place) {
  std::string column;
  if (!place.is_raised()) return column;
  column.reserve(kColumnBytes);
  append_number(column, place.raised.effective_at.micros);
  append_number(column, place.raised.claimed_at.micros);
  append_number(column, hash_of_place(scope, id, place));
  return column;
}

std::optional<HiddenStamps> read_raised_column(std::int64_t scope, std::string_view id, std::int64_t pos,
                                               std::string_view column) {
  if (column.size() != kColumnBytes) return std::nullopt;
  Place place{.pos = pos};
  place.raised.effective_at = {take_number(column)};
  place.raised.claimed_at = {take_number(column)};
  if (!place.is_raised() || take_number(column) != hash_of_place(scope, id, place)) return std::nullopt;
  return place.raised;
}

void append_raised(std::string& stamps, std::int64_t scope, std::string_view id, const Place& place) {
  append_number(stamps, scope);
  append_number(stamps, place.pos);
  append_number(stamps, place.raised.effective_at.micros);
  append_number(stamps, place.raised.claimed_at.micros);
  append_number(stamps, static_cast<std::int64_t>(id.size()));
  stamps += id;
}

std::string sealed_raised(std::int64_t number, std::string_view stamps) {
  std::string sealed;
  sealed.reserve(8 + stamps.size());
  append_number(sealed, hash_of_list(number, stamps));
  sealed += stamps;
  return sealed;
}

Result<std::int64_t> read_raised_merged_through(Connection& connection) {
  return connection.query_integer(
      "SELECT coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'raised_merged_through'), 0)");
}

Result<> load_raised(Connection& connection, RecentKeys& keys, bool has_tails) {
  TRY(const std::int64_t merged_through, read_raised_merged_through(connection));
  TRY(Statement rows, connection.prepare("SELECT number, stamps FROM raised WHERE number > ? ORDER BY number"));
  TRY(Statement next, connection.prepare("SELECT number FROM raised WHERE number > ? ORDER BY number LIMIT 1"));
  std::int64_t last = has_tails ? 0 : merged_through;
  for (;;) {
    const StatementScope scope(rows);
    rows.bind(1, last);
    auto row = rows.step();
    for (; row && *row; row = rows.step()) {
      last = rows.integer(0);
      std::string_view stamps = rows.bytes(1);
      const std::int64_t hash = take_number(stamps);
      if (hash != hash_of_list(last, stamps) || !load_row(stamps, last <= merged_through, keys)) {
        log(LogLevel::error, "raised_stamps_damaged", {{"number", last}});
      }
    }
    if (row) return {};
    if (!rows.is_corrupt()) return std::unexpected(row.error());
    log(LogLevel::error, "raised_stamps_damaged", {{"error", row.error().text}});
    const StatementScope next_scope(next);
    next.bind(1, last);
    const auto found = next.step();
    if (!found || !*found || next.integer(0) <= last) return {};
    last = next.integer(0);
  }
}

}  // namespace syncline::sqlite
