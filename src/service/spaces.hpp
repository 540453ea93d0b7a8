// Spaces: the only way from a face to the store. Reads give snapshots; writes run through SpaceWriter, are durable
// before anybody hears of them, and then wake the watchers. Safe from any thread: by what rules it writes and whom it
// tells is settled when it is made.
#pragma once

#include <atomic>

#include "core/cursor.hpp"
#include "service/live.hpp"
#include "service/principal.hpp"
#include "service/pull_progress.hpp"
#include "service/quotas.hpp"
#include "service/rule_book.hpp"
#include "service/space_writer.hpp"

namespace syncline {

class Spaces {
 public:
  /// `audience`: who is told of events; null: nobody. `quotas`: null: accounts store what they like. All that is given
  /// outlives the spaces.
  Spaces(Store& store, const Clock& clock, Live& live, PullProgress& progress, const RuleBook& rules,
         EventAudience* audience = nullptr, Quotas* quotas = nullptr)
      : store_(store),
        clock_(clock),
        live_(live),
        progress_(progress),
        rules_(rules),
        audience_(audience),
        quotas_(quotas) {}

  /// May run more than once: see WriteFunction.
  using WriteBody = std::move_only_function<Result<>(SpaceWriter&)>;
  using WriteDone = std::move_only_function<void(Result<Cursor>)>;
  /// `run` works inside a transaction; `done` gets the space's cursor after the commit, or the error. `reads` names
  /// what `run` looks up: see WriteOptions.
  void write(const SpaceName& space, KeyNumber author, NameReads reads, WriteBody run, WriteDone done);
  void write(const SpaceName& space, KeyNumber author, WriteBody run, WriteDone done) {
    write(space, author, nullptr, std::move(run), std::move(done));
  }
  [[nodiscard]] Result<Cursor> write_and_wait(const SpaceName& space, KeyNumber author, NameReads reads, WriteBody run);
  [[nodiscard]] Result<Cursor> write_and_wait(const SpaceName& space, KeyNumber author, WriteBody run) {
    return write_and_wait(space, author, nullptr, std::move(run));
  }

  [[nodiscard]] Result<> read(const SpaceName& space, const ReadFunction& run) { return store_.read(space, run); }
  /// A hint: see Store::head().
  [[nodiscard]] Seq head(const SpaceName& space) const { return store_.head(space); }
  /// Of who has everything up to `seq`, or else has heard of changes up to `heard_through`.
  [[nodiscard]] Cursor cursor(const SpaceName& space, Seq seq, Seq heard_through = {}) const;
  [[nodiscard]] Cursor cursor_at_head(const SpaceName& space) const { return cursor(space, head(space)); }
  [[nodiscard]] Result<std::vector<SpaceInfo>> list(std::optional<AccountNumber> account) {
    return store_.spaces(account);
  }
  /// See Store::collections().
  [[nodiscard]] Result<std::vector<CollectionInfo>> collections(const SpaceName& space) {
    return store_.collections(space);
  }
  /// See Store::damage().
  [[nodiscard]] std::vector<Damage> damage(const SpaceName& space) const { return store_.damage(space); }
  /// The key was handed everything up to `seq`.
  void note_pulled(KeyNumber key, const SpaceName& space, Seq seq) { progress_.note(key, space, seq); }

  /// How far the key was handed what it reads under that name.
  [[nodiscard]] Result<Seq> pulled_through(KeyNumber key, const SpaceName& space) const {
    return progress_.seen_through(key, space);
  }

  /// Where reading continues: see resume_at().
  [[nodiscard]] Result<Seq> resume(const SpaceName& space, const Cursor& cursor);
  /// The same, as of a snapshot of that space, which then need not be taken for this alone.
  [[nodiscard]] Result<Seq> resume_in(Snapshot& snapshot, const SpaceName& space, const Cursor& cursor);
  /// Whether what the cursor knows is part of the space's history: see check_history().
  [[nodiscard]] Result<> check(const SpaceName& space, const Cursor& cursor);
  /// Whether the changes up to `through` of the history that the cursor names are part of the space's history, whatever
  /// the cursor's own seq.
  [[nodiscard]] Result<> check_history_of(const SpaceName& space, const Cursor& history, Seq through);
  [[nodiscard]] std::shared_ptr<const Lineage> lineage(const SpaceName& space) const { return store_.lineage(space); }
  /// See Live::wait_for_change().
  void wait(const SpaceName& space, Seq since, std::int64_t wait_ms, std::move_only_function<void()> done);

  /// For the operator: when a device last knew of changes that this store does not have. Empty if none did in the last
  /// seven days, as far as this process knows.
  [[nodiscard]] std::string lost_history_warning() const;

  [[nodiscard]] const Clock& clock() const { return clock_; }
  [[nodiscard]] Live& live() { return live_; }

 private:
  /// Somebody knows of changes that this store does not have.
  void note_lost_changes(const SpaceName& space, const Cursor& cursor);

  Store& store_;
  const Clock& clock_;
  Live& live_;
  PullProgress& progress_;
  const RuleBook& rules_;
  EventAudience* const audience_;
  Quotas* const quotas_;
  std::atomic<std::int64_t> loss_noted_micros_ = 0;
};

}  // namespace syncline
