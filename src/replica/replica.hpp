// Keeps the spaces of one account in step with a hub: the replicators' driver. A few threads carry requests; one more
// listens on the live link (Server-Sent Events of the hub). Safe from any thread.
#pragma once

#include <atomic>
#include <map>
#include <set>
#include <thread>

#include "base/mutex.hpp"
#include "replica/space_replica.hpp"

namespace syncline::replica {

struct ReplicaSettings {
  ReplicatorSettings machine;
  Limits limits;
  std::size_t threads = 2;
};

/// How a hub is reached.
struct HubAddress {
  http::ClientFactory clients;
  const Dialect* dialect = &native_dialect();
  /// Between two polls, and two looks for new spaces.
  std::int64_t interval_ms = 300'000;
};

/// One space, for people and programs that ask how it is.
struct SpaceStatus {
  std::string space;
  SyncStatus sync;  // its times are replaced by the ones below
  Timestamp since;
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
  [[nodiscard]] Result<> connect(const HubAddress& hub, bool anew);
  /// Keeps the queue and the positions.
  void disconnect();
  [[nodiscard]] bool is_connected() const;
  /// The hub that it is connected to, or was.
  [[nodiscard]] HubAddress hub() const;
  /// True if the hub does not accept the credential for some space.
  [[nodiscard]] bool is_refused() const;

  /// From now on the space is kept in step too.
  [[nodiscard]] Result<> add_space(const std::string& space);
  /// Keeps in step what other devices have made at the hub, too. By itself that is looked for each interval.
  void find_spaces(const std::stop_token& stop);
  /// Runs a cycle of the space, of all if empty, and waits for its end: for threads that may block.
  [[nodiscard]] CycleReport sync_now(const std::string& space, std::chrono::milliseconds wait_max);

  /// The next cycle of the space reads everything anew.
  [[nodiscard]] Result<> read_from_start(const std::string& space);

  [[nodiscard]] Result<std::vector<SpaceStatus>> status();
  /// Visits the local changes of a space that the hub has not acknowledged, oldest first.
  [[nodiscard]] Result<> for_each_pending(std::string_view space, const std::function<void(const RecordView&)>& visit);
  [[nodiscard]] bool link_is_up() const { return link_is_up_; }
  [[nodiscard]] Result<std::vector<RefusedChange>> refused(const std::string& space);
  [[nodiscard]] Result<std::int64_t> revive_dead_letters(const std::string& space);

 private:
  struct Entry;

  [[nodiscard]] std::vector<std::shared_ptr<Entry>> entries() const;
  [[nodiscard]] std::shared_ptr<Entry> find(const std::string& space) const;
  /// Something is new for the threads.
  void signal() REQUIRES(mutex_);
  void touch(Entry& entry) EXCLUDES(mutex_);
  void work(const std::stop_token& stop);
  [[nodiscard]] std::shared_ptr<Entry> take_due(const std::stop_token& stop) REQUIRES(mutex_);
  /// Takes the steps of a space until there is none, or `connection` is not the one of now.
  void run_steps(Entry& entry, const HubAddress& hub, http::Client& client, std::int64_t connection,
                 const std::stop_token& stop);
  [[nodiscard]] bool is_current(std::int64_t connection) const EXCLUDES(mutex_);
  /// No step of the connection that there was begins after this.
  void end_connection() EXCLUDES(mutex_);
  void listen(const std::stop_token& stop);
  void listen_once(http::Client& client, std::int64_t connection, const std::stop_token& stop, bool& was_up);
  void find_spaces(http::Client& client, std::int64_t connection, const std::stop_token& stop);
  void set_link(bool is_up);
  [[nodiscard]] Timestamp wall_time(std::int64_t steady_ms) const;

  Spaces& spaces_;
  const AccountNumber account_;
  const ReplicaSettings settings_;

  mutable Mutex mutex_;
  StoppableCondVar changed_;
  std::int64_t signals_ GUARDED_BY(mutex_) = 0;
  std::map<std::string, std::shared_ptr<Entry>> entries_ GUARDED_BY(mutex_);
  std::set<const Entry*> taken_ GUARDED_BY(mutex_);  // a thread takes their steps
  HubAddress hub_ GUARDED_BY(mutex_);                // of now, or the last one
  /// Rises with each connect and disconnect, before any space hears of it: a step with an older one is over.
  std::int64_t connection_ GUARDED_BY(mutex_) = 0;
  bool is_connected_ GUARDED_BY(mutex_) = false;
  std::stop_source link_stop_ GUARDED_BY(mutex_);  // ends the live link, to open it anew
  std::atomic<bool> link_is_up_ = false;
  std::atomic<bool> is_stopping_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace syncline::replica
