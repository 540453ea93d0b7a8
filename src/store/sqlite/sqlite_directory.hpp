// The directory of a SQLite store: tables in its file. Reads take a connection of the store's pool, writes share the
// writer's transactions with the writes of spaces (group commit). Safe from any thread.
#pragma once

#include "store/sqlite/directory_tables.hpp"

namespace syncline::sqlite {

class SqliteDirectory final : public Directory {
 public:
  using OnConnection = std::function<Result<>(Connection&)>;
  /// How the store lets it in: `read` runs inside a read transaction on the calling thread, `write` as a part of the
  /// writer's next group, and waits for its commit.
  struct Ways {
    std::function<Result<>(const OnConnection&)> read;
    std::function<Result<>(OnConnection)> write;
  };

  SqliteDirectory(const std::string& store_path, const Clock& clock, Ways ways)
      : clock_(clock), ways_(std::move(ways)), reserve_(store_path + std::string(kRevocationReserveSuffix)) {}

  [[nodiscard]] Result<> read(const DirectoryReadFunction& run) override;
  [[nodiscard]] Result<> write(const DirectoryWriteFunction& run) override;
  [[nodiscard]] Result<> revoke_in_reserve(const KeyRow& key, Timestamp at) override { return reserve_.note(key, at); }
  [[nodiscard]] Result<std::vector<KeyNumber>> revoked_in_reserve() override;

  /// Rows that are not what was written, a text each.
  [[nodiscard]] Result<std::vector<std::string>> verify();

 private:
  /// Stores what the reserve holds in the rows of the keys.
  [[nodiscard]] static Result<> store_reserved(DirectoryTables& tables,
                                               const std::vector<RevocationReserve::Entry>& reserved);

  const Clock& clock_;
  const Ways ways_;
  RevocationReserve reserve_;
};

}  // namespace syncline::sqlite
