#include "store/sqlite/directory_tables.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <bit>
#include <vector>

#include "store/sqlite/directory_hash.hpp"

namespace syncline::sqlite {
namespace {

#define ACCOUNT_COLUMNS "number, email, created_at, password, api_key, doc, hash"
#define KEY_COLUMNS "number, account, parent, token, created_at, revoked_at, ends_at, doc, hash, last_used_at"

std::int64_t micros_of(const std::optional<Timestamp>& time) { return time ? time->micros : 0; }
std::optional<Timestamp> time_of(std::int64_t micros) {
  if (micros == 0) return std::nullopt;
  return Timestamp{micros};
}

std::int64_t hash_of_row(const AccountRow& row) {
  return DirectoryHash("account")
      .add(row.number.value)
      .add(row.email)
      .add(row.created_at.micros)
      .add(row.password)
      .add(row.api_key.value)
      .add(row.doc)
      .finish();
}

std::int64_t hash_of_row(const KeyRow& row) {
  return DirectoryHash("api_key")
      .add(row.number.value)
      .add(row.account.value)
      .add(row.parent.value)
      .add(row.token_hash)
      .add(row.created_at.micros)
      .add(micros_of(row.revoked_at))
      .add(micros_of(row.ends_at))
      .add(row.doc)
      .finish();
}

std::int64_t hash_of_row(const ResetRow& row) {
  return DirectoryHash("password_reset").add(row.token_hash).add(row.account.value).add(row.expires_at.micros).finish();
}

Result<AccountRow> account_of(const Statement& row) {
  AccountRow account{.number = {row.integer(0)},
                     .email = std::string(row.bytes(1)),
                     .created_at = {row.integer(2)},
                     .password = std::string(row.bytes(3)),
                     .api_key = {row.integer(4)},
                     .doc = std::string(row.bytes(5))};
  if (hash_of_row(account) != row.integer(6)) return damaged_row("account", account.number.value);
  return account;
}

}  // namespace

std::int64_t DirectoryHash::finish() const {
  return std::bit_cast<std::int64_t>(XXH3_64bits(bytes_.data(), bytes_.size()));
}

std::unexpected<Error> damaged_row(std::string_view what, std::int64_t number) {
  return fail(ErrorCode::damaged,
              "the row of " + std::string(what) + ' ' + std::to_string(number) + " is damaged; run 'syncline verify'");
}

Result<> DirectoryTables::query(const char* sql, const Bind& bind, const Row& row) {
  const auto failed = [&](const Error& error) -> Result<> {
    if (!failure_) failure_ = error;
    return std::unexpected(error);
  };
  Statement statement;
  if (const auto found = idle_.find(sql); found != idle_.end()) {
    statement = std::move(found->second);
    idle_.erase(found);
  } else {
    auto prepared = on_.prepare(sql);
    if (!prepared) return failed(prepared.error());
    statement = *std::move(prepared);
  }
  bind(statement);
  for (;;) {
    const auto stepped = statement.step();
    if (!stepped) return failed(stepped.error());
    if (!*stepped) break;
    const auto more = row(statement);
    if (!more) return failed(more.error());
    if (!*more) break;
  }
  statement.reset();
  idle_.insert_or_assign(sql, std::move(statement));
  return {};
}

Result<> DirectoryTables::run(const char* sql, const Bind& bind) {
  return query(sql, bind, [](Statement&) -> Result<bool> { return true; });
}

Result<> DirectoryTables::run_for(const char* sql, std::int64_t number) {
  return run(sql, [number](Statement& statement) { statement.bind(1, number); });
}

Result<> DirectoryTables::run_for(const char* sql, std::string_view id) {
  return run(sql, [id](Statement& statement) { statement.bind_text(1, id); });
}

Result<KeyRow> DirectoryTables::key_of(const Statement& row) const {
  KeyRow key{.number = {row.integer(0)},
             .account = {row.integer(1)},
             .parent = {row.integer(2)},
             .token_hash = std::string(row.bytes(3)),
             .created_at = {row.integer(4)},
             .revoked_at = time_of(row.integer(5)),
             .ends_at = time_of(row.integer(6)),
             .last_used_at = time_of(row.integer(9)),
             .doc = std::string(row.bytes(7))};
  if (hash_of_row(key) != row.integer(8)) return damaged_row("key", key.number.value);
  if (!key.revoked_at) key.revoked_at = reserve_.find(key);
  return key;
}

Result<std::optional<AccountRow>> DirectoryTables::find_one_account(const char* sql, const Bind& bind) {
  std::optional<AccountRow> found;
  CHECK_OK(query(sql, bind, [&](Statement& row) -> Result<bool> {
    TRY(found, account_of(row));
    return false;
  }));
  return found;
}

Result<std::optional<AccountRow>> DirectoryTables::find_account(AccountNumber number) {
  return find_one_account("SELECT " ACCOUNT_COLUMNS " FROM account WHERE number = ?",
                          [&](Statement& statement) { statement.bind(1, number.value); });
}

Result<std::optional<AccountRow>> DirectoryTables::find_account_by_email(std::string_view email) {
  return find_one_account("SELECT " ACCOUNT_COLUMNS " FROM account WHERE email = ?",
                          [&](Statement& statement) { statement.bind_text(1, email); });
}

Result<> DirectoryTables::accounts(const AccountVisitor& visit) {
  return query(
      "SELECT " ACCOUNT_COLUMNS " FROM account ORDER BY email", [](Statement&) {},
      [&](Statement& row) -> Result<bool> {
        const auto account = account_of(row);
        return !account || visit(*account);
      });
}

Result<std::optional<KeyRow>> DirectoryTables::find_one_key(const char* sql, const Bind& bind) {
  std::optional<KeyRow> found;
  CHECK_OK(query(sql, bind, [&](Statement& row) -> Result<bool> {
    TRY(found, key_of(row));
    return false;
  }));
  return found;
}

Result<std::optional<KeyRow>> DirectoryTables::find_key(KeyNumber number) {
  return find_one_key("SELECT " KEY_COLUMNS " FROM api_key WHERE number = ?",
                      [&](Statement& statement) { statement.bind(1, number.value); });
}

Result<std::optional<KeyRow>> DirectoryTables::find_key_by_token(std::string_view token_hash) {
  return find_one_key("SELECT " KEY_COLUMNS " FROM api_key WHERE token = ? ORDER BY number DESC LIMIT 1",
                      [&](Statement& statement) { statement.bind_bytes(1, token_hash); });
}

Result<> DirectoryTables::visit_keys(const char* sql, std::int64_t bound, const KeyVisitor& visit) {
  return query(
      sql, [bound](Statement& statement) { statement.bind(1, bound); },
      [&](Statement& row) -> Result<bool> {
        const auto key = key_of(row);
        return !key || visit(*key);
      });
}

Result<> DirectoryTables::keys(std::optional<AccountNumber> account, const KeyVisitor& visit) {
  if (account) {
    return visit_keys("SELECT " KEY_COLUMNS " FROM api_key WHERE account = ? ORDER BY number", account->value, visit);
  }
  return visit_keys("SELECT " KEY_COLUMNS " FROM api_key WHERE number > ? ORDER BY number", 0, visit);
}

Result<> DirectoryTables::keys_opened_with(KeyNumber parent, const KeyVisitor& visit) {
  return visit_keys("SELECT " KEY_COLUMNS " FROM api_key WHERE parent = ? AND parent > 0 ORDER BY number", parent.value,
                    visit);
}

Result<> DirectoryTables::keys_that_end(Timestamp until, const KeyVisitor& visit) {
  return visit_keys("SELECT " KEY_COLUMNS " FROM api_key WHERE ends_at <= ? AND ends_at > 0 ORDER BY ends_at",
                    until.micros, visit);
}

Result<std::optional<ResetRow>> DirectoryTables::find_reset(std::string_view token_hash) {
  std::optional<ResetRow> found;
  CHECK_OK(query(
      "SELECT token, account, expires_at, hash FROM password_reset WHERE token = ?",
      [&](Statement& statement) { statement.bind_bytes(1, token_hash); },
      [&](Statement& row) -> Result<bool> {
        found = ResetRow{std::string(row.bytes(0)), {row.integer(1)}, {row.integer(2)}};
        if (hash_of_row(*found) == row.integer(3)) return false;
        return damaged_row("a reset token of account", found->account.value);
      }));
  return found;
}

Result<Seq> DirectoryTables::find_pulled(KeyNumber key, const SpaceName& space) {
  Seq found;
  CHECK_OK(query(
      "SELECT seq FROM pulled WHERE key = ? AND account = ? AND space = ?",
      [&](Statement& statement) {
        statement.bind(1, key.value);
        statement.bind(2, space.account.value);
        statement.bind_text(3, space.name);
      },
      [&](Statement& row) -> Result<bool> {
        found = {row.integer(0)};
        return false;
      }));
  return found;
}

Result<> DirectoryTables::usage(const UsageVisitor& visit) {
  return query(
      "SELECT account, day, today, this_month FROM request_usage ORDER BY account", [](Statement&) {},
      [&](Statement& row) -> Result<bool> {
        return visit({{row.integer(0)}, std::string(row.bytes(1)), row.integer(2), row.integer(3)});
      });
}

Result<std::int64_t> DirectoryTables::find_mark(std::string_view name) {
  std::int64_t found = 0;
  CHECK_OK(query(
      "SELECT value FROM directory_mark WHERE name = ?", [&](Statement& statement) { statement.bind_text(1, name); },
      [&](Statement& row) -> Result<bool> {
        found = row.integer(0);
        return false;
      }));
  return found;
}

Result<std::int64_t> DirectoryTables::next_number(std::string_view mark) {
  TRY(const std::int64_t last, find_mark(mark));
  CHECK_OK(put_mark(mark, last + 1));
  return last + 1;
}

Result<AccountNumber> DirectoryTables::next_account_number() {
  TRY(const std::int64_t number, next_number(kLastAccount));
  return AccountNumber{number};
}

Result<KeyNumber> DirectoryTables::next_key_number() {
  TRY(const std::int64_t number, next_number(kLastKey));
  return KeyNumber{number};
}

Result<> DirectoryTables::put_account(const AccountRow& account) {
  TRY(const auto holder, find_account_by_email(account.email));
  if (holder && holder->number != account.number) {
    return fail(ErrorCode::conflict, "account '" + account.email + "' already exists");
  }
  return run("INSERT OR REPLACE INTO account (" ACCOUNT_COLUMNS ") VALUES (?,?,?,?,?,?,?)", [&](Statement& statement) {
    statement.bind(1, account.number.value);
    statement.bind_text(2, account.email);
    statement.bind(3, account.created_at.micros);
    statement.bind_bytes(4, account.password);
    statement.bind(5, account.api_key.value);
    statement.bind_bytes(6, account.doc);
    statement.bind(7, hash_of_row(account));
  });
}

Result<> DirectoryTables::erase_account(AccountNumber number) {
  for (const char* sql : {"DELETE FROM pulled WHERE key IN (SELECT number FROM api_key WHERE account = ?)",
                          "DELETE FROM pulled WHERE account = ?", "DELETE FROM api_key WHERE account = ?",
                          "DELETE FROM password_reset WHERE account = ?", "DELETE FROM passkey WHERE account = ?",
                          "DELETE FROM identity WHERE account = ?", "DELETE FROM request_usage WHERE account = ?",
                          "DELETE FROM space_grant WHERE account = ?", "DELETE FROM space_grant WHERE guest = ?",
                          "DELETE FROM delivery WHERE webhook IN (SELECT id FROM webhook WHERE account = ?)",
                          "DELETE FROM webhook WHERE account = ?", "DELETE FROM lease WHERE account = ?",
                          "DELETE FROM account WHERE number = ?"}) {
    CHECK_OK(run_for(sql, number.value));
  }
  return {};
}

Result<> DirectoryTables::put_key(const KeyRow& key) {
  return run(
      "INSERT INTO api_key (number, account, parent, token, created_at, revoked_at, ends_at, doc, hash) "
      "VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9) ON CONFLICT (number) DO UPDATE SET account = ?2, parent = ?3, token = ?4, "
      "created_at = ?5, revoked_at = ?6, ends_at = ?7, doc = ?8, hash = ?9",
      [&](Statement& statement) {
        statement.bind(1, key.number.value);
        statement.bind(2, key.account.value);
        statement.bind(3, key.parent.value);
        statement.bind_bytes(4, key.token_hash);
        statement.bind(5, key.created_at.micros);
        statement.bind(6, micros_of(key.revoked_at));
        statement.bind(7, micros_of(key.ends_at));
        statement.bind_bytes(8, key.doc);
        statement.bind(9, hash_of_row(key));
      });
}

Result<> DirectoryTables::remove_key(KeyNumber number) {
  CHECK_OK(run_for("DELETE FROM pulled WHERE key = ?", number.value));
  return run_for("DELETE FROM api_key WHERE number = ?", number.value);
}

Result<> DirectoryTables::set_last_used(KeyNumber number, Timestamp at) {
  return run("UPDATE api_key SET last_used_at = ?2 WHERE number = ?1 AND last_used_at < ?2", [&](Statement& statement) {
    statement.bind(1, number.value);
    statement.bind(2, at.micros);
  });
}

Result<> DirectoryTables::put_reset(const ResetRow& reset) {
  return run("INSERT OR REPLACE INTO password_reset (token, account, expires_at, hash) VALUES (?,?,?,?)",
             [&](Statement& statement) {
               statement.bind_bytes(1, reset.token_hash);
               statement.bind(2, reset.account.value);
               statement.bind(3, reset.expires_at.micros);
               statement.bind(4, hash_of_row(reset));
             });
}

Result<> DirectoryTables::remove_resets_of(AccountNumber account) {
  return run_for("DELETE FROM password_reset WHERE account = ?", account.value);
}

Result<> DirectoryTables::remove_expired_resets(Timestamp until) {
  return run_for("DELETE FROM password_reset WHERE expires_at <= ?", until.micros);
}

Result<> DirectoryTables::put_pulled(const PulledRow& pulled) {
  return run(
      "INSERT INTO pulled (key, account, space, seq) VALUES (?1,?2,?3,?4) "
      "ON CONFLICT (key, account, space) DO UPDATE SET seq = max(seq, ?4)",
      [&](Statement& statement) {
        statement.bind(1, pulled.key.value);
        statement.bind(2, pulled.space.account.value);
        statement.bind_text(3, pulled.space.name);
        statement.bind(4, pulled.seq.value);
      });
}

Result<> DirectoryTables::put_usage(const UsageRow& usage) {
  return run("INSERT OR REPLACE INTO request_usage (account, day, today, this_month) VALUES (?,?,?,?)",
             [&](Statement& statement) {
               statement.bind(1, usage.account.value);
               statement.bind_text(2, usage.day);
               statement.bind(3, usage.today);
               statement.bind(4, usage.this_month);
             });
}

Result<> DirectoryTables::remove_usage(AccountNumber account) {
  return run_for("DELETE FROM request_usage WHERE account = ?", account.value);
}

Result<> DirectoryTables::put_mark(std::string_view name, std::int64_t value) {
  return run("INSERT OR REPLACE INTO directory_mark VALUES (?,?)", [&](Statement& statement) {
    statement.bind_text(1, name);
    statement.bind(2, value);
  });
}

Result<std::vector<std::string>> DirectoryTables::verify() {
  std::vector<std::string> problems;
  const auto note = [&](const auto& row) -> Result<bool> {
    if (!row) problems.push_back(row.error().text);
    return true;
  };
  CHECK_OK(query(
      "SELECT " ACCOUNT_COLUMNS " FROM account ORDER BY number", [](Statement&) {},
      [&](Statement& row) { return note(account_of(row)); }));
  CHECK_OK(query(
      "SELECT " KEY_COLUMNS " FROM api_key ORDER BY number", [](Statement&) {},
      [&](Statement& row) { return note(key_of(row)); }));
  CHECK_OK(verify_grants(problems));
  CHECK_OK(verify_passkeys(problems));
  CHECK_OK(verify_webhooks(problems));
  CHECK_OK(verify_leases(problems));
  CHECK_OK(verify_identities(problems));
  return problems;
}

#undef ACCOUNT_COLUMNS
#undef KEY_COLUMNS

}  // namespace syncline::sqlite
