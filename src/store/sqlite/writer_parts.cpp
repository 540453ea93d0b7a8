// Writes of tables beside the spaces, in the transactions of the spaces' writes.
#include <future>

#include "store/sqlite/writer.hpp"

namespace syncline::sqlite {

Result<> Writer::run_in_group(std::function<Result<>(Connection&)> run) {
  std::promise<Result<>> promise;
  auto future = promise.get_future();
  {
    const MutexLock lock(mutex_);
    if (auto refused = refusal()) return std::unexpected(*std::move(refused));
    Task task{};
    task.part = std::move(run);
    task.done = [&promise](const Result<Committed>& committed) {
      promise.set_value(committed ? Result<>{} : Result<>(std::unexpected(committed.error())));
    };
    queue_.push_back(std::move(task));
  }
  arrived_.notify_one();
  return future.get();
}

/// As run_task(): an error returned here ends the group.
Result<> Writer::run_part(Task& task) {
  Connection& on = reader_->connection;
  CHECK_OK(on.execute("SAVEPOINT part"));
  Result<> ran;
  try {
    ran = task.part(on);
  } catch (const std::exception& exception) {
    ran = fail(ErrorCode::internal, exception.what());
  }
  const bool is_of_disk =
      !ran && (ran.error().code == ErrorCode::storage_full || ran.error().code == ErrorCode::storage_broken);
  if (is_of_disk) return ran;
  if (!on.in_transaction()) {
    return ran ? fail(ErrorCode::unavailable, "the store has rolled its transaction back") : ran;
  }
  if (!ran) {
    health_.note(ReadKind::accounts, ran.error());
    task.result = std::unexpected(ran.error());
    return on.execute("ROLLBACK TO part; RELEASE part");
  }
  wrote_ = true;
  task.result = Committed{};
  // No space tells the number of a commit that wrote none.
  return on.execute("INSERT OR REPLACE INTO meta VALUES ('last_commit', '" + std::to_string(last_commit_) +
                    "'); RELEASE part");
}

}  // namespace syncline::sqlite
