// The one thread that writes. Waiting writes share a transaction and its sync (group commit); each sees the ones before
// it. `done` is called only after the commit, so an answer can never run ahead of the disk.
#pragma once

#include <deque>
#include <thread>

#include "base/mutex.hpp"
#include "store/buffered_txn.hpp"
#include "store/sqlite/snapshot.hpp"
#include "store/sqlite/wal_keeper.hpp"

namespace syncline::sqlite {

class Writer {
 public:
  struct Options {
    /// Called once, on the writer's thread, when the disk failed: the process must stop and recover from the file.
    std::function<void(const Error&)> on_broken;
  };

  /// Takes over the connection, which has the schema. The catalog outlives the writer.
  [[nodiscard]] static Result<std::unique_ptr<Writer>> start(Connection connection, Connection for_checkpoints,
                                                             Catalog& catalog, const Clock& clock, Options options);
  ~Writer() { stop(); }
  /// Finishes what is queued; later writes are refused.
  void stop();

  void enqueue(const SpaceName& space, const WriteOptions& options, WriteFunction run, WriteDone done);
  /// Runs alone, outside of any group, and waits for the end. A transaction it leaves open is rolled back.
  [[nodiscard]] Result<> run_alone(std::function<Result<>(Connection&)> run);

  [[nodiscard]] StoreStatus status() const;

 private:
  struct Task {
    SpaceName space;
    WriteOptions options;
    WriteFunction run;
    WriteDone done;
    Result<Committed> result;
    std::function<Result<>(Connection&)> alone;  // instead of `run`
  };
  /// A space that the current group changes, with what to go back to if the commit fails.
  struct Touched {
    std::shared_ptr<SpaceEntry> entry;
    SpaceInfo info;
    bool is_new = false;
  };
  class Backing;

  Writer(Catalog& catalog, const Clock& clock, Options options)
      : catalog_(catalog), clock_(clock), options_(std::move(options)) {}
  [[nodiscard]] Result<> prepare(Connection connection);
  /// Why a write cannot be taken now.
  [[nodiscard]] std::optional<Error> refusal() const REQUIRES(mutex_);
  void run();
  void commit_group(std::vector<Task>& group);
  [[nodiscard]] Result<> run_group(std::vector<Task>& group);
  [[nodiscard]] Result<> run_task(Task& task);
  [[nodiscard]] Result<Touched*> touch(const SpaceName& name);
  [[nodiscard]] Result<> apply(Touched& space, const PutChange& change);
  [[nodiscard]] Result<> apply(Touched& space, const HiddenStampsChange& change);
  [[nodiscard]] Result<> apply(Touched& space, const ConflictChange& change);
  [[nodiscard]] Result<> apply(Touched& space, const ConflictStateChange& change);
  [[nodiscard]] Result<> apply(Touched& space, const ReceiptChange& change);
  [[nodiscard]] Result<> apply(Touched& space, const ValueChange& change);
  [[nodiscard]] Result<> apply(Touched& space, const EventChange& change);
  [[nodiscard]] Result<> ensure_collection(Touched& space, const std::string& name);
  [[nodiscard]] Result<> store_spaces();
  void note_failure(const Error& error) EXCLUDES(mutex_);
  void note_success() EXCLUDES(mutex_);

  Catalog& catalog_;
  const Clock& clock_;
  const Options options_;

  // Writer thread only.
  std::unique_ptr<Reader> reader_;
  Statement insert_record_, delete_record_, update_stamps_, insert_history_, insert_conflict_, update_conflict_,
      insert_receipt_, insert_value_, delete_value_, insert_event_, insert_space_, update_space_, insert_collection_,
      begin_, commit_;
  std::unordered_map<SpaceName, Touched> touched_;
  std::int64_t last_history_number_ = 0;
  std::int64_t last_conflict_number_ = 0;
  std::int64_t last_space_number_ = 0;
  bool wrote_ = false;
  std::int64_t log_frames_ = 0;
  std::int64_t page_bytes_ = 4096;
  std::unique_ptr<WalKeeper> wal_keeper_;

  mutable Mutex mutex_;
  CondVar arrived_;
  std::deque<Task> queue_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::optional<Error> broken_ GUARDED_BY(mutex_);
  std::string failing_ GUARDED_BY(mutex_);
  std::atomic<std::int64_t> commits_ = 0;
  std::atomic<std::int64_t> wal_bytes_ = 0;
  std::thread thread_;
};

}  // namespace syncline::sqlite
