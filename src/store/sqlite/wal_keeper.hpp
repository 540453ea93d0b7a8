// Keeps the write-ahead log bounded without a pause that a client would notice. SQLite starts the log anew only when
// every page of it has been copied into the database and a writer comes next. A background checkpoint alone never gets
// there while writes go on; a checkpoint inside a commit stalls that commit. So: past the soft bound a background
// thread copies the bulk, and then the writer, between two commits, copies the few pages that came since.
//
//   idle --soft bound--> copying (background) --little left--> finishing (writer, each commit) --all copied--> idle
//   any  --hard bound--> the writer copies all it can at once; only a reader of old pages can keep some back
//
// Once nobody writes, the same thread empties the log: what is in the database is safe from whatever befalls the log.
// It also syncs the mark of the last commit, and the room that a growing log gets.
#pragma once

#include <functional>
#include <optional>
#include <thread>

#include "base/mutex.hpp"
#include "store/sqlite/commit_mark.hpp"
#include "store/sqlite/connection.hpp"
#include "store/sqlite/log_room.hpp"

namespace syncline::sqlite {

class WalKeeper {
 public:
  struct Options {
    /// So long after the last commit the log is emptied.
    std::int64_t empty_after_ms = 5000;
    /// Both on the keeper's thread: the log is empty; a checkpoint failed.
    std::function<void()> on_empty;
    std::function<void(const Error&)> on_failure;
  };

  /// `background` is the keeper's own connection; the writer's is lent to after_commit(). `mark` outlives the keeper.
  WalKeeper(Connection background, CommitMark& mark, Options options);
  ~WalKeeper();
  WalKeeper(const WalKeeper&) = delete;
  WalKeeper& operator=(const WalKeeper&) = delete;

  /// Called by the writer after each commit with the log's size.
  [[nodiscard]] Result<> after_commit(Connection& writer, std::int64_t log_bytes);

 private:
  enum class Phase { idle, copying, finishing, stopping };

  void run();
  void make_room(std::int64_t log_bytes) EXCLUDES(mutex_);
  void copy_most();
  /// True if nothing is left in the log; false if somebody reads or writes just now.
  [[nodiscard]] bool empty_log();
  void note_commit() EXCLUDES(mutex_);
  /// When the thread has something to do without being told; nothing while there is nothing.
  [[nodiscard]] std::optional<Deadline> next_task() const REQUIRES(mutex_);

  Connection background_;
  CommitMark& mark_;
  LogRoom room_;
  const Options options_;
  Mutex mutex_;
  CondVar changed_;
  Phase phase_ GUARDED_BY(mutex_) = Phase::idle;
  bool room_is_new_ GUARDED_BY(mutex_) = false;          // there is room to sync
  std::optional<Deadline> sync_at_ GUARDED_BY(mutex_);   // the mark has something to sync
  std::optional<Deadline> empty_at_ GUARDED_BY(mutex_);  // the log has something to copy
  /// After a copy at the hard bound that a reader kept incomplete: no other one before the log has grown to this.
  std::int64_t next_hard_bytes_ = 0;
  std::thread thread_;
};

}  // namespace syncline::sqlite
