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
Result<> move_api_key(Txn& txn, const std::string& email, std::string_view from, const std::string& to) {
  TRY(const auto stored, txn.find(kApiKeys, email));
  if (!stored || stored->deleted || JsonView(stored->doc).text_of("key") != from) return {};
  return put_doc(txn, kApiKeys, email, R"({"key":")" + to + "\"}");
}

bool is_session(const Key& key) { return key.expires_at.has_value(); }

}  // namespace

Result<NewKey> DeviceKeys::make_key(Txn& txn, const Account& account, std::string_view name, ScopeSet scopes,
                                    std::string_view agent) {
  TRY(StoredKey stored, new_key(txn, account, name, scopes, clock_.now()));
  NewKey made{.key = {}, .token = std::string(kApiKeyPrefix) + to_hex(random_bytes(kApiKeyBytes))};
  stored.key.prefix = made.token.substr(0, kShownPrefixChars);
  stored.key.agent = agent;
  stored.hash = hash_of(made.token);
  CHECK_OK(put_token(txn, stored.hash, stored.key.id));
  CHECK_OK(put_doc(txn, kKeys, stored.key.id, doc_of(stored)));
  made.key = std::move(stored.key);
  return made;
}

Result<DeviceSession> DeviceKeys::open_session(Txn& txn, const Account& account, const Key& key) {
  TRY(StoredKey stored, new_key(txn, account, key.label, without_admin(key.scopes), clock_.now()));
  stored.key.expires_at = clock_.now().plus_micros(kSessionSeconds * kMicrosPerSecond);
  stored.key.parent = key.id;
  stored.key.agent = key.agent;
  DeviceSession session{account, key, make_token(stored.key.id), *stored.key.expires_at};
  stored.hash = hash_of(session.token);
  CHECK_OK(put_doc(txn, kKeys, stored.key.id, doc_of(stored)));
  return session;
}

Result<DeviceKeys::Registered> DeviceKeys::sign_up(std::string_view email, std::string_view agent, Plan plan,
                                                   const std::string& peer) {
  const std::string counted = counted_peer(peer);
  CHECK_OK(by_peer_.check(counted, clock_.now()));
  by_peer_.note_failure(counted, clock_.now());
  Registered registered;
  CHECK_OK(access_.change(Access::Effect::admits, [&](Txn& txn) -> Result<> {
    auto account = add_account_in(txn, email, plan, clock_.now());
    if (!account && account.error().code == ErrorCode::conflict) {
      return fail(ErrorCode::conflict, "Email already registered");
    }
    if (!account) return std::unexpected(account.error());
    TRY(NewKey made, make_key(txn, *account, kFirstKeyName, {Scope::read, Scope::write, Scope::keys}, agent));
    TRY(registered.session, open_session(txn, *account, made.key));
    registered.secret = std::move(made.token);
    return {};
  }));
  return registered;
}

Result<DeviceSession> DeviceKeys::log_in(std::string_view api_key, const std::string& peer) {
  const std::string counted = counted_peer(peer);
  CHECK_OK(by_peer_.check(counted, clock_.now()));
  const auto principal = access_.authenticate(api_key);
  if (!principal || (*principal)->expires_at) {
    by_peer_.note_failure(counted, clock_.now());
    return fail(ErrorCode::unauthorized, "Invalid API key");
  }
  CHECK_OK(by_key_.check((*principal)->key_id, clock_.now()));
  by_key_.note_failure((*principal)->key_id, clock_.now());
  DeviceSession session;
  CHECK_OK(access_.change(Access::Effect::admits, [&](Txn& txn) -> Result<> {
    TRY(const StoredKey stored, find_key_in(txn, (*principal)->key_id));
    if (stored.key.revoked_at) return invalid_token();
    TRY(const Account account, find_account_in(txn, stored.key.account_email));
    TRY(session, open_session(txn, account, stored.key));
    return {};
  }));
  return session;
}

Result<> DeviceKeys::log_out(const Principal& principal) {
  if (!principal.expires_at) return {};
  TRY([[maybe_unused]] const Key key, access_.revoke_key(principal.key_id));
  return {};
}

Result<std::vector<Key>> DeviceKeys::list(std::string_view email) {
  TRY(auto keys, access_.keys(email));
  std::erase_if(keys, is_session);
  return keys;
}

Result<NewKey> DeviceKeys::create(const Principal& maker, std::string_view name) {
  CHECK_OK(check_name(name));
  NewKey made;
  CHECK_OK(access_.change(Access::Effect::admits, [&](Txn& txn) -> Result<> {
    CHECK_OK(check_standing(txn, maker, clock_.now()));
    TRY(const Account account, find_account_in(txn, maker.email));
    TRY(made, make_key(txn, account, name, without_admin(maker.scopes), maker.agent));
    return {};
  }));
  return made;
}

Result<StoredKey> DeviceKeys::find_own(Snapshot& snapshot, const Principal& owner, std::string_view id) {
  if (!check_record_id(id)) return no_such_key();
  auto stored = find_key_in(snapshot, id);
  if (!stored || stored->key.account_email != owner.email || is_session(stored->key)) return no_such_key();
  return stored;
}

Result<> DeviceKeys::revoke(const Principal& owner, std::string_view id) {
  CHECK_OK(store_.read(system_space(), [&](Snapshot& snapshot) -> Result<> {
    TRY(const StoredKey stored, find_own(snapshot, owner, id));
    return stored.key.revoked_at ? Result<>(no_such_key()) : Result<>{};
  }));
  TRY([[maybe_unused]] const Key key, access_.revoke_key(id));
  return {};
}

Result<NewKey> DeviceKeys::cycle(const Principal& owner, std::string_view id) {
  NewKey made;
  CHECK_OK(access_.change(Access::Effect::revokes, [&](Txn& txn) -> Result<> {
    CHECK_OK(check_standing(txn, owner, clock_.now()));
    TRY(const StoredKey old, find_own(txn, owner, id));
    if (old.key.revoked_at) return fail(ErrorCode::invalid_argument, "the key is revoked");
    for (const Scope scope : kAllScopes) {
      if (!old.key.scopes.has(scope) || owner.scopes.has(scope)) continue;
      return fail(ErrorCode::forbidden,
                  "the key has a scope that the requesting key lacks: " + std::string(to_text(scope)));
    }
    TRY(const Account account, find_account_in(txn, owner.email));
    TRY(made, make_key(txn, account, old.key.label, old.key.scopes, old.key.agent));
    CHECK_OK(move_api_key(txn, account.email, id, made.key.id));
    const auto ends = [&](const StoredKey& key) { return key.key.id == id || key.key.parent == id; };
    return revoke_keys(txn, account.email, ends, clock_.now());
  }));
  return made;
}

}  // namespace syncline
