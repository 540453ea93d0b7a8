#include "store/sqlite/old_delivery_file.hpp"

#include <filesystem>

namespace syncline {
namespace {

/// "SYNQ".
constexpr std::int64_t kOldQueueApplicationId = 0x53594E51;
constexpr std::int64_t kOldQueueFormat = 1;

DeliveryRow old_delivery_of(const sqlite::Statement& row) {
  return {.number = row.integer(0),
          .account = {},
          .webhook = std::string(row.bytes(1)),
          .message = std::string(row.bytes(2)),
          .type = std::string(row.bytes(3)),
          .body = std::string(row.bytes(4)),
          .created_at = {row.integer(7)},
          .state = static_cast<DeliveryRow::State>(row.integer(5)),
          .attempts = row.integer(6),
          .next_at = {row.integer(8)},
          .last_at = {row.integer(9)},
          .last_status = row.integer(10),
          .last_error = std::string(row.bytes(11))};
}

}  // namespace

Result<std::optional<OldDeliveryFile>> OldDeliveryFile::open(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return std::nullopt;
  TRY(auto connection, sqlite::Connection::open(path, sqlite::Connection::Mode::read_write));
  TRY(const std::int64_t tables, connection.query_integer("SELECT count(*) FROM sqlite_master"));
  if (tables > 0) {
    TRY(const std::int64_t application, connection.query_integer("PRAGMA application_id"));
    if (application != kOldQueueApplicationId) {
      return fail(ErrorCode::wrong_store, path + " belongs to another program");
    }
    TRY(const std::int64_t format, connection.query_integer("PRAGMA user_version"));
    if (format != kOldQueueFormat) {
      return fail(ErrorCode::newer_store, path + " has a format that this version does not support");
    }
  }
  return OldDeliveryFile(std::move(connection), tables > 0);
}

Result<std::vector<DeliveryRow>> OldDeliveryFile::read(std::int64_t after, std::size_t count_max) {
  std::vector<DeliveryRow> found;
  if (!has_tables_) return found;
  TRY(sqlite::Statement rows,
      connection_.prepare(
          "SELECT delivery.number, webhook, message, type, body, state, attempts, at, next_at, last_at, "
          "last_status, last_error FROM delivery JOIN message ON message.id = delivery.message "
          "WHERE delivery.number > ? ORDER BY delivery.number LIMIT ?"));
  rows.bind(1, after);
  rows.bind(2, static_cast<std::int64_t>(count_max));
  for (;;) {
    TRY(const bool row, rows.step());
    if (!row) return found;
    found.push_back(old_delivery_of(rows));
  }
}

Result<> OldDeliveryFile::remove(const std::string& path) {
  // The database last: as long as it is there, the next opening goes on with it.
  for (const char* suffix : {"-shm", "-wal", ""}) {
    std::error_code error;
    std::filesystem::remove(path + suffix, error);
    if (error) return fail(ErrorCode::unavailable, "cannot remove " + path + suffix + ": " + error.message());
  }
  return {};
}

}  // namespace syncline
