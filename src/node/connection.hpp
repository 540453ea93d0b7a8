// The connection of a profile with a hub: makes it as settings.yaml says, keeps it, and ends it.
//
// state        what holds                                                left by
// off          sync is off, there is no hub, or one is about to be       follow_settings, connect
//              connected to
// on           the replica is in step by these settings                  follow_settings (other settings, or a session
//                                                                        that is old or refused), connect, disconnect
// obstructed   the settings name a hub that cannot be used, and why not  follow_settings (each call tries again),
//                                                                        connect, disconnect
//
// Safe from any thread. What changes the state speaks to the hub, and so blocks; one such call at a time works, under
// `change_mutex_`. What only reads the state never waits for a hub: `mutex_` is held for a moment. change_mutex_ is
// taken first.
#pragma once

#include <variant>

#include "base/mutex.hpp"
#include "node/hub_probe.hpp"
#include "node/hub_session.hpp"
#include "node/model_settings.hpp"
#include "node/shared_settings.hpp"
#include "replica/replica.hpp"

namespace syncline::node {

struct Connected {
  const replica::Dialect* dialect = nullptr;
  std::string plan;
  ModelsSet models_set;
};
struct Disconnected {
  bool wiped = false;
  std::optional<std::string> pull_error;
  std::optional<std::string> wipe_error;
};

class Connection {
 public:
  /// What a connection works with. All that is referred to outlives it.
  struct Parts {
    std::string profile;   // for the log
    std::string hub_path;  // which hub and account the store is in step with
    HubReacher reach_hub;
    const Clock& clock;
    std::vector<const replica::Dialect*> dialects;
    SharedSettings& settings;
    replica::Replica& replica;
  };
  explicit Connection(Parts parts);

  /// unauthorized if the hub refuses the key or there is no hub at the URL, forbidden if the plan does not include
  /// sync or the key may not read and write. A hub that is in trouble or cannot be reached is unavailable: that says
  /// nothing of the key. Without a CA file, the one that the settings name for the same hub counts.
  [[nodiscard]] Result<Connected> connect(HubAddress hub);
  /// The cloud is wiped only after a pull that went well, and after sync has ended. Fails if the settings cannot say
  /// so.
  [[nodiscard]] Result<Disconnected> disconnect(bool wipe);
  /// Connects as the settings say, if that is another hub or key than now. Leaves it alone while another thread
  /// connects or disconnects: that one knows better.
  void follow_settings();
  /// Connects as the settings say, without waiting for the next look at them.
  void connect_if_enabled();
  [[nodiscard]] replica::CycleReport sync_now(const std::string& space = "");

  /// True if sync is on and there is a hub to reach.
  [[nodiscard]] bool is_enabled() { return parts_.settings.values().is_on(); }
  /// Why the profile is not connected although it should be: unauthorized, or whatever keeps it from the hub.
  [[nodiscard]] std::optional<Error> obstacle();

  /// A request to the hub with the profile's key.
  [[nodiscard]] Result<http::ClientResponse> ask_hub(const http::ClientRequest& request);
  /// As it is now, or as it was at the connect if asking would leave traces.
  [[nodiscard]] Result<replica::HubAccount> hub_account();

  /// Ends what waits for the hub, for good.
  void interrupt() { stop_.request_stop(); }

 private:
  struct Off {};
  struct On {
    ProfileSettings settings;
  };
  struct Obstructed {
    Error why;
  };
  using State = std::variant<Off, On, Obstructed>;

  void set_state(State state) EXCLUDES(mutex_);
  /// Those of the state `on`.
  [[nodiscard]] std::optional<ProfileSettings> applied() EXCLUDES(mutex_);
  void apply_settings() REQUIRES(change_mutex_);
  /// Connects to the hub of these settings, whatever was before.
  [[nodiscard]] Result<> connect_as(const ProfileSettings& settings) REQUIRES(change_mutex_);
  [[nodiscard]] Result<> connect_replica(const ProfileSettings& settings, const replica::HubAccount& account, bool anew)
      REQUIRES(change_mutex_);
  void wipe_hub(const ProfileSettings& settings, Disconnected& outcome);
  [[nodiscard]] Result<http::ClientResponse> ask(const ProfileSettings& settings, const http::ClientRequest& request);

  const Parts parts_;
  const HubProbe probe_;
  HubSession session_;
  Mutex change_mutex_;  // one connect or disconnect at a time
  Mutex mutex_;
  State state_ GUARDED_BY(mutex_);
  std::stop_source stop_;
};

}  // namespace syncline::node
