#include "store/sqlite/examination.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "store/sqlite/collection_counts.hpp"
#include "store/sqlite/key_table.hpp"
#include "store/sqlite/record_row.hpp"
#include "store/sqlite/schema.hpp"
#include "store/sqlite/snapshot.hpp"

namespace syncline::sqlite {
namespace {

constexpr std::size_t kRowsNamedMax = 100;
/// Each query lists what must not exist; the text says what is wrong with a row of it.
struct ConsistencyRule {
  std::string_view query;
  std::string_view problem;
  // The formats that it is for: a backup may be older than this program.
  std::int64_t since_format = 1;
  std::int64_t until_format = kSchemaVersion;
};
constexpr std::array<ConsistencyRule, 5> kRules = {{
    {"SELECT count(*) FROM record JOIN space ON space.number = pos >> 40 WHERE (pos & ((1 << 40) - 1)) > head",
     "records have a seq beyond the head of their space"},
    {"SELECT count(*) FROM record WHERE pos >> 40 NOT IN (SELECT number FROM space)", "records belong to no space"},
    {"SELECT count(*) FROM record WHERE (scope >> 12, scope & 4095) NOT IN (SELECT space, number FROM collection)",
     "records belong to no collection", 1, 4},
    {"SELECT count(*) FROM incarnation LEFT JOIN space ON number = space WHERE head_before >= coalesce(head, 0)",
     "openings of the store have made no change in their space", 4},
    {"SELECT count(*) FROM space WHERE records != "
     "(SELECT count(*) FROM record WHERE pos > number << 40 AND pos < (number + 1) << 40 AND NOT flags & 1)",
     "spaces have a wrong record count", 1, 4},
}};

/// What integrity_check says of an index, or of a column that has become NULL, is said of rows here. The key table has
/// no rowid: the order of its rows is its index.
bool is_about_index(std::string_view text) {
  return text.contains("index ") || text.starts_with("NULL value in ") || text.contains("PRIMARY KEY order for key");
}

/// The sum over keys does not depend on their order.
std::uint64_t hash_of_key(std::int64_t scope, std::string_view id, std::int64_t pos) {
  RowHash hash(Damage::Table::key_index);
  hash.add(scope);
  hash.add(pos);
  return static_cast<std::uint64_t>(hash.finish(id));
}

struct NamedSpace {
  SpaceName name;
  std::vector<std::string> collections;
  std::int64_t records = 0;  // that the space says it has
  LiveCounts found;
};

class Examination {
 public:
  explicit Examination(Reader& reader) : reader_(reader) {}

  Result<Findings> run() {
    CHECK_OK(list_failure(read_names()));
    CHECK_OK(list_failure(check_structure()));
    TRY(const std::int64_t version, on().query_integer("PRAGMA user_version"));
    if (version == kSchemaVersion) {
      CHECK_OK(list_failure(check_versions("record")));
      CHECK_OK(list_failure(check_versions("history")));
      CHECK_OK(list_failure(check_conflicts()));
      CHECK_OK(list_failure(check_rows(kValueForm)));
      CHECK_OK(list_failure(check_rows(kReceiptForm)));
    }
    // What a damaged row breaks is said of the row.
    if (!findings_.has_damaged_records()) {
      for (const ConsistencyRule& rule : kRules) {
        const bool is_meant = version >= rule.since_format && version <= rule.until_format;
        if (is_meant) CHECK_OK(list_failure(check_rule(rule)));
      }
      if (version == kSchemaVersion) CHECK_OK(list_failure(check_content()));
    }
    return std::move(findings_);
  }

 private:
  Connection& on() { return reader_.connection; }

  /// Damage that keeps a check from its end is a problem itself.
  Result<> list_failure(Result<> checked) {
    if (checked || checked.error().code != ErrorCode::storage_damaged) return checked;
    findings_.problems.push_back(checked.error().text);
    findings_.has_ended_early = true;
    return {};
  }

  Result<> read_names() {
    TRY(Statement spaces, on().prepare("SELECT number, account, name FROM space"));
    for (;;) {
      TRY(const bool row, spaces.step());
      if (!row) break;
      spaces_[spaces.integer(0)].name = {{spaces.integer(1)}, std::string(spaces.bytes(2))};
    }
    TRY(Statement collections, on().prepare("SELECT space, name FROM collection ORDER BY space, number"));
    for (;;) {
      TRY(const bool row, collections.step());
      if (!row) return {};
      spaces_[collections.integer(0)].collections.emplace_back(collections.bytes(1));
    }
  }

  Result<> check_structure() {
    TRY(Statement check, on().prepare("PRAGMA integrity_check"));
    for (;;) {
      TRY(const bool row, check.step());
      if (!row) return {};
      const std::string_view text = check.bytes(0);
      if (text == "ok") continue;
      (is_about_index(text) ? findings_.index_problems : findings_.problems).emplace_back(text);
    }
  }

  Result<> check_rule(const ConsistencyRule& rule) {
    TRY(const std::int64_t count, on().query_integer(rule.query));
    if (count > 0) findings_.problems.push_back(std::to_string(count) + " " + std::string(rule.problem));
    return {};
  }

  static std::string select(const RowForm& form) {
    return "SELECT " + std::string(form.columns) + ", hash FROM " + std::string(to_text(form.table));
  }

  /// Passes on the rows of a query that begins after a number, and the numbers of those that cannot be read.
  template <class Take, class TakeUnreadable>
  Result<> read_in_order(const std::string& columns, const std::string& table, const std::string& number,
                         const Take& take, const TakeUnreadable& take_unreadable) {
    const std::string from = " FROM " + table + " WHERE " + number + " > ? ORDER BY " + number;
    TRY(Statement rows, on().prepare("SELECT " + columns + from));
    TRY(Statement next, on().prepare("SELECT " + number + from + " LIMIT 1"));
    for (std::int64_t at = INT64_MIN;;) {
      rows.reset();
      rows.bind(1, at);
      auto row = rows.step();
      for (; row && *row; row = rows.step()) {
        at = std::max(at, rows.integer(0));
        CHECK_OK(take(rows));
      }
      if (row) return {};
      if (!rows.is_corrupt()) return std::unexpected(row.error());
      // One row cannot be read: it is damaged, and the next one follows.
      next.reset();
      next.bind(1, at);
      const auto found = next.step();
      if (!found || !*found) {
        findings_.problems.push_back(row.error().text);
        return {};
      }
      at = next.integer(0);
      CHECK_OK(take_unreadable(at));
    }
  }

  Result<> check_versions(const std::string& table) {
    const bool is_history = table == "history";
    const auto take = [&](const Statement& row) -> Result<> {
      const bool is_good = row.type(1) == ColumnType::bytes && is_as_written(row.integer(0), row.bytes(1));
      return is_good ? Result<>{} : add_version(row.integer(0), is_history);
    };
    return read_in_order("pos, row", table, "pos", take,
                         [&](std::int64_t pos) { return add_version(pos, is_history); });
  }

  Result<> check_conflicts() {
    const auto add = [&](std::int64_t number) -> Result<> {
      findings_.damaged.push_back({.table = Damage::Table::conflict, .number = number});
      return {};
    };
    const auto take = [&](const Statement& row) {
      return is_as_written(kConflictForm, row) ? Result<>{} : add(row.integer(0));
    };
    return read_in_order(std::string(kConflictForm.columns) + ", hash", "conflict", "number", take, add);
  }

  /// Records, keys and marks must fit each other, but for the tails: those are read at each opening.
  Result<> check_content() {
    CHECK_OK(on().execute("BEGIN"));  // one snapshot: the writer goes on
    auto checked = compare_content();
    const auto ended = on().execute("COMMIT");
    return checked ? ended : checked;
  }

  Result<> compare_content() {
    TRY(const Tails tails, read_tails(on()));
    RecentKeys in_tails;
    SupersededRows superseded;
    TRY(const bool has_marks, load_recent(on(), tails, in_tails, superseded));
    if (!has_marks) findings_.index_problems.emplace_back("the table of superseded rows is damaged");
    TRY(const std::uint64_t expected, sum_of_records(tails, superseded));
    std::uint64_t found = 0;
    std::int64_t damaged_stamps = 0;
    TRY(Statement keys, on().prepare("SELECT scope, id, pos, raised FROM key"));
    for (;;) {
      TRY(const bool row, keys.step());
      if (!row) break;
      const bool has_types = keys.type(0) == ColumnType::integer && keys.type(1) == ColumnType::bytes &&
                             keys.type(2) == ColumnType::integer;
      const std::string_view raised = keys.bytes(3);
      if (has_types && !raised.empty() &&
          !read_raised_column(keys.integer(0), keys.bytes(1), keys.integer(2), raised)) {
        ++damaged_stamps;
      }
      const bool is_in_tail = has_types && in_tails.find(keys.integer(0), keys.bytes(1), kAnySeq).place.pos != 0;
      if (is_in_tail) continue;
      found += has_types ? hash_of_key(keys.integer(0), keys.bytes(1), keys.integer(2)) : 1;
    }
    if (damaged_stamps > 0) {
      findings_.index_problems.push_back("the key table has damaged stamps of " + std::to_string(damaged_stamps) +
                                         " records");
    }
    if (found != expected) findings_.index_problems.emplace_back("the key table does not fit the records");
    return {};
  }

  /// Of the keys that the key table must have. Counts the records too.
  Result<std::uint64_t> sum_of_records(const Tails& tails, const SupersededRows& superseded) {
    std::map<std::int64_t, NamedSpace> spaces = spaces_;
    {
      TRY(Statement counts, on().prepare("SELECT number, records FROM space"));
      for (;;) {
        TRY(const bool row, counts.step());
        if (!row) break;
        spaces[counts.integer(0)].records = counts.integer(1);
      }
    }
    std::uint64_t sum = 0;
    std::int64_t without_collection = 0;
    SupersededRows::View view;
    TRY(Statement records, on().prepare("SELECT pos, row FROM record ORDER BY pos"));
    for (;;) {
      TRY(const bool row, records.step());
      if (!row) break;
      const std::int64_t pos = records.integer(0);
      if (chunk_of(pos) != view.chunk) superseded.look(chunk_of(pos), kAnySeq, view);
      const auto parsed = view.contains(pos) ? std::nullopt : parse_row(records.bytes(1));
      if (!parsed) continue;
      NamedSpace& space = spaces[space_of_pos(pos)];
      if (!parsed->version.deleted) space.found.add(parsed->collection, {1, 0});
      if (static_cast<std::size_t>(parsed->collection) >= space.collections.size()) ++without_collection;
      const auto tail = tails.find(space_of_pos(pos));
      const bool is_in_tail = tail != tails.end() && seq_of(pos) > tail->second;
      if (is_in_tail) continue;
      sum += hash_of_key(pack_scope(space_of_pos(pos), parsed->collection), parsed->version.id, pos);
    }
    const auto wrong = std::ranges::count_if(spaces, [](const auto& one) {
      const auto& [number, space] = one;
      std::int64_t found = 0;
      for (const LiveDelta& collection : space.found.collections) found += collection.records;
      return space.records != found;
    });
    if (without_collection > 0) {
      findings_.problems.push_back(std::to_string(without_collection) + " records belong to no collection");
    }
    if (wrong > 0) {
      // Records that are passed over, or versions that are not, make a wrong count too.
      findings_.index_problems.push_back(std::to_string(wrong) + " spaces have a wrong record count");
    }
    CHECK_OK(compare_collections(spaces));
    return sum;
  }

  Result<> compare_collections(const std::map<std::int64_t, NamedSpace>& spaces) {
    TRY(const bool has_counts, has_count_columns(on()));
    if (!has_counts) return {};
    TRY(Statement counts, on().prepare("SELECT space, number, records FROM collection"));
    std::int64_t wrong = 0;
    for (;;) {
      TRY(const bool row, counts.step());
      if (!row) break;
      const auto space = spaces.find(counts.integer(0));
      const auto number = static_cast<std::size_t>(counts.integer(1));
      const bool has_some = space != spaces.end() && number < space->second.found.collections.size();
      const std::int64_t found = has_some ? space->second.found.collections[number].records : 0;
      if (counts.integer(2) != found) ++wrong;
    }
    if (wrong > 0) {
      findings_.index_problems.push_back(std::to_string(wrong) + " collections have a wrong record count");
    }
    return {};
  }

  /// A table without such a number: its rows are read in the order of their keys, as far as that can be read.
  Result<> check_rows(const RowForm& form) {
    TRY(Statement rows, on().prepare(select(form)));
    auto row = rows.step();
    for (; row && *row; row = rows.step()) {
      if (is_as_written(form, rows)) continue;
      Damage damage{.table = form.table, .id = std::string(rows.bytes(1))};
      if (const auto space = spaces_.find(rows.integer(0)); space != spaces_.end()) damage.space = space->second.name;
      findings_.damaged.push_back(std::move(damage));
    }
    if (!row && !rows.is_corrupt()) return std::unexpected(row.error());
    if (!row) findings_.problems.push_back("table " + std::string(to_text(form.table)) + ": " + row.error().text);
    return {};
  }

  Result<> add_version(std::int64_t pos, bool is_history) {
    Damage damage{.table = is_history ? Damage::Table::history : Damage::Table::record, .seq = seq_of(pos)};
    const auto space = spaces_.find(space_of_pos(pos));
    if (space != spaces_.end()) damage.space = space->second.name;
    if (!is_history && reader_.shared.superseded->contains(pos, kAnySeq)) damage.table = Damage::Table::history;
    if (damage.table == Damage::Table::record && space != spaces_.end()) {
      const auto key = find_key_at(reader_, pos);
      if (!key) return std::unexpected(key.error());
      const auto collection = *key ? static_cast<std::size_t>(collection_of((*key)->scope)) : SIZE_MAX;
      if (collection < space->second.collections.size()) {
        damage.collection = space->second.collections[collection];
        damage.id = (*key)->id;
      }
    }
    findings_.damaged.push_back(std::move(damage));
    return {};
  }

  Reader& reader_;
  std::map<std::int64_t, NamedSpace> spaces_;
  Findings findings_;
};

}  // namespace

bool Findings::has_damaged_records() const {
  return std::ranges::any_of(damaged, [](const Damage& one) { return one.table == Damage::Table::record; });
}

std::vector<std::string> Findings::to_texts() const {
  std::vector<std::string> texts = problems;
  texts.insert(texts.end(), index_problems.begin(), index_problems.end());
  for (const Damage& damage : damaged) {
    if (texts.size() >= kRowsNamedMax) {
      texts.push_back("in all, " + std::to_string(damaged.size()) + " rows are damaged");
      break;
    }
    texts.push_back(describe(damage));
  }
  return texts;
}

Result<Findings> examine(Connection connection) {
  TRY(const std::int64_t version, connection.query_integer("PRAGMA user_version"));
  Reader reader;
  if (version == kSchemaVersion) {
    // Of its own: the keys that an opening of this file would find.
    RecentKeys keys;
    SupersededRows superseded;
    TRY(const Tails tails, read_tails(connection));
    TRY([[maybe_unused]] const bool is_whole, load_recent(connection, tails, keys, superseded));
    TRY(auto made, Reader::make(std::move(connection), {.damage = nullptr, .keys = &keys, .superseded = &superseded}));
    return Examination(*made).run();
  }
  reader.connection = std::move(connection);
  return Examination(reader).run();
}

}  // namespace syncline::sqlite
