#include "store/sqlite/migration.hpp"

#include <array>
#include <chrono>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "base/mutex.hpp"
#include "store/sqlite/commit_mark.hpp"
#include "store/sqlite/key_table.hpp"
#include "store/sqlite/layout.hpp"
#include "store/sqlite/record_row.hpp"
#include "store/sqlite/row_hash.hpp"

namespace syncline::sqlite {
namespace {

/// `meta`: what is being moved, and the last number of it that is done, such as "history 20000".
constexpr const char* kProgressQuery = "SELECT value FROM meta WHERE name = 'moving_to_5'";
constexpr auto kReportInterval = std::chrono::seconds(1);

/// The tables of before.
constexpr RowForm kOldRecordForm{
    .table = Damage::Table::record,
    .columns = "pos, scope, id, updated_at, effective_lift, claimed_at, committed_at, origin, flags, previous, doc",
    .kinds = "iibiiiiiiib",
    .body = 10};
constexpr RowForm kOldHistoryForm{
    .table = Damage::Table::history,
    .columns =
        "pos, scope, id, updated_at, effective_lift, claimed_at, committed_at, origin, flags, previous, doc, "
        "number, replaced_at",
    .kinds = "iibiiiiiiibii",
    .body = 10};
constexpr int kOldNumberColumn = 11;

struct Step {
  enum class Kind { versions, numbered, small, keys };
  std::string_view name;
  Kind kind;
  const RowForm* form = nullptr;
};
constexpr std::array<Step, 6> kSteps = {{{"record", Step::Kind::versions, &kOldRecordForm},
                                         {"history", Step::Kind::versions, &kOldHistoryForm},
                                         {"conflict", Step::Kind::numbered, &kConflictForm},
                                         {"value", Step::Kind::small, &kValueForm},
                                         {"receipt", Step::Kind::small, &kReceiptForm},
                                         {"key", Step::Kind::keys}}};

/// Documents that one transaction moves.
constexpr std::size_t kBytesEach = 32UL << 20U;

/// A version in its new form.
struct MovedRow {
  std::int64_t pos = 0;
  std::string bytes;
  bool is_damaged = false;
};

struct HashedRow {
  std::int64_t number;
  std::int64_t hash;
};

class Move {
 public:
  Move(Connection& connection, const MoveOptions& options) : on_(connection), options_(options) {}

  Result<> run(std::string_view progress) {
    const auto space = progress.find(' ');
    const std::string_view name = progress.substr(0, space);
    TRY(rows_in_all_, on_.query_integer("SELECT (SELECT count(*) FROM record_4) + (SELECT count(*) FROM history_4)"));
    TRY(const std::int64_t without_hash,
        on_.query_integer("SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'rows_without_hash'"));
    log(LogLevel::warning, "store_is_moved",
        {{"to_format", 5},
         {"rows", rows_in_all_},
         {"at", std::string(progress)},
         {"what_now", "earlier versions cannot open this store any more"}});
    bool has_begun = false;
    for (const Step& step : kSteps) {
      const bool is_interrupted = step.name == name;
      has_begun = has_begun || is_interrupted;
      const bool only_hashes = step.kind == Step::Kind::numbered || step.kind == Step::Kind::small;
      if (!has_begun || (only_hashes && without_hash == 0)) continue;
      const std::int64_t from = is_interrupted && space != std::string_view::npos
                                    ? std::stoll(std::string(progress.substr(space + 1)))
                                    : INT64_MIN;
      switch (step.kind) {
        case Step::Kind::versions: CHECK_OK(move_versions(step, from)); break;
        case Step::Kind::numbered: CHECK_OK(hash_rows(step, from)); break;
        case Step::Kind::small: CHECK_OK(hash_small_table(step)); break;
        case Step::Kind::keys: CHECK_OK(move_keys()); break;
      }
    }
    CHECK_OK(end());
    log(LogLevel::info, "store_was_moved", {{"to_format", 5}});
    return {};
  }

 private:
  Result<> note_progress(std::string_view text) {
    TRY(Statement put, on_.prepare("INSERT OR REPLACE INTO meta VALUES ('moving_to_5', ?)"));
    put.bind_text(1, text);
    return put.run();
  }

  /// Between two transactions: the log must not grow with the store.
  Result<> rest(std::string_view what, std::int64_t rows) {
    rows_done_ += rows;
    CHECK_OK(on_.checkpoint_passive());
    if (const auto now = Deadline::clock::now(); now >= report_at_) {
      report_at_ = now + kReportInterval;
      log(LogLevel::info, "store_is_moved", {{"at", std::string(what)}, {"rows", rows_done_}, {"of", rows_in_all_}});
    }
    return options_.after_each ? options_.after_each() : Result<>{};
  }

  /// The current row of a query of `form`, with the hash behind its columns.
  [[nodiscard]] Result<MovedRow> make_row(const RowForm& form, const Statement& row) {
    Record version;
    version.id = row.bytes(2);
    version.updated_at = {row.integer(3)};
    version.effective_at = version.updated_at.plus_micros(row.integer(4));
    version.claimed_at = {row.integer(5)};
    version.committed_at = {row.integer(6)};
    version.origin = {row.integer(7)};
    const std::int64_t flags = row.integer(8);
    version.rule = static_cast<Rule>(flags >> 1);
    version.deleted = (flags & 1) != 0;
    version.doc = row.bytes(10);
    // Versions were numbered in the order of replacement; now they are named by their seqs.
    if (const std::int64_t number = row.integer(9); number != 0) {
      const StatementScope scope(pos_of_number_);
      pos_of_number_.bind(1, number);
      const auto found = pos_of_number_.step();
      if (!found && !pos_of_number_.is_corrupt()) return std::unexpected(found.error());
      if (found && *found) version.previous = seq_of(pos_of_number_.integer(0)).value;
    }
    MovedRow moved{.pos = row.integer(0), .bytes = {}};
    write_row(moved.bytes, moved.pos, version, collection_of(row.integer(1)));
    const bool has_no_hash = row.type(static_cast<int>(form.kinds.size())) == ColumnType::null;
    moved.is_damaged = has_no_hash ? !has_its_types(form, row) : !is_as_written(form, row);
    if (moved.is_damaged) spoil_row(moved.bytes);
    return moved;
  }

  /// Of a record that cannot be read, the key index still has the key.
  [[nodiscard]] Result<MovedRow> make_unreadable_row(std::int64_t pos) {
    TRY(Statement key, on_.prepare("SELECT scope, id FROM record_4 INDEXED BY record_key WHERE +pos = ?"));
    key.bind(1, pos);
    TRY(const bool found, key.step());
    Record unknown;
    if (found) unknown.id = key.bytes(1);
    MovedRow moved{.pos = pos, .bytes = {}, .is_damaged = true};
    write_row(moved.bytes, pos, unknown, found ? collection_of(key.integer(0)) : 0);
    spoil_row(moved.bytes);
    return moved;
  }

  Result<> move_versions(const Step& step, std::int64_t at) {
    const bool is_record = step.form == &kOldRecordForm;
    const std::string table(step.name);
    const std::string number = is_record ? "pos" : "number";
    const std::string from = " FROM " + table + "_4 WHERE " + number + " > ? ORDER BY " + number;
    TRY(Statement rows, on_.prepare("SELECT " + std::string(step.form->columns) + ", hash" + from));
    TRY(Statement next, on_.prepare("SELECT " + number + from + " LIMIT 1"));
    // A damaged row, whose place may be damaged too, must not take the place of a good one.
    TRY(Statement insert, on_.prepare("INSERT OR REPLACE INTO " + table + " (pos, row) VALUES (?,?)"));
    TRY(Statement insert_damaged, on_.prepare("INSERT OR IGNORE INTO " + table + " (pos, row) VALUES (?,?)"));
    TRY(pos_of_number_, on_.prepare("SELECT pos FROM history_4 WHERE number = ?"));
    for (bool more = true; more;) {
      std::vector<MovedRow> moved;
      std::size_t bytes = 0;
      {
        const StatementScope scope(rows);
        rows.bind(1, at);
        auto row = rows.step();
        for (; row && *row; row = rows.step()) {
          at = rows.integer(is_record ? 0 : kOldNumberColumn);
          TRY(MovedRow made, make_row(*step.form, rows));
          bytes += made.bytes.size();
          moved.push_back(std::move(made));
          if (moved.size() >= options_.rows_each || bytes > kBytesEach) break;
        }
        more = row && *row;
        if (!row && !rows.is_corrupt()) return std::unexpected(row.error());
        if (!row) {
          const StatementScope next_scope(next);
          next.bind(1, at);
          TRY(more, next.step());
          if (more) at = next.integer(0);
          if (more && is_record) {
            TRY(MovedRow made, make_unreadable_row(at));
            moved.push_back(std::move(made));
          }
        }
      }
      TRY(Transaction transaction, Transaction::begin(on_));
      for (const MovedRow& row : moved) {
        Statement& put = row.is_damaged ? insert_damaged : insert;
        const StatementScope scope(put);
        put.bind(1, row.pos);
        put.bind_bytes(2, row.bytes);
        CHECK_OK(put.run());
      }
      CHECK_OK(note_progress(table + " " + std::to_string(at)));
      CHECK_OK(transaction.commit());
      CHECK_OK(rest(step.name, static_cast<std::int64_t>(moved.size())));
    }
    return {};
  }

  Result<> hash_rows(const Step& step, std::int64_t at) {
    const std::string table(step.name);
    const std::string from = " FROM " + table + " WHERE number > ? ORDER BY number";
    TRY(Statement rows, on_.prepare("SELECT " + std::string(step.form->columns) + ", hash" + from));
    TRY(Statement next, on_.prepare("SELECT number" + from + " LIMIT 1"));
    TRY(Statement update, on_.prepare("UPDATE " + table + " SET hash = ? WHERE number = ?"));
    for (bool more = true; more;) {
      std::vector<HashedRow> hashed;
      std::size_t count = 0;
      {
        const StatementScope scope(rows);
        rows.bind(1, at);
        auto row = rows.step();
        for (; row && *row; row = rows.step()) {
          at = rows.integer(0);
          const bool has_none = rows.type(static_cast<int>(step.form->kinds.size())) == ColumnType::null;
          // One that has been damaged before gets none, and so stays damaged.
          if (has_none && has_its_types(*step.form, rows)) hashed.push_back({at, hash_of(*step.form, rows, {})});
          if (++count == options_.rows_each) break;
        }
        more = count == options_.rows_each;
        if (!row && !rows.is_corrupt()) return std::unexpected(row.error());
        if (!row) {
          // So does a row that cannot be read.
          const StatementScope next_scope(next);
          next.bind(1, at);
          TRY(more, next.step());
          if (more) at = next.integer(0);
        }
      }
      TRY(Transaction transaction, Transaction::begin(on_));
      for (const HashedRow& row : hashed) {
        const StatementScope scope(update);
        update.bind(1, row.hash);
        update.bind(2, row.number);
        CHECK_OK(update.run());
      }
      CHECK_OK(note_progress(table + " " + std::to_string(at)));
      CHECK_OK(transaction.commit());
      CHECK_OK(rest(step.name, static_cast<std::int64_t>(count)));
    }
    return {};
  }

  /// Of a table without numbers: some thousand rows, by their keys.
  Result<> hash_small_table(const Step& step) {
    const std::string table(step.name);
    const std::string key = table == "value" ? "name" : "key";
    TRY(Transaction transaction, Transaction::begin(on_));
    std::vector<std::pair<RecordKey, std::int64_t>> hashed;
    {
      TRY(Statement rows, on_.prepare("SELECT " + std::string(step.form->columns) + ", hash FROM " + table));
      auto row = rows.step();
      for (; row && *row; row = rows.step()) {
        const bool has_none = rows.type(static_cast<int>(step.form->kinds.size())) == ColumnType::null;
        if (!has_none || !has_its_types(*step.form, rows)) continue;
        hashed.emplace_back(RecordKey{rows.integer(0), std::string(rows.bytes(1))}, hash_of(*step.form, rows, {}));
      }
      if (!row && !rows.is_corrupt()) return std::unexpected(row.error());
    }
    TRY(Statement update, on_.prepare("UPDATE " + table + " SET hash = ? WHERE space = ? AND " + key + " = ?"));
    for (const auto& [row, hash] : hashed) {
      const StatementScope scope(update);
      update.bind(1, hash);
      update.bind(2, row.scope);
      update.bind_bytes(3, row.id);
      CHECK_OK(update.run());
    }
    CHECK_OK(note_progress(table));
    CHECK_OK(transaction.commit());
    return rest(step.name, 0);
  }

  /// The old index has the keys in order. The table itself says how far it is.
  Result<> move_keys() {
    TRY(Statement last, on_.prepare("SELECT scope, id FROM key ORDER BY scope DESC, id DESC LIMIT 1"));
    TRY(Statement move, on_.prepare("INSERT OR REPLACE INTO key (scope, id, pos) SELECT scope, id, pos "
                                    "FROM record_4 INDEXED BY record_key WHERE (scope, id) > (?, ?) "
                                    "ORDER BY scope, id LIMIT ?"));
    rows_done_ = 0;
    for (;;) {
      RecordKey after{INT64_MIN, ""};
      {
        const StatementScope scope(last);
        TRY(const bool some, last.step());
        if (some) after = {last.integer(0), std::string(last.bytes(1))};
      }
      TRY(Transaction transaction, Transaction::begin(on_));
      {
        const StatementScope scope(move);
        move.bind(1, after.scope);
        move.bind_bytes(2, after.id);
        move.bind(3, static_cast<std::int64_t>(options_.rows_each));
        CHECK_OK(move.run());
      }
      TRY(const std::int64_t count, on_.query_integer("SELECT changes()"));
      CHECK_OK(note_progress("key"));
      CHECK_OK(transaction.commit());
      CHECK_OK(rest("key", count));
      if (count == 0) return check_keys();
    }
  }

  /// A key that was damaged in the old index may be in the place of another.
  Result<> check_keys() {
    TRY(const std::int64_t missing,
        on_.query_integer("SELECT (SELECT count(*) FROM record) - (SELECT count(*) FROM key)"));
    if (missing == 0) return {};
    log(LogLevel::error, "key_index_was_damaged", {{"keys_missing", missing}});
    SupersededRows none;  // the formats before kept them elsewhere
    return rebuild_key_table(on_, none);
  }

  Result<> end() {
    TRY(const std::int64_t last_commit, read_last_commit(on_));
    TRY(Transaction transaction, Transaction::begin(on_));
    CHECK_OK(
        on_.execute("DROP TABLE record_4; DROP TABLE history_4; UPDATE space SET merged_through = head; "
                    "DELETE FROM meta WHERE name IN ('moving_to_5', 'rows_without_hash', 'last_history_number'); "
                    "INSERT OR REPLACE INTO meta VALUES ('keys_merged_before', '" +
                    std::to_string(last_commit + 1) + "')"));
    return transaction.commit();
  }

  Connection& on_;
  const MoveOptions& options_;
  std::int64_t rows_in_all_ = 0;
  std::int64_t rows_done_ = 0;
  Statement pos_of_number_;
  Deadline report_at_ = Deadline::clock::now() + kReportInterval;
};

}  // namespace

Result<> begin_move(Connection& connection) {
  // What cannot be read can be neither moved nor removed: better to stay with the version that wrote the store.
  if (const auto read = connection.query_integer("SELECT count(id) FROM record_4 INDEXED BY record_key"); !read) {
    return fail(read.error().code, "the key index of the store cannot be read (" + read.error().text +
                                       "): restore a backup with the version that wrote the store");
  }
  return connection.execute("INSERT INTO meta VALUES ('moving_to_5', 'record')");
}

Result<> finish_move(Connection& connection, const MoveOptions& options) {
  TRY(const std::string progress, connection.query_text(kProgressQuery));
  if (progress.empty()) return {};
  return Move(connection, options).run(progress);
}

}  // namespace syncline::sqlite
