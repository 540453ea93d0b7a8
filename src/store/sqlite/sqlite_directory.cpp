#include "store/sqlite/sqlite_directory.hpp"

namespace syncline::sqlite {

Result<> SqliteDirectory::read(const DirectoryReadFunction& run) {
  return ways_.read([&](Connection& on) {
    DirectoryTables tables(on, {}, reserve_);
    return run(tables);
  });
}

Result<> SqliteDirectory::write(const DirectoryWriteFunction& run) {
  std::vector<RevocationReserve::Entry> reserved;
  CHECK_OK(ways_.write([&](Connection& on) -> Result<> {
    DirectoryTables tables(on, clock_.now(), reserve_);
    reserved = reserve_.entries();
    CHECK_OK(store_reserved(tables, reserved));
    Result<> ran = run(tables);
    if (tables.failure()) return std::unexpected(*tables.failure());
    return ran;
  }));
  reserve_.forget(reserved);
  return {};
}

Result<> SqliteDirectory::store_reserved(DirectoryTables& tables,
                                         const std::vector<RevocationReserve::Entry>& reserved) {
  for (const RevocationReserve::Entry& entry : reserved) {
    // It is read as revoked already, and written as it was read.
    TRY(const auto key, tables.find_key(entry.key));
    if (key) CHECK_OK(tables.put_key(*key));
  }
  return {};
}

Result<std::vector<KeyNumber>> SqliteDirectory::revoked_in_reserve() {
  const auto reserved = reserve_.entries();
  std::vector<KeyNumber> found;
  if (reserved.empty()) return found;
  CHECK_OK(ways_.read([&](Connection& on) -> Result<> {
    DirectoryTables tables(on, {}, reserve_);
    for (const RevocationReserve::Entry& entry : reserved) {
      TRY(const bool is_stored, tables.is_revocation_stored(entry.key));
      if (!is_stored) found.push_back(entry.key);
    }
    return {};
  }));
  return found;
}

Result<std::vector<std::string>> SqliteDirectory::verify() {
  std::vector<std::string> problems;
  CHECK_OK(ways_.read([&](Connection& on) -> Result<> {
    DirectoryTables tables(on, {}, reserve_);
    TRY(problems, tables.verify());
    return {};
  }));
  return problems;
}

}  // namespace syncline::sqlite
