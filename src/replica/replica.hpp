// Keeps the spaces of one account in step with a hub: the replicators' driver. A few threads carry requests
// (worker.hpp); one more listens on the live link (live_link.hpp). Safe from any thread.
#pragma once

#include <atomic>
#include <thread>

#include "replica/live_link.hpp"
#include "replica/space_set.hpp"

namespace syncline::replica {

/// One space, for people and programs that ask how it is.
struct SpaceStatus {
  std::string space;
  SyncStatus sync;                 // its times are replaced by the ones below
  std::optional<Timestamp> since;  // nothing before the first hub
  std::optional<Timestamp> next_try;
  std::optional<Timestamp> synced_at;
  Cursor cursor;
  /// How far it has read from a hub that has no such cursor: an object, as its dialect keeps it.
  std::string positions;
  std::optional<Cursor> hub_head;
  std::int64_t pending = 0;
  std::int64_t dead_letters = 0;
  Transfer transfer;

  /// Changes that the hub is known to have and this device has not.
  [[nodiscard]] std::int64_t to_pull() const;
};

/// What a cycle that somebody waited for came to.
struct CycleReport {
  Transfer moved;
  std::vector<std::string> errors;  // "<space>: <reason>"
  bool is_key_refused = false;
  bool is_local_failure = false;  // the first of the errors is this device's
  std::int64_t duration_ms = 0;
};

class Replica {
 public:
  /// `spaces` outlives the replica; `account` owns the spaces on this device.
  Replica(Spaces& spaces, AccountNumber account, ReplicaSettings settings);
  ~Replica();

  /// Loads what the store knows and begins; `spaces` are those to keep in step from the beginning.
  [[nodiscard]] Result<> start(const std::vector<std::string>& spaces);
  void stop();

  /// `anew`: the hub or the account is another one than before, or is to be treated so.
  [[nodiscard]] Result<> connect(const HubAddress& hub, bool anew) { return set_.connect(hub, anew); }
  /// Keeps the queue and the positions.
  void disconnect() { set_.disconnect(); }
  [[nodiscard]] bool is_connected() const { return set_.is_connected(); }
  /// The hub that it is connected to, or was.
  [[nodiscard]] HubAddress hub() const { return set_.hub(); }
  /// True if the hub does not accept the credential for some space.
  [[nodiscard]] bool is_refused() const;

  /// From now on the space is kept in step too.
  [[nodiscard]] Result<> add_space(const std::string& space) { return set_.add(space); }
  /// Keeps in step what other devices have made at the hub, too. By itself that is looked for each interval.
  void find_spaces(const std::stop_token& stop) { link_.find_spaces(stop); }
  /// Runs a cycle of the space, of all if empty, and waits for its end: for threads that may block.
  [[nodiscard]] CycleReport sync_now(const std::string& space, std::chrono::milliseconds wait_max);

  /// The next cycle of the space reads everything anew.
  [[nodiscard]] Result<> read_from_start(const std::string& space);

  [[nodiscard]] Result<std::vector<SpaceStatus>> status();
  /// Visits the local changes of a space that the hub has not acknowledged, oldest first.
  [[nodiscard]] Result<> for_each_pending(std::string_view space, const std::function<void(const RecordView&)>& visit);
  [[nodiscard]] bool link_is_up() const { return link_.is_up(); }
  [[nodiscard]] Result<std::vector<RefusedChange>> refused(const std::string& space);
  [[nodiscard]] Result<std::int64_t> revive_dead_letters(const std::string& space);

 private:
  [[nodiscard]] Timestamp wall_time(std::int64_t steady_ms) const;

  Spaces& spaces_;
  const std::size_t thread_count_;
  SpaceSet set_;
  LiveLink link_{set_};
  std::atomic<bool> is_stopping_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace syncline::replica
