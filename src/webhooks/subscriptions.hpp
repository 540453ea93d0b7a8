// Webhooks as their owners set them up: a URL and the events that are posted to it. They are rows of the directory, all
// of which are in memory too. Safe from any thread; the changing functions wait for the disk, so they are not for
// network threads.
#pragma once

#include <atomic>
#include <map>

#include "base/mutex.hpp"
#include "base/time.hpp"
#include "service/access.hpp"
#include "service/events.hpp"
#include "webhooks/address_guard.hpp"

namespace syncline::webhooks {

struct Webhook {
  std::string id;  // "wh_..."
  AccountNumber account;
  std::string url;
  EventTypes events;
  std::string secret;
  /// The secret before the last rotation, which signs too until then.
  std::string previous_secret;
  Timestamp previous_until;
  bool enabled = true;
  std::string disabled_because;  // empty unless the hub did it
  Timestamp created_at;

  /// What signs a message now.
  [[nodiscard]] std::vector<std::string> secrets(Timestamp now) const;
};

/// What to change; what is absent stays.
struct WebhookChange {
  std::optional<std::string> url;
  std::optional<EventTypes> events;
  std::optional<bool> enabled;
};

class Subscriptions final : public EventAudience {
 public:
  /// `known`: all types of events that there are here.
  Subscriptions(Store& store, EventTypes known) : directory_(store.directory()), known_(std::move(known)) {}

  /// URLs that name an address which `guard` does not allow are refused from now on. Called by the thread that makes
  /// the hub; until then every address may be named, for what is stored is not asked again.
  void guard_addresses(AddressGuard guard) { guard_ = std::move(guard); }

  [[nodiscard]] Result<> load();
  /// `wake` is called when events have been committed or a webhook has changed, on the thread that did it. Called by
  /// the thread that makes the hub, before anything is written.
  void on_wake(std::function<void()> wake) { wake_ = std::move(wake); }

  /// The types of these names. invalid_argument names the first that is none.
  [[nodiscard]] Result<EventTypes> parse_events(const std::vector<std::string>& names) const;

  // EventAudience
  [[nodiscard]] EventTypes wanted(AccountNumber account) const override;
  void on_events() override { wake_(); }

  /// `secret`: one is made if it is empty. With `once`, 8 bytes or more that name the request, a second request of the
  /// account gets the webhook that the first one has made, and key_reused if it wants another URL or other events.
  [[nodiscard]] Result<Webhook> add(AccountNumber account, std::string_view url, const EventTypes& events,
                                    std::string_view secret, std::string_view once = {});
  /// Those of an account, or of all, oldest first.
  [[nodiscard]] std::vector<Webhook> list(std::optional<AccountNumber> account) const;
  /// not_found also for another account's; `damaged` for one that is stored but cannot be believed.
  [[nodiscard]] Result<Webhook> find(std::optional<AccountNumber> account, std::string_view id) const;
  [[nodiscard]] Result<Webhook> change(std::optional<AccountNumber> account, std::string_view id,
                                       const WebhookChange& change);
  /// A new secret; the old one signs for limits::kSecretOverlapHours more, so that receivers can be changed over.
  [[nodiscard]] Result<Webhook> rotate(std::optional<AccountNumber> account, std::string_view id);
  /// With its deliveries, in one transaction. Without an account also one that cannot be believed.
  [[nodiscard]] Result<> remove(std::optional<AccountNumber> account, std::string_view id);
  /// Removes all of an account, with their deliveries, in one transaction.
  [[nodiscard]] Result<> forget(AccountNumber account);
  /// The hub gives a receiver up.
  [[nodiscard]] Result<> disable(std::string_view id, std::string_view because);

 private:
  /// What becomes of a webhook, at the time of the write. Runs in the write, so maybe more than once, each time on a
  /// copy of what is stored.
  using Alter = std::function<void(Webhook& webhook, Timestamp now)>;
  [[nodiscard]] Result<Webhook> alter(std::optional<AccountNumber> account, std::string_view id, const Alter& alter);
  [[nodiscard]] Result<> remove_all(const std::vector<std::string>& ids) REQUIRES(changing_);
  [[nodiscard]] std::optional<Webhook> find_known(std::optional<AccountNumber> account, std::string_view id) const;
  void remember(const Webhook& webhook) EXCLUDES(mutex_);
  void index() REQUIRES(mutex_);

  [[nodiscard]] Result<> check_reachable(std::string_view url) const;

  Directory& directory_;
  const EventTypes known_;
  std::optional<AddressGuard> guard_;
  std::function<void()> wake_ = [] {};
  Mutex changing_;  // held from looking a webhook up until its change is stored
  mutable SharedMutex mutex_;
  std::map<std::string, Webhook, std::less<>> webhooks_ GUARDED_BY(mutex_);  // by id
  std::unordered_map<AccountNumber, EventTypes> wanted_ GUARDED_BY(mutex_);
  std::atomic<bool> any_ = false;
};

/// invalid_argument unless it is http or https with a host, without a user.
[[nodiscard]] Result<> check_url(std::string_view url);
/// `conflict`, with the reason, if nothing is sent to it.
[[nodiscard]] Result<> check_enabled(const Webhook& webhook);

}  // namespace syncline::webhooks
