// A face: one published API as a module. Each folder under api/ that serves one exports a FaceModule; the program has a
// list of them (app/faces.cpp), and nothing else of it knows any face by name.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "api/cookie_gate.hpp"
#include "api/route.hpp"
#include "replica/dialect.hpp"
#include "service/browser_sessions.hpp"
#include "service/device_keys.hpp"
#include "service/events.hpp"
#include "service/first_run.hpp"
#include "service/identities.hpp"
#include "service/own_keys.hpp"
#include "service/pairings.hpp"
#include "service/passkeys.hpp"
#include "service/password_queue.hpp"
#include "service/public_url.hpp"
#include "service/request_meter.hpp"
#include "service/rule_book.hpp"
#include "service/search.hpp"
#include "service/sessions.hpp"
#include "service/shares.hpp"
#include "service/spaces.hpp"
#include "webhooks/delivery_queue.hpp"
#include "webhooks/subscriptions.hpp"

namespace syncline::api {

/// What a hub gives its faces. All of it outlives them and is safe from any thread.
struct FaceParts {
  Spaces& spaces;
  Directory& directory;
  Access& access;
  Search& search;
  Sessions& sessions;
  BrowserSessions& browser_sessions;
  FirstRun& first_run;
  Pairings& pairings;
  Passkeys& passkeys;
  Identities& identities;
  DeviceKeys& device_keys;
  OwnKeys& own_keys;
  Shares& shares;
  RequestMeter& meter;
  webhooks::Subscriptions& subscriptions;
  webhooks::DeliveryQueue& deliveries;
  /// There is something new in `deliveries`.
  std::function<void()> wake_sender;
  /// Threads for work that takes longer than a network thread may wait.
  Executor& workers;
  /// Threads for what hashes a password.
  PasswordQueue& passwords;
  /// How browsers stay signed in.
  const CookieGate& cookies;
  /// Where people reach the hub.
  PublicUrl& public_url;
};

/// A face at work in one hub. Made before the first request and destroyed after the last one. Its handlers run on
/// network threads, those of heavy routes on worker threads, several at a time.
class Face {
 public:
  Face() = default;
  Face(const Face&) = delete;
  Face& operator=(const Face&) = delete;
  virtual ~Face() = default;

  /// The table of routes, bound to this face. Called by the thread that makes the hub.
  [[nodiscard]] virtual std::vector<Route> make_routes() = 0;
  /// Once, after the store is open and before the first request. An error keeps the hub from starting.
  [[nodiscard]] virtual Result<> start() { return {}; }
  /// On a worker thread, one call at a time.
  virtual void each_second() {}
  /// On the housekeeping thread. An error is logged.
  [[nodiscard]] virtual Result<> each_hour() { return {}; }
  /// Ends what waits for somebody else, so that requests under way can be answered. From any thread.
  virtual void stop() {}
};

/// What a node serves of a face. The face reads and writes the copy on the device and needs no hub.
struct DeviceFace {
  /// Routes whose pattern begins with `pattern_prefix`, served under `path`: {"/clocks", "/api"} for
  /// /api/clocks/active.
  struct Part {
    std::string_view pattern_prefix;
    std::string_view path;
  };

  std::vector<Part> parts;
  std::function<std::unique_ptr<Face>(Spaces& spaces, Access& access)> make;
};

struct FaceModule {
  /// Of its routes in metrics and in the description of the API.
  std::string_view name;
  /// The routes are served as they are, and again under each of these ("/kiro").
  std::vector<std::string_view> prefixes;
  /// What is particular about its spaces (service/rule_book.hpp).
  RuleBook::Rules space_rules;
  /// What webhooks can hear of from it.
  std::vector<EventType> events;
  /// What of its spaces people search for.
  std::optional<Search::Subject> searched;
  /// How a node syncs with a service that speaks this API alone; null if it cannot. Outlives all nodes.
  const replica::Dialect* dialect = nullptr;
  /// Nothing if a node serves none of its routes.
  std::optional<DeviceFace> on_device;
  std::function<std::unique_ptr<Face>(const FaceParts&)> make;
};

}  // namespace syncline::api
