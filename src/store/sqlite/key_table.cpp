#include "store/sqlite/key_table.hpp"

#include <algorithm>
#include <string>

#include "base/log.hpp"
#include "store/sqlite/layout.hpp"
#include "store/sqlite/record_row.hpp"

namespace syncline::sqlite {
namespace {

constexpr const char* kFirstUnmergedQuery = "SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'keys_merged_before'";
constexpr const char* kPutChunk = "INSERT OR REPLACE INTO superseded (chunk, marks) VALUES (?,?)";
/// Of the share that would just suffice: the rest is for the keys that come meanwhile in larger writes.
constexpr std::size_t kPercentOfShare = 125;

struct DamagedRow {
  std::int64_t pos = 0;
  std::int64_t scope = 0;
  std::string id;
  std::int64_t previous = 0;
};

/// The tails of `record` and `history`.
class TailReader {
 public:
  TailReader(Connection& connection, RecentKeys& keys, SupersededRows& superseded)
      : connection_(connection), keys_(keys), superseded_(superseded) {}

  Result<> read(std::int64_t space, Seq since) {
    CHECK_OK(read_table("record", space, since, [&](std::int64_t pos, std::string_view row) { take(pos, row); }));
    // A version that was moved there since has replaced one too.
    return read_table("history", space, since, [&](std::int64_t pos, std::string_view row) {
      if (is_as_written(pos, row)) load_mark(space, parse_row(row)->version.previous);
    });
  }

  /// Finds out whose the damaged rows are.
  Result<> resolve_damaged() {
    if (damaged_.empty()) return {};
    TRY(row_at_, connection_.prepare("SELECT row FROM record WHERE pos = ?1 "
                                     "UNION ALL SELECT row FROM history WHERE pos = ?1 LIMIT 1"));
    TRY(key_, connection_.prepare("SELECT pos FROM key WHERE scope = ? AND id = ?"));
    for (const DamagedRow& row : damaged_) CHECK_OK(resolve(row));
    return {};
  }

 private:
  template <class Take>
  Result<> read_table(const std::string& table, std::int64_t space, Seq since, const Take& take) {
    const std::string range = " FROM " + table + " WHERE pos > ? AND pos < ? ORDER BY pos";
    TRY(Statement rows, connection_.prepare("SELECT pos, row" + range));
    TRY(Statement next, connection_.prepare("SELECT pos" + range + " LIMIT 1"));
    std::int64_t at = pack_pos(space, since);
    const std::int64_t end = pack_pos(space + 1, {});
    for (;;) {
      const StatementScope scope(rows);
      rows.bind(1, at);
      rows.bind(2, end);
      auto row = rows.step();
      for (; row && *row; row = rows.step()) {
        at = rows.integer(0);
        take(at, rows.bytes(1));
      }
      if (row) return {};
      if (!rows.is_corrupt()) return std::unexpected(row.error());
      // One row cannot be read, or the page makes no sense: then nobody knows which keys it has.
      const StatementScope next_scope(next);
      next.bind(1, at);
      next.bind(2, end);
      const auto found = next.step();
      if (!found || !*found || next.integer(0) <= at) {
        log(LogLevel::error, "newest_records_unreadable", {{"table", table}, {"error", row.error().text}});
        keys_.note_gap(space, since);
        return {};
      }
      at = next.integer(0);
    }
  }

  void take(std::int64_t pos, std::string_view row) {
    const auto parsed = parse_row(row);
    if (!parsed) return;
    const std::int64_t space = space_of_pos(pos);
    const std::int64_t scope = pack_scope(space, parsed->collection);
    const RecordView& version = parsed->version;
    if (!is_as_written(pos, row)) {
      damaged_.push_back({pos, scope, std::string(version.id), version.previous});
      return;
    }
    keys_.load(scope, version.id, pos);
    load_mark(space, version.previous);
  }

  void load_mark(std::int64_t space, std::int64_t previous) {
    if (previous > 0) superseded_.load(pack_pos(space, Seq{previous}));
  }

  Result<> resolve(const DamagedRow& row) {
    const bool is_history = superseded_.contains(row.pos, kAnySeq);  // a later row names it
    const std::int64_t space = space_of_pos(row.pos);
    if (row.previous > 0 && row.previous < seq_of(row.pos).value) {
      const StatementScope scope(row_at_);
      row_at_.bind(1, pack_pos(space, Seq{row.previous}));
      const auto found = row_at_.step();
      const bool is_good = found && *found && is_as_written(pack_pos(space, Seq{row.previous}), row_at_.bytes(0));
      if (is_good && is_history) load_mark(space, row.previous);
      if (is_good && !is_history) {
        // The version that it names as the one before says whose it is.
        const RecordRow before = *parse_row(row_at_.bytes(0));
        take_for(pack_scope(space, before.collection), before.version.id, row.pos, row.previous);
        return {};
      }
    }
    if (is_history) return {};
    std::int64_t known = keys_.find(row.scope, row.id, kAnySeq).place.pos;
    if (known == 0) {
      const StatementScope scope(key_);
      key_.bind(1, row.scope);
      key_.bind_bytes(2, row.id);
      TRY(const bool is_in_table, key_.step());
      if (is_in_table) known = key_.integer(0);
    }
    // The place of before may be one where nothing is any more.
    TRY(const bool is_there, known == 0 ? Result<bool>(false) : has_row(known));
    // A row that says that it replaced nothing, but has the key of another one: it is the id that is damaged.
    const bool hides_another = is_there && (row.previous == 0 || known > row.pos);
    if (!hides_another) take_for(row.scope, row.id, row.pos, is_there ? seq_of(known).value : 0);
    return {};
  }

  Result<bool> has_row(std::int64_t pos) {
    const StatementScope scope(row_at_);
    row_at_.bind(1, pos);
    return row_at_.step();
  }

  void take_for(std::int64_t scope, std::string_view id, std::int64_t pos, std::int64_t previous) {
    keys_.load(scope, id, pos);
    load_mark(space_of_pos(pos), previous);
  }

  Connection& connection_;
  RecentKeys& keys_;
  SupersededRows& superseded_;
  std::vector<DamagedRow> damaged_;
  Statement row_at_, key_;
};

/// Reads the table `superseded`. False if some of it is not what was stored.
Result<bool> load_marks(Connection& connection, SupersededRows& superseded) {
  TRY(Statement rows, connection.prepare("SELECT chunk, marks FROM superseded"));
  bool is_whole = true;
  for (;;) {
    const auto row = rows.step();
    if (!row && rows.is_corrupt()) return false;
    if (!row) return std::unexpected(row.error());
    if (!*row) return is_whole;
    is_whole = superseded.load_chunk(rows.integer(0), rows.bytes(1)) && is_whole;
  }
}

}  // namespace

Result<std::int64_t> read_first_unmerged_commit(Connection& connection) {
  return connection.query_integer(kFirstUnmergedQuery);
}

Result<Tails> read_tails(Connection& connection) {
  Tails tails;
  TRY(const std::int64_t first, read_first_unmerged_commit(connection));
  TRY(Statement rows, connection.prepare("SELECT number, merged_through FROM space WHERE commit_number >= ?"));
  rows.bind(1, first);
  for (;;) {
    TRY(const bool row, rows.step());
    if (!row) return tails;
    tails[rows.integer(0)] = {rows.integer(1)};
  }
}

Result<bool> load_recent(Connection& connection, const Tails& tails, RecentKeys& keys, SupersededRows& superseded) {
  TRY(const bool is_whole, load_marks(connection, superseded));
  TailReader reader(connection, keys, superseded);
  for (const auto& [space, through] : tails) {
    keys.load_space(space, through);
    CHECK_OK(reader.read(space, through));
  }
  CHECK_OK(reader.resolve_damaged());
  return is_whole;
}

namespace {

/// The records do not have the stamps of the keys, so those that can be read are kept. What cannot be read is lost:
/// then a version may win that is older than an echo of the record.
Result<> save_raised(Connection& connection) {
  TRY(Statement rows, connection.prepare("SELECT scope, id, pos, raised FROM key WHERE raised != x''"));
  TRY(Statement insert, connection.prepare("INSERT INTO temp.raised_before VALUES (?,?,?,?)"));
  for (;;) {
    const auto row = rows.step();
    if (!row && !rows.is_corrupt()) return std::unexpected(row.error());
    if (!row || !*row) return {};
    const std::int64_t scope = rows.integer(0);
    const std::int64_t pos = rows.integer(2);
    if (!read_raised_column(scope, rows.bytes(1), pos, rows.bytes(3))) continue;
    const StatementScope insert_scope(insert);
    insert.bind(1, scope);
    insert.bind_bytes(2, rows.bytes(1));
    insert.bind(3, pos);
    insert.bind_bytes(4, rows.bytes(3));
    CHECK_OK(insert.run());
  }
}

}  // namespace

Result<> rebuild_key_table(Connection& connection, SupersededRows& superseded) {
  CHECK_OK(
      connection.execute("DROP TABLE IF EXISTS temp.found; DROP TABLE IF EXISTS temp.raised_before;"
                         "CREATE TEMP TABLE found (scope INTEGER NOT NULL, id BLOB NOT NULL, pos INTEGER NOT NULL);"
                         "CREATE TEMP TABLE raised_before (scope INTEGER NOT NULL, id BLOB NOT NULL, "
                         "pos INTEGER NOT NULL, raised BLOB NOT NULL)"));
  // Before the transaction: after a read of a damaged row, SQLite refuses all writes of one.
  CHECK_OK(save_raised(connection));
  TRY(Transaction transaction, Transaction::begin(connection));
  {
    TRY(Statement rows, connection.prepare("SELECT pos, row FROM record"));
    TRY(Statement insert, connection.prepare("INSERT INTO temp.found VALUES (?,?,?)"));
    for (;;) {
      TRY(const bool more, rows.step());
      if (!more) break;
      const auto parsed = parse_row(rows.bytes(1));
      if (!parsed) continue;
      const std::int64_t pos = rows.integer(0);
      const StatementScope scope(insert);
      insert.bind(1, pack_scope(space_of_pos(pos), parsed->collection));
      insert.bind_bytes(2, parsed->version.id);
      insert.bind(3, pos);
      CHECK_OK(insert.run());
    }
  }
  SupersededRows made;
  {
    TRY(Statement rows,
        connection.prepare("SELECT found.pos FROM temp.found AS found JOIN (SELECT scope, id, max(pos) AS newest "
                           "FROM temp.found GROUP BY scope, id) USING (scope, id) WHERE found.pos != newest"));
    for (;;) {
      TRY(const bool more, rows.step());
      if (!more) break;
      made.load(rows.integer(0));
    }
  }
  superseded.take_over(made);
  CHECK_OK(connection.execute(
      "DELETE FROM key; DELETE FROM superseded;"
      "INSERT INTO key (scope, id, pos) SELECT scope, id, max(pos) FROM temp.found GROUP BY scope, id;"
      "UPDATE key SET raised = before.raised FROM temp.raised_before AS before "
      "WHERE key.scope = before.scope AND key.id = before.id AND key.pos = before.pos"));
  TRY(Statement put, connection.prepare(kPutChunk));
  for (const std::int64_t chunk : made.next_to_store(SIZE_MAX)) {
    const std::string stored = superseded.stored_form(chunk);
    const StatementScope scope(put);
    put.bind(1, chunk);
    put.bind_bytes(2, stored);
    CHECK_OK(put.run());
  }
  CHECK_OK(transaction.commit());
  return connection.execute("DROP TABLE temp.found; DROP TABLE temp.raised_before");
}

Result<> KeyMerger::prepare(Connection& connection, std::int64_t next_commit) {
  TRY(put_key_, connection.prepare("INSERT INTO key (scope, id, pos, raised) VALUES (?,?,?,?) "
                                   "ON CONFLICT DO UPDATE SET pos = excluded.pos, raised = excluded.raised"));
  TRY(put_mark_, connection.prepare("INSERT OR REPLACE INTO meta VALUES ('keys_merged_before', ?)"));
  TRY(put_raised_mark_, connection.prepare("INSERT OR REPLACE INTO meta VALUES ('raised_merged_through', ?)"));
  TRY(put_raised_, connection.prepare("INSERT INTO raised (number, space, stamps) VALUES (?,?,?)"));
  TRY(delete_raised_, connection.prepare("DELETE FROM raised WHERE number <= ?"));
  TRY(const std::int64_t raised_merged_through, read_raised_merged_through(connection));
  TRY(last_raised_, connection.query_integer("SELECT coalesce(max(number), 0) FROM raised"));
  last_raised_ = std::max(last_raised_, raised_merged_through);
  TRY(put_chunk_, connection.prepare(kPutChunk));
  turn(next_commit);
  is_marked_ =
      keys_.merging_size() == 0 && superseded_.unstored_count() == 0;  // the tails are empty, whatever the mark says
  return {};
}

/// From here on the older generation is one that the file does not call merged yet.
void KeyMerger::turn(std::int64_t next_commit) {
  young_since_ = next_commit;
  has_commits_since_ = false;
  raised_before_young_ = last_raised_;
  is_marked_ = false;
  owed_ = 0;
  owed_percent_ = kPercentOfShare;
  const std::size_t size = keys_.merging_size();
  if (size > options_.generation_keys) owed_percent_ = kPercentOfShare * size / options_.generation_keys;
}

Result<> KeyMerger::merge_share() {
  has_commits_since_ = true;
  owed_ += keys_.put_count() * owed_percent_;
  if (is_marked_ || owed_ < options_.slice_keys_min * 100) return {};
  CHECK_OK(merge(owed_ / 100));
  owed_ = 0;
  return {};
}

Result<> KeyMerger::merge(std::size_t count_max) {
  const auto entries = keys_.next_to_merge(count_max);
  for (const RecentKeys::Entry& entry : entries) {
    const StatementScope scope(put_key_);
    put_key_.bind(1, entry.scope);
    put_key_.bind_bytes(2, entry.id);
    put_key_.bind(3, entry.place.pos);
    const std::string raised = raised_column(entry.scope, entry.id, entry.place);
    put_key_.bind_bytes(4, raised);
    CHECK_OK(put_key_.run());
  }
  merged_now_ = entries.size();
  const std::size_t keys_left = keys_.merging_size();
  // As large a part of the chunks as of the keys.
  const bool is_last = merged_now_ >= keys_left;
  const std::size_t chunks = superseded_.unstored_count();
  CHECK_OK(store_marks(is_last ? chunks : chunks * merged_now_ / keys_left));
  if (is_marked_ || !is_last) return {};
  marks_now_ = true;
  if (keys_.has_gaps()) return {};  // what could not be read is not in the table: it is to be tried again
  return put_mark();
}

Result<> KeyMerger::put_mark() {
  {
    const std::string since = std::to_string(young_since_);
    const StatementScope scope(put_mark_);
    put_mark_.bind_text(1, since);
    CHECK_OK(put_mark_.run());
  }
  if (raised_before_young_ == 0) return {};
  {
    const std::string through = std::to_string(raised_before_young_);
    const StatementScope scope(put_raised_mark_);
    put_raised_mark_.bind_text(1, through);
    CHECK_OK(put_raised_mark_.run());
  }
  // A space that was written since may have a tail with records of the generation that is now in the table.
  const StatementScope scope(delete_raised_);
  delete_raised_.bind(1, has_commits_since_ ? raised_outside_tails_ : raised_before_young_);
  return delete_raised_.run();
}

Result<> KeyMerger::store_raised(std::int64_t space, std::string_view stamps) {
  const std::string sealed = sealed_raised(++last_raised_, stamps);
  const StatementScope scope(put_raised_);
  put_raised_.bind(1, last_raised_);
  put_raised_.bind(2, space);
  put_raised_.bind_bytes(3, sealed);
  return put_raised_.run();
}

Result<> KeyMerger::store_marks(std::size_t count_max) {
  for (const std::int64_t chunk : superseded_.next_to_store(count_max)) {
    const std::string stored = superseded_.stored_form(chunk);
    const StatementScope scope(put_chunk_);
    put_chunk_.bind(1, chunk);
    put_chunk_.bind_bytes(2, stored);
    CHECK_OK(put_chunk_.run());
  }
  return {};
}

void KeyMerger::note_committed(std::int64_t next_commit) {
  keys_.commit(std::exchange(merged_now_, 0));
  superseded_.commit(keys_.oldest_reader());
  // Keys that have changed again have left the older generation; the marks of their former versions have not.
  if (keys_.merging_size() == 0 && superseded_.unstored_count() == 0) keys_.end_generation();
  if (std::exchange(marks_now_, false)) {
    is_marked_ = true;
    if (!keys_.has_gaps()) raised_outside_tails_ = raised_before_young_;
  }
  if (!is_marked_ || keys_.young_size() < options_.generation_keys) return;
  keys_.turn();
  superseded_.turn();
  turn(next_commit);
}

void KeyMerger::note_rolled_back() {
  keys_.take_back();
  superseded_.take_back();
  merged_now_ = 0;
  marks_now_ = false;
}

void KeyMerger::begin_rest(std::int64_t next_commit) {
  if (!is_marked_) return;
  keys_.turn();
  superseded_.turn();
  turn(next_commit);
}

}  // namespace syncline::sqlite
