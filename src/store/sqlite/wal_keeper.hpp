// Keeps the write-ahead log bounded without a pause that a client would notice. SQLite starts the log anew only when
// every page of it has been copied into the database and a writer comes next. A background checkpoint alone never gets
// there while writes go on; a checkpoint inside a commit stalls that commit. So: past the soft bound a background
// thread copies the bulk, and then the writer, between two commits, copies the few pages that came since.
//
//   idle --soft bound--> copying (background) --little left--> finishing (writer, each commit) --all copied--> idle
//   any  --hard bound--> the writer copies all it can at once; only a reader of old pages can keep some back
#pragma once

#include <functional>
#include <thread>

#include "base/mutex.hpp"
#include "store/sqlite/connection.hpp"

namespace syncline::sqlite {

class WalKeeper {
 public:
  /// `background` is the keeper's own connection; the writer's is lent to after_commit().
  /// `on_failure` is told of a checkpoint that failed, on the keeper's thread.
  WalKeeper(Connection background, std::function<void(const Error&)> on_failure);
  ~WalKeeper();
  WalKeeper(const WalKeeper&) = delete;
  WalKeeper& operator=(const WalKeeper&) = delete;

  /// Called by the writer after each commit with the log's size.
  [[nodiscard]] Result<> after_commit(Connection& writer, std::int64_t log_bytes);

 private:
  enum class Phase { idle, copying, finishing, stopping };

  void run();
  void copy_most();

  Connection background_;
  const std::function<void(const Error&)> on_failure_;
  Mutex mutex_;
  CondVar changed_;
  Phase phase_ GUARDED_BY(mutex_) = Phase::idle;
  /// After a copy at the hard bound that a reader kept incomplete: no other one before the log has grown to this.
  std::int64_t next_hard_bytes_ = 0;
  std::thread thread_;
};

}  // namespace syncline::sqlite
