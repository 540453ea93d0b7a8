#include "store/sqlite/writer.hpp"

#include <future>

#include "base/limits.hpp"
#include "base/log.hpp"
#include "base/thread_name.hpp"

namespace syncline::sqlite {
namespace {

constexpr std::int64_t kFrameHeaderBytes = 24;
/// Keys that a transaction puts into the table when nothing else is to be done: so few that a write waits for a moment
/// only, and so many that a page takes several.
constexpr std::size_t kKeysWhenIdle = 2048;
constexpr std::size_t kKeysAtTheEnd = 16'384;
/// After a failure, such as a full disk.
constexpr auto kIdleWorkRetry = std::chrono::seconds(60);

}  // namespace

/// Gives one write function its view: the state as of the last change of the group.
class Writer::Backing final : public BufferedTxn::Backing {
 public:
  Backing(Writer& writer, const Touched& space)
      : writer_(writer), snapshot_(*writer.reader_, space.entry, space.info) {}

  Snapshot& snapshot() override { return snapshot_; }
  ConflictNumber next_conflict_number() override { return {++writer_.last_conflict_number_}; }
  Result<std::optional<ConflictNumber>> find_kept(std::string_view fingerprint) override {
    return snapshot_.find_kept(fingerprint);
  }
  Result<std::optional<Receipt>> find_receipt(std::string_view key) override { return snapshot_.find_receipt(key); }

 private:
  Writer& writer_;
  SqliteSnapshot snapshot_;
};

Result<std::unique_ptr<Writer>> Writer::start(Connection connection, Connection for_checkpoints,
                                              std::unique_ptr<CommitMark> mark, Catalog& catalog, ReadHealth& health,
                                              const Clock& clock, const Shared& shared, Options options) {
  std::unique_ptr<Writer> writer(new Writer(catalog, health, clock, shared, std::move(options)));
  writer->mark_ = std::move(mark);
  CHECK_OK(writer->prepare(std::move(connection), shared));
  writer->wal_keeper_ = std::make_unique<WalKeeper>(
      std::move(for_checkpoints), *writer->mark_,
      WalKeeper::Options{.empty_after_ms = writer->options_.empty_log_after_ms,
                         .on_empty = [self = writer.get()] { self->wal_bytes_ = 0; },
                         .on_failure = [self = writer.get()](const Error& error) { self->note_failure(error); }});
  writer->thread_ = std::thread([self = writer.get()] { self->run(); });
  return writer;
}

Writer::~Writer() {
  stop();
  wal_keeper_.reset();  // its thread reports to this object, and most of that would be gone before it
}

void Writer::stop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  arrived_.notify_one();
  if (thread_.joinable()) thread_.join();
}

Result<> Writer::prepare(Connection connection, const Shared& shared) {
  TRY(reader_, Reader::make(std::move(connection), shared));
  reader_->notes_raised = true;
  Connection& on = reader_->connection;
  const auto insert = [](const RowForm& form) {
    std::string values = "?";
    for (std::size_t i = 0; i < form.kinds.size(); ++i) values += ",?";
    return std::string(to_text(form.table)) + " (" + std::string(form.columns) + ", hash) VALUES (" + values + ")";
  };
  TRY(begin_, on.prepare("BEGIN IMMEDIATE"));
  TRY(commit_, on.prepare("COMMIT"));
  TRY(insert_record_, on.prepare("INSERT INTO record (pos, row) VALUES (?,?)"));
  TRY(delete_record_, on.prepare("DELETE FROM record WHERE pos = ?"));
  TRY(insert_conflict_, on.prepare("INSERT INTO " + insert(kConflictForm)));
  TRY(update_conflict_, on.prepare("UPDATE conflict SET state = ?2, hash = ?3 WHERE number = ?1"));
  TRY(insert_receipt_, on.prepare("INSERT OR REPLACE INTO " + insert(kReceiptForm)));
  TRY(insert_value_, on.prepare("INSERT OR REPLACE INTO " + insert(kValueForm)));
  TRY(insert_event_, on.prepare("INSERT INTO event (account, type, at, data) VALUES (?,?,?,?)"));
  TRY(delete_value_, on.prepare("DELETE FROM value WHERE space = ? AND name = ?"));
  TRY(insert_space_, on.prepare("INSERT INTO space (number, account, name, head, records, bytes, updated_at, "
                                "purged_through, collections) VALUES (?,?,?,0,0,0,0,0,0)"));
  TRY(update_space_, on.prepare("UPDATE space SET head = ?2, records = ?3, bytes = ?4, updated_at = ?5, "
                                "collections = ?6, commit_number = ?7, merged_through = ?8, "
                                "history_bytes = ?9 WHERE number = ?1"));
  TRY(insert_incarnation_, on.prepare("INSERT INTO incarnation (space, head_before, id) VALUES (?,?,?)"));
  TRY(forget_incarnations_, on.prepare("DELETE FROM incarnation WHERE space = ? AND head_before < ?"));
  TRY(insert_collection_, on.prepare("INSERT INTO collection (space, number, name) VALUES (?,?,?)"));
  TRY(add_to_collection_, on.prepare("UPDATE collection SET records = records + ?3, bytes = bytes + ?4 "
                                     "WHERE space = ?1 AND number = ?2"));
  TRY(last_conflict_number_, on.query_integer("SELECT seq FROM sqlite_sequence WHERE name = 'conflict'"));
  last_space_number_ = catalog_.last_number();
  TRY(last_commit_, read_last_commit(on));
  // Numbers of groups that wrote nothing may be missing in the spaces, and yet the keys are marked as merged up to one.
  TRY(const std::int64_t first_unmerged, read_first_unmerged_commit(on));
  last_commit_ = std::max(last_commit_, first_unmerged - 1);
  CHECK_OK(merger_.prepare(on, last_commit_ + 1));
  CHECK_OK(reclaimer_.prepare(on));
  TRY(page_bytes_, on.query_integer("PRAGMA page_size"));
  on.watch_log(&log_frames_);
  return {};
}

std::optional<Error> Writer::refusal() const {
  if (broken_) return broken_;
  if (stopping_) return Error{ErrorCode::unavailable, "the store is closing"};
  if (queue_.size() < limits::kWriteQueueMax) return std::nullopt;
  return Error{ErrorCode::busy, "too many writes are waiting"};
}

void Writer::enqueue(const SpaceName& space, const WriteOptions& options, WriteFunction run, WriteDone done) {
  MutexLock lock(mutex_);
  if (auto refused = refusal()) {
    lock.unlock();
    return done(std::unexpected(*std::move(refused)));
  }
  queue_.push_back({space, options, std::move(run), std::move(done), Committed{}, nullptr, nullptr});
  lock.unlock();
  arrived_.notify_one();
}

Result<> Writer::run_alone(std::function<Result<>(Connection&)> run) {
  std::promise<Result<>> promise;
  auto future = promise.get_future();
  {
    const MutexLock lock(mutex_);
    if (auto refused = refusal()) return std::unexpected(*std::move(refused));
    Task task{};
    task.alone = [&promise, run = std::move(run)](Connection& connection) {
      const Result<> result = run(connection);
      promise.set_value(result);
      return result;
    };
    queue_.push_back(std::move(task));
  }
  arrived_.notify_one();
  return future.get();
}

void Writer::run() {
  name_thread("writer");
  std::vector<Task> group;
  for (;;) {
    group.clear();
    take_group(group);
    if (group.empty()) break;
    if (group.front().alone) {
      if (auto ran = group.front().alone(reader_->connection); !ran) note_failure(ran.error());
      if (reader_->connection.in_transaction()) (void)reader_->connection.execute("ROLLBACK");
    } else {
      commit_group(group);
      if (reclaimer_.is_due() && !is_broken()) (void)reclaim();
    }
    idle_work_at_ = Deadline::clock::now() + std::chrono::milliseconds(options_.merge_keys_after_ms.value_or(0));
  }
  // The next opening need not read the newest records then.
  while (options_.merge_keys_after_ms && !is_broken() && merger_.has_more() && merge_keys(kKeysAtTheEnd)) {
  }
}

bool Writer::is_broken() const {
  const MutexLock lock(mutex_);
  return broken_.has_value();
}

void Writer::take_group(std::vector<Task>& group) {
  MutexLock lock(mutex_);
  while (!stopping_ && queue_.empty()) {
    if (broken_ || !options_.merge_keys_after_ms || !(merger_.has_more() || reclaimer_.has_idle_work())) {
      arrived_.wait(mutex_);
    } else if (!arrived_.wait_until(mutex_, idle_work_at_) && queue_.empty()) {
      lock.unlock();
      const bool done = work_when_idle();
      lock.lock();
      if (!done) idle_work_at_ = Deadline::clock::now() + kIdleWorkRetry;
    }
  }
  while (!queue_.empty() && group.size() < limits::kGroupWritesMax) {
    const bool alone = queue_.front().alone != nullptr;
    if (alone && !group.empty()) break;
    group.push_back(std::move(queue_.front()));
    queue_.pop_front();
    if (alone) break;
  }
}

Result<> Writer::run_own(const std::function<Result<>()>& run) {
  Result<> outcome;
  {
    const StatementScope scope(begin_);
    outcome = begin_.run();
  }
  if (outcome) outcome = run();
  if (outcome) {
    const StatementScope scope(commit_);
    outcome = commit_.run();
  }
  if (reader_->connection.in_transaction()) (void)reader_->connection.execute("ROLLBACK");
  return outcome;
}

Result<> Writer::keep_log_small() {
  wal_bytes_ = log_frames_ * (page_bytes_ + kFrameHeaderBytes);
  return wal_keeper_->after_commit(reader_->connection, wal_bytes_);
}

bool Writer::merge_keys(std::size_t count_max) {
  merger_.begin_rest(last_commit_ + 1);
  Result<> outcome = run_own([&] { return merger_.merge(count_max); });
  if (outcome) {
    merger_.note_committed(last_commit_ + 1);
    note_success();
    outcome = keep_log_small();
  } else {
    merger_.note_rolled_back();
  }
  if (!outcome) note_failure(outcome.error());
  return outcome.has_value();
}

bool Writer::reclaim() {
  Result<> outcome = run_own([&] { return reclaimer_.move_some(); });
  if (outcome) {
    reclaimer_.note_committed();
    note_success();
    outcome = keep_log_small();
  } else {
    reclaimer_.note_rolled_back(outcome.error().code == ErrorCode::storage_damaged);
  }
  if (!outcome) note_failure(outcome.error());
  return outcome.has_value();
}

bool Writer::work_when_idle() { return merger_.has_more() ? merge_keys(kKeysWhenIdle) : reclaim(); }

void Writer::commit_group(std::vector<Task>& group) {
  wrote_ = false;
  last_commit_ += 1;
  Result<> outcome = run_group(group);
  if (outcome && wrote_) {
    outcome = store_spaces();
    if (outcome) outcome = merger_.merge_share();
    if (outcome) {
      const StatementScope scope(commit_);
      outcome = commit_.run();
    }
  }
  if (reader_->connection.in_transaction()) (void)reader_->connection.execute("ROLLBACK");
  if (!outcome || !wrote_) merger_.note_rolled_back();
  if (outcome && wrote_) {
    reclaimer_.note_superseded(superseded_.marked_count());
    merger_.note_committed(last_commit_ + 1);
    commits_ += 1;
    note_success();
    mark_->note(last_commit_);
    if (options_.before_publication) options_.before_publication();
    for (auto& [name, space] : touched_) {
      catalog_.publish(name, space.entry, space.info.head);
      for (const Seq seq : space.healed) damage_.forget(name, seq);
    }
  }
  touched_.clear();
  reader_->raised.clear();
  if (!outcome && outcome.error().code != ErrorCode::damaged) note_failure(outcome.error());
  reader_->met_unreadable = false;
  for (const std::int64_t pos : std::exchange(reader_->unreadable, {})) {
    if (const auto made = make_readable(pos); !made)
      log(LogLevel::error, "damaged_row_stays", {{"error", made.error().text}});
  }
  for (Task& task : group) {
    if (!outcome && task.result) task.result = std::unexpected(outcome.error());
    task.done(std::move(task.result));
  }
  if (outcome && wrote_) {
    if (auto kept = keep_log_small(); !kept) note_failure(kept.error());
  }
}

Result<> Writer::run_group(std::vector<Task>& group) {
  {
    const StatementScope scope(begin_);
    CHECK_OK(begin_.run());
  }
  for (Task& task : group) {
    CHECK_OK(task.part ? run_part(task) : run_task(task));
    if (!reader_->unreadable.empty() || reader_->met_unreadable)
      return fail(ErrorCode::damaged, "a damaged record is in the way; try again");
  }
  return {};
}

/// An error returned here is the store's and ends the group; the function's own error is in task.result.
Result<> Writer::run_task(Task& task) {
  TRY(Touched * space, touch(task.space));
  Backing backing(*this, *space);
  BufferedTxn txn(backing, {clock_.now(), clock_.latest()}, task.options);
  Result<> ran;
  try {
    ran = task.run(txn);
  } catch (const std::exception& exception) {
    ran = fail(ErrorCode::internal, exception.what());
  }
  ran = txn.outcome(std::move(ran));
  // After some failed reads SQLite rolls everything back (want of space, a failing disk): then no write of the group
  // may go on.
  if (!reader_->connection.in_transaction()) {
    if (txn.failed_read()) return std::unexpected(*txn.failed_read());
    return fail(ErrorCode::unavailable, "the store has rolled its transaction back");
  }
  if (txn.failed_read()) health_.note(ReadHealth::kind_of(task.space), *txn.failed_read());
  if (!ran) {
    task.result = std::unexpected(ran.error());
    return {};
  }
  if (!txn.changes().empty()) {
    wrote_ = true;
    if (space->is_new) {
      space->is_new = false;
      space->entry->number = ++last_space_number_;
      const StatementScope scope(insert_space_);
      insert_space_.bind(1, space->entry->number);
      insert_space_.bind(2, task.space.account.value);
      insert_space_.bind_text(3, task.space.name);
      CHECK_OK(insert_space_.run());
    }
    if (txn.heals()) return apply_over_damage(*space, txn, task);
    CHECK_OK(apply_all(*space, txn));
  }
  task.result = Committed{space->info.head, txn.took_seq()};
  return {};
}

Result<Writer::Touched*> Writer::touch(const SpaceName& name) {
  const auto known = touched_.find(name);
  if (known != touched_.end()) return &known->second;
  TRY(const SqliteSnapshot snapshot, make_snapshot(*reader_, name, catalog_));
  Touched space;
  space.info = snapshot.info();
  const auto published = catalog_.find(name);
  space.entry = std::make_shared<SpaceEntry>(published ? *published : catalog_.make_entry());
  space.is_new = !published;
  return &touched_.emplace(name, std::move(space)).first->second;
}

Result<> Writer::store_spaces() {
  for (const auto& [name, space] : touched_) {
    if (space.is_new) continue;  // only functions that failed or changed nothing
    const StatementScope scope(update_space_);
    update_space_.bind(1, space.entry->number);
    update_space_.bind(2, space.info.head.value);
    update_space_.bind(3, space.info.records);
    update_space_.bind(4, space.info.bytes);
    update_space_.bind(9, space.info.history_bytes);
    update_space_.bind(5, space.info.updated_at.micros);
    update_space_.bind(6, static_cast<std::int64_t>(space.entry->collections.size()));
    update_space_.bind(7, last_commit_);
    update_space_.bind(8, keys_.merged_through(space.entry->number, space.info.head).value);
    CHECK_OK(update_space_.run());
    CHECK_OK(store_counts(space));
    if (!space.raised.empty()) CHECK_OK(merger_.store_raised(space.entry->number, space.raised));
  }
  return {};
}

Result<> Writer::store_counts(const Touched& space) {
  for (std::size_t number = 0; number < space.added.collections.size(); ++number) {
    const LiveDelta& delta = space.added.collections[number];
    if (delta.records == 0 && delta.bytes == 0) continue;
    const StatementScope scope(add_to_collection_);
    add_to_collection_.bind(1, space.entry->number);
    add_to_collection_.bind(2, static_cast<std::int64_t>(number));
    add_to_collection_.bind(3, delta.records);
    add_to_collection_.bind(4, delta.bytes);
    CHECK_OK(add_to_collection_.run());
  }
  return {};
}

/// After a failed sync a second try would lie: nothing is written any more until the file has been opened afresh.
void Writer::note_failure(const Error& error) {
  log(LogLevel::error, "write_failed", {{"error", error.text}});
  if (error.code != ErrorCode::storage_broken) health_.note(ReadKind::tables, error);
  {
    const MutexLock lock(mutex_);
    failing_ = error.text;
    if (error.code == ErrorCode::storage_broken) broken_ = error;
  }
  if (error.code != ErrorCode::storage_broken) return;
  if (options_.on_broken) options_.on_broken(error);
}

void Writer::note_success() {
  const MutexLock lock(mutex_);
  failing_.clear();
}

StoreStatus Writer::status() const {
  const MutexLock lock(mutex_);
  return {.file_bytes = 0,
          .wal_bytes = wal_bytes_,
          .queued_writes = static_cast<std::int64_t>(queue_.size()),
          .commits = commits_,
          .failing = failing_};
}

}  // namespace syncline::sqlite
