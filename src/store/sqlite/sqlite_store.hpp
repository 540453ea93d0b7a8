// The default store: one SQLite file in the data directory. One writer thread (writer.hpp), a pool of read connections
// whose snapshots never wait for it, and a checkpoint thread (wal_keeper.hpp).
#pragma once

#include "base/mutex.hpp"
#include "store/sqlite/writer.hpp"

namespace syncline {

class SqliteStore final : public Store {
 public:
  struct Options {
    /// Called once when the disk failed: stop the process, see Writer::Options.
    std::function<void(const Error&)> on_broken;
    /// The file never grows past this; writes then fail with storage_full. 0: as large as the disk.
    std::int64_t file_bytes_max = 0;
  };

  /// Opens or makes the file. wrong_store and newer_store leave it untouched.
  [[nodiscard]] static Result<std::unique_ptr<SqliteStore>> open(const std::string& path, const Clock& clock,
                                                                 Options options);
  ~SqliteStore() override;

  /// Finishes the writes that wait and refuses all later ones. Reading goes on.
  void close();

  void write(const SpaceName& space, const WriteOptions& options, WriteFunction run, WriteDone done) override;
  [[nodiscard]] Result<> read(const SpaceName& space, const ReadFunction& run) override;
  [[nodiscard]] const std::string& epoch() const override { return epoch_; }
  [[nodiscard]] Seq head(const SpaceName& space) const override { return catalog_.head(space); }
  [[nodiscard]] Result<std::vector<SpaceInfo>> spaces(std::optional<AccountNumber> account) override;
  [[nodiscard]] Result<std::vector<Event>> events(EventNumber after, std::size_t count_max) override;
  [[nodiscard]] Result<> forget_events(EventNumber through) override;
  [[nodiscard]] Result<> erase_account(AccountNumber account) override;
  [[nodiscard]] Result<> purge(const PurgeCutoffs& cutoffs) override;
  [[nodiscard]] Result<std::vector<std::string>> verify() override;
  [[nodiscard]] Result<> backup(const std::string& path) override;
  [[nodiscard]] StoreStatus status() const override;

 private:
  explicit SqliteStore(std::string path) : path_(std::move(path)) {}
  [[nodiscard]] Result<std::unique_ptr<sqlite::Reader>> take_reader();
  void give_back(std::unique_ptr<sqlite::Reader> reader);
  /// Runs `run` with a reader inside a read transaction.
  [[nodiscard]] Result<> with_reader(const std::function<Result<>(sqlite::Reader&)>& run);

  const std::string path_;
  std::string epoch_;
  sqlite::Catalog catalog_;
  std::unique_ptr<sqlite::Writer> writer_;
  Mutex readers_mutex_;
  std::vector<std::unique_ptr<sqlite::Reader>> idle_readers_ GUARDED_BY(readers_mutex_);
};

/// Makes `to` (which must not exist) from the backup `from`, checked and with a new epoch.
[[nodiscard]] Result<> restore_backup(const std::string& from, const std::string& to, std::string_view new_epoch);

}  // namespace syncline
