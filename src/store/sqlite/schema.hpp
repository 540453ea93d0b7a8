// The file format: tables, version, migrations. docs/storage.md describes it for people.
#pragma once

#include "store/sqlite/migration.hpp"

namespace syncline::sqlite {

/// "SYNC": tells our files from every other SQLite database.
inline constexpr std::int64_t kApplicationId = 0x53594E43;
inline constexpr std::int64_t kSchemaVersion = 5;

/// Settings of the connection that writes: WAL, synced at every commit, checkpoints only when we say so.
[[nodiscard]] Result<> configure_writer(Connection& connection);
[[nodiscard]] Result<> configure_reader(Connection& connection);

/// Makes a new database ours, or brings an older one of ours forward. wrong_store for a foreign file, newer_store for
/// one of a later version; neither is touched. Format 5 moves every row: a store of before is moved in many small
/// transactions, and if the process ends in the middle, the next one goes on (migration.hpp).
[[nodiscard]] Result<> open_schema(Connection& connection, std::string_view new_epoch, const MoveOptions& move = {});

}  // namespace syncline::sqlite
