#include "store/sqlite/collection_counts.hpp"

#include "base/log.hpp"
#include "store/sqlite/layout.hpp"
#include "store/sqlite/record_row.hpp"

namespace syncline::sqlite {

void LiveCounts::add(std::int64_t collection, const LiveDelta& delta) {
  const auto number = static_cast<std::size_t>(collection);
  if (number >= collections.size()) collections.resize(number + 1);
  collections[number].add(delta);
}

Result<bool> has_count_columns(Connection& connection) {
  TRY(const std::int64_t columns,
      connection.query_integer("SELECT count(*) FROM pragma_table_info('collection') WHERE name = 'records'"));
  return columns > 0;
}

Result<> add_count_columns(Connection& connection) {
  TRY(const bool has_columns, has_count_columns(connection));
  if (has_columns) return {};
  TRY(Transaction transaction, Transaction::begin(connection));
  CHECK_OK(
      connection.execute("ALTER TABLE collection ADD COLUMN records INTEGER NOT NULL DEFAULT 0;"
                         "ALTER TABLE collection ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0"));
  return transaction.commit();
}

Result<LiveCounts> count_live(Connection& connection, const SupersededRows& superseded, std::int64_t space) {
  LiveCounts counts;
  const std::string range = " FROM record WHERE pos > ? AND pos < ? ORDER BY pos";
  TRY(Statement rows, connection.prepare("SELECT pos, row" + range));
  TRY(Statement next, connection.prepare("SELECT pos" + range + " LIMIT 1"));
  const std::int64_t end = pack_pos(space + 1, {});
  SupersededRows::View view;
  for (std::int64_t at = pack_pos(space, {});;) {
    const StatementScope scope(rows);
    rows.bind(1, at);
    rows.bind(2, end);
    auto row = rows.step();
    for (; row && *row; row = rows.step()) {
      at = rows.integer(0);
      if (chunk_of(at) != view.chunk) superseded.look(chunk_of(at), kAnySeq, view);
      const auto parsed = view.contains(at) ? std::nullopt : parse_row(rows.bytes(1));
      if (!parsed || parsed->version.deleted) continue;
      counts.add(parsed->collection, {1, static_cast<std::int64_t>(parsed->version.doc.size())});
    }
    if (row) return counts;
    if (!rows.is_corrupt()) return std::unexpected(row.error());
    // One row cannot be read, and the next one follows; or the page makes no sense.
    counts.is_partial = true;
    const StatementScope next_scope(next);
    next.bind(1, at);
    next.bind(2, end);
    const auto found = next.step();
    if (!found || !*found || next.integer(0) <= at) return counts;
    at = next.integer(0);
  }
}

Result<> put_counts(Connection& connection, std::int64_t space, const LiveCounts& counts) {
  TRY(Statement clear, connection.prepare("UPDATE collection SET records = 0, bytes = 0 WHERE space = ?"));
  clear.bind(1, space);
  CHECK_OK(clear.run());
  TRY(Statement put,
      connection.prepare("UPDATE collection SET records = ?3, bytes = ?4 WHERE space = ?1 AND number = ?2"));
  for (std::size_t number = 0; number < counts.collections.size(); ++number) {
    const StatementScope scope(put);
    put.bind(1, space);
    put.bind(2, static_cast<std::int64_t>(number));
    put.bind(3, counts.collections[number].records);
    put.bind(4, counts.collections[number].bytes);
    CHECK_OK(put.run());
  }
  return {};
}

Result<> count_collections(Connection& connection, const SupersededRows& superseded, CountAgain which) {
  std::vector<std::int64_t> spaces;
  {
    TRY(Statement rows,
        connection.prepare("SELECT number FROM space WHERE ?1 OR (records, bytes) != (SELECT coalesce(sum(records), 0),"
                           " coalesce(sum(bytes), 0) FROM collection WHERE space = space.number)"));
    rows.bind(1, which == CountAgain::everywhere ? 1 : 0);
    for (;;) {
      TRY(const bool row, rows.step());
      if (!row) break;
      spaces.push_back(rows.integer(0));
    }
  }
  for (const std::int64_t space : spaces) {
    // Before the transaction: after a read of a damaged row, SQLite refuses all writes of one.
    TRY(const LiveCounts counts, count_live(connection, superseded, space));
    TRY(Transaction transaction, Transaction::begin(connection));
    CHECK_OK(put_counts(connection, space, counts));
    CHECK_OK(transaction.commit());
  }
  if (!spaces.empty()) {
    log(LogLevel::info, "collections_counted", {{"spaces", static_cast<std::int64_t>(spaces.size())}});
  }
  return {};
}

Result<std::vector<CollectionInfo>> read_collections(Connection& connection, const SpaceName& space) {
  std::vector<CollectionInfo> infos;
  TRY(Statement rows, connection.prepare("SELECT collection.name, collection.records, collection.bytes FROM collection "
                                         "JOIN space ON space.number = collection.space "
                                         "WHERE space.account = ? AND space.name = ? ORDER BY collection.name"));
  rows.bind(1, space.account.value);
  rows.bind_text(2, space.name);
  for (;;) {
    TRY(const bool row, rows.step());
    if (!row) return infos;
    infos.push_back({std::string(rows.bytes(0)), rows.integer(1), rows.integer(2)});
  }
}

}  // namespace syncline::sqlite
