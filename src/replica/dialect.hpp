// What hubs speak. A dialect says how a hub of its kind is recognised, what such a hub can keep, and how a space is
// exchanged with it. The native one is /v1; a node is given the others, one for each published API that a service may
// speak alone. A dialect never changes and outlives all nodes: safe from any thread.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/json_object.hpp"
#include "base/time.hpp"
#include "http/client.hpp"

namespace syncline::replica {

class Dialect;
class Exchange;
class LocalSpace;
struct Limits;

/// AI models that a hub hosts, by the names that settings have for them.
struct HostedModels {
  std::string advisor;
  std::string cron;
};

/// What a hub says of the account behind a key.
struct HubAccount {
  const Dialect* dialect = nullptr;
  /// Who it is. Positions in a store belong to this account of this hub.
  std::string name;
  /// A session that stands for the key, where the hub gives one, and when to ask for the next.
  std::string session;
  std::optional<Timestamp> renew_at;
  std::string plan;
  bool may_sync = false;  // the plan includes it
  /// Of the scopes that a device needs, those that the key lacks, like "write"; empty if the hub does not say.
  std::string missing_scopes;
  std::string email;
  std::int64_t entry_count = 0;
  std::string last_change_at = "null";   // as JSON
  std::string active_timer_id = "null";  // as JSON
  std::optional<HostedModels> models;
  /// Whether the hub has AI for the account; nothing if it does not say.
  std::optional<bool> has_ai;
  /// Deletes at the hub what the account has there; nothing if the hub has no call for it.
  std::optional<http::ClientRequest> wipe;
};

/// A hub that somebody asks who the key belongs to. For one thread; blocks.
struct Inquiry {
  http::Client& client;
  const std::string& key;
  const Clock& clock;
  std::stop_token stop;

  [[nodiscard]] Result<http::ClientResponse> ask(http::Method method, std::string_view target,
                                                 std::size_t answer_bytes_max = limits::kAnswerBytesDefault) const;
  /// The object at `target`; nothing if the hub has no such path. Otherwise as Dialect::recognise() fails: a hub in
  /// trouble is asked again, so it is not one that does not know the path.
  [[nodiscard]] Result<std::optional<JsonObject>> find_object(std::string_view target) const;
};

class Dialect {
 public:
  Dialect() = default;
  Dialect(const Dialect&) = delete;
  Dialect& operator=(const Dialect&) = delete;
  virtual ~Dialect() = default;

  /// As it is stored in hub.json and shown: "native".
  [[nodiscard]] virtual std::string_view name() const = 0;
  /// In a list of the APIs that a hub may have: "/v1", "Acme's".
  [[nodiscard]] virtual std::string_view title() const = 0;

  /// True if such a hub can keep the space.
  [[nodiscard]] virtual bool carries_space(std::string_view space) const = 0;
  /// What such a hub cannot do, each in a sentence for people. docs/api/node.md explains them.
  [[nodiscard]] virtual std::span<const std::string_view> limits() const { return {}; }
  /// The hub decides between versions. If not, it must be pulled from before it is offered anything, and it may lose
  /// what it acknowledged without being able to say so.
  [[nodiscard]] virtual bool hub_merges() const { return false; }
  /// The hub lists its spaces and tells of changes at once, by GET /v1/spaces and /v1/events.
  [[nodiscard]] virtual bool has_live_link() const { return false; }
  /// `local` outlives the exchange.
  [[nodiscard]] virtual std::unique_ptr<Exchange> make_exchange(LocalSpace& local, const Limits& limits) const = 0;

  /// Who the key belongs to; nothing if the hub does not speak this. `unauthorized` for a key that does not count,
  /// `forbidden` for one that may not ask, `unavailable` for a hub in trouble, which is to be asked again.
  [[nodiscard]] virtual Result<std::optional<HubAccount>> recognise(const Inquiry& inquiry) const = 0;
  /// Every hub of /v1 has this API too: a hub that is recognised by it may speak /v1, and any other hub does not.
  [[nodiscard]] virtual bool is_spoken_by_native_hubs() const { return false; }
  /// Adds to `account`, which recognise() returned, what is to be known only of a hub that speaks nothing better.
  [[nodiscard]] virtual Result<> complete(const Inquiry&, HubAccount&) const { return {}; }
  /// To ask who a key belongs to changes something at the hub: it is done only to connect.
  [[nodiscard]] virtual bool asking_leaves_traces() const { return false; }
};

/// /v1: every space, at once.
[[nodiscard]] const Dialect& native_dialect();

/// True if accounts of the plan, as hubs name it, may sync.
[[nodiscard]] bool plan_includes_sync(std::string_view plan);

}  // namespace syncline::replica
