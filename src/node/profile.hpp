// One profile of a node: a directory with settings.yaml, jobs.yaml and a store, the services on it, and the replica
// that keeps it in step with a hub. Safe from any thread. A thread of its own looks at the settings each 2 s.
//
//   settings.yaml   what its owner set, with the hub's URL and key
//   jobs.yaml       jobs that run by the clock, if there are any
//   syncline.db     the store; search.db beside it
//   hub.json        which hub and account the store is in step with
//   local.key       the key of this device's own programs in its own store
#pragma once

#include "node/connection.hpp"
#include "node/model_settings.hpp"
#include "node/shared_settings.hpp"
#include "replica/replica.hpp"
#include "service/access.hpp"
#include "service/search.hpp"
#include "service/trusted_clock.hpp"
#include "store/sqlite/sqlite_store.hpp"

namespace syncline::node {

/// The owner of all that is on this device: the first account of its store.
inline constexpr AccountNumber kLocalAccount{1};

/// What a profile needs of its process. Shared by all profiles and their threads; what is referred to outlives them.
struct ProfileParts {
  const Clock& clock;
  Scheduler& scheduler;
  HubReacher reach_hub;
  /// What hubs may speak beside /v1, in the order in which they are tried.
  std::vector<const replica::Dialect*> dialects;
  const RuleBook& rules;
  /// Kept in step from the beginning, before anybody has written to them.
  std::vector<std::string> first_spaces;
  /// What Search searches.
  Search::Subject searched;
  /// See SqliteStore::Options::on_broken.
  std::function<void(const Error&)> on_broken_store;
};

class Profile {
 public:
  [[nodiscard]] static Result<std::shared_ptr<Profile>> open(const std::string& name, const std::string& directory,
                                                             const ProfileParts& parts);
  ~Profile();

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] Spaces& spaces() { return spaces_; }
  [[nodiscard]] Search& search() { return search_; }
  [[nodiscard]] SqliteStore& store() { return *store_; }
  [[nodiscard]] Access& access() { return access_; }
  /// What the programs of this device are to the store.
  [[nodiscard]] const std::shared_ptr<const Principal>& principal() const { return principal_; }
  [[nodiscard]] replica::Replica& replica() { return replica_; }
  [[nodiscard]] SharedSettings& settings() { return settings_; }
  [[nodiscard]] Connection& connection() { return connection_; }
  [[nodiscard]] ModelSettings& models() { return models_; }
  [[nodiscard]] ClockStatus clock_status() const { return clock_->status(); }
  [[nodiscard]] Result<> accept_clock() { return clock_->accept(*store_); }

  /// Ends what waits for the hub, so that stop() need not.
  void interrupt();
  /// Stops what runs; the store stays open until the last answer is out.
  void stop();

 private:
  Profile(std::string name, std::string directory, const ProfileParts& parts, std::unique_ptr<TrustedClock> clock,
          std::unique_ptr<SqliteStore> store);

  [[nodiscard]] Result<> start();
  [[nodiscard]] Result<> find_principal();
  void watch_settings(const std::stop_token& stop);
  /// Keeps the time that is believed, for the next start.
  void keep_clock();
  /// Removes history that has outlived its keeping time, unless the clock is in doubt. Deletions stay: another hub
  /// would never hear of them.
  void purge();

  const std::string name_;
  const std::string directory_;
  const ProfileParts parts_;
  const std::unique_ptr<TrustedClock> clock_;  // of the store
  std::unique_ptr<SqliteStore> store_;
  Live live_;
  Access access_;
  std::shared_ptr<const Principal> principal_;
  PullProgress progress_;
  Spaces spaces_;
  SearchIndex search_index_;
  Search search_;
  replica::Replica replica_;
  SharedSettings settings_;
  Connection connection_;
  ModelSettings models_;
  std::jthread watcher_;
};

}  // namespace syncline::node
