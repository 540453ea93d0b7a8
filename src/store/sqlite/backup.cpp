#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/private_files.hpp"
#include "store/sqlite/collection_counts.hpp"
#include "store/sqlite/examination.hpp"
#include "store/sqlite/schema.hpp"
#include "store/sqlite/sqlite_store.hpp"

namespace syncline {
namespace sqlite {
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
  if (error) return fail(ErrorCode::internal, "cannot rename " + partial + ": " + error.message());
  return sync_path(directory_of(path));
}

Result<> make_indexes_again(Connection& on, SupersededRows& superseded) {
  CHECK_OK(rebuild_key_table(on, superseded));
  CHECK_OK(on.execute("REINDEX"));
  return count_collections(on, superseded, CountAgain::everywhere);
}

/// Makes an empty file that its owner alone may read: a backup has the documents of all accounts. `path`: what it will
/// be called.
Result<> create_private(const std::string& partial, const std::string& path) {
  const int file = ::open(partial.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) {
    const ErrorCode code = errno == ENOENT || errno == ENOTDIR  ? ErrorCode::not_found
                           : errno == ENOSPC || errno == EDQUOT ? ErrorCode::storage_full
                                                                : ErrorCode::internal;
    return fail(code, "cannot create " + path + ": " + std::strerror(errno));
  }
  ::close(file);
  return {};
}

}  // namespace
}  // namespace sqlite

using sqlite::Connection;

Result<std::vector<std::string>> SqliteStore::verify() {
  TRY(Connection connection, Connection::open(path_, Connection::Mode::read_write));
  TRY(sqlite::Findings findings, sqlite::examine(std::move(connection)));
  damage_.forget_all();
  for (const Damage& damage : findings.damaged) damage_.note(damage);
  // Where a damaged row is, the index may be all that knows whose it was.
  const bool may_be_index = !findings.index_problems.empty() || findings.has_ended_early;
  if (may_be_index && !findings.has_damaged_records()) {
    const auto run = [&](Connection& on) -> Result<> {
      const auto made = sqlite::make_indexes_again(on, superseded_);
      findings.index_problems.push_back(made ? "the indexes have been made again"
                                             : "the indexes stay damaged: " + made.error().text);
      return {};
    };
    CHECK_OK(writer_->run_alone(run));
  }
  std::vector<std::string> texts = findings.to_texts();
  if (const auto rows = directory_->verify(); rows) {
    texts.insert(texts.end(), rows->begin(), rows->end());
  } else {
    texts.push_back("the directory cannot be read: " + rows.error().text);
  }
  return texts;
}

Result<> SqliteStore::backup(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored)) return fail(ErrorCode::conflict, path + " already exists");
  const std::string partial = path + ".partial";
  std::filesystem::remove(partial, ignored);
  CHECK_OK(sqlite::create_private(partial, path));
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
    TRY(const sqlite::Findings found, sqlite::examine(std::move(made)));
    if (!found.problems.empty()) {
      return cleaned({ErrorCode::storage_damaged, "the copy is damaged: " + found.problems.front()});
    }
    for (const Damage& damage : found.damaged) damage_.note(damage);
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
    TRY(const sqlite::Findings found, sqlite::examine(std::move(backup)));
    if (!found.problems.empty()) return fail(ErrorCode::wrong_store, from + " is damaged: " + found.problems.front());
  }
  const std::string partial = to + ".partial";
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(partial + suffix, error);
  std::filesystem::copy_file(from, partial, std::filesystem::copy_options::overwrite_existing, error);
  if (error) return fail(ErrorCode::internal, "cannot copy " + from + ": " + error.message());
  CHECK_OK(make_private(partial));  // the copy has the rights of the backup
  {
    TRY(Connection restored, Connection::open(partial, Connection::Mode::read_write));
    CHECK_OK(sqlite::open_schema(restored, new_epoch));
    CHECK_OK(restored.execute("UPDATE meta SET value = '" + std::string(new_epoch) + "' WHERE name = 'epoch'"));
    CHECK_OK(restored.execute("DELETE FROM meta WHERE name LIKE 'epoch/%'"));
    TRY(const auto emptied, restored.checkpoint_truncate());
    if (emptied.frames_done != emptied.frames_in_log) return fail(ErrorCode::busy, partial + " is in use");
    CHECK_OK(restored.execute("PRAGMA journal_mode = DELETE"));
  }
  return sqlite::rename_into_place(partial, to);
}

}  // namespace syncline
