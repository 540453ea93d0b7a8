#include "service/device_keys.hpp"

#include <algorithm>
#include <array>

#include "base/bytes.hpp"
#include "base/text.hpp"

namespace syncline {

using namespace access;  // the records that Access, Sessions and this share

namespace {

/// Published clients recognise an API key by it: they send anything else as a session's token.
constexpr std::string_view kApiKeyPrefix = "knl_sk_";
constexpr std::size_t kApiKeyBytes = 16;
constexpr std::size_t kShownPrefixChars = 12;
constexpr std::size_t kNameCharactersMax = 64;
constexpr std::string_view kFirstKeyName = "Default";

Result<> check_name(std::string_view name) {
  const auto characters =
      std::ranges::count_if(name, [](char c) { return (static_cast<unsigned char>(c) >> 6U) != 2; });
  if (!name.empty() && static_cast<std::size_t>(characters) <= kNameCharactersMax && is_utf8(name)) return {};
  return fail(ErrorCode::invalid_argument, "name must have 1 to 64 characters");
}

std::unexpected<Error> no_such_key() { return fail(ErrorCode::not_found, "Key not found"); }

constexpr std::array<Scope, 7> kAllScopes = {
    Scope::read, Scope::write, Scope::keys, Scope::commands_submit, Scope::commands_run, Scope::commands_approve,
    Scope::admin};

ScopeSet without_admin(ScopeSet scopes) {
  ScopeSet kept;
  for (const Scope scope : kAllScopes) {
    if (scope != Scope::admin && scopes.has(scope)) kept.add(scope);
  }
  return kept;
}

/// If the account's API key (POST /auth/api-key) is that key, the new one takes its place.
Result<> move_api_key(DirectoryTxn& txn, AccountNumber account, KeyNumber from, KeyNumber to) {
  TRY(auto row, txn.find_account(account));
  if (!row || row->api_key != from) return {};
  row->api_key = to;
  return txn.put_account(*row);
}

}  // namespace

Result<NewKey> DeviceKeys::make_key(DirectoryTxn& txn, const Account& account, std::string_view name,
                                    const Rights& rights, std::string_view agent, const Principal* maker) {
  TRY(StoredKey stored, new_key(txn, account, name, rights.scopes));
  stored.key.spaces = rights.spaces;
  if (maker != nullptr) note_maker(stored.key, *maker);
  NewKey made{.key = {}, .token = std::string(kApiKeyPrefix) + to_hex(random_bytes(kApiKeyBytes))};
  stored.key.prefix = made.token.substr(0, kShownPrefixChars);
  stored.key.agent = agent;
  stored.hash = hash_of(made.token);
  CHECK_OK(put_key_in(txn, stored));
  CHECK_OK(record(txn, key_event("key.created", stored.key)));
  made.key = std::move(stored.key);
  return made;
}

Result<DeviceSession> DeviceKeys::open_session(DirectoryTxn& txn, const Account& account, const Key& key,
                                               const Caller& caller) {
  TRY(StoredKey stored, new_key(txn, account, key.label, without_admin(key.scopes)));
  stored.key.expires_at = ends_of_session(txn.now(), key.expires_at);
  stored.key.parent = key.id;
  stored.key.agent = key.agent;
  note_caller(stored.key, caller);
  DeviceSession session{account, key, make_token(stored.key.id), *stored.key.expires_at};
  stored.hash = hash_of(session.token);
  CHECK_OK(put_key_in(txn, stored));
  CHECK_OK(record(txn, session_event(account, stored.key)));
  return session;
}

Result<DeviceKeys::Registered> DeviceKeys::sign_up(std::string_view email, std::string_view agent, Plan plan,
                                                   const std::string& peer) {
  const std::string counted = counted_peer(peer);
  CHECK_OK(by_peer_.check(counted, clock_.now()));
  by_peer_.note_failure(counted, clock_.now());
  Registered registered;
  CHECK_OK(access_.change(Access::Effect::admits, [&](DirectoryTxn& txn) -> Result<AccountNumber> {
    auto account = add_account_in(txn, email, plan, Role::member);
    if (!account && account.error().code == ErrorCode::conflict) {
      return fail(ErrorCode::conflict, "Email already registered");
    }
    if (!account) return std::unexpected(account.error());
    CHECK_OK(record(txn, account_event("account.created", *account, "signed up")));
    const Rights rights{.scopes = {Scope::read, Scope::write, Scope::keys}, .spaces = {}};
    TRY(NewKey made, make_key(txn, *account, kFirstKeyName, rights, agent, nullptr));
    TRY(registered.session, open_session(txn, *account, made.key, {peer, ""}));
    registered.secret = std::move(made.token);
    return account->number;
  }));
  return registered;
}

Result<DeviceSession> DeviceKeys::log_in(std::string_view api_key, const Caller& caller) {
  const std::string counted = counted_peer(caller.address);
  CHECK_OK(by_peer_.check(counted, clock_.now()));
  const auto principal = access_.authenticate(api_key);
  if (!principal && principal.error().code != ErrorCode::unauthorized) return std::unexpected(principal.error());
  if (!principal || is_session(**principal)) {
    by_peer_.note_failure(counted, clock_.now());
    access_.audit().note_refusal(
        {.action = "session.refused", .account = {}, .target = {}, .detail = "a key that opens no session"});
    return fail(ErrorCode::unauthorized, "Invalid API key");
  }
  CHECK_OK(by_key_.check((*principal)->key_id, clock_.now()));
  by_key_.note_failure((*principal)->key_id, clock_.now());
  DeviceSession session;
  CHECK_OK(access_.change(Access::Effect::admits, [&](DirectoryTxn& txn) -> Result<AccountNumber> {
    TRY(const auto stored, find_key_in(txn, (*principal)->key_id));
    if (!stored || stored->key.revoked_at) return invalid_token();
    TRY(const Account account, get_account_in(txn, stored->key.account_email));
    TRY(session, open_session(txn, account, stored->key, caller));
    return account.number;
  }));
  return session;
}

Result<> DeviceKeys::log_out(const Principal& principal) {
  if (!is_session(principal)) return {};
  TRY([[maybe_unused]] const Key key, access_.revoke_key(principal.key_id));
  return {};
}

Result<std::vector<Key>> DeviceKeys::list(std::string_view email) {
  TRY(auto keys, access_.keys(email));
  std::erase_if(keys, [](const Key& key) { return is_session(key); });
  return keys;
}

Result<NewKey> DeviceKeys::create(const Principal& maker, std::string_view name) {
  CHECK_OK(check_name(name));
  NewKey made;
  CHECK_OK(access_.change(Access::Effect::admits, [&](DirectoryTxn& txn) -> Result<AccountNumber> {
    TRY(Rights rights, rights_of(txn, maker, txn.now()));
    TRY(const Account account, get_account_in(txn, maker.email));
    // Programs get what a person has only as far as every client needs it: a key that approves is made on purpose.
    rights.scopes = without_admin(rights.scopes);
    if (maker.is_person) rights.scopes = rights.scopes.common_with({Scope::read, Scope::write, Scope::keys});
    TRY(made, make_key(txn, account, name, rights, maker.agent, &maker));
    return account.number;
  }));
  return made;
}

Result<StoredKey> DeviceKeys::get_own(DirectoryView& view, const Principal& owner, std::string_view id) {
  TRY(auto stored, find_key_in(view, id));
  if (!stored || stored->key.account != owner.account || is_session(stored->key)) return no_such_key();
  return *std::move(stored);
}

Result<> DeviceKeys::revoke(const Principal& owner, std::string_view id) {
  CHECK_OK(directory_.read([&](DirectoryView& view) -> Result<> {
    TRY(const StoredKey stored, get_own(view, owner, id));
    return stored.key.revoked_at ? Result<>(no_such_key()) : Result<>{};
  }));
  TRY([[maybe_unused]] const Key key, access_.revoke_key(id));
  return {};
}

Result<NewKey> DeviceKeys::cycle(const Principal& owner, std::string_view id) {
  NewKey made;
  CHECK_OK(access_.change(Access::Effect::revokes, [&](DirectoryTxn& txn) -> Result<AccountNumber> {
    TRY(const Rights own, rights_of(txn, owner, txn.now()));
    TRY(const StoredKey old, get_own(txn, owner, id));
    if (old.key.revoked_at) return fail(ErrorCode::invalid_argument, "the key is revoked");
    CHECK_OK(check_may_give(own, old.key.scopes, old.key.spaces));
    TRY(const Account account, get_account_in(txn, owner.email));
    const Rights rights{.scopes = old.key.scopes, .spaces = old.key.spaces};
    TRY(made, make_key(txn, account, old.key.label, rights, old.key.agent, &owner));
    CHECK_OK(move_api_key(txn, account.number, old.key.number, made.key.number));
    CHECK_OK(revoke_with_sessions(txn, old.key.number));
    CHECK_OK(record(txn, replacement_event(account.email, old.key.number, made.key)));
    return account.number;
  }));
  return made;
}

}  // namespace syncline
