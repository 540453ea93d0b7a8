// How accounts, keys and what belongs to them are stored: records of the system space. Only Access and Sessions use
// this.
#pragma once

#include "base/json.hpp"
#include "service/access.hpp"

namespace syncline::access {

inline constexpr std::string_view kAccounts = "accounts";  // by e-mail address
inline constexpr std::string_view kKeys = "keys";          // by key id
inline constexpr std::string_view kTokens = "tokens";      // by hash of a registered token -> key id
inline constexpr std::string_view kUsage = "key_usage";    // by key id
inline constexpr std::string_view kCounters = "counters";
inline constexpr std::string_view kPasswords = "passwords";  // by e-mail address
inline constexpr std::string_view kResets = "resets";        // by hash of a reset token
inline constexpr std::string_view kApiKeys = "api_keys";     // by e-mail address -> id of the key that /auth made

/// How long the access token of a session is good.
inline constexpr std::int64_t kSessionSeconds = 7LL * 86'400;

inline constexpr std::string_view kKeyPrefix = "sl_";

/// What is stored of a key: everything but the secret, of which only the hash.
struct StoredKey {
  Key key;
  std::string hash;
  // Of a session only: the token that renews it, and the access token before the last renewal, which stays good for a
  // moment, so that a program with several requests under way is not thrown out by its own renewal.
  std::string refresh_hash;
  std::string previous_hash;
  std::optional<Timestamp> previous_expires_at;
  std::optional<Timestamp> refresh_expires_at;
};

[[nodiscard]] std::string hash_of(std::string_view token);
/// A new token of our own form, which names the key.
[[nodiscard]] std::string make_token(std::string_view key_id);
/// The key id inside a token of our own form with the right checksum.
[[nodiscard]] std::optional<std::string_view> key_id_in(std::string_view token);

[[nodiscard]] std::int64_t integer_field(JsonView doc, std::string_view name);
[[nodiscard]] std::optional<Timestamp> time_field(JsonView doc, std::string_view name);

/// False without an end.
[[nodiscard]] bool has_expired(const std::optional<Timestamp>& expires_at, Timestamp now);

[[nodiscard]] std::string doc_of(const Account& account);
[[nodiscard]] Account account_from(std::string_view doc);
[[nodiscard]] std::string doc_of(const StoredKey& stored);
[[nodiscard]] StoredKey key_from(std::string_view id, std::string_view doc);

/// Puts a system record as it is: these are written by one process only and need no merge. An empty document deletes.
[[nodiscard]] Result<> put_doc(Txn& txn, std::string_view collection, std::string_view id, std::string doc);
[[nodiscard]] Result<std::int64_t> next_number(Txn& txn, std::string_view counter);
/// A new account, stored. `conflict` if there is one of that address; invalid_argument if it is no address.
[[nodiscard]] Result<Account> add_account_in(Txn& txn, std::string_view email, Plan plan, Timestamp now);
[[nodiscard]] Result<Account> find_account_in(Snapshot& snapshot, std::string_view email);
[[nodiscard]] Result<StoredKey> find_key_in(Snapshot& snapshot, std::string_view id);
/// A key of the account with the next number; not stored yet.
[[nodiscard]] Result<StoredKey> new_key(Txn& txn, const Account& account, std::string_view label, ScopeSet scopes,
                                        Timestamp now);
/// So that a token of another form than ours is found by its hash.
[[nodiscard]] Result<> put_token(Txn& txn, const std::string& hash, std::string_view key_id);
/// Revokes the account's keys that `wanted` picks among those that stand.
[[nodiscard]] Result<> revoke_keys(Txn& txn, const std::string& email,
                                   const std::function<bool(const StoredKey&)>& wanted, Timestamp now);
/// Unauthorized if the principal's key was revoked or is over, or its account is another one by now: a request may take
/// long to arrive.
[[nodiscard]] Result<> check_standing(Snapshot& snapshot, const Principal& principal, Timestamp now);
[[nodiscard]] std::unexpected<Error> invalid_token();

}  // namespace syncline::access
