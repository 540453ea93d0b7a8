// Keeps the write-ahead log bounded without a pause that a client would notice. SQLite starts the log anew only when
// every page of it has been copied into the database and a writer comes next. A background checkpoint alone never gets
// there while writes go on; a checkpoint inside a commit stalls that commit. So: past the soft bound a background
// thread copies the bulk, and then the writer, between two commits, copies the few pages that came since.
//
//   idle --soft bound--> copying (background) --little left--> finishing (writer, each commit) --all copied--> idle
//   any  --hard bound--> the writer copies everything at once (readers are waited for)
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "store/sqlite/connection.hpp"

namespace syncline::sqlite {

class WalKeeper {
 public:
  /// `background` is the keeper's own connection; the writer's is lent to after_commit().
  explicit WalKeeper(Connection background);
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
  std::mutex mutex_;
  std::condition_variable changed_;
  Phase phase_ = Phase::idle;
  std::thread thread_;
};

}  // namespace syncline::sqlite
