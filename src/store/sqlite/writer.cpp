#include "store/sqlite/writer.hpp"

#include <future>

#include "base/limits.hpp"
#include "base/log.hpp"

namespace syncline::sqlite {
namespace {

constexpr std::int64_t kFrameHeaderBytes = 24;

}  // namespace

/// Gives one write function its view: the state as of the last change of the group.
class Writer::Backing final : public BufferedTxn::Backing {
 public:
  Backing(Writer& writer, const Touched& space)
      : writer_(writer), snapshot_(*writer.reader_, space.entry, space.info) {}

  Snapshot& snapshot() override { return snapshot_; }
  std::int64_t next_history_number() override { return ++writer_.last_history_number_; }
  ConflictNumber next_conflict_number() override { return {++writer_.last_conflict_number_}; }
  Result<std::optional<ConflictNumber>> find_kept(std::string_view fingerprint) override {
    return snapshot_.find_kept(fingerprint);
  }
  Result<std::optional<Receipt>> find_receipt(std::string_view key) override { return snapshot_.find_receipt(key); }

 private:
  Writer& writer_;
  SqliteSnapshot snapshot_;
};

Result<std::unique_ptr<Writer>> Writer::start(Connection connection, Connection for_checkpoints, Catalog& catalog,
                                              const Clock& clock, Options options) {
  std::unique_ptr<Writer> writer(new Writer(catalog, clock, std::move(options)));
  CHECK_OK(writer->prepare(std::move(connection)));
  writer->wal_keeper_ = std::make_unique<WalKeeper>(
      std::move(for_checkpoints), [self = writer.get()](const Error& error) { self->note_failure(error); });
  writer->thread_ = std::thread([self = writer.get()] { self->run(); });
  return writer;
}

void Writer::stop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  arrived_.notify_one();
  if (thread_.joinable()) thread_.join();
}

Result<> Writer::prepare(Connection connection) {
  TRY(reader_, Reader::make(std::move(connection)));
  Connection& on = reader_->connection;
  const std::string columns(kRecordColumns);
  TRY(begin_, on.prepare("BEGIN IMMEDIATE"));
  TRY(commit_, on.prepare("COMMIT"));
  TRY(insert_record_, on.prepare("INSERT INTO record (" + columns + ") VALUES (?,?,?,?,?,?,?,?,?,?,?)"));
  TRY(delete_record_, on.prepare("DELETE FROM record WHERE pos = ?"));
  TRY(update_stamps_, on.prepare("UPDATE record SET effective_lift = ?2, claimed_at = ?3 WHERE pos = ?1"));
  TRY(insert_history_,
      on.prepare("INSERT INTO history (" + columns + ", number, replaced_at) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)"));
  TRY(insert_conflict_,
      on.prepare("INSERT INTO conflict (space, fingerprint, rule, state, at, pos, scope, id, updated_at, "
                 "committed_at, origin, flags, doc, number) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)"));
  TRY(update_conflict_, on.prepare("UPDATE conflict SET state = ?2 WHERE number = ?1"));
  TRY(insert_receipt_,
      on.prepare("INSERT OR REPLACE INTO receipt (space, key, at, fingerprint, status, body) VALUES (?,?,?,?,?,?)"));
  TRY(insert_value_, on.prepare("INSERT OR REPLACE INTO value (space, name, value) VALUES (?,?,?)"));
  TRY(insert_event_, on.prepare("INSERT INTO event (account, type, at, data) VALUES (?,?,?,?)"));
  TRY(delete_value_, on.prepare("DELETE FROM value WHERE space = ? AND name = ?"));
  TRY(insert_space_, on.prepare("INSERT INTO space (number, account, name, head, records, bytes, updated_at, "
                                "purged_through, collections) VALUES (?,?,?,0,0,0,0,0,0)"));
  TRY(update_space_, on.prepare("UPDATE space SET head = ?2, records = ?3, bytes = ?4, updated_at = ?5, "
                                "collections = ?6 WHERE number = ?1"));
  TRY(insert_collection_, on.prepare("INSERT INTO collection (space, number, name) VALUES (?,?,?)"));
  TRY(last_history_number_, on.query_integer("SELECT max(number) FROM history"));
  // Versions whose history row was purged still name its number: never use one twice.
  TRY(const std::int64_t named, on.query_integer("SELECT value FROM meta WHERE name = 'last_history_number'"));
  last_history_number_ = std::max(last_history_number_, named);
  TRY(last_conflict_number_, on.query_integer("SELECT seq FROM sqlite_sequence WHERE name = 'conflict'"));
  last_space_number_ = catalog_.last_number();
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
  queue_.push_back({space, options, std::move(run), std::move(done), Committed{}, nullptr});
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
  std::vector<Task> group;
  for (;;) {
    group.clear();
    {
      const MutexLock lock(mutex_);
      while (!stopping_ && queue_.empty()) arrived_.wait(mutex_);
      if (queue_.empty()) return;
      while (!queue_.empty() && group.size() < limits::kGroupWritesMax) {
        const bool alone = queue_.front().alone != nullptr;
        if (alone && !group.empty()) break;
        group.push_back(std::move(queue_.front()));
        queue_.pop_front();
        if (alone) break;
      }
    }
    if (group.front().alone) {
      if (auto ran = group.front().alone(reader_->connection); !ran) note_failure(ran.error());
      if (reader_->connection.in_transaction()) (void)reader_->connection.execute("ROLLBACK");
    } else {
      commit_group(group);
    }
  }
}

void Writer::commit_group(std::vector<Task>& group) {
  wrote_ = false;
  Result<> outcome = run_group(group);
  if (outcome && wrote_) {
    outcome = store_spaces();
    if (outcome) {
      const StatementScope scope(commit_);
      outcome = commit_.run();
    }
  }
  if (reader_->connection.in_transaction()) (void)reader_->connection.execute("ROLLBACK");
  if (outcome && wrote_) {
    commits_ += 1;
    note_success();
    for (auto& [name, space] : touched_) catalog_.publish(name, space.entry, space.info.head);
  }
  touched_.clear();
  if (!outcome) note_failure(outcome.error());
  for (Task& task : group) {
    if (!outcome && task.result) task.result = std::unexpected(outcome.error());
    task.done(std::move(task.result));
  }
  if (outcome && wrote_) {
    wal_bytes_ = log_frames_ * (page_bytes_ + kFrameHeaderBytes);
    if (auto kept = wal_keeper_->after_commit(reader_->connection, wal_bytes_); !kept) note_failure(kept.error());
  }
}

Result<> Writer::run_group(std::vector<Task>& group) {
  {
    const StatementScope scope(begin_);
    CHECK_OK(begin_.run());
  }
  for (Task& task : group) CHECK_OK(run_task(task));
  return {};
}

/// An error returned here is the store's and ends the group; the function's own error is in task.result.
Result<> Writer::run_task(Task& task) {
  TRY(Touched * space, touch(task.space));
  Backing backing(*this, *space);
  BufferedTxn txn(backing, clock_.now(), task.options);
  Result<> ran;
  try {
    ran = task.run(txn);
  } catch (const std::exception& exception) {
    ran = fail(ErrorCode::internal, exception.what());
  }
  // SQLite rolls everything back when even reading fails for want of space: then no write of the group may go on.
  if (!reader_->connection.in_transaction()) {
    return fail(ErrorCode::storage_full, "no space left for the store");
  }
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
    for (const Change& change : txn.changes()) {
      CHECK_OK(std::visit([&](const auto& one) { return apply(*space, one); }, change));
    }
    space->info = txn.info();
  }
  task.result = Committed{space->info.head, txn.took_seq()};
  return {};
}

Result<Writer::Touched*> Writer::touch(const SpaceName& name) {
  const auto known = touched_.find(name);
  if (known != touched_.end()) return &known->second;
  TRY(const SqliteSnapshot snapshot, make_snapshot(*reader_, name, catalog_.find(name)));
  Touched space;
  space.info = snapshot.info();
  const auto published = catalog_.find(name);
  space.entry = published ? std::make_shared<SpaceEntry>(*published) : std::make_shared<SpaceEntry>();
  space.is_new = !published;
  return &touched_.emplace(name, std::move(space)).first->second;
}

Result<> Writer::ensure_collection(Touched& space, const std::string& name) {
  if (space.entry->collection_number(name)) return {};
  const StatementScope scope(insert_collection_);
  insert_collection_.bind(1, space.entry->number);
  insert_collection_.bind(2, static_cast<std::int64_t>(space.entry->collections.size()));
  insert_collection_.bind_text(3, name);
  CHECK_OK(insert_collection_.run());
  space.entry->collections.push_back(name);
  return {};
}

Result<> Writer::apply(Touched& space, const PutChange& change) {
  CHECK_OK(ensure_collection(space, change.record.collection));
  if (change.replaced) {
    const StatementScope history_scope(insert_history_);
    bind_record(insert_history_, *change.replaced, *space.entry);
    insert_history_.bind(12, change.record.previous);
    insert_history_.bind(13, change.record.committed_at.micros);
    CHECK_OK(insert_history_.run());
    const StatementScope delete_scope(delete_record_);
    delete_record_.bind(1, pack_pos(space.entry->number, change.replaced->seq));
    CHECK_OK(delete_record_.run());
  }
  const StatementScope scope(insert_record_);
  bind_record(insert_record_, change.record, *space.entry);
  return insert_record_.run();
}

Result<> Writer::apply(Touched& space, const HiddenStampsChange& change) {
  const StatementScope scope(update_stamps_);
  update_stamps_.bind(1, pack_pos(space.entry->number, change.seq));
  update_stamps_.bind(2, change.effective_at.micros - change.updated_at.micros);
  update_stamps_.bind(3, change.claimed_at.micros);
  return update_stamps_.run();
}

Result<> Writer::apply(Touched& space, const ConflictChange& change) {
  const Conflict& conflict = change.conflict;
  const Record& loser = conflict.loser;
  CHECK_OK(ensure_collection(space, loser.collection));
  const StatementScope scope(insert_conflict_);
  Statement& to = insert_conflict_;
  to.bind(1, space.entry->number);
  to.bind_bytes(2, change.fingerprint);
  to.bind(3, static_cast<std::int64_t>(conflict.rule));
  to.bind(4, static_cast<std::int64_t>(conflict.state));
  to.bind(5, conflict.at.micros);
  to.bind(6, pack_pos(space.entry->number, loser.seq));
  to.bind(7, pack_scope(space.entry->number, *space.entry->collection_number(loser.collection)));
  to.bind_bytes(8, loser.id);
  to.bind(9, loser.updated_at.micros);
  to.bind(10, loser.committed_at.micros);
  to.bind(11, loser.origin.value);
  to.bind(12, pack_flags(loser.rule, loser.deleted));
  to.bind_bytes(13, loser.doc);
  to.bind(14, conflict.number.value);
  return to.run();
}

Result<> Writer::apply(Touched&, const ConflictStateChange& change) {
  const StatementScope scope(update_conflict_);
  update_conflict_.bind(1, change.number.value);
  update_conflict_.bind(2, static_cast<std::int64_t>(change.state));
  return update_conflict_.run();
}

Result<> Writer::apply(Touched& space, const ReceiptChange& change) {
  const StatementScope scope(insert_receipt_);
  insert_receipt_.bind(1, space.entry->number);
  insert_receipt_.bind_bytes(2, change.key);
  insert_receipt_.bind(3, clock_.now().micros);
  insert_receipt_.bind_bytes(4, change.receipt.fingerprint);
  insert_receipt_.bind(5, change.receipt.status);
  insert_receipt_.bind_bytes(6, change.receipt.body);
  return insert_receipt_.run();
}

Result<> Writer::apply(Touched& space, const ValueChange& change) {
  Statement& to = change.value.empty() ? delete_value_ : insert_value_;
  const StatementScope scope(to);
  to.bind(1, space.entry->number);
  to.bind_bytes(2, change.name);
  if (!change.value.empty()) to.bind_bytes(3, change.value);
  return to.run();
}

Result<> Writer::apply(Touched& space, const EventChange& change) {
  const StatementScope scope(insert_event_);
  insert_event_.bind(1, space.info.name.account.value);
  insert_event_.bind_text(2, change.type);
  insert_event_.bind(3, clock_.now().micros);
  insert_event_.bind_bytes(4, change.data);
  return insert_event_.run();
}

Result<> Writer::store_spaces() {
  for (const auto& [name, space] : touched_) {
    if (space.is_new) continue;  // only functions that failed or changed nothing
    const StatementScope scope(update_space_);
    update_space_.bind(1, space.entry->number);
    update_space_.bind(2, space.info.head.value);
    update_space_.bind(3, space.info.records);
    update_space_.bind(4, space.info.bytes);
    update_space_.bind(5, space.info.updated_at.micros);
    update_space_.bind(6, static_cast<std::int64_t>(space.entry->collections.size()));
    CHECK_OK(update_space_.run());
  }
  return {};
}

/// After a failed sync a second try would lie: nothing is written any more until the file has been opened afresh.
void Writer::note_failure(const Error& error) {
  log(LogLevel::error, "write_failed", {{"error", error.text}});
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
