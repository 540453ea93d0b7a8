// The table of who runs which command: a part of DirectoryTables.
#include "store/sqlite/directory_hash.hpp"
#include "store/sqlite/directory_tables.hpp"

namespace syncline::sqlite {
namespace {

#define LEASE_COLUMNS "account, space, command, holder, ends_at, hash"

std::int64_t hash_of_lease(const LeaseRow& row) {
  return DirectoryHash("lease")
      .add(row.space.account.value)
      .add(row.space.name)
      .add(row.command)
      .add(row.holder)
      .add(row.until.micros)
      .finish();
}

Result<LeaseRow> lease_of(const Statement& row) {
  LeaseRow lease{.space = {{row.integer(0)}, std::string(row.bytes(1))},
                 .command = std::string(row.bytes(2)),
                 .holder = std::string(row.bytes(3)),
                 .until = {row.integer(4)}};
  if (hash_of_lease(lease) == row.integer(5)) return lease;
  return fail(ErrorCode::damaged, "the lease of a command of account " + std::to_string(lease.space.account.value) +
                                      " is damaged; run 'syncline verify'");
}

void bind_command(Statement& statement, const SpaceName& space, std::string_view command) {
  statement.bind(1, space.account.value);
  statement.bind_text(2, space.name);
  statement.bind_text(3, command);
}

}  // namespace

Result<std::optional<LeaseRow>> DirectoryTables::find_lease(const SpaceName& space, std::string_view command) {
  std::optional<LeaseRow> found;
  CHECK_OK(query(
      "SELECT " LEASE_COLUMNS " FROM lease WHERE account = ? AND space = ? AND command = ?",
      [&](Statement& statement) { bind_command(statement, space, command); },
      [&](Statement& row) -> Result<bool> {
        TRY(found, lease_of(row));
        return false;
      }));
  return found;
}

Result<> DirectoryTables::leases_that_end(Timestamp until, const LeaseVisitor& visit) {
  return query(
      "SELECT " LEASE_COLUMNS " FROM lease WHERE ends_at <= ? ORDER BY ends_at",
      [&](Statement& statement) { statement.bind(1, until.micros); },
      [&](Statement& row) -> Result<bool> {
        const auto lease = lease_of(row);
        return !lease || visit(*lease);
      });
}

Result<> DirectoryTables::put_lease(const LeaseRow& lease) {
  return run("INSERT OR REPLACE INTO lease (" LEASE_COLUMNS ") VALUES (?,?,?,?,?,?)", [&](Statement& statement) {
    bind_command(statement, lease.space, lease.command);
    statement.bind_text(4, lease.holder);
    statement.bind(5, lease.until.micros);
    statement.bind(6, hash_of_lease(lease));
  });
}

Result<> DirectoryTables::remove_lease(const SpaceName& space, std::string_view command) {
  return run("DELETE FROM lease WHERE account = ? AND space = ? AND command = ?",
             [&](Statement& statement) { bind_command(statement, space, command); });
}

Result<> DirectoryTables::verify_leases(std::vector<std::string>& problems) {
  return query(
      "SELECT " LEASE_COLUMNS " FROM lease", [](Statement&) {},
      [&](Statement& row) -> Result<bool> {
        if (const auto lease = lease_of(row); !lease) problems.push_back(lease.error().text);
        return true;
      });
}

#undef LEASE_COLUMNS

}  // namespace syncline::sqlite
