// The durable half of a replicator: what this device's store knows of the hub's, for one space. Pages of the hub become
// local versions, local writes become pushes, and verdicts settle them, each in one transaction with the position it
// belongs to: a crash anywhere leaves a state from which the next cycle goes on.
//
// The outbox is the local feed itself: versions behind `pushed` that did not come from the hub. What changes while its
// push is on the way has a later place in the feed, so an answer can never clear a newer edit.
#pragma once

#include <functional>
#include <span>
#include <unordered_set>

#include "replica/native_wire.hpp"
#include "service/spaces.hpp"

namespace syncline::replica {

/// Author of the versions that came from the hub.
inline constexpr KeyNumber kHubAuthor{0};
/// Author of what this device makes of the hub's versions: the first key of its store, its own programs'.
inline constexpr KeyNumber kDeviceAuthor{1};
/// Never leaves the device: what the hub refused, by "<collection>/<id>".
inline constexpr std::string_view kRefusedCollection = "syncline.refused";
/// Some hubs keep milliseconds only: stamps that are closer may be one.
inline constexpr std::int64_t kStampGrainMicros = 1000;
/// A change that was refused so often is a dead letter: it stays, is shown, and is offered again only when asked for.
inline constexpr std::int64_t kOffersMax = 5;

struct Limits {
  std::size_t ops_max = 500;
  std::size_t bytes_max = 4UL << 20U;
  std::int64_t page_max = 2000;
};

/// What a push is made of.
struct Batch {
  struct Item {
    Record record;  // its seq is that of the local feed
    /// The hub's version that it was made of; nothing if the hub is not known to have the record.
    std::optional<Seq> base;
    bool was_refused = false;
  };
  std::int64_t generation = 0;
  Seq after;    // the outbox begins behind this
  Seq through;  // and all of it up to here is in the batch, or came from the hub
  std::vector<Item> items;
  bool more = false;
};

struct Settled {
  Cursor cursor;
  bool needs_pull = false;
  /// The batch was not settled to its end: send the rest again.
  bool is_partial = false;
};

struct RefusedChange {
  std::string collection;
  std::string id;
  Seq seq;
  std::int64_t offers = 0;
  std::string code;
  std::string detail;
  Timestamp since;

  [[nodiscard]] bool is_dead() const { return offers >= kOffersMax; }
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
      : spaces_(spaces), name_(std::move(name)), limits_(limits) {}

  [[nodiscard]] Result<> load();

  /// Takes what a page delivers. A page that does not continue the cursor is left alone.
  [[nodiscard]] Result<> apply(const Page& page);
  /// Takes what a hub delivers that does not merge: what waits here is merged with it here. `positions` is kept with
  /// it: how far the dialect has read, an object of its own.
  [[nodiscard]] Result<> merge_in(std::span<const Op> ops, std::string positions);
  /// What to push now; no items if nothing waits. Collections that the hub does not carry are passed over.
  using Carries = std::function<bool(std::string_view collection)>;
  [[nodiscard]] Result<Batch> next_batch(bool with_refused, std::size_t ops_max, const Carries& carries);
  [[nodiscard]] Result<Settled> settle(const Batch& batch, const PushAnswer& answer);
  /// The hub's history is another one: nothing that is known of its versions counts, everything is to be offered.
  [[nodiscard]] Result<> begin_anew();
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
  /// True if an answer with that cursor speaks of another history than what is known here.
  [[nodiscard]] bool is_other_history(const Cursor& answered) const {
    return !state_.epoch.empty() && answered.epoch != state_.epoch;
  }
  [[nodiscard]] const std::string& epoch() const { return state_.epoch; }
  [[nodiscard]] const std::string& positions() const { return state_.positions; }
  /// When something was last exchanged; 0 if never.
  [[nodiscard]] Timestamp exchanged_at() const { return state_.exchanged_at; }
  [[nodiscard]] bool offers_all() const { return state_.pushed < state_.offer_through; }
  /// True when a commit up to `head` may hold something for the hub.
  [[nodiscard]] bool may_have_writes(Seq head) const { return head > std::max(state_.pushed, skipped_through_); }
  [[nodiscard]] std::int64_t waiting_refused() const { return waiting_refused_; }
  [[nodiscard]] std::int64_t dead_letters() const { return dead_letters_; }
  [[nodiscard]] const Transfer& transfer() const { return transfer_; }

 private:
  struct State {
    /// Rises when what is known of the hub's versions becomes worthless.
    std::int64_t generation = 1;
    /// The history of the hub that this generation knows of; empty until it has said one.
    std::string epoch;
    Cursor cursor;
    Seq pushed;
    /// Everything up to here is offered, wherever it came from.
    Seq offer_through;
    /// Reading from the beginning. What the hub acknowledged in this history and does not deliver then was deleted, and
    /// the deletion purged.
    bool reads_from_start = true;
    /// See merge_in().
    std::string positions = "{}";
    Timestamp exchanged_at;
  };
  /// The hub's version that later edits of a record are made of.
  struct Base {
    Seq hub;
    Seq local;  // the same version in this device's feed
    friend bool operator==(const Base&, const Base&) = default;
  };
  using Body = std::function<Result<>(SpaceWriter& writer, State& state)>;

  [[nodiscard]] static Result<State> read_state(Snapshot& snapshot);
  /// Whose versions a transaction stores.
  enum class Stores { the_hubs, also_own };
  /// Runs `body` in a transaction and keeps the state it leaves; `pushed` follows versions that are all the hub's.
  [[nodiscard]] Result<> write(const Body& body, Stores stores = Stores::the_hubs);
  [[nodiscard]] Result<> take(SpaceWriter& writer, const State& state, const HubVersion& version);
  [[nodiscard]] Result<> adopt(SpaceWriter& writer, const State& state, const HubVersion& version,
                               const Record* stored);
  [[nodiscard]] Result<> merge_one(SpaceWriter& writer, const State& state, const Op& op);
  [[nodiscard]] static Result<bool> is_pending(Snapshot& snapshot, const State& state, const Record& stored);
  /// The version that `pending` was made of, if that is what the hub delivers: an answer was lost.
  [[nodiscard]] static Result<std::optional<Seq>> find_own_earlier(Snapshot& snapshot, const State& state,
                                                                   const Record& pending, const HubVersion& version);
  [[nodiscard]] static Result<std::optional<Base>> read_base(Snapshot& snapshot, const State& state,
                                                             std::string_view collection, std::string_view id);
  [[nodiscard]] static Result<> set_base(SpaceWriter& writer, const State& state, std::string_view collection,
                                         std::string_view id, Base base);
  [[nodiscard]] Result<bool> settle_one(SpaceWriter& writer, const State& state, const Batch::Item& item,
                                        const Verdict& verdict);
  [[nodiscard]] Result<> note_refused(SpaceWriter& writer, const Batch::Item& item, const Verdict& verdict);
  [[nodiscard]] Result<> sweep(SpaceWriter& writer, const State& state);
  [[nodiscard]] Result<> count_refused();
  [[nodiscard]] bool has_refused() const { return waiting_refused_ + dead_letters_ > 0; }

  Spaces& spaces_;
  const SpaceName name_;
  const Limits limits_;
  State state_;
  /// Behind `pushed`, only versions of the hub up to here.
  Seq skipped_through_;
  std::int64_t waiting_refused_ = 0;
  std::int64_t dead_letters_ = 0;
  /// While reading from the beginning: what was delivered.
  std::unordered_set<std::string> delivered_;
  Transfer transfer_;
};

}  // namespace syncline::replica
