#include "store/sqlite/search_index.hpp"

#include <algorithm>
#include <filesystem>

#include "base/bytes.hpp"
#include "base/log.hpp"

namespace syncline {
namespace {

using sqlite::Connection;
using sqlite::Statement;
using sqlite::StatementScope;

/// "SYNX", and the format: a file of another one is made anew.
constexpr std::int64_t kIndexApplicationId = 0x53594E58;
constexpr std::int64_t kIndexFormat = 1;
constexpr std::size_t kWordsMax = 32;
/// Shorter words are in too many texts to look for any of them.
constexpr std::size_t kTellingWordBytes = 3;

std::string table_of(AccountNumber account) { return "memory_" + std::to_string(account.value); }

/// A word that stands for a name in the index, whatever characters that has.
std::string name_word(char kind, std::string_view name) { return kind + to_hex(as_text(sha256(name)).substr(0, 8)); }

struct Word {
  std::string text;
  bool is_prefix = false;

  [[nodiscard]] std::string expression() const { return '"' + text + '"' + (is_prefix ? " *" : ""); }
};

/// The words of a query: what stands between spaces and signs. Bytes beyond ASCII belong to words.
std::vector<Word> words_of(std::string_view text) {
  std::vector<Word> words;
  bool in_word = false;
  for (const char c : text) {
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                           static_cast<unsigned char>(c) >= 0x80;
    if (is_letter && !in_word) {
      if (words.size() == kWordsMax) return words;
      words.emplace_back();
    }
    if (is_letter) words.back().text += c;
    if (c == '*' && in_word) words.back().is_prefix = true;
    in_word = is_letter;
  }
  if (in_word) words.back().is_prefix = true;  // it may not be typed to its end
  return words;
}

std::string join_words(const std::vector<Word>& words, std::string_view between) {
  std::string joined;
  for (const Word& word : words) {
    if (!joined.empty()) joined += between;
    joined += word.expression();
  }
  return joined;
}

/// What narrows an expression to, or away from, what has those names.
std::string scope_filter(std::string_view how, char kind, const std::vector<std::string>& names) {
  if (names.empty()) return "";
  std::string filter;
  for (const std::string& name : names) filter += (filter.empty() ? "" : " OR ") + name_word(kind, name);
  return std::string(how) + "(scope : (" + filter + "))";
}

}  // namespace

SearchIndex::SearchIndex(std::string path)
    : file_(std::move(path),
            {.application_id = kIndexApplicationId,
             .format = kIndexFormat,
             // Nothing is lost that cannot be read again, so nothing waits for the disk.
             .pragmas = "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA cache_size = -16384; "
                        "PRAGMA secure_delete = FAST",
             .tables = "CREATE TABLE entry (number INTEGER PRIMARY KEY, account INTEGER NOT NULL, space TEXT NOT NULL,"
                       " collection TEXT NOT NULL, id BLOB NOT NULL, UNIQUE (account, space, collection, id));"
                       "CREATE TABLE position (account INTEGER NOT NULL, space TEXT NOT NULL, epoch TEXT NOT NULL,"
                       " seq INTEGER NOT NULL, PRIMARY KEY (account, space)) WITHOUT ROWID;"}) {}

Result<Cursor> SearchIndex::position(const SpaceName& space) {
  const MutexLock lock(mutex_);
  CHECK_OK(file_.open());
  TRY(Statement row, file_.connection().prepare("SELECT epoch, seq FROM position WHERE account = ? AND space = ?"));
  row.bind(1, space.account.value);
  row.bind_text(2, space.name);
  TRY(const bool found, row.step());
  if (!found) return Cursor{};
  // The column has the name of the whole history.
  Cursor cursor = parse_history(row.bytes(0)).value_or(Cursor{});
  cursor.seq = {row.integer(1)};
  return cursor;
}

Result<> SearchIndex::update(const SpaceName& space, const std::vector<Entry>& entries, const Cursor& through) {
  const MutexLock lock(mutex_);
  CHECK_OK(file_.open());
  TRY(sqlite::Transaction transaction, sqlite::Transaction::begin(file_.connection()));
  CHECK_OK(write(space, entries, through));
  return transaction.commit();
}

Result<> SearchIndex::write(const SpaceName& space, const std::vector<Entry>& entries, const Cursor& through) {
  Connection& on = file_.connection();
  const std::string table = table_of(space.account);
  CHECK_OK(on.execute("CREATE VIRTUAL TABLE IF NOT EXISTS " + table +
                      " USING fts5(title, body, scope, tokenize = 'unicode61 remove_diacritics 2')"));
  TRY(Statement find,
      on.prepare("SELECT number FROM entry WHERE account = ? AND space = ? AND collection = ? AND id = ?"));
  TRY(Statement add,
      on.prepare("INSERT INTO entry (account, space, collection, id) VALUES (?,?,?,?) RETURNING number"));
  TRY(Statement drop, on.prepare("DELETE FROM entry WHERE number = ?"));
  TRY(Statement remove, on.prepare("DELETE FROM " + table + " WHERE rowid = ?"));
  TRY(Statement insert, on.prepare("INSERT INTO " + table + " (rowid, title, body, scope) VALUES (?,?,?,?)"));
  const std::string space_word = name_word('s', space.name) + ' ';
  const auto bind_key = [&](Statement& to, const Entry& entry) {
    to.bind(1, space.account.value);
    to.bind_text(2, space.name);
    to.bind_text(3, entry.collection);
    to.bind_bytes(4, entry.id);
  };
  for (const Entry& entry : entries) {
    std::int64_t number = 0;
    {
      const StatementScope scope(find);
      bind_key(find, entry);
      TRY(const bool found, find.step());
      if (found) number = find.integer(0);
    }
    if (number != 0) {
      const StatementScope scope(remove);
      remove.bind(1, number);
      CHECK_OK(remove.run());
    }
    if (entry.text.empty()) {
      if (number == 0) continue;
      const StatementScope scope(drop);
      drop.bind(1, number);
      CHECK_OK(drop.run());
      continue;
    }
    if (number == 0) {
      const StatementScope scope(add);
      bind_key(add, entry);
      TRY([[maybe_unused]] const bool row, add.step());
      number = add.integer(0);
    }
    const std::string scope_words = space_word + name_word('c', entry.collection);
    const StatementScope scope(insert);
    insert.bind(1, number);
    insert.bind_text(2, entry.text.title);
    insert.bind_text(3, entry.text.body);
    insert.bind_text(4, scope_words);
    CHECK_OK(insert.run());
  }
  TRY(Statement note, on.prepare("INSERT OR REPLACE INTO position (account, space, epoch, seq) VALUES (?,?,?,?)"));
  const std::string history = through.history();
  note.bind(1, space.account.value);
  note.bind_text(2, space.name);
  note.bind_text(3, history);
  note.bind(4, through.seq.value);
  return note.run();
}

Result<std::vector<SearchIndex::Match>> SearchIndex::find(const Query& query) {
  const std::vector<Word> words = words_of(query.text);
  if (words.empty()) return std::vector<Match>{};
  const MutexLock lock(mutex_);
  CHECK_OK(file_.open());
  TRY(Statement table, file_.connection().prepare("SELECT 1 FROM sqlite_master WHERE name = ?"));
  const std::string name = table_of(query.account);
  table.bind_text(1, name);
  TRY(const bool has_table, table.step());
  table.reset();
  if (!has_table) return std::vector<Match>{};
  TRY(auto found, match(query, join_words(words, " ")));
  if (!found.empty() || words.size() == 1) return found;
  std::vector<Word> telling = words;
  std::erase_if(telling, [](const Word& word) { return word.text.size() < kTellingWordBytes; });
  return match(query, join_words(telling.empty() ? words : telling, " OR "));
}

Result<std::vector<SearchIndex::Match>> SearchIndex::match(const Query& query, const std::string& words) {
  constexpr double kScale = 1e6;
  const std::string name = table_of(query.account);
  TRY(Statement rows, file_.connection().prepare(
                          "SELECT entry.space, entry.collection, entry.id, best.points FROM (SELECT rowid AS number, "
                          "CAST(-rank * 1000000 AS INTEGER) AS points FROM " +
                          name + " WHERE " + name +
                          " MATCH ? AND rank MATCH 'bm25(3.0, 1.0, 0.0)' ORDER BY rank "
                          "LIMIT ?) AS best JOIN entry USING (number) ORDER BY best.points DESC"));
  const std::string narrowed = "(({title body} : (" + words + "))" + scope_filter(" AND ", 's', query.spaces) + ")";
  const std::string expression = narrowed + scope_filter(" NOT ", 'c', query.without);
  rows.bind_text(1, expression);
  rows.bind(2, static_cast<std::int64_t>(query.count_max));
  std::vector<Match> found;
  for (;;) {
    TRY(const bool row, rows.step());
    if (!row) return found;
    const double points = std::max(0.0, static_cast<double>(rows.integer(3)) / kScale);
    found.push_back(
        {std::string(rows.bytes(0)), std::string(rows.bytes(1)), std::string(rows.bytes(2)), points / (1 + points)});
  }
}

Result<> SearchIndex::forget(AccountNumber account) {
  const MutexLock lock(mutex_);
  std::error_code ignored;
  if (!file_.is_open() && !std::filesystem::exists(file_.path(), ignored)) return {};
  CHECK_OK(file_.open());
  const std::string number = std::to_string(account.value);
  TRY(sqlite::Transaction transaction, sqlite::Transaction::begin(file_.connection()));
  CHECK_OK(file_.connection().execute("DROP TABLE IF EXISTS " + table_of(account) +
                                      "; DELETE FROM entry WHERE account = " + number +
                                      "; DELETE FROM position WHERE account = " + number));
  return transaction.commit();
}

}  // namespace syncline
