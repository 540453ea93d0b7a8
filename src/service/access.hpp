// Accounts and keys: who may do what. They are records of the system space, so they are as durable as everything else
// and need no second mechanism. A key is stored as a hash; what is looked up is cached until accounts or keys change.
// Safe from any thread; the changing functions wait for the disk, so they are not for network threads.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <unordered_map>

#include "base/mutex.hpp"
#include "base/time.hpp"
#include "service/principal.hpp"
#include "store/store.hpp"

namespace syncline {

/// Where accounts and keys live. No principal has account 0, so no face can reach it.
[[nodiscard]] SpaceName system_space();

struct Account {
  AccountNumber number;
  std::string email;
  Plan plan = Plan::free;
  std::string plan_label;              // empty: the usual name
  std::optional<std::int64_t> ai_cap;  // AI tokens a month; nothing: what the plan has
  Timestamp created_at;
};

struct Key {
  KeyNumber number;
  std::string id;
  std::string account_email;
  std::string label;
  ScopeSet scopes;
  Timestamp created_at;
  std::optional<Timestamp> revoked_at;
  std::optional<Timestamp> expires_at;  // of a session's access token
  std::optional<Timestamp> last_used_at;
  std::string prefix;  // how the token begins, to recognise it by; empty: "sl_" and the id
  std::string parent;  // of a device's session: id of the key that it was opened with, and ends with
  std::string agent;   // the agent that it was made for; empty for most
};

struct NewKey {
  Key key;
  std::string token;  // the only time it is seen
};

class Access {
 public:
  /// Who else hears of what was done, on the thread that did it, after the commit. Null: nobody.
  struct Listeners {
    /// Accounts or keys have changed in a way that may put somebody out.
    std::function<void()> on_change;
    /// The data of the account was erased: erase what else there is of it.
    std::function<Result<>(AccountNumber)> on_erase;
  };

  Access(Store& store, const Clock& clock, Listeners listeners = {})
      : store_(store), clock_(clock), listeners_(std::move(listeners)) {}

  /// The principal of a bearer token, or unauthorized.
  [[nodiscard]] Result<std::shared_ptr<const Principal>> authenticate(std::string_view token);
  /// False once the key was revoked or has expired, or its account was removed.
  [[nodiscard]] bool is_valid(const Principal& principal);

  /// While plans are enforced, the free one does not include sync. Called by the thread that makes the hub, before
  /// anybody is served.
  void enforce_plans(bool enforce) { enforce_plans_ = enforce; }
  [[nodiscard]] bool may_sync(const Principal& principal) const {
    return !enforce_plans_ || principal.plan != Plan::free;
  }

  /// While plans are enforced, AI is part of pro and team.
  [[nodiscard]] bool may_use_ai(const Principal& principal) const {
    return !enforce_plans_ || principal.plan == Plan::pro || principal.plan == Plan::team;
  }
  /// What clients are told the plan is. The clients of one generation accept only its own names and say nothing of
  /// theirs, so the name is a setting of the account; "sync_ai" unless it has one.
  [[nodiscard]] std::string_view reported_plan(const Principal& principal) const;

  [[nodiscard]] Result<Account> add_account(std::string_view email, Plan plan);
  [[nodiscard]] Result<Account> find_account(std::string_view email);
  [[nodiscard]] Result<std::vector<Account>> accounts();
  [[nodiscard]] Result<Account> set_plan(std::string_view email, Plan plan);
  /// Nothing goes back to what the plan has.
  [[nodiscard]] Result<Account> set_ai_cap(std::string_view email, std::optional<std::int64_t> tokens);
  /// An empty label goes back to the usual name.
  [[nodiscard]] Result<Account> set_plan_label(std::string_view email, std::string_view label);
  /// Revokes its keys and erases its spaces; Listeners::on_erase runs then.
  [[nodiscard]] Result<Account> remove_account(std::string_view email);

  /// With `token`, registers that very token, for clients that demand a certain form.
  [[nodiscard]] Result<NewKey> add_key(std::string_view email, std::string_view label, ScopeSet scopes,
                                       std::optional<std::string_view> token);
  /// All keys, or those of one account.
  [[nodiscard]] Result<std::vector<Key>> keys(std::optional<std::string_view> email);
  /// Also ends the sessions that were opened with it.
  [[nodiscard]] Result<Key> revoke_key(std::string_view id);
  /// Label of a key, "hub" for the hub itself, empty for a key that is gone. For people to read.
  [[nodiscard]] std::string label_of(KeyNumber key);
  [[nodiscard]] std::string label_of_key_id(std::string_view id);

  /// What a change of accounts and keys means for those who are let in already.
  enum class Effect { admits, revokes };
  /// Runs in a transaction of the system space. After one that puts out, nothing cached is believed any more and the
  /// listener is called. For Sessions.
  [[nodiscard]] Result<> change(Effect effect, WriteFunction run);

  /// Writes down when keys were last used. Called by housekeeping and at the end.
  [[nodiscard]] Result<> store_usage();

 private:
  [[nodiscard]] Result<std::shared_ptr<const Principal>> look_up(std::string_view token);
  [[nodiscard]] Result<Account> change_account(std::string_view email, const std::function<void(Account&)>& alter);
  void forget_cached();

  Store& store_;
  const Clock& clock_;
  const Listeners listeners_;
  bool enforce_plans_ = false;

  struct Cached {
    std::shared_ptr<const Principal> principal;
    std::atomic<std::int64_t> last_used_micros = 0;
  };
  /// Sessions of devices live on while they are used: those of `usage`, in a transaction of the system space. Returns
  /// the ids of the keys that changed.
  [[nodiscard]] Result<std::vector<std::string>> prolong(Txn& txn,
                                                         const std::unordered_map<std::string, std::int64_t>& usage);

  SharedMutex mutex_;
  std::unordered_map<std::string, std::unique_ptr<Cached>> cache_ GUARDED_BY(mutex_);  // by SHA-256 of the token
  std::unordered_map<std::string, std::int64_t> unsaved_usage_ GUARDED_BY(mutex_);     // key id -> micros
  std::uint64_t generation_ GUARDED_BY(mutex_) = 0;
};

}  // namespace syncline
