#include "service/sessions.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "base/hmac.hpp"
#include "base/log.hpp"
#include "base/password.hpp"
#include "base/text.hpp"
#include "service/access_records.hpp"

namespace syncline {

using namespace access;  // the records that Access and Sessions share

namespace {

constexpr std::size_t kPasswordBytesMin = 8;
constexpr std::size_t kPasswordBytesMax = 1024;
constexpr std::int64_t kRefreshTokenSeconds = 90LL * 86'400;
constexpr std::string_view kSessionLabel = "session";
/// How long requests that are under way may still use the access token before a renewal.
constexpr std::int64_t kOverlapSeconds = 10LL * 60;
/// Calls that refresh at the same time get the same tokens for so long.
constexpr std::int64_t kGraceSeconds = 60;
/// Enough to notice a copy of a token that was made some renewals ago.
constexpr std::size_t kReplacedTokensMax = 16;
constexpr std::string_view kResetPrefix = "slreset_";

Timestamp after(Timestamp now, std::int64_t seconds) { return now.plus_micros(seconds * kMicrosPerSecond); }

Result<> check_password(std::string_view password) {
  if (password.size() >= kPasswordBytesMin && password.size() <= kPasswordBytesMax) return {};
  return fail(ErrorCode::invalid_argument, "a password must have 8 to 1024 bytes");
}

/// What a wrong address is compared with, so that it takes as long as a wrong password.
std::string dummy_password_hash() {
  static const std::string kHash = hash_password(random_bytes(16)).value_or("");
  return kHash.empty() ? hash_password(random_bytes(16)).value_or("") : kHash;
}

Result<> put_password(DirectoryTxn& txn, AccountNumber account, std::string_view hash) {
  TRY(auto row, txn.find_account(account));
  if (!row) return fail(ErrorCode::not_found, "the account was removed");
  row->password = hash;
  return txn.put_account(*row);
}

/// The hash of the account's password; nothing without such an account or password.
Result<std::optional<std::string>> find_password(DirectoryView& view, const std::string& address) {
  TRY(const auto row, find_account_row_in(view, address));
  if (!row || row->password.empty()) return std::nullopt;
  return row->password;
}

std::string make_uuid4() {
  std::string bytes = random_bytes(16);
  bytes[6] = static_cast<char>((static_cast<unsigned char>(bytes[6]) & 0x0FU) | 0x40U);
  bytes[8] = static_cast<char>((static_cast<unsigned char>(bytes[8]) & 0x3FU) | 0x80U);
  std::string text = to_hex(bytes);
  for (const std::size_t at : {8U, 13U, 18U, 23U}) text.insert(at, "-");
  return text;
}

/// What a refresh token is to its session.
enum class TokenIs {
  unknown,
  current,  // the client has it for sure
  issued,   // the last refresh issued it, and here it is
  replaced,
};

TokenIs find_token(const StoredKey& stored, const std::string& hash) {
  if (equal_in_constant_time(stored.refresh_hash, hash)) return TokenIs::current;
  if (equal_in_constant_time(stored.rotation.issued_hash, hash)) return TokenIs::issued;
  const bool was_replaced = std::ranges::any_of(stored.rotation.replaced_hashes, [&](const std::string& replaced) {
    return equal_in_constant_time(replaced, hash);
  });
  return was_replaced ? TokenIs::replaced : TokenIs::unknown;
}

/// Prepares the session for the next tokens.
void rotate(StoredKey& stored, TokenIs token, const std::string& shown, const std::string& nonce, Timestamp now) {
  Rotation& rotation = stored.rotation;
  std::string replaced = rotation.issued_hash;  // the client never got it, or never will show it
  if (token == TokenIs::issued) replaced = std::exchange(stored.refresh_hash, shown);
  if (!replaced.empty()) rotation.replaced_hashes.push_back(std::move(replaced));
  if (rotation.replaced_hashes.size() > kReplacedTokensMax) {
    rotation.replaced_hashes.erase(rotation.replaced_hashes.begin());
  }
  rotation.nonce = nonce;
  rotation.issued_at = now;
}

/// Only who has both the token and the store could find the next one.
std::string derive_token(std::string_view key_id, std::string_view from, const std::string& what) {
  return token_of(key_id, as_text(hmac_sha256(from, what)));
}

/// What a new password has ended beside the sessions.
std::string ended_with(const Sessions::Replaced& replaced) {
  std::string keys;
  for (const Key& key : replaced.revoked) keys += (keys.empty() ? "" : ", ") + key.id;
  const std::string identities =
      replaced.identities == 0 ? "" : " and " + std::to_string(replaced.identities) + " identities";
  return "its sessions have ended, " + std::to_string(replaced.revoked.size()) + " keys" +
         (keys.empty() ? "" : " (" + keys + ")") + " and " + std::to_string(replaced.passkeys) + " passkeys" +
         identities;
}

std::unexpected<Error> wrong_login() { return fail(ErrorCode::unauthorized, "wrong email address or password"); }

}  // namespace

Result<Session> Sessions::open_session(DirectoryTxn& txn, const Account& account, const Caller& caller) {
  TRY(StoredKey stored, new_key(txn, account, kSessionLabel, {Scope::read, Scope::write, Scope::keys}));
  stored.key.expires_at = after(txn.now(), kSessionSeconds);
  stored.refresh_expires_at = after(txn.now(), kRefreshTokenSeconds);
  note_caller(stored.key, caller);
  Session session{account, make_token(stored.key.id), make_token(stored.key.id)};
  stored.hash = hash_of(session.access_token);
  stored.refresh_hash = hash_of(session.refresh_token);
  CHECK_OK(put_key_in(txn, stored));
  CHECK_OK(record(txn, session_event(account, stored.key)));
  return session;
}

Result<Session> Sessions::sign_up(std::string_view email, std::string_view password, Plan plan, const Caller& caller) {
  CHECK_OK(check_password(password));
  const std::string counted = counted_peer(caller.address);
  CHECK_OK(by_peer_.check(counted, clock_.now()));
  by_peer_.note_failure(counted, clock_.now());
  TRY(const auto taken, access_.find_account(email));
  if (taken) return fail(ErrorCode::conflict, "an account with this email address already exists");
  TRY(const std::string hash, hash_password(password));
  Session session;
  CHECK_OK(access_.change(Access::Effect::admits, [&](DirectoryTxn& txn) -> Result<AccountNumber> {
    TRY(const Account account, add_account_in(txn, email, plan, Role::member));
    CHECK_OK(put_password(txn, account.number, hash));
    CHECK_OK(record(txn, account_event("account.created", account, "signed up")));
    TRY(session, open_session(txn, account, caller));
    return account.number;
  }));
  return session;
}

Result<> Sessions::add_admin(std::string_view email, std::string_view password, const Open& open) {
  CHECK_OK(check_password(password));
  TRY(const std::string hash, hash_password(password));
  return access_.change(Access::Effect::admits, [&](DirectoryTxn& txn) -> Result<AccountNumber> {
    TRY(const bool has_admin, has_admin_in(txn));
    if (has_admin) return fail(ErrorCode::conflict, "an account is an admin already");
    TRY(const Account account, add_account_in(txn, email, Plan::pro, Role::admin));
    CHECK_OK(put_password(txn, account.number, hash));
    CHECK_OK(record(txn, account_event("account.created", account, "admin, with the code for the first account")));
    CHECK_OK(open(txn, account));
    return account.number;
  });
}

Result<std::string> Sessions::check_known(const std::string& address, std::string_view password, const Caller& caller,
                                          std::string_view action) {
  bool has_password = false;
  auto hash = compare(address, password, caller, has_password);
  // What was typed is not written down unless it is an account's address: it may be a password in the wrong field.
  if (!hash) note_refusal(action, has_password ? address : "", hash.error());
  return hash;
}

Result<std::string> Sessions::compare(const std::string& address, std::string_view password, const Caller& caller,
                                      bool& has_password) {
  const std::string counted = counted_peer(caller.address);
  const std::string pair = counted.empty() ? std::string() : address + ' ' + counted;
  CHECK_OK(by_address_and_peer_.check(pair, clock_.now()));
  if (pair.empty() || !known_pairs_.has(pair)) CHECK_OK(by_address_.check(address, clock_.now()));
  CHECK_OK(by_peer_.check(counted, clock_.now()));
  std::optional<std::string> hash;
  CHECK_OK(directory_.read([&](DirectoryView& view) -> Result<> {
    TRY(hash, find_password(view, address));
    return {};
  }));
  has_password = hash.has_value();
  const bool right = is_password(hash ? *hash : dummy_password_hash(), password);
  if (!right || !hash) {
    by_address_and_peer_.note_failure(pair, clock_.now());
    by_address_.note_failure(address, clock_.now());
    by_peer_.note_failure(counted, clock_.now());
    return wrong_login();
  }
  by_address_and_peer_.forget(pair);
  if (!pair.empty()) known_pairs_.add(pair);
  return *hash;
}

void Sessions::note_refusal(std::string_view action, const std::string& account, const Error& error) {
  if (error.code != ErrorCode::unauthorized && error.code != ErrorCode::too_many) return;
  access_.audit().note_refusal({.action = std::string(action), .account = account, .target = {}, .detail = error.text});
}

Result<Session> Sessions::log_in(std::string_view email, std::string_view password, const Caller& caller) {
  Session session;
  CHECK_OK(log_in(email, password, caller, [&](DirectoryTxn& txn, const Account& account) -> Result<> {
    TRY(session, open_session(txn, account, caller));
    return {};
  }));
  return session;
}

Result<> Sessions::log_in(std::string_view email, std::string_view password, const Caller& caller, const Open& open) {
  const std::string address = lower_case(email.substr(0, limits::kRecordIdBytesMax + 1));
  TRY(const std::string hash, check_known(address, password, caller, "session.refused"));
  return access_.change(Access::Effect::admits, [&](DirectoryTxn& txn) -> Result<AccountNumber> {
    // It may have been changed while it was compared.
    TRY(const auto standing, find_password(txn, address));
    if (standing != hash) return wrong_login();
    TRY(const Account account, get_account_in(txn, address));
    CHECK_OK(open(txn, account));
    return account.number;
  });
}

Result<Session> Sessions::change_password(const Principal& owner, std::string_view current, std::string_view next,
                                          const Caller& caller) {
  Session session;
  CHECK_OK(change_password(owner, current, next, caller, [&](DirectoryTxn& txn, const Account& account) -> Result<> {
    TRY(session, open_session(txn, account, caller));
    return {};
  }));
  return session;
}

Result<> Sessions::change_password(const Principal& owner, std::string_view current, std::string_view next,
                                   const Caller& caller, const Open& open) {
  CHECK_OK(check_password(next));
  const auto known = check_known(owner.email, current, caller, "password.refused");
  const std::unexpected<Error> wrong = fail(ErrorCode::forbidden, "the current password is wrong");
  if (!known && known.error().code == ErrorCode::unauthorized) return wrong;
  if (!known) return std::unexpected(known.error());
  TRY(const std::string hash, hash_password(next));
  return access_.change(Access::Effect::revokes, [&](DirectoryTxn& txn) -> Result<AccountNumber> {
    CHECK_OK(check_standing(txn, owner, txn.now()));
    TRY(const auto standing, find_password(txn, owner.email));
    if (standing != *known) return wrong;
    TRY([[maybe_unused]] const Replaced replaced, replace_password(txn, owner.account, hash, std::nullopt));
    TRY(const Account account, get_account_in(txn, owner.email));
    CHECK_OK(record(txn, account_event("password.changed", account, "its sessions have ended")));
    CHECK_OK(open(txn, account));
    return account.number;
  });
}

Result<Session> Sessions::refresh(std::string_view refresh_token) {
  const auto id = key_id_in(refresh_token);
  if (!id) return invalid_token();
  const std::string shown = hash_of(refresh_token);
  const auto find = [&](DirectoryView& view, Timestamp now) -> Result<StoredKey> {
    TRY(auto stored, find_key_in(view, *id));
    if (!stored || stored->key.revoked_at || !stored->refresh_expires_at) return invalid_token();
    if (has_expired(stored->refresh_expires_at, now)) return invalid_token();
    if (find_token(*stored, shown) == TokenIs::unknown) return invalid_token();
    return *std::move(stored);
  };
  // Whoever has none does not get as far as the writer.
  CHECK_OK(directory_.read([&](DirectoryView& view) -> Result<> {
    TRY([[maybe_unused]] const StoredKey stored, find(view, clock_.now()));
    return {};
  }));
  const std::string nonce = to_hex(random_bytes(16));
  Session session;
  bool is_valid = false;
  bool is_copy = false;
  CHECK_OK(access_.change(Access::Effect::revokes, [&](DirectoryTxn& txn) -> Result<AccountNumber> {
    TRY(StoredKey stored, find(txn, txn.now()));
    TRY(session.account, get_account_in(txn, stored.key.account_email));
    const TokenIs token = find_token(stored, shown);
    const bool is_just_issued =
        stored.rotation.issued_at && txn.now() < after(*stored.rotation.issued_at, kGraceSeconds);
    is_valid = token != TokenIs::replaced;
    is_copy = !is_valid && !is_just_issued;  // else a call that was under way at a renewal and is late
    if (is_copy) {
      stored.key.revoked_at = txn.now();
      CHECK_OK(put_key_in(txn, stored));
      CHECK_OK(record(txn, {.action = "session.ended",
                            .account = stored.key.account_email,
                            .target = stored.key.id,
                            .detail = "somebody has a copy: a refresh token that was replaced came again"}));
    }
    if (!is_valid) return stored.key.account;
    const bool is_parallel = token == TokenIs::current && is_just_issued;
    if (!is_parallel) rotate(stored, token, shown, nonce, txn.now());
    session.refresh_token = derive_token(*id, refresh_token, "refresh " + stored.rotation.nonce);
    session.access_token = derive_token(*id, refresh_token, "access " + stored.rotation.nonce);
    if (is_parallel) return stored.key.account;
    stored.rotation.issued_hash = hash_of(session.refresh_token);
    stored.previous_hash = std::exchange(stored.hash, hash_of(session.access_token));
    stored.previous_expires_at = std::min(stored.key.expires_at.value_or(txn.now()), after(txn.now(), kOverlapSeconds));
    stored.key.expires_at = after(txn.now(), kSessionSeconds);
    stored.refresh_expires_at = after(txn.now(), kRefreshTokenSeconds);
    CHECK_OK(put_key_in(txn, stored));
    return stored.key.account;
  }));
  if (is_copy) log(LogLevel::warning, "refresh_token_reused", {{"key", *id}});
  if (!is_valid) return invalid_token();
  return session;
}

Result<Sessions::Replaced> Sessions::replace_password(DirectoryTxn& txn, AccountNumber account, std::string_view hash,
                                                      std::optional<Timestamp> revoke_since) {
  const auto is_session = [](const StoredKey& stored) { return stored.key.is_person; };
  TRY(const auto row, txn.find_account(account));
  Replaced replaced;
  std::vector<std::string> ended;
  CHECK_OK(txn.keys(account, [&](const KeyRow& key) {
    StoredKey stored = key_from(key);
    if (stored.key.revoked_at || is_session(stored) || !stored.key.parent.empty()) return true;
    if (row) stored.key.account_email = row->email;
    const bool is_new = revoke_since && stored.key.created_at >= *revoke_since;
    if (is_new) ended.push_back(stored.key.id);
    (is_new ? replaced.revoked : replaced.kept).push_back(std::move(stored.key));
    return true;
  }));
  const auto has_ended = [&](const std::string& id) { return std::ranges::find(ended, id) != ended.end(); };
  CHECK_OK(revoke_keys(txn, account, [&](const StoredKey& stored) {
    return is_session(stored) || has_ended(stored.key.id) || has_ended(stored.key.parent);
  }));
  if (revoke_since) {
    TRY(replaced.passkeys, remove_passkeys(txn, account, revoke_since));
    TRY(replaced.identities, remove_identities(txn, account, revoke_since));
  }
  CHECK_OK(txn.remove_resets_of(account));
  CHECK_OK(put_password(txn, account, hash));
  return replaced;
}

Result<Sessions::Replaced> Sessions::set_password(std::string_view email, std::string_view password,
                                                  std::optional<Timestamp> revoke_since) {
  CHECK_OK(check_password(password));
  TRY(const std::string hash, hash_password(password));
  Replaced replaced;
  CHECK_OK(access_.change(Access::Effect::revokes, [&](DirectoryTxn& txn) -> Result<AccountNumber> {
    TRY(const Account account, get_account_in(txn, email));
    TRY(replaced, replace_password(txn, account.number, hash, revoke_since));
    CHECK_OK(record(txn, account_event("password.set", account, ended_with(replaced))));
    return account.number;
  }));
  return replaced;
}

Result<std::string> Sessions::make_reset_token(std::string_view email, std::int64_t seconds) {
  std::string token = std::string(kResetPrefix) + to_base64url(random_bytes(32));
  CHECK_OK(access_.change(Access::Effect::admits, [&](DirectoryTxn& txn) -> Result<AccountNumber> {
    TRY(const Account account, get_account_in(txn, email));
    CHECK_OK(txn.put_reset({.token_hash = std::string(as_text(sha256(token))),
                            .account = account.number,
                            .expires_at = after(txn.now(), seconds)}));
    const bool is_invitation = seconds == kInvitationSeconds;
    CHECK_OK(record(txn, account_event(is_invitation ? "account.invited" : "password.reset_offered", account,
                                       "good once, until " + format_time(after(txn.now(), seconds)))));
    return account.number;
  }));
  return token;
}

Result<Account> Sessions::get_reset(DirectoryView& view, std::string_view reset_token, Timestamp now) {
  TRY(const auto stored, view.find_reset(as_text(sha256(reset_token))));
  if (!stored || has_expired(stored->expires_at, now)) return invalid_token();
  TRY(const auto account, view.find_account(stored->account));
  if (!account) return invalid_token();
  return account_from(*account);
}

Result<Sessions::Replaced> Sessions::reset_password(std::string_view reset_token, std::string_view password,
                                                    std::optional<Timestamp> revoke_since, const std::string& peer) {
  CHECK_OK(check_password(password));
  const std::string counted = counted_peer(peer);
  CHECK_OK(by_peer_.check(counted, clock_.now()));
  const auto known = directory_.read([&](DirectoryView& view) -> Result<> {
    TRY([[maybe_unused]] const Account account, get_reset(view, reset_token, clock_.now()));
    return {};
  });
  if (!known) {  // before a hash is made for nothing
    if (known.error().code == ErrorCode::unauthorized) by_peer_.note_failure(counted, clock_.now());
    note_refusal("password.refused", "", known.error());
    return std::unexpected(known.error());
  }
  TRY(const std::string hash, hash_password(password));
  Replaced replaced;
  CHECK_OK(access_.change(Access::Effect::revokes, [&](DirectoryTxn& txn) -> Result<AccountNumber> {
    TRY(const Account account, get_reset(txn, reset_token, txn.now()));
    TRY(replaced, replace_password(txn, account.number, hash, revoke_since));
    AuditEvent event = account_event("password.reset", account, ended_with(replaced));
    event.by_account = true;
    CHECK_OK(record(txn, event));
    return account.number;
  }));
  return replaced;
}

Result<> Sessions::purge() {
  return access_.change(Access::Effect::admits, [&](DirectoryTxn& txn) -> Result<AccountNumber> {
    std::vector<KeyNumber> over;
    CHECK_OK(txn.keys_that_end(txn.now(), [&](const KeyRow& row) {
      over.push_back(row.number);
      return true;
    }));
    for (const KeyNumber number : over) CHECK_OK(txn.remove_key(number));
    CHECK_OK(txn.remove_expired_resets(txn.now()));
    return AccountNumber{};
  });
}

Result<std::string> Sessions::replace_api_key(const Principal& asker, std::string_view label) {
  std::string token = make_uuid4();
  CHECK_OK(access_.change(Access::Effect::revokes, [&](DirectoryTxn& txn) -> Result<AccountNumber> {
    TRY(const Rights own, rights_of(txn, asker, txn.now()));
    const ScopeSet scopes = own.scopes.common_with({Scope::read, Scope::write});
    if (scopes.empty()) {
      return fail(ErrorCode::forbidden, "a key without the scope read or write cannot create an API key");
    }
    TRY(auto row, txn.find_account(asker.account));
    if (!row) return invalid_token();
    if (row->api_key.value != 0) CHECK_OK(revoke_with_sessions(txn, row->api_key));
    TRY(StoredKey stored, new_key(txn, account_from(*row), label, scopes));
    stored.key.spaces = own.spaces;
    note_maker(stored.key, asker);
    stored.hash = hash_of(token);
    CHECK_OK(put_key_in(txn, stored));
    if (row->api_key.value != 0) CHECK_OK(record(txn, replacement_event(row->email, row->api_key, stored.key)));
    CHECK_OK(record(txn, key_event("key.created", stored.key)));
    row->api_key = stored.key.number;
    CHECK_OK(txn.put_account(*row));
    return row->number;
  }));
  return token;
}

}  // namespace syncline
