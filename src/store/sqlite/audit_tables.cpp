// The audit log's part of the directory's tables.
#include "store/sqlite/directory_tables.hpp"

namespace syncline::sqlite {
namespace {

constexpr std::string_view kLastEntry = "last";
constexpr std::string_view kPurgedEntry = "purged";

}  // namespace

Result<std::optional<AuditEnds>> DirectoryTables::find_audit_ends() {
  std::optional<AuditEnds> ends;
  CHECK_OK(query(
      "SELECT which, number, hash FROM audit_end", [](Statement&) {},
      [&](Statement& row) -> Result<bool> {
        if (!ends) ends.emplace();
        ChainHead& end = row.bytes(0) == kLastEntry ? ends->last : ends->purged;
        end.count = row.integer(1);
        end.hash = row.bytes(2);
        return true;
      }));
  return ends;
}

Result<> DirectoryTables::visit_audit(const char* sql, std::int64_t bound, const AuditVisitor& visit) {
  return query(
      sql, [bound](Statement& statement) { statement.bind(1, bound); },
      [&](Statement& row) -> Result<bool> {
        return visit({.number = row.integer(0),
                      .at = {row.integer(1)},
                      .actor = std::string(row.bytes(2)),
                      .account = std::string(row.bytes(3)),
                      .action = std::string(row.bytes(4)),
                      .text = std::string(row.bytes(5))});
      });
}

Result<> DirectoryTables::audit_after(std::int64_t after, const AuditVisitor& visit) {
  return visit_audit("SELECT number, at, actor, account, action, entry FROM audit WHERE number > ? ORDER BY number",
                     after, visit);
}

Result<> DirectoryTables::audit_before(std::int64_t before, const AuditVisitor& visit) {
  return visit_audit(
      "SELECT number, at, actor, account, action, entry FROM audit WHERE number < ? ORDER BY number DESC", before,
      visit);
}

Result<> DirectoryTables::add_audit(const AuditRow& row) {
  return run("INSERT INTO audit (number, at, actor, account, action, entry) VALUES (?,?,?,?,?,?)",
             [&](Statement& statement) {
               statement.bind(1, row.number);
               statement.bind(2, row.at.micros);
               statement.bind_text(3, row.actor);
               statement.bind_text(4, row.account);
               statement.bind_text(5, row.action);
               statement.bind_text(6, row.text);
             });
}

Result<> DirectoryTables::put_audit_ends(const AuditEnds& ends) {
  for (const auto& [which, end] : {std::pair(kLastEntry, &ends.last), std::pair(kPurgedEntry, &ends.purged)}) {
    CHECK_OK(run("INSERT OR REPLACE INTO audit_end (which, number, hash) VALUES (?,?,?)", [&](Statement& statement) {
      statement.bind_text(1, which);
      statement.bind(2, end->count);
      statement.bind_text(3, end->hash);
    }));
  }
  return {};
}

Result<> DirectoryTables::remove_audit_through(std::int64_t number) {
  return run_for("DELETE FROM audit WHERE number <= ?", number);
}

Result<bool> DirectoryTables::is_revocation_stored(KeyNumber number) {
  bool is_open = false;
  CHECK_OK(query(
      "SELECT revoked_at FROM api_key WHERE number = ?", [&](Statement& statement) { statement.bind(1, number.value); },
      [&](Statement& row) -> Result<bool> {
        is_open = row.integer(0) == 0;
        return false;
      }));
  return !is_open;
}

}  // namespace syncline::sqlite
