// The identities of the directory: the part of DirectoryTables that is about them.
#include "store/sqlite/directory_hash.hpp"
#include "store/sqlite/directory_tables.hpp"

namespace syncline::sqlite {
namespace {

#define IDENTITY_COLUMNS "number, account, subject, created_at, doc, hash"

std::int64_t hash_of_identity(const IdentityRow& row) {
  return DirectoryHash("identity")
      .add(row.number.value)
      .add(row.account.value)
      .add(row.subject)
      .add(row.created_at.micros)
      .add(row.doc)
      .finish();
}

Result<IdentityRow> identity_of(const Statement& row) {
  IdentityRow identity{.number = {row.integer(0)},
                       .account = {row.integer(1)},
                       .subject = std::string(row.bytes(2)),
                       .created_at = {row.integer(3)},
                       .doc = std::string(row.bytes(4))};
  if (hash_of_identity(identity) != row.integer(5)) return damaged_row("identity", identity.number.value);
  return identity;
}

}  // namespace

Result<std::optional<IdentityRow>> DirectoryTables::find_identity(std::string_view subject) {
  std::optional<IdentityRow> found;
  CHECK_OK(query(
      "SELECT " IDENTITY_COLUMNS " FROM identity WHERE subject = ?",
      [&](Statement& statement) { statement.bind_bytes(1, subject); },
      [&](Statement& row) -> Result<bool> {
        TRY(found, identity_of(row));
        return false;
      }));
  return found;
}

Result<> DirectoryTables::identities(AccountNumber account, const IdentityVisitor& visit) {
  return query(
      "SELECT " IDENTITY_COLUMNS " FROM identity WHERE account = ? ORDER BY number",
      [&](Statement& statement) { statement.bind(1, account.value); },
      [&](Statement& row) -> Result<bool> {
        const auto identity = identity_of(row);
        return !identity || visit(*identity);
      });
}

Result<IdentityNumber> DirectoryTables::next_identity_number() {
  TRY(const std::int64_t number, next_number(kLastIdentity));
  return IdentityNumber{number};
}

Result<> DirectoryTables::put_identity(const IdentityRow& identity) {
  TRY(const auto holder, find_identity(identity.subject));
  if (holder && holder->number != identity.number) {
    return fail(ErrorCode::conflict, "this identity is already linked");
  }
  return run("INSERT OR REPLACE INTO identity (" IDENTITY_COLUMNS ") VALUES (?,?,?,?,?,?)", [&](Statement& statement) {
    statement.bind(1, identity.number.value);
    statement.bind(2, identity.account.value);
    statement.bind_bytes(3, identity.subject);
    statement.bind(4, identity.created_at.micros);
    statement.bind_bytes(5, identity.doc);
    statement.bind(6, hash_of_identity(identity));
  });
}

Result<> DirectoryTables::remove_identity(IdentityNumber number) {
  return run_for("DELETE FROM identity WHERE number = ?", number.value);
}

Result<> DirectoryTables::verify_identities(std::vector<std::string>& problems) {
  return query(
      "SELECT " IDENTITY_COLUMNS " FROM identity ORDER BY number", [](Statement&) {},
      [&](Statement& row) -> Result<bool> {
        if (const auto identity = identity_of(row); !identity) problems.push_back(identity.error().text);
        return true;
      });
}

#undef IDENTITY_COLUMNS

}  // namespace syncline::sqlite
