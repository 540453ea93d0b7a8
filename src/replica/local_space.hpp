// The durable half of a replicator: what this device's store knows of the hub's, for one space. Pages of the hub become
// local versions, local writes become pushes, and verdicts settle them, each in one transaction with the position it
// belongs to: a crash anywhere leaves a state from which the next cycle goes on.
//
//   SpaceState      how far the space is
//   Outbox          what waits for the hub
//   KnownVersions   which of the hub's versions edits are made of
//   SentVersions    which of this device's versions the hub may have without an answer
//   RefusedChanges  what the hub refused, up to dead letters
#pragma once

#include <functional>
#include <set>
#include <span>
#include <unordered_set>

#include "replica/known_versions.hpp"
#include "replica/native_wire.hpp"
#include "replica/outbox.hpp"
#include "replica/refused_changes.hpp"
#include "replica/space_state.hpp"
#include "service/spaces.hpp"

namespace syncline::replica {

struct Settled {
  Cursor cursor;
  bool needs_pull = false;
  /// The batch was not settled to its end: send the rest again.
  bool is_partial = false;
};

/// Totals since the process started.
struct Transfer {
  std::int64_t pulled_live = 0;
  std::int64_t pulled_deleted = 0;
  std::int64_t pushed_live = 0;
  std::int64_t pushed_deleted = 0;
  std::int64_t conflicts = 0;
};

/// For one thread at a time.
class LocalSpace {
 public:
  LocalSpace(Spaces& spaces, SpaceName name, Limits limits)
      : spaces_(spaces), name_(std::move(name)), outbox_(limits) {}

  [[nodiscard]] Result<> load();

  /// Takes what a page delivers, and offers what the hub has lost of it. A page that does not continue the cursor is
  /// left alone.
  [[nodiscard]] Result<> apply(const Page& page);
  /// Takes what a hub delivers that does not merge: what waits here is merged with it here. `positions` is kept with
  /// it: how far the dialect has read, an object of its own.
  [[nodiscard]] Result<> merge_in(std::span<const Op> ops, std::string positions);
  /// What to push now; no items if nothing waits. Collections that the hub does not carry are passed over.
  [[nodiscard]] Result<Batch> next_batch(bool with_refused, std::size_t ops_max, const Outbox::Carries& carries);
  [[nodiscard]] Result<Settled> settle(const Batch& batch, const PushAnswer& answer);
  /// The hub's history is another one: nothing that is known of its versions counts, everything is to be offered.
  [[nodiscard]] Result<> start_over();
  /// True if records of this device's own store were found damaged since the last call: the hub may still have them.
  [[nodiscard]] bool has_new_damage();
  /// True if the hub may have a record again that was damaged when it was pulled: then it is to be read from the start.
  [[nodiscard]] bool may_have_missed() const {
    const IncarnationId now = state_.known.incarnation;
    return state_.missed_in.value != 0 && now.value != 0 && now != state_.missed_in;
  }
  /// The hub has forgotten deletions behind the cursor: reads from the beginning, and then removes what was not there.
  [[nodiscard]] Result<> read_from_start();

  [[nodiscard]] Result<std::vector<RefusedChange>> refused();
  /// Offers the dead letters once more, as if they were new.
  [[nodiscard]] Result<std::int64_t> revive_dead_letters();
  /// Visits the local changes that the hub has not acknowledged, dead letters included.
  [[nodiscard]] Result<> for_each_pending(const std::function<void(const RecordView&)>& visit);
  [[nodiscard]] Result<std::int64_t> count_pending();

  [[nodiscard]] const SpaceName& name() const { return name_; }
  [[nodiscard]] const Cursor& cursor() const { return state_.cursor; }
  /// True if an answer with that cursor speaks of another history than what is known here. Which openings of its store
  /// belong together only the hub can tell: it is asked with known().
  [[nodiscard]] bool is_other_history(const Cursor& answered) const {
    const Cursor& known = state_.known;
    const bool is_behind = answered.incarnation.value != 0 && answered.incarnation == known.incarnation &&
                           answered.knows_through() < known.knows_through();
    return !state_.epoch.empty() && (answered.epoch != state_.epoch || is_behind);
  }
  /// What the hub must have if its history is still the same; empty if nothing is known of it.
  [[nodiscard]] const Cursor& known() const { return state_.known; }
  [[nodiscard]] std::string history() const { return known().epoch.empty() ? state_.epoch : known().history(); }
  [[nodiscard]] const std::string& epoch() const { return state_.epoch; }
  [[nodiscard]] const std::string& positions() const { return state_.positions; }
  /// When something was last exchanged; 0 if never.
  [[nodiscard]] Timestamp exchanged_at() const { return state_.exchanged_at; }
  [[nodiscard]] bool push_everything_first() const { return state_.pushed < state_.offer_through; }
  /// True when a commit up to `head` may hold something for the hub.
  [[nodiscard]] bool may_have_writes(Seq head) const { return outbox_.may_wait(state_, head); }
  [[nodiscard]] std::int64_t waiting_refused() const { return refused_.waiting(); }
  [[nodiscard]] std::int64_t dead_letters() const { return refused_.dead(); }
  [[nodiscard]] const Transfer& transfer() const { return transfer_; }

 private:
  using Body = std::function<Result<>(SpaceWriter& writer, SpaceState& state)>;

  /// Whose versions a transaction stores.
  enum class Stores { the_hubs, also_own };
  /// Runs `body` in a transaction and keeps the state it leaves; `pushed` follows versions that are all the hub's.
  [[nodiscard]] Result<> write(const Body& body, Stores stores = Stores::the_hubs);
  /// The version that the hub has lost, if this device has that very one and nothing newer.
  [[nodiscard]] static Result<std::optional<Record>> find_copy(Snapshot& snapshot, const SpaceState& state,
                                                               const DamagedRecord& lost);
  [[nodiscard]] static Result<bool> misses_any(Snapshot& snapshot, const SpaceState& state,
                                               const std::vector<DamagedRecord>& lost);
  [[nodiscard]] Result<bool> has_copies(const std::vector<DamagedRecord>& lost);
  /// Makes the copy a version of this device, which goes out.
  [[nodiscard]] static Result<> offer_copy(SpaceWriter& writer, const SpaceState& state, const DamagedRecord& lost);
  [[nodiscard]] Result<> take(SpaceWriter& writer, const SpaceState& state, const HubVersion& version);
  [[nodiscard]] Result<> adopt(SpaceWriter& writer, const SpaceState& state, const HubVersion& version,
                               const Record* stored);
  [[nodiscard]] Result<> merge_one(SpaceWriter& writer, const SpaceState& state, const Op& delivered);
  [[nodiscard]] static Result<> set_known(SpaceWriter& writer, const SpaceState& state, std::string_view collection,
                                          std::string_view id, KnownVersion known);
  /// False if the answer is not enough to settle the item.
  [[nodiscard]] Result<bool> settle_one(SpaceWriter& writer, const SpaceState& state, const Batch::Item& item,
                                        const Verdict& verdict);
  void forget_delivered() {
    delivered_.clear();
    unnamed_.clear();
  }
  [[nodiscard]] Result<> sweep(SpaceWriter& writer, const SpaceState& state);
  [[nodiscard]] Result<> count_refused();

  Spaces& spaces_;
  const SpaceName name_;
  SpaceState state_;
  Outbox outbox_;
  RefusedChanges refused_;
  SentVersions sent_;
  /// While reading from the beginning: what was delivered.
  std::unordered_set<std::string> delivered_;
  /// While reading from the beginning: damaged records of the hub of which it cannot say whose they are.
  std::set<Seq> unnamed_;
  /// Damaged records of this device's store that the hub was asked for.
  std::set<Seq> asked_for_;
  Transfer transfer_;
};

}  // namespace syncline::replica
