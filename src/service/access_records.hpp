// How accounts, keys and what belongs to them are stored: rows of the directory (store/directory.hpp), whose documents
// hold what no lookup needs. Only Access, Sessions and DeviceKeys use this.
#pragma once

#include "base/json.hpp"
#include "service/access.hpp"

namespace syncline::access {

/// How long the access token of a session is good.
inline constexpr std::int64_t kSessionSeconds = 7LL * 86'400;

inline constexpr std::string_view kKeyPrefix = "sl_";

/// What a session knows of its refresh tokens beside the one that its client is sure to have. A refresh issues the next
/// one; the client proves that it has it by using it.
struct Rotation {
  std::string issued_hash;  // of the token that the last refresh issued; empty before the first one
  /// The issued tokens follow from the one that was shown and this number: calls that refresh in parallel get the same.
  std::string nonce;
  std::optional<Timestamp> issued_at;
  /// Of tokens that were replaced: whoever shows one of these has a copy. The last ones, oldest first.
  std::vector<std::string> replaced_hashes;
};

/// How a session in a browser's cookie lives: until it was not used for so long, and no longer than `until`.
struct CookieLife {
  std::int64_t idle_seconds = 0;
  Timestamp until;
  bool keep = false;  // the browser keeps the cookie when it is closed
};

/// What is stored of a key: everything but the secret, of which only the hash.
struct StoredKey {
  Key key;
  std::string hash;
  // Of a session only: the token that renews it, and the access token before the last renewal, which stays good for a
  // moment, so that a program with several requests under way is not thrown out by its own renewal.
  std::string refresh_hash;
  Rotation rotation;
  std::string previous_hash;
  std::optional<Timestamp> previous_expires_at;
  std::optional<Timestamp> refresh_expires_at;
  std::optional<CookieLife> cookie;
  /// Of a key that a RepeatableRequest has made, in hexadecimal digits: what it is found by, and its token's number.
  std::string request_name;
  std::string request_fingerprint;
  std::string token_nonce;
};

/// In hexadecimal digits, as in documents.
[[nodiscard]] std::string hash_of(std::string_view token);
/// The bytes of digits that to_hex() has written.
[[nodiscard]] std::string from_hex(std::string_view hex);
/// A new token of our own form, which names the key.
[[nodiscard]] std::string make_token(std::string_view key_id);
/// The token of that form with 32 secret bytes.
[[nodiscard]] std::string token_of(std::string_view key_id, std::string_view secret);
/// The key id inside a token of our own form with the right checksum.
[[nodiscard]] std::optional<std::string_view> key_id_in(std::string_view token);
/// "k12", and back. Nothing if it is no id of a key.
[[nodiscard]] std::string key_id_of(KeyNumber number);
[[nodiscard]] std::optional<KeyNumber> key_number_of(std::string_view id);

[[nodiscard]] std::int64_t integer_field(JsonView doc, std::string_view name);
[[nodiscard]] std::optional<Timestamp> time_field(JsonView doc, std::string_view name);

/// False without an end.
[[nodiscard]] bool has_expired(const std::optional<Timestamp>& expires_at, Timestamp now);

[[nodiscard]] Account account_from(const AccountRow& row);
[[nodiscard]] std::string doc_of(const Account& account);
[[nodiscard]] KeyRow row_of(const StoredKey& stored);
/// Without the address of the account.
[[nodiscard]] StoredKey key_from(const KeyRow& row);

/// 1 to 200 bytes of UTF-8.
[[nodiscard]] Result<> check_label(std::string_view label);
/// What a key may do.
struct Rights {
  ScopeSet scopes;
  SpaceLimit spaces;
};
/// Whether whoever has these rights may give a key those: `forbidden` names a scope that is not among them,
/// space_not_allowed says for which spaces they are.
[[nodiscard]] Result<> check_may_give(const Rights& own, ScopeSet scopes, const SpaceLimit& spaces);
/// `forbidden` unless a person's session asks that may do all that its account may: `what` ("a passkey") opens one.
[[nodiscard]] Result<> check_whole_session(const Principal& owner, std::string_view what);
/// True for what somebody opened with a password or a key.
[[nodiscard]] bool is_session(const Key& key);
[[nodiscard]] bool is_session(const Principal& principal);
/// When the session of a device ends that was used then: not after its key.
[[nodiscard]] Timestamp ends_of_session(Timestamp used_at, const std::optional<Timestamp>& key_expires_at);
/// When a session that lives while it is used ends, if it was used then last.
[[nodiscard]] Timestamp end_after_use(const StoredKey& session, Timestamp used_at,
                                      const std::optional<Timestamp>& key_expires_at);
/// What a key may do now: a session of a person what the role of its account may, any other key, and a session with
/// scopes of its own, no more than that.
[[nodiscard]] ScopeSet effective_scopes(const Key& key, Role role);
/// What a key may do now: no more than the key that it was opened with. unauthorized if either is revoked.
[[nodiscard]] Result<Rights> rights_in(DirectoryView& view, const KeyRow& row, Role role);

/// Keeps who opened the session, shortened to what people need to recognise it.
void note_caller(Key& session, const Caller& caller);
/// Keeps who made the key.
void note_maker(Key& key, const Principal& maker);

/// A new account, stored. `conflict` if there is one of that address; invalid_argument if it is no address.
[[nodiscard]] Result<Account> add_account_in(DirectoryTxn& txn, std::string_view email, Plan plan, Role role);
/// Whether an account is an admin, not counting `other_than`.
[[nodiscard]] Result<bool> has_admin_in(DirectoryView& view, AccountNumber other_than = {});
[[nodiscard]] Result<std::optional<AccountRow>> find_account_row_in(DirectoryView& view, std::string_view email);
[[nodiscard]] Result<AccountRow> get_account_row_in(DirectoryView& view, std::string_view email);
[[nodiscard]] Result<Account> get_account_in(DirectoryView& view, std::string_view email);
[[nodiscard]] Result<std::optional<StoredKey>> find_key_in(DirectoryView& view, std::string_view id);
[[nodiscard]] Result<StoredKey> get_key_in(DirectoryView& view, std::string_view id);
/// A key of the account with the next number; not stored yet.
[[nodiscard]] Result<StoredKey> new_key(DirectoryTxn& txn, const Account& account, std::string_view label,
                                        ScopeSet scopes);
/// What the request has made before; nothing if it comes for the first time in 24 hours. `token`: the one that it
/// brings itself, if it does.
[[nodiscard]] Result<std::optional<NewKey>> find_made_by(DirectoryTxn& txn, AccountNumber account,
                                                         const RepeatableRequest& request,
                                                         std::optional<std::string_view> token);
/// Notes in the key which request makes it, and returns the token that follows from it.
[[nodiscard]] std::string note_request(StoredKey& stored, const RepeatableRequest& request);
[[nodiscard]] Result<> put_key_in(DirectoryTxn& txn, const StoredKey& stored);
/// Revokes the account's keys that `wanted` picks among those that stand.
[[nodiscard]] Result<> revoke_keys(DirectoryTxn& txn, AccountNumber account,
                                   const std::function<bool(const StoredKey&)>& wanted);
/// Removes the account's passkeys, or those that were made at `since` or later, and returns how many.
[[nodiscard]] Result<std::size_t> remove_passkeys(DirectoryTxn& txn, AccountNumber account,
                                                  std::optional<Timestamp> since = std::nullopt);
/// The same with the account's identities.
[[nodiscard]] Result<std::size_t> remove_identities(DirectoryTxn& txn, AccountNumber account,
                                                    std::optional<Timestamp> since = std::nullopt);
/// Revokes the key and the sessions that were opened with it, if they stand.
[[nodiscard]] Result<> revoke_with_sessions(DirectoryTxn& txn, KeyNumber number);
/// What the principal's key may do now. Unauthorized if it was revoked or is over, or its account is another one by
/// now: a request may take long to arrive.
[[nodiscard]] Result<Rights> rights_of(DirectoryView& view, const Principal& principal, Timestamp now);
/// The same without the rights.
[[nodiscard]] Result<> check_standing(DirectoryView& view, const Principal& principal, Timestamp now);
/// space_not_allowed unless the limit of a key of that account allows the space.
[[nodiscard]] Result<> check_limit(const SpaceLimit& limit, AccountNumber account, const SpaceName& space);
/// `forbidden` unless the space, which another account has, is shared with the guest for that use. In shares.cpp.
[[nodiscard]] Result<> check_shared(DirectoryView& view, AccountNumber guest, const SpaceName& space, Access::Use use);
[[nodiscard]] std::unexpected<Error> invalid_token();

// For the audit log.
[[nodiscard]] AuditEvent account_event(std::string_view action, const Account& account, std::string_view detail);
/// With the label and the scopes of the key.
[[nodiscard]] AuditEvent key_event(std::string_view action, const Key& key);
/// "key.revoked"; of a session "session.ended", or "session.signed_out" if it ends itself.
[[nodiscard]] AuditEvent revocation_event(const Key& key, const Actor& actor);
/// The key has ended because the new one takes its place.
[[nodiscard]] AuditEvent replacement_event(std::string_view account, KeyNumber old, const Key& made);
/// Somebody has opened the session, which is new.
[[nodiscard]] AuditEvent session_event(const Account& account, const Key& session, std::string_view how = {});

}  // namespace syncline::access
