// One profile of a node: a directory with settings.yaml, jobs.yaml and a store, the services on it, and the replica
// that keeps it in step with a hub. Safe from any thread; what speaks to the hub blocks.
//
//   settings.yaml   what Kaisho's settings say, with the hub's URL and key
//   jobs.yaml       Kaisho's cron jobs, if there are any
//   syncline.db     the store; search.db beside it
//   hub.json        which hub and account the store is in step with
//   local.key       the key of this device's own programs in its own store
#pragma once

#include "base/mutex.hpp"
#include "node/settings_file.hpp"
#include "replica/replica.hpp"
#include "service/access.hpp"
#include "service/search.hpp"
#include "store/sqlite/sqlite_store.hpp"

namespace syncline::node {

/// The owner of all that is on this device: the first account of its store.
inline constexpr AccountNumber kLocalAccount{1};

/// Makes clients for a hub's URL and key; invalid_argument for a URL that is none.
using HubReacher = std::function<Result<http::ClientFactory>(const std::string& url, const std::string& key)>;

/// What a profile needs of its process. Shared by all profiles and their threads; what is referred to outlives them.
struct ProfileParts {
  const Clock& clock;
  Scheduler& scheduler;
  HubReacher reach_hub;
  const RuleBook& rules;
  /// What Search searches.
  Search::Subject searched;
  std::function<void(const Error&)> on_broken_store;
};

/// What the hub says of the account behind the key.
struct HubAccount {
  replica::Dialect dialect = replica::Dialect::native;
  /// Who it is, if there is no address of mail.
  std::string name;
  /// A session that stands for the key, where the hub gives one, and when to ask for the next.
  std::string session;
  std::optional<Timestamp> renew_at;
  std::string plan;
  bool may_sync = false;  // the plan includes it
  std::string email;
  std::int64_t entry_count = 0;
  std::string last_change_at;   // as JSON
  std::string active_timer_id;  // as JSON
};

struct Connected {
  replica::Dialect dialect = replica::Dialect::native;
  std::string plan;
  std::vector<std::pair<std::string, std::string>> models_set;  // name and value
};
struct Disconnected {
  bool wiped = false;
  std::optional<std::string> pull_error;
  std::optional<std::string> wipe_error;
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
  [[nodiscard]] ProfileSettings settings();
  /// What is wrong with settings.yaml; empty if nothing is.
  [[nodiscard]] std::string settings_error();
  /// True if sync is on and there is a hub to reach.
  [[nodiscard]] bool is_enabled();
  /// Why the profile is not connected although it should be: unauthorized, or whatever keeps it from the hub.
  [[nodiscard]] std::optional<Error> obstacle();

  /// unauthorized if hub or key are not right, forbidden if the plan does not include sync.
  [[nodiscard]] Result<Connected> connect(const std::string& url, const std::string& key);
  /// The cloud is wiped only after a pull that went well, and after sync has ended. Fails if the settings cannot say
  /// so.
  [[nodiscard]] Result<Disconnected> disconnect(bool wipe);
  /// Connects as the settings say, without waiting for the next look at them.
  void connect_if_enabled();
  [[nodiscard]] replica::CycleReport sync_now(const std::string& space = "");
  struct ModelsSwitched {
    bool advisor_changed = false;
    std::int64_t jobs_changed = 0;
  };
  [[nodiscard]] Result<ModelsSwitched> use_kaisho_models();

  /// A request to the hub with the profile's key.
  [[nodiscard]] Result<http::ClientResponse> ask_hub(const http::ClientRequest& request);
  /// As it is now, or as it was at the connect if asking would leave traces.
  [[nodiscard]] Result<HubAccount> hub_account();

  /// Ends what waits for the hub, so that stop() need not.
  void interrupt();
  /// Stops what runs; the store stays open until the last answer is out.
  void stop();

 private:
  Profile(std::string name, std::string directory, const ProfileParts& parts, std::unique_ptr<SqliteStore> store);

  [[nodiscard]] Result<> start();
  [[nodiscard]] Result<> find_principal();
  void watch_settings(const std::stop_token& stop);
  /// Removes history that has outlived its keeping time. Deletions stay: another hub would never hear of them.
  void purge();
  /// Connects as the settings say, if that is another hub or key than now.
  void apply_settings() REQUIRES(change_mutex_);
  [[nodiscard]] Result<http::ClientResponse> ask(const ProfileSettings& settings, const http::ClientRequest& request);
  /// Who the key belongs to, and what the hub speaks.
  [[nodiscard]] Result<HubAccount> ask_account(const std::string& url, const std::string& key);
  /// True if the session that stands for the key has grown old, or the hub does not know it any more.
  [[nodiscard]] bool needs_session();
  [[nodiscard]] Result<> connect_replica(const ProfileSettings& settings, const HubAccount& account, bool anew)
      REQUIRES(change_mutex_);
  [[nodiscard]] std::string hub_path() const { return directory_ + "/hub.json"; }

  const std::string name_;
  const std::string directory_;
  const ProfileParts parts_;
  std::unique_ptr<SqliteStore> store_;
  Live live_;
  Access access_;
  std::shared_ptr<const Principal> principal_;
  PullProgress progress_;
  Spaces spaces_;
  SearchIndex search_index_;
  Search search_;
  replica::Replica replica_;

  Mutex mutex_;
  SettingsFile file_ GUARDED_BY(mutex_);
  /// Of the settings that the replica was connected with.
  std::optional<ProfileSettings> applied_ GUARDED_BY(mutex_);
  HubAccount account_ GUARDED_BY(mutex_);  // as it was then
  std::chrono::steady_clock::time_point session_since_ GUARDED_BY(mutex_);
  static constexpr std::chrono::seconds kSessionWaitMin{5};
  std::chrono::seconds session_wait_ GUARDED_BY(mutex_) = kSessionWaitMin;
  std::optional<Error> obstacle_ GUARDED_BY(mutex_);
  Mutex change_mutex_;  // one connect or disconnect at a time
  std::stop_source stop_;
  std::jthread watcher_;
};

}  // namespace syncline::node
