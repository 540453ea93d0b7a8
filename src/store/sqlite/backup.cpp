#include "store/sqlite/backup.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <filesystem>

#include "store/sqlite/schema.hpp"

namespace syncline {
namespace sqlite {
namespace {

/// Each query lists what must not exist; the text says what is wrong with a row of it.
struct ConsistencyRule {
  std::string_view query;
  std::string_view problem;
};
constexpr std::array<ConsistencyRule, 4> kRules = {{
    {"SELECT count(*) FROM record JOIN space ON space.number = pos >> 40 WHERE (pos & ((1 << 40) - 1)) > head",
     "records have a seq beyond the head of their space"},
    {"SELECT count(*) FROM record WHERE pos >> 40 NOT IN (SELECT number FROM space)", "records belong to no space"},
    {"SELECT count(*) FROM record WHERE (scope >> 12, scope & 4095) NOT IN (SELECT space, number FROM collection)",
     "records belong to no collection"},
    {"SELECT count(*) FROM space WHERE records != "
     "(SELECT count(*) FROM record WHERE pos > number << 40 AND pos < (number + 1) << 40 AND NOT flags & 1)",
     "spaces have a wrong record count"},
}};

}  // namespace

Result<std::vector<std::string>> find_problems(Connection& connection) {
  std::vector<std::string> problems;
  TRY(Statement check, connection.prepare("PRAGMA integrity_check"));
  for (;;) {
    TRY(const bool row, check.step());
    if (!row) break;
    if (check.bytes(0) != "ok") problems.emplace_back(check.bytes(0));
  }
  for (const ConsistencyRule& rule : kRules) {
    TRY(const std::int64_t count, connection.query_integer(rule.query));
    if (count > 0) problems.push_back(std::to_string(count) + " " + std::string(rule.problem));
  }
  return problems;
}

namespace {

Result<> sync_path(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = file >= 0 && ::fsync(file) == 0;
  if (file >= 0) ::close(file);
  if (!synced) return fail(ErrorCode::storage_broken, "cannot sync " + path + " to disk");
  return {};
}

std::string directory_of(const std::string& path) {
  const auto parent = std::filesystem::path(path).parent_path();
  return parent.empty() ? "." : parent.string();
}

/// Makes a finished file appear under its name, for good.
Result<> rename_into_place(const std::string& partial, const std::string& path) {
  CHECK_OK(sync_path(partial));
  std::error_code error;
  std::filesystem::rename(partial, path, error);
  if (error) return fail(ErrorCode::unavailable, "cannot rename " + partial + ": " + error.message());
  return sync_path(directory_of(path));
}

}  // namespace
}  // namespace sqlite

using sqlite::Connection;

Result<std::vector<std::string>> SqliteStore::verify() {
  TRY(Connection connection, Connection::open(path_, Connection::Mode::read_write));
  return sqlite::find_problems(connection);
}

Result<> SqliteStore::backup(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored)) return fail(ErrorCode::conflict, path + " already exists");
  const std::string partial = path + ".partial";
  std::filesystem::remove(partial, ignored);
  TRY(Connection source, Connection::open(path_, Connection::Mode::read_write));
  TRY(sqlite::Statement copy, source.prepare("VACUUM INTO ?"));
  copy.bind_text(1, partial);
  const auto cleaned = [&](Error error) {
    std::filesystem::remove(partial, ignored);
    return std::unexpected(std::move(error));
  };
  if (auto copied = copy.run(); !copied) return cleaned(copied.error());
  {
    TRY(Connection made, Connection::open(partial, Connection::Mode::read_only));
    TRY(const auto problems, sqlite::find_problems(made));
    if (!problems.empty()) return cleaned({ErrorCode::storage_broken, "the copy is damaged: " + problems.front()});
  }
  return sqlite::rename_into_place(partial, path);
}

Result<> restore_backup(const std::string& from, const std::string& to, std::string_view new_epoch) {
  std::error_code error;
  if (!std::filesystem::exists(from, error)) return fail(ErrorCode::not_found, from + " does not exist");
  if (std::filesystem::exists(from + "-wal", error)) {
    return fail(ErrorCode::wrong_store,
                from + " is a store in use, not a backup; create a backup with 'syncline backup'");
  }
  // A log left beside a store of that name would be played over the restored one.
  for (const char* suffix : {"", "-wal", "-shm"}) {
    if (std::filesystem::exists(to + suffix, error)) return fail(ErrorCode::conflict, to + suffix + " already exists");
  }
  {
    TRY(Connection backup, Connection::open(from, Connection::Mode::read_only));
    TRY(const std::int64_t application, backup.query_integer("PRAGMA application_id"));
    if (application != sqlite::kApplicationId) {
      return fail(ErrorCode::wrong_store, from + " is not a backup of a syncline store");
    }
    TRY(const auto problems, sqlite::find_problems(backup));
    if (!problems.empty()) return fail(ErrorCode::wrong_store, from + " is damaged: " + problems.front());
  }
  const std::string partial = to + ".partial";
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(partial + suffix, error);
  std::filesystem::copy_file(from, partial, std::filesystem::copy_options::overwrite_existing, error);
  if (error) return fail(ErrorCode::unavailable, "cannot copy " + from + ": " + error.message());
  {
    TRY(Connection restored, Connection::open(partial, Connection::Mode::read_write));
    CHECK_OK(sqlite::open_schema(restored, new_epoch));
    CHECK_OK(restored.execute("UPDATE meta SET value = '" + std::string(new_epoch) + "' WHERE name = 'epoch'"));
    TRY(const auto emptied, restored.checkpoint_truncate());
    if (emptied.frames_done != emptied.frames_in_log) return fail(ErrorCode::busy, partial + " is in use");
    CHECK_OK(restored.execute("PRAGMA journal_mode = DELETE"));
  }
  return sqlite::rename_into_place(partial, to);
}

}  // namespace syncline
