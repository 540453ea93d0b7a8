// The spaces that a replica keeps in step, the connection that they are kept in step by, and which of them a thread is
// at work on. Safe from any thread.
//
// A space has a mutex of its own, held while its state changes but not while a request is on its way. It is taken
// before the set's. Each connect and disconnect begins another connection: a thread that works for an earlier one
// leaves its space alone.
#pragma once

#include <atomic>
#include <map>
#include <set>

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

/// The hub of one connection.
struct HubConnection {
  HubAddress hub;
  std::int64_t number = -1;
};

[[nodiscard]] std::int64_t steady_ms();

class SpaceSet;

/// One space and who drives it at the moment.
struct KeptSpace final : Watcher {
  KeptSpace(SpaceSet& of, Spaces& spaces, const SpaceName& its_name, const ReplicaSettings& settings)
      : owner(of), name(its_name), replica(spaces, its_name, settings.machine, settings.limits) {}

  /// On the thread of the store: only notes it.
  void on_change(const SpaceName&, Seq head) override;
  [[nodiscard]] Result<> connect(const HubAddress& hub, bool anew) REQUIRES(mutex);

  SpaceSet& owner;
  const SpaceName name;
  std::atomic<std::int64_t> local_head = 0;
  std::atomic<bool> is_due = true;
  std::atomic<std::int64_t> wake_ms = 0;

  Mutex mutex;  // taken before that of the set
  SpaceReplica replica GUARDED_BY(mutex);
};
using KeptSpacePtr = std::shared_ptr<KeptSpace>;

class SpaceSet {
 public:
  /// `spaces` outlives the set; `account` owns the spaces on this device.
  SpaceSet(Spaces& spaces, AccountNumber account, ReplicaSettings settings)
      : spaces_(spaces), account_(account), settings_(settings) {}

  /// From now on the space is kept in step too.
  [[nodiscard]] Result<> add(const std::string& space);
  [[nodiscard]] std::vector<KeptSpacePtr> all() const;
  [[nodiscard]] std::size_t count() const;
  /// Null if it is not kept in step.
  [[nodiscard]] KeptSpacePtr find(const std::string& space) const;
  /// Wakes all that wait here, and ends the live link: the owner is about to end its threads.
  void wake_all();
  /// Forgets all spaces: no thread works on them any more.
  void clear();

  /// `anew`: the hub or the account is another one than before, or is to be treated so.
  [[nodiscard]] Result<> connect(const HubAddress& hub, bool anew);
  void disconnect();
  [[nodiscard]] bool is_connected() const;
  /// The hub that it is connected to, or was.
  [[nodiscard]] HubAddress hub() const;
  /// The connection of now; nothing if there is none.
  [[nodiscard]] std::optional<HubConnection> connection() const;
  [[nodiscard]] bool is_current(std::int64_t connection) const;

  /// The space has something to do, or may have.
  void touch(KeptSpace& space);
  /// Waits for a space that has something to do and that no thread is at work on: it is the caller's until release().
  /// `connection` becomes that of now. Null once a stop is requested.
  [[nodiscard]] KeptSpacePtr take_due(HubConnection& connection, const std::stop_token& stop);
  void release(const KeptSpace& space);
  /// Waits for a sign that something has changed, or for the deadline.
  void wait_for_sign(Deadline deadline);

  /// Waits until there is a connection to a hub that has a live link; `connection` becomes it. False once a stop is
  /// requested.
  [[nodiscard]] bool wait_for_link_hub(HubConnection& connection, const std::stop_token& stop);
  /// The names of the spaces to hear of; nothing if the connection is over. `ends_link` is asked to stop as soon as
  /// another connection begins or a space is added.
  [[nodiscard]] std::optional<std::vector<std::string>> open_link(std::int64_t connection,
                                                                  const std::stop_source& ends_link);
  /// What ends the link that was opened last, and has ended it if that was its end.
  [[nodiscard]] std::stop_token take_link_end();

 private:
  /// Something is new for the threads.
  void signal() REQUIRES(mutex_);
  /// No step of the connection that there was begins after this.
  void end_connection() EXCLUDES(mutex_);
  /// A space that is due and that no thread is at work on; if there is none, when the next one will be.
  [[nodiscard]] KeptSpacePtr find_due(std::int64_t& wake_ms) REQUIRES(mutex_);

  Spaces& spaces_;
  const AccountNumber account_;
  const ReplicaSettings settings_;

  mutable Mutex mutex_;
  StoppableCondVar changed_;
  std::int64_t signals_ GUARDED_BY(mutex_) = 0;
  std::map<std::string, KeptSpacePtr> kept_ GUARDED_BY(mutex_);
  std::set<const KeptSpace*> taken_ GUARDED_BY(mutex_);  // a thread takes their steps
  HubAddress hub_ GUARDED_BY(mutex_);                    // of now, or the last one
  /// Rises with each connect and disconnect, before any space hears of it: a step with an older one is over.
  std::int64_t connection_ GUARDED_BY(mutex_) = 0;
  bool is_connected_ GUARDED_BY(mutex_) = false;
  std::stop_source link_stop_ GUARDED_BY(mutex_);  // ends the live link, to open it anew
};

}  // namespace syncline::replica
