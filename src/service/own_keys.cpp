#include "service/own_keys.hpp"

#include <algorithm>
#include <array>

namespace syncline {

using namespace access;

namespace {

std::unexpected<Error> no_such(std::string_view what, std::string_view id) {
  return fail(ErrorCode::not_found, std::string(what) + " '" + std::string(id) + "' not found");
}

Result<> check_is_part(const Key& key, ScopeSet scopes) {
  if (scopes.common_with(key.scopes).names().size() == scopes.names().size()) return {};
  return fail(ErrorCode::forbidden, "the key has only the scopes " + join_scopes(key.scopes, ", ") +
                                        "; a change can only take scopes away, so make another key");
}

/// What a key may do, and until when.
std::string rights_in_words(const Key& key) {
  return "may " + join_scopes(key.scopes, ", ") + " in " + key.spaces.to_text() +
         (key.expires_at ? ", until " + format_time(*key.expires_at) : ", without end");
}

AuditEvent change_event(const Key& key, const std::string& label_before, const OwnKeys::Change& change) {
  const bool is_renamed = key.label != label_before || change.is_label_alone();
  std::string detail = is_renamed ? label_before + " to " + key.label : std::string();
  if (!change.is_label_alone()) detail += (detail.empty() ? "" : "; ") + rights_in_words(key);
  return {.action = change.is_label_alone() ? "key.renamed" : "key.changed",
          .account = key.account_email,
          .target = key.id,
          .detail = std::move(detail)};
}

/// A session does not outlive the key that it was opened with.
Result<> end_sessions_with(DirectoryTxn& txn, KeyNumber opened_with, Timestamp end) {
  std::vector<StoredKey> sessions;
  CHECK_OK(txn.keys_opened_with(opened_with, [&](const KeyRow& row) {
    StoredKey stored = key_from(row);
    if (!row.revoked_at && (!stored.key.expires_at || *stored.key.expires_at > end)) {
      sessions.push_back(std::move(stored));
    }
    return true;
  }));
  for (StoredKey& session : sessions) {
    session.key.expires_at = end;
    CHECK_OK(put_key_in(txn, session));
  }
  return {};
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
  std::optional<std::string_view> token;
  if (wanted.token) token = *wanted.token;
  return access_.add_key(maker.email, wanted.label, wanted.scopes, token,
                         {.maker = &maker,
                          .expires_at = wanted.expires_at,
                          .request = wanted.request ? &*wanted.request : nullptr,
                          .spaces = wanted.spaces});
}

Result<> OwnKeys::change_rights(DirectoryTxn& txn, StoredKey& stored, const Rights& own, const Change& change) {
  Key& key = stored.key;
  if (key.revoked_at || has_expired(key.expires_at, txn.now())) {
    return fail(ErrorCode::conflict, "the key '" + key.id + "' has ended; make another one");
  }
  if (change.scopes) {
    if (change.scopes->empty()) return fail(ErrorCode::invalid_argument, "a key needs at least one scope");
    CHECK_OK(check_is_part(key, *change.scopes));
    key.scopes = *change.scopes;
  }
  if (change.spaces) {
    if (!key.spaces.allows_all_of(*change.spaces)) {
      return fail(ErrorCode::space_not_allowed, "the key is only for " + key.spaces.to_text() +
                                                    "; a change can only take spaces away, so make another key");
    }
    key.spaces = *change.spaces;
  }
  if (!change.expires_at) return {};
  const auto& end = *change.expires_at;
  if (has_expired(end, txn.now())) return fail(ErrorCode::invalid_argument, "expires_at must be in the future");
  const bool is_later = key.expires_at && (!end || *end > *key.expires_at);
  if (is_later) CHECK_OK(check_may_give(own, key.scopes, key.spaces));
  key.expires_at = end;
  return end ? end_sessions_with(txn, key.number, *end) : Result<>{};
}

Result<OwnKeys::WithSessions> OwnKeys::change(const Principal& owner, std::string_view id, const Change& change) {
  if (change.label) CHECK_OK(check_label(*change.label));
  CHECK_OK(access_.change(Access::Effect::revokes, [&](DirectoryTxn& txn) -> Result<AccountNumber> {
    TRY(const Rights own, rights_of(txn, owner, txn.now()));
    TRY(auto stored, find_key_in(txn, id));
    if (!stored || stored->key.account != owner.account || is_session(stored->key)) return no_such("key", id);
    const std::string before = stored->key.label;
    if (change.label) stored->key.label = *change.label;
    if (!change.is_label_alone()) CHECK_OK(change_rights(txn, *stored, own, change));
    CHECK_OK(put_key_in(txn, *stored));
    CHECK_OK(record(txn, change_event(stored->key, before, change)));
    return owner.account;
  }));
  TRY(const auto all, keys(owner));
  const auto changed = std::ranges::find(all, id, [](const WithSessions& of) { return of.key.id; });
  if (changed == all.end()) return no_such("key", id);
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
