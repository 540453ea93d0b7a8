// The default store: one SQLite file in the data directory. One writer thread (writer.hpp), a pool of read connections
// whose snapshots never wait for it, and a checkpoint thread (wal_keeper.hpp).
#pragma once

#include "base/mutex.hpp"
#include "store/read_health.hpp"
#include "store/sqlite/lost_commits.hpp"
#include "store/sqlite/sqlite_directory.hpp"
#include "store/sqlite/writer.hpp"

namespace syncline {

class SqliteStore final : public Store {
 public:
  struct Options {
    /// Stop the process: the disk failed in a write (storage_broken, see Writer::Options), or reads fail again and
    /// again (storage_damaged, see ReadHealth). Called once for each.
    std::function<void(const Error&)> on_broken;
    /// The file never grows past this; writes then fail with storage_full. 0: as large as the disk.
    std::int64_t file_bytes_max = 0;
    /// Of this opening; 0: a random one.
    IncarnationId incarnation = {};
    /// See Writer::Options.
    std::function<void()> before_publication;
    std::int64_t empty_log_after_ms = 5000;
    std::optional<std::int64_t> merge_keys_after_ms = 1000;
    sqlite::KeyMerger::Options keys;
    sqlite::Reclaimer::Options reclaim;
  };

  /// Opens or makes the file. wrong_store and newer_store leave it untouched.
  [[nodiscard]] static Result<std::unique_ptr<SqliteStore>> open(const std::string& path, const Clock& clock,
                                                                 Options options);
  ~SqliteStore() override;

  /// Finishes the writes that wait and refuses all later ones. Reading continues.
  void close();

  void write(const SpaceName& space, const WriteOptions& options, WriteFunction run, WriteDone done) override;
  [[nodiscard]] Result<> read(const SpaceName& space, const ReadFunction& run) override;
  [[nodiscard]] Directory& directory() override { return *directory_; }
  [[nodiscard]] const std::string& epoch() const override { return epoch_; }
  [[nodiscard]] std::string epoch(const SpaceName& space) const override { return catalog_.epoch(space); }
  [[nodiscard]] Seq head(const SpaceName& space) const override { return catalog_.head(space); }
  [[nodiscard]] std::shared_ptr<const Lineage> lineage(const SpaceName& space) const override {
    return catalog_.lineage(space);
  }
  [[nodiscard]] Result<std::vector<SpaceInfo>> spaces(std::optional<AccountNumber> account) override;
  [[nodiscard]] Result<std::vector<CollectionInfo>> collections(const SpaceName& space) override;
  [[nodiscard]] Result<std::vector<Event>> take_events(std::size_t count_max) override;
  [[nodiscard]] Result<> forget_events(const std::vector<EventNumber>& numbers) override;
  [[nodiscard]] Result<> erase_account(AccountNumber account) override;
  [[nodiscard]] Result<> purge(const PurgeCutoffs& cutoffs) override;
  [[nodiscard]] std::vector<Damage> damage(const std::optional<SpaceName>& space) const override {
    return damage_.list(space);
  }
  [[nodiscard]] Result<std::vector<std::string>> verify() override;
  [[nodiscard]] Result<> backup(const std::string& path) override;
  [[nodiscard]] StoreStatus status() const override;

 private:
  SqliteStore(std::string path, const Clock& clock, IncarnationId incarnation,
              std::function<void(const Error&)> on_damaged)
      : path_(std::move(path)), clock_(clock), catalog_(incarnation), health_(std::move(on_damaged)) {}
  /// The marks of superseded rows, from the records.
  [[nodiscard]] Result<> make_marks_again(sqlite::Connection& connection);
  [[nodiscard]] std::unique_ptr<sqlite::SqliteDirectory> make_directory();
  [[nodiscard]] Result<std::unique_ptr<sqlite::Reader>> take_reader();
  void give_back(std::unique_ptr<sqlite::Reader> reader);
  /// Runs `run` with a reader inside a read transaction, to read something of that kind.
  [[nodiscard]] Result<> with_reader(ReadKind kind, const std::function<Result<>(sqlite::Reader&)>& run);
  [[nodiscard]] Result<> run_with(sqlite::Reader& reader, const std::function<Result<>(sqlite::Reader&)>& run);

  const std::string path_;
  const Clock& clock_;
  std::string epoch_;
  DamageList damage_;
  sqlite::RecentKeys keys_;
  sqlite::SupersededRows superseded_;
  const sqlite::Shared shared_{.damage = &damage_, .keys = &keys_, .superseded = &superseded_};
  sqlite::LostCommits lost_commits_;
  const std::int64_t opened_at_micros_ = steady_micros();
  sqlite::Catalog catalog_;
  ReadHealth health_;
  std::unique_ptr<sqlite::SqliteDirectory> directory_;
  std::unique_ptr<sqlite::Writer> writer_;
  Mutex readers_mutex_;
  std::vector<std::unique_ptr<sqlite::Reader>> idle_readers_ GUARDED_BY(readers_mutex_);
};

/// Makes `to` (which must not exist) from the backup `from`, checked and with a new epoch.
[[nodiscard]] Result<> restore_backup(const std::string& from, const std::string& to, std::string_view new_epoch);

}  // namespace syncline
