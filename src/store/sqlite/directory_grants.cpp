// The table of who may use whose space.
#include "store/sqlite/directory_hash.hpp"
#include "store/sqlite/directory_tables.hpp"

namespace syncline::sqlite {
namespace {

#define GRANT_COLUMNS "account, space, guest, may_write, created_at, hash"

std::int64_t hash_of_grant(const GrantRow& row) {
  return DirectoryHash("space_grant")
      .add(row.space.account.value)
      .add(row.space.name)
      .add(row.guest.value)
      .add(row.may_write ? 1 : 0)
      .add(row.created_at.micros)
      .finish();
}

Result<GrantRow> grant_of(const Statement& row) {
  GrantRow grant{.space = {{row.integer(0)}, std::string(row.bytes(1))},
                 .guest = {row.integer(2)},
                 .may_write = row.integer(3) != 0,
                 .created_at = {row.integer(4)}};
  if (hash_of_grant(grant) == row.integer(5)) return grant;
  return fail(ErrorCode::damaged, "a row of who may use a space of account " +
                                      std::to_string(grant.space.account.value) + " is damaged; run 'syncline verify'");
}

}  // namespace

Result<std::optional<GrantRow>> DirectoryTables::find_grant(const SpaceName& space, AccountNumber guest) {
  std::optional<GrantRow> found;
  CHECK_OK(query(
      "SELECT " GRANT_COLUMNS " FROM space_grant WHERE account = ? AND space = ? AND guest = ?",
      [&](Statement& statement) {
        statement.bind(1, space.account.value);
        statement.bind_text(2, space.name);
        statement.bind(3, guest.value);
      },
      [&](Statement& row) -> Result<bool> {
        TRY(found, grant_of(row));
        return false;
      }));
  return found;
}

Result<> DirectoryTables::visit_grants(const char* sql, AccountNumber account, const GrantVisitor& visit) {
  return query(
      sql, [account](Statement& statement) { statement.bind(1, account.value); },
      [&](Statement& row) -> Result<bool> {
        const auto grant = grant_of(row);
        return !grant || visit(*grant);
      });
}

Result<> DirectoryTables::grants_by(AccountNumber owner, const GrantVisitor& visit) {
  return visit_grants("SELECT " GRANT_COLUMNS " FROM space_grant WHERE account = ? ORDER BY space, guest", owner,
                      visit);
}

Result<> DirectoryTables::grants_to(AccountNumber guest, const GrantVisitor& visit) {
  return visit_grants("SELECT " GRANT_COLUMNS " FROM space_grant WHERE guest = ? ORDER BY account, space", guest,
                      visit);
}

Result<> DirectoryTables::put_grant(const GrantRow& grant) {
  return run("INSERT OR REPLACE INTO space_grant (" GRANT_COLUMNS ") VALUES (?,?,?,?,?,?)", [&](Statement& statement) {
    statement.bind(1, grant.space.account.value);
    statement.bind_text(2, grant.space.name);
    statement.bind(3, grant.guest.value);
    statement.bind(4, grant.may_write ? 1 : 0);
    statement.bind(5, grant.created_at.micros);
    statement.bind(6, hash_of_grant(grant));
  });
}

Result<> DirectoryTables::remove_grant(const SpaceName& space, AccountNumber guest) {
  return run("DELETE FROM space_grant WHERE account = ? AND space = ? AND guest = ?", [&](Statement& statement) {
    statement.bind(1, space.account.value);
    statement.bind_text(2, space.name);
    statement.bind(3, guest.value);
  });
}

Result<> DirectoryTables::verify_grants(std::vector<std::string>& problems) {
  return query(
      "SELECT " GRANT_COLUMNS " FROM space_grant", [](Statement&) {},
      [&](Statement& row) -> Result<bool> {
        if (const auto grant = grant_of(row); !grant) problems.push_back(grant.error().text);
        return true;
      });
}

#undef GRANT_COLUMNS

}  // namespace syncline::sqlite
