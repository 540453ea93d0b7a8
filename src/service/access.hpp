// Accounts and keys: who may do what. They are rows of the store's directory. A key is stored as a hash; what is looked
// up is cached until the account or one of its keys changes. Safe from any thread; the changing functions wait for the
// disk, so they are not for network threads.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <unordered_map>
#include <unordered_set>

#include "base/mutex.hpp"
#include "base/time.hpp"
#include "service/audit_trail.hpp"
#include "service/principal.hpp"
#include "store/store.hpp"

namespace syncline {

/// What the hub itself keeps as records. No principal has account 0, so no face can reach it.
[[nodiscard]] SpaceName system_space();

struct Account {
  AccountNumber number;
  std::string email;
  Plan plan = Plan::free;
  Role role = Role::member;
  std::string plan_label;              // empty: the usual name
  std::optional<std::int64_t> ai_cap;  // AI tokens a month; nothing: what the plan has
  Timestamp created_at;
};

struct Key {
  KeyNumber number;
  std::string id;
  AccountNumber account;
  std::string account_email;
  std::string label;
  ScopeSet scopes;
  SpaceLimit spaces;
  Timestamp created_at;
  std::optional<Timestamp> revoked_at;
  std::optional<Timestamp> expires_at;  // of a session's access token
  std::optional<Timestamp> last_used_at;
  std::string prefix;           // how the token begins, to recognise it by; empty: "sl_" and the id
  std::string parent;           // of a device's session: id of the key that it was opened with, and ends with
  std::string agent;            // the agent that it was made for; empty for most
  bool is_person = false;       // a session that somebody opened with a password
  bool is_cookie = false;       // a session that a browser keeps in a cookie
  bool has_own_scopes = false;  // a person's session that may do no more than these: a paired device's
  std::string client;           // of a session: what its program called itself (User-Agent), as it said
  std::string address;          // of a session: where it was opened from
  // Who made the key: id and label of the key or session that asked for it; empty for the operator.
  std::string maker;
  std::string maker_label;
  std::string last_address;  // where it was used last; empty if that is not known
};

/// Who asks, as far as a session is recognised by it.
struct Caller {
  Caller(std::string address_of,
         std::string client_of = {})  // NOLINT(google-explicit-constructor): tests name no client
      : address(std::move(address_of)), client(std::move(client_of)) {}
  Caller(const char* address_of) : address(address_of) {}  // NOLINT(google-explicit-constructor)

  std::string address;  // of the client, "-" if unknown
  std::string client;   // its User-Agent, as it said
};

struct NewKey {
  Key key;
  std::string token;         // the only time it is seen
  bool is_repeated = false;  // an earlier request has made it
};

/// A request that may come again: it makes one key, and shows the same token each time. The token is not stored for
/// that. It follows from the credential of the one who asks, which the hub does not have, and a number that it stores.
struct RepeatableRequest {
  std::string name;         // 32 bytes that stand for its Idempotency-Key, its route and the asking key
  std::string fingerprint;  // 32 bytes: its content
  std::string credential;   // the token with which it came
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
      : store_(store),
        directory_(store.directory()),
        clock_(clock),
        listeners_(std::move(listeners)),
        audit_(directory_, clock) {}

  // Whatever asks who somebody is: `unauthorized` means that the store says so. An error of the store is another one.

  /// How a token came.
  enum class Via { bearer, cookie };
  /// The principal of a token, or unauthorized. A token that was made for a cookie is good as a cookie alone, every
  /// other one as a bearer token alone.
  /// `address`: where the request comes from; empty if nobody knows.
  [[nodiscard]] Result<std::shared_ptr<const Principal>> authenticate(std::string_view token, Via via = Via::bearer,
                                                                      std::string_view address = {});

  /// What a request does with a space.
  enum class Use : std::uint8_t { read, write };
  /// The space that the principal means by that name, which its key is for: the only way from a name to a space.
  /// invalid_argument for what is no name, space_not_allowed for a key that is limited to other spaces, forbidden for a
  /// space of another account that is not shared with the principal's, or not for that use.
  [[nodiscard]] Result<SpaceName> reach(const Principal& principal, std::string_view name, Use use);
  /// Plan::free for an account that is gone.
  [[nodiscard]] Result<Plan> plan_of(AccountNumber number);
  /// What somebody was let in with: one of the scopes, to use these spaces so.
  struct Hold {
    ScopeSet any_of;  // empty: none is needed
    std::span<const SpaceName> spaces;
    Use use = Use::read;
  };
  /// Whether the key, as it is now, would still be let in like that. unauthorized once it was revoked or has expired,
  /// or its account was removed; forbidden if it has none of the scopes any more; and the errors of reach().
  [[nodiscard]] Result<> check_still(const Principal& principal, const Hold& hold);

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
  /// Whether the hub has an upstream for AI. Called as enforce_plans() is.
  void offer_ai(bool offers) { offers_ai_ = offers; }
  [[nodiscard]] bool offers_ai(const Principal& principal) const { return offers_ai_ && may_use_ai(principal); }
  /// The name of the plan: the account's label if it has one, else the plan's own; "free" for who may not sync.
  [[nodiscard]] std::string_view shown_plan(const Principal& principal) const;
  /// The same for desktops, of which those of the first generation sync only with the names "sync" and "sync_ai", set
  /// up AI models at "sync_ai", and do not say who they are: one of these two unless the account has a label.
  [[nodiscard]] std::string_view plan_for_desktops(const Principal& principal) const;

  /// The first account of the hub is an admin, all others are members.
  [[nodiscard]] Result<Account> add_account(std::string_view email, Plan plan);
  [[nodiscard]] Result<std::optional<Account>> find_account(std::string_view email);
  [[nodiscard]] Result<Account> get_account(std::string_view email);
  [[nodiscard]] Result<std::vector<Account>> accounts();
  [[nodiscard]] Result<Account> set_plan(std::string_view email, Plan plan);
  /// Ends the account's sessions in browsers, which begin again with the new rights. `conflict` if nobody would be an
  /// admin afterwards.
  [[nodiscard]] Result<Account> set_role(std::string_view email, Role role);
  /// Nothing goes back to what the plan has.
  [[nodiscard]] Result<Account> set_ai_cap(std::string_view email, std::optional<std::int64_t> tokens);
  /// An empty label goes back to the usual name.
  [[nodiscard]] Result<Account> set_plan_label(std::string_view email, std::string_view label);
  /// Revokes its keys and erases its spaces; Listeners::on_erase runs then.
  [[nodiscard]] Result<Account> remove_account(std::string_view email);

  /// Who makes a key, unless it is the operator, and when the key ends.
  struct KeyTerms {
    const Principal* maker = nullptr;
    std::optional<Timestamp> expires_at = std::nullopt;
    /// Null: each call makes a key.
    const RepeatableRequest* request = nullptr;
    SpaceLimit spaces;
  };
  /// `forbidden` or space_not_allowed if the maker's key has fewer rights than the key shall have.
  /// With `token`, registers that very token, for clients that demand a certain form. For a request that has come in
  /// the last 24 hours, returns the key that it made, as it is now: `key_reused` if its content was another one,
  /// `conflict` if the credential was, since the token follows from it.
  [[nodiscard]] Result<NewKey> add_key(std::string_view email, std::string_view label, ScopeSet scopes,
                                       std::optional<std::string_view> token, const KeyTerms& terms);
  [[nodiscard]] Result<NewKey> add_key(std::string_view email, std::string_view label, ScopeSet scopes,
                                       std::optional<std::string_view> token) {
    return add_key(email, label, scopes, token, KeyTerms{});
  }
  /// All keys, or those of one account. Writes nothing, so it works on a full disk.
  [[nodiscard]] Result<std::vector<Key>> keys(std::optional<std::string_view> email);
  /// Also ends the sessions that were opened with it. Holds in this process from the call on, before it is stored. If
  /// the disk is full, it is stored in the reserve (Directory::revoke_in_reserve); if that fails too, the error says
  /// that the revocation is not stored.
  [[nodiscard]] Result<Key> revoke_key(std::string_view id);
  /// Label of a key, "hub" for the hub itself, empty for a key that is gone. For people to read.
  [[nodiscard]] Result<std::string> label_of(KeyNumber key);
  [[nodiscard]] Result<std::string> label_of_key_id(std::string_view id);
  /// The key with that id; of a session that was opened with a key, that key. Nothing if it is gone.
  [[nodiscard]] Result<std::optional<Key>> origin_of_key_id(std::string_view id);

  /// What a change of accounts and keys means for those who are let in already.
  enum class Effect { admits, revokes };
  /// Returns the account that it changes something of.
  using Change = std::function<Result<AccountNumber>(DirectoryTxn&)>;
  /// Runs in a transaction of the directory, and maybe more than once. After one that puts out, nothing cached of that
  /// account is believed any more and the listener is called. For Sessions and DeviceKeys.
  [[nodiscard]] Result<> change(Effect effect, const Change& run);

  [[nodiscard]] const Clock& clock() const { return clock_; }
  /// Who did what. A change() is recorded in its own transaction, with record().
  [[nodiscard]] AuditTrail& audit() { return audit_; }

  /// Writes down when keys were last used, and from where. Called by housekeeping and at the end.
  [[nodiscard]] Result<> store_usage();

 private:
  using Usage = std::unordered_map<KeyNumber, std::int64_t>;  // microseconds
  using Addresses = std::unordered_map<KeyNumber, std::string>;

  [[nodiscard]] Result<std::shared_ptr<const Principal>> recognise(std::string_view token, std::string_view address);
  [[nodiscard]] Result<std::shared_ptr<const Principal>> look_up(std::string_view token);
  [[nodiscard]] Result<Account> change_account(std::string_view email, std::string_view action, std::string_view detail,
                                               const std::function<void(Account&)>& alter);
  /// After a change that may have put somebody out.
  void forget_cached(AccountNumber account) EXCLUDES(mutex_);
  void announce_change() const;
  /// Stores that the key is revoked: in its row, or where room is set aside for that.
  [[nodiscard]] Result<> store_revocation(const Key& key);
  [[nodiscard]] bool is_ended(const Principal& principal) const EXCLUDES(mutex_);
  /// When keys were used last, as far as that is not written down yet.
  [[nodiscard]] Usage recent_usage() const EXCLUDES(mutex_);
  /// Sessions of devices and browsers live on while they are used: those of `usage`. Returns the keys that changed.
  [[nodiscard]] static Result<std::vector<KeyRow>> prolong(DirectoryTxn& txn, const Usage& usage);

  Store& store_;
  Directory& directory_;
  const Clock& clock_;
  const Listeners listeners_;
  AuditTrail audit_;
  bool enforce_plans_ = false;
  bool offers_ai_ = false;

  struct Cached {
    std::shared_ptr<const Principal> principal;
    std::atomic<std::int64_t> last_used_micros = 0;
    std::atomic<std::size_t> address_hash = 0;  // of the address that was noted last
  };
  /// The key was used from there.
  void note_address(Cached* cached, KeyNumber key, std::string_view address) EXCLUDES(addresses_mutex_);
  /// Where keys were used last, as far as that is not written down yet.
  [[nodiscard]] Addresses recent_addresses() const EXCLUDES(addresses_mutex_);
  /// Writes down where keys were used last.
  [[nodiscard]] Result<> store_addresses() EXCLUDES(addresses_mutex_);
  mutable SharedMutex mutex_;
  std::unordered_map<std::string, std::unique_ptr<Cached>> cache_ GUARDED_BY(mutex_);         // by SHA-256 of the token
  std::unordered_map<AccountNumber, std::vector<std::string>> cached_of_ GUARDED_BY(mutex_);  // its tokens in cache_
  std::unordered_set<KeyNumber> ended_ GUARDED_BY(mutex_);  // revoked, but not stored yet
  Usage unsaved_usage_ GUARDED_BY(mutex_);
  std::uint64_t generation_ GUARDED_BY(mutex_) = 0;
  mutable Mutex addresses_mutex_;
  Addresses unsaved_addresses_ GUARDED_BY(addresses_mutex_);
};

/// Whether an error of authenticate(), reach() or check_still() is an answer about the key; else it is one of the
/// store.
[[nodiscard]] constexpr bool is_refusal(ErrorCode code) {
  return code == ErrorCode::unauthorized || code == ErrorCode::forbidden || code == ErrorCode::space_not_allowed;
}

}  // namespace syncline
