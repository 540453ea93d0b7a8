// The passkeys of the directory: the part of DirectoryTables that is about them.
#include "store/sqlite/directory_hash.hpp"
#include "store/sqlite/directory_tables.hpp"

namespace syncline::sqlite {
namespace {

#define PASSKEY_COLUMNS "number, account, credential, created_at, doc, hash"

std::int64_t hash_of_passkey(const PasskeyRow& row) {
  return DirectoryHash("passkey")
      .add(row.number.value)
      .add(row.account.value)
      .add(row.credential)
      .add(row.created_at.micros)
      .add(row.doc)
      .finish();
}

Result<PasskeyRow> passkey_of(const Statement& row) {
  PasskeyRow passkey{.number = {row.integer(0)},
                     .account = {row.integer(1)},
                     .credential = std::string(row.bytes(2)),
                     .created_at = {row.integer(3)},
                     .doc = std::string(row.bytes(4))};
  if (hash_of_passkey(passkey) != row.integer(5)) return damaged_row("passkey", passkey.number.value);
  return passkey;
}

}  // namespace

Result<std::optional<PasskeyRow>> DirectoryTables::find_passkey(std::string_view credential) {
  std::optional<PasskeyRow> found;
  CHECK_OK(query(
      "SELECT " PASSKEY_COLUMNS " FROM passkey WHERE credential = ?",
      [&](Statement& statement) { statement.bind_bytes(1, credential); },
      [&](Statement& row) -> Result<bool> {
        TRY(found, passkey_of(row));
        return false;
      }));
  return found;
}

Result<> DirectoryTables::passkeys(AccountNumber account, const PasskeyVisitor& visit) {
  return query(
      "SELECT " PASSKEY_COLUMNS " FROM passkey WHERE account = ? ORDER BY number",
      [&](Statement& statement) { statement.bind(1, account.value); },
      [&](Statement& row) -> Result<bool> {
        const auto passkey = passkey_of(row);
        return !passkey || visit(*passkey);
      });
}

Result<PasskeyNumber> DirectoryTables::next_passkey_number() {
  TRY(const std::int64_t number, next_number(kLastPasskey));
  return PasskeyNumber{number};
}

Result<> DirectoryTables::put_passkey(const PasskeyRow& passkey) {
  TRY(const auto holder, find_passkey(passkey.credential));
  if (holder && holder->number != passkey.number) {
    return fail(ErrorCode::conflict, "this passkey is already registered");
  }
  return run("INSERT OR REPLACE INTO passkey (" PASSKEY_COLUMNS ") VALUES (?,?,?,?,?,?)", [&](Statement& statement) {
    statement.bind(1, passkey.number.value);
    statement.bind(2, passkey.account.value);
    statement.bind_bytes(3, passkey.credential);
    statement.bind(4, passkey.created_at.micros);
    statement.bind_bytes(5, passkey.doc);
    statement.bind(6, hash_of_passkey(passkey));
  });
}

Result<> DirectoryTables::remove_passkey(PasskeyNumber number) {
  return run_for("DELETE FROM passkey WHERE number = ?", number.value);
}

Result<> DirectoryTables::verify_passkeys(std::vector<std::string>& problems) {
  return query(
      "SELECT " PASSKEY_COLUMNS " FROM passkey ORDER BY number", [](Statement&) {},
      [&](Statement& row) -> Result<bool> {
        if (const auto passkey = passkey_of(row); !passkey) problems.push_back(passkey.error().text);
        return true;
      });
}

#undef PASSKEY_COLUMNS

}  // namespace syncline::sqlite
