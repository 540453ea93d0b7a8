#include "service/own_keys.hpp"

#include <algorithm>
#include <array>

#include "service/access_records.hpp"

namespace syncline {

using namespace access;

namespace {

std::unexpected<Error> no_such(std::string_view what, std::string_view id) {
  return fail(ErrorCode::not_found, std::string(what) + " '" + std::string(id) + "' not found");
}

}  // namespace

Result<std::vector<Key>> OwnKeys::sessions(const Principal& owner) {
  TRY(auto keys, access_.keys(owner.email));
  const Timestamp now = access_.clock().now();
  std::erase_if(keys, [&](const Key& key) {
    const bool can_be_renewed = key.is_person && !key.is_cookie;
    return !is_session(key) || key.revoked_at || (!can_be_renewed && has_expired(key.expires_at, now));
  });
  // Those used last come first.
  std::ranges::sort(keys, {}, [](const Key& key) {
    return std::pair(-key.last_used_at.value_or(key.created_at).micros, key.number);
  });
  return keys;
}

Result<> OwnKeys::end_session(const Principal& owner, std::string_view id) {
  TRY(const auto standing, sessions(owner));
  if (std::ranges::find(standing, id, &Key::id) == standing.end()) return no_such("session", id);
  TRY([[maybe_unused]] const Key ended, access_.revoke_key(id));
  return {};
}

Result<std::int64_t> OwnKeys::end_other_sessions(const Principal& owner) {
  std::int64_t ended = 0;
  CHECK_OK(access_.change(Access::Effect::revokes, [&](DirectoryTxn& txn) -> Result<AccountNumber> {
    ended = 0;
    CHECK_OK(check_standing(txn, owner, txn.now()));
    CHECK_OK(revoke_keys(txn, owner.account, [&](const StoredKey& stored) {
      const bool is_other = is_session(stored.key) && stored.key.number != owner.key;
      if (is_other) ++ended;
      return is_other;
    }));
    CHECK_OK(record(txn, {.action = "session.ended_others",
                          .account = owner.email,
                          .target = owner.key_id,
                          .detail = std::to_string(ended) + " sessions"}));
    return owner.account;
  }));
  return ended;
}

Result<std::vector<OwnKeys::WithSessions>> OwnKeys::keys(const Principal& owner) {
  TRY(const auto all, access_.keys(owner.email));
  std::vector<WithSessions> found;
  for (const Key& key : all) {
    if (!is_session(key)) found.push_back({key});
  }
  const Timestamp now = access_.clock().now();
  for (const Key& key : all) {
    if (key.parent.empty() || key.revoked_at || has_expired(key.expires_at, now)) continue;
    const auto parent = std::ranges::find(found, key.parent, [](const WithSessions& own) { return own.key.id; });
    if (parent != found.end()) parent->sessions += 1;
  }
  return found;
}

Result<NewKey> OwnKeys::add(const Principal& maker, const Wanted& wanted) {
  CHECK_OK(check_has_all(maker, wanted.scopes));
  std::optional<std::string_view> token;
  if (wanted.token) token = *wanted.token;
  return access_.add_key(
      maker.email, wanted.label, wanted.scopes, token,
      {.maker = &maker, .expires_at = wanted.expires_at, .request = wanted.request ? &*wanted.request : nullptr});
}

Result<OwnKeys::WithSessions> OwnKeys::relabel(const Principal& owner, std::string_view id, std::string_view label) {
  CHECK_OK(check_label(label));
  CHECK_OK(access_.change(Access::Effect::revokes, [&](DirectoryTxn& txn) -> Result<AccountNumber> {
    CHECK_OK(check_standing(txn, owner, txn.now()));
    TRY(auto stored, find_key_in(txn, id));
    if (!stored || stored->key.account != owner.account || is_session(stored->key)) return no_such("key", id);
    const std::string before = std::exchange(stored->key.label, std::string(label));
    CHECK_OK(put_key_in(txn, *stored));
    CHECK_OK(record(txn, {.action = "key.renamed",
                          .account = owner.email,
                          .target = stored->key.id,
                          .detail = before + " to " + stored->key.label}));
    return owner.account;
  }));
  TRY(const auto own, keys(owner));
  const auto changed = std::ranges::find(own, id, [](const WithSessions& of) { return of.key.id; });
  if (changed == own.end()) return no_such("key", id);
  return *changed;
}

Result<> OwnKeys::revoke(const Principal& owner, std::string_view id) {
  CHECK_OK(directory_.read([&](DirectoryView& view) -> Result<> {
    TRY(const auto stored, find_key_in(view, id));
    const bool is_own = stored && stored->key.account == owner.account && !is_session(stored->key);
    return is_own && !stored->key.revoked_at ? Result<>{} : Result<>(no_such("key", id));
  }));
  TRY([[maybe_unused]] const Key revoked, access_.revoke_key(id));
  return {};
}

}  // namespace syncline
