// The one thread that writes. Waiting writes share a transaction and its sync (group commit); each sees the ones before
// it. `done` is called only after the commit, so an answer can never run ahead of the disk.
#pragma once

#include <deque>
#include <thread>

#include "base/mutex.hpp"
#include "store/buffered_txn.hpp"
#include "store/read_health.hpp"
#include "store/sqlite/collection_counts.hpp"
#include "store/sqlite/key_table.hpp"
#include "store/sqlite/reclaimer.hpp"
#include "store/sqlite/snapshot.hpp"
#include "store/sqlite/wal_keeper.hpp"

namespace syncline::sqlite {

class Writer {
 public:
  struct Options {
    /// Called once, on the writer's thread, when the disk failed: the process must stop and recover from the file.
    std::function<void(const Error&)> on_broken;
    /// Called on the writer's thread after each commit, before head() shows it. For tests.
    std::function<void()> before_publication;
    /// So long after the last commit the log is emptied.
    std::int64_t empty_log_after_ms = 5000;
    /// So long after the last commit, and at the end, all keys in memory are put into the table. Nothing: neither, as
    /// if every end were a crash.
    std::optional<std::int64_t> merge_keys_after_ms = 1000;
    KeyMerger::Options keys;
    Reclaimer::Options reclaim;
  };

  /// Takes over the connection, which has the schema. The catalog, the health and what is shared outlive the writer.
  [[nodiscard]] static Result<std::unique_ptr<Writer>> start(Connection connection, Connection for_checkpoints,
                                                             std::unique_ptr<CommitMark> mark, Catalog& catalog,
                                                             ReadHealth& health, const Clock& clock,
                                                             const Shared& shared, Options options);
  ~Writer();
  /// Finishes what is queued; later writes are refused.
  void stop();

  void enqueue(const SpaceName& space, const WriteOptions& options, WriteFunction run, WriteDone done);
  /// Runs alone, outside of any group, and waits for the end. A transaction it leaves open is rolled back.
  [[nodiscard]] Result<> run_alone(std::function<Result<>(Connection&)> run);

  /// Runs in the transaction of a group, between the writes of spaces, and waits for the commit. If it fails, its own
  /// changes are undone.
  [[nodiscard]] Result<> run_in_group(std::function<Result<>(Connection&)> run);

  [[nodiscard]] StoreStatus status() const;

 private:
  struct Task {
    SpaceName space;
    WriteOptions options;
    WriteFunction run;
    WriteDone done;
    Result<Committed> result;
    std::function<Result<>(Connection&)> alone;  // instead of `run`
    std::function<Result<>(Connection&)> part;   // instead of `run`
  };
  /// A space that the current group changes, with what to go back to if the commit fails.
  struct Touched {
    std::shared_ptr<SpaceEntry> entry;
    SpaceInfo info;
    bool is_new = false;
    std::vector<Seq> healed;
    std::string raised;  // append_raised()
    LiveCounts added;    // to the counts of the collections
  };
  class Backing;

  Writer(Catalog& catalog, ReadHealth& health, const Clock& clock, const Shared& shared, Options options)
      : catalog_(catalog),
        health_(health),
        clock_(clock),
        damage_(*shared.damage),
        keys_(*shared.keys),
        superseded_(*shared.superseded),
        options_(std::move(options)),
        merger_(keys_, superseded_, options_.keys),
        reclaimer_(superseded_, options_.reclaim) {}
  [[nodiscard]] Result<> prepare(Connection connection, const Shared& shared);
  /// Why a write cannot be taken now.
  [[nodiscard]] std::optional<Error> refusal() const REQUIRES(mutex_);
  void run();
  /// The next writes, or one task that runs alone; nothing once the writer is to stop and all is done.
  void take_group(std::vector<Task>& group) EXCLUDES(mutex_);
  /// A transaction that puts keys into the table, because nothing else is to be done. False if it failed.
  bool merge_keys(std::size_t count_max);
  /// A transaction that moves superseded rows out of the way of the feeds. False if it failed.
  bool reclaim();
  /// What is left to do when nobody writes. False if it failed.
  bool work_when_idle();
  /// A transaction of the writer's own.
  [[nodiscard]] Result<> run_own(const std::function<Result<>()>& run);
  [[nodiscard]] Result<> keep_log_small();
  void commit_group(std::vector<Task>& group);
  [[nodiscard]] Result<> run_group(std::vector<Task>& group);
  [[nodiscard]] Result<> run_task(Task& task);
  [[nodiscard]] Result<> run_part(Task& task);
  [[nodiscard]] Result<Touched*> touch(const SpaceName& name);
  [[nodiscard]] Result<> apply_all(Touched& space, const BufferedTxn& txn);
  /// The same where a row is damaged that this replaces: if the file is too damaged for that, only this write fails.
  [[nodiscard]] Result<> apply_over_damage(Touched& space, const BufferedTxn& txn, Task& task);
  /// Makes a record that cannot be decoded one that can, and is as damaged as before: then it can be replaced.
  [[nodiscard]] Result<> make_readable(std::int64_t pos);
  [[nodiscard]] Result<> delete_record(std::int64_t pos);
  [[nodiscard]] Result<> count_again(Touched& space);
  [[nodiscard]] Result<> apply(Touched& space, const PutChange& change);
  [[nodiscard]] Result<> apply(Touched& space, const HiddenStampsChange& change);
  [[nodiscard]] Result<> apply(Touched& space, const ConflictChange& change);
  [[nodiscard]] Result<> apply(Touched& space, const ConflictStateChange& change);
  [[nodiscard]] Result<> apply(Touched& space, const ReceiptChange& change);
  [[nodiscard]] Result<> apply(Touched& space, const ValueChange& change);
  [[nodiscard]] Result<> apply(Touched& space, const EventChange& change);
  [[nodiscard]] Result<> ensure_collection(Touched& space, const std::string& name);
  /// Before the first change of a space since the store was opened.
  [[nodiscard]] Result<> ensure_incarnation(Touched& space);
  [[nodiscard]] Result<> store_spaces();
  [[nodiscard]] Result<> store_counts(const Touched& space);
  [[nodiscard]] bool is_broken() const EXCLUDES(mutex_);
  void note_failure(const Error& error) EXCLUDES(mutex_);
  void note_success() EXCLUDES(mutex_);

  Catalog& catalog_;
  ReadHealth& health_;
  const Clock& clock_;
  DamageList& damage_;
  RecentKeys& keys_;
  SupersededRows& superseded_;
  const Options options_;

  // Writer thread only.
  std::unique_ptr<Reader> reader_;
  Statement insert_record_, delete_record_, insert_conflict_, update_conflict_, insert_receipt_, insert_value_,
      delete_value_, insert_event_, insert_space_, update_space_, insert_collection_, add_to_collection_,
      insert_incarnation_, forget_incarnations_, begin_, commit_;
  std::unordered_map<SpaceName, Touched> touched_;
  std::string row_;  // the one that is being written
  std::int64_t last_conflict_number_ = 0;
  std::int64_t last_space_number_ = 0;
  std::int64_t last_commit_ = 0;
  bool wrote_ = false;
  KeyMerger merger_;
  Reclaimer reclaimer_;
  /// When keys in memory go to their table and superseded rows to theirs, if nobody writes until then.
  Deadline idle_work_at_;
  std::int64_t log_frames_ = 0;
  std::int64_t page_bytes_ = 4096;
  std::unique_ptr<CommitMark> mark_;
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
