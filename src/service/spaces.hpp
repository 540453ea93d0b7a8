// Spaces: the only way from a face to the store. Reads give snapshots; writes run through SpaceWriter, are durable
// before anybody hears of them, and then wake the watchers. Safe from any thread: by what rules it writes and whom it
// tells is settled when it is made.
#pragma once

#include "core/cursor.hpp"
#include "service/live.hpp"
#include "service/principal.hpp"
#include "service/pull_progress.hpp"
#include "service/rule_book.hpp"
#include "service/space_writer.hpp"

namespace syncline {

class Spaces {
 public:
  /// `audience`: who is told of events; null: nobody. All that is given outlives the spaces.
  Spaces(Store& store, const Clock& clock, Live& live, PullProgress& progress, const RuleBook& rules,
         EventAudience* audience = nullptr)
      : store_(store), clock_(clock), live_(live), progress_(progress), rules_(rules), audience_(audience) {}

  using WriteBody = std::move_only_function<Result<>(SpaceWriter&)>;
  /// `run` works inside a transaction; `done` gets the space's cursor after the commit, or the error.
  void write(const SpaceName& space, KeyNumber author, WriteBody run,
             std::move_only_function<void(Result<Cursor>)> done);
  [[nodiscard]] Result<Cursor> write_and_wait(const SpaceName& space, KeyNumber author, WriteBody run);

  [[nodiscard]] Result<> read(const SpaceName& space, const ReadFunction& run) { return store_.read(space, run); }
  [[nodiscard]] Seq head(const SpaceName& space) const { return store_.head(space); }
  [[nodiscard]] const std::string& epoch() const { return store_.epoch(); }
  [[nodiscard]] Cursor cursor(Seq seq) const { return {store_.epoch(), seq, {}}; }
  [[nodiscard]] Result<std::vector<SpaceInfo>> list(std::optional<AccountNumber> account) {
    return store_.spaces(account);
  }
  /// The key was handed everything up to `seq`.
  void note_pulled(KeyNumber key, const SpaceName& space, Seq seq) { progress_.note(key, space, seq); }

  /// How far the key was handed what it reads under that name.
  [[nodiscard]] Seq pulled_through(KeyNumber key, const SpaceName& space) const {
    return progress_.seen_through(key, space);
  }

  /// Where reading continues: see resume_at().
  [[nodiscard]] Result<Seq> resume(const SpaceName& space, const Cursor& cursor);
  /// See Live::wait_for_change().
  void wait(const SpaceName& space, Seq since, std::int64_t wait_ms, std::function<void()> done);

  [[nodiscard]] const Clock& clock() const { return clock_; }
  [[nodiscard]] Live& live() { return live_; }

 private:
  Store& store_;
  const Clock& clock_;
  Live& live_;
  PullProgress& progress_;
  const RuleBook& rules_;
  EventAudience* const audience_;
};

}  // namespace syncline
