#include "store/sqlite/side_file.hpp"

#include <filesystem>

namespace syncline::sqlite {

Result<> SideFile::open() {
  if (connection_) return {};
  bool is_of_other_format = false;
  {
    TRY(Connection connection, Connection::open(path_, Connection::Mode::create));
    CHECK_OK(prepare(connection, is_of_other_format));
    if (!is_of_other_format) {
      connection_.emplace(std::move(connection));
      return {};
    }
  }
  std::error_code ignored;
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path_ + suffix, ignored);
  return open();
}

Result<> SideFile::prepare(Connection& on, bool& is_of_other_format) {
  TRY(const std::int64_t application, on.query_integer("PRAGMA application_id"));
  TRY(const std::int64_t format, on.query_integer("PRAGMA user_version"));
  TRY(const std::int64_t tables, on.query_integer("SELECT count(*) FROM sqlite_master"));
  if (tables > 0 && application != form_.application_id) {
    return fail(ErrorCode::wrong_store, path_ + " belongs to another program");
  }
  is_of_other_format = tables > 0 && format != form_.format;
  if (is_of_other_format) return {};
  CHECK_OK(on.execute(form_.pragmas));
  if (tables > 0) return {};
  return on.execute("BEGIN;" + std::string(form_.tables) +
                    "PRAGMA application_id = " + std::to_string(form_.application_id) +
                    "; PRAGMA user_version = " + std::to_string(form_.format) + "; COMMIT");
}

}  // namespace syncline::sqlite
