#include "service/browser_sessions.hpp"

#include "service/access_records.hpp"

namespace syncline {

using namespace access;  // the records that Access and this share

namespace {

constexpr std::int64_t kDeskIdleSeconds = 7LL * 86'400;
constexpr std::int64_t kPhoneIdleSeconds = 30LL * 86'400;

BrowserTerms terms_of(const StoredKey& stored) {
  return {.label = stored.key.label,
          .is_phone = stored.cookie->idle_seconds == kPhoneIdleSeconds,
          .keep = stored.cookie->keep};
}

}  // namespace

Result<BrowserSession> BrowserSessions::open(DirectoryTxn& txn, const Account& account, const Key* key,
                                             const BrowserTerms& terms, const Caller& caller) {
  CHECK_OK(check_label(terms.label));
  ScopeSet scopes = key != nullptr ? key->scopes : ScopeSet{Scope::read};
  if (terms.scopes) scopes = terms.scopes->common_with(key != nullptr ? key->scopes : scopes_of(account.role));
  TRY(StoredKey stored, new_key(txn, account, terms.label, scopes));
  stored.key.has_own_scopes = key == nullptr && terms.scopes;
  stored.key.spaces = terms.spaces;
  if (key != nullptr) {
    stored.key.parent = key->id;
    stored.key.agent = key->agent;
  }
  stored.cookie = {.idle_seconds = terms.is_phone ? kPhoneIdleSeconds : kDeskIdleSeconds,
                   .until = txn.now().plus_micros(kSecondsMax * kMicrosPerSecond),
                   .keep = terms.keep};
  stored.key.is_cookie = true;
  stored.key.is_person = key == nullptr;
  stored.key.expires_at = end_after_use(stored, txn.now(), key != nullptr ? key->expires_at : std::nullopt);
  note_caller(stored.key, caller);
  BrowserSession session{.account = account,
                         .key = stored.key,
                         .token = make_token(stored.key.id),
                         .scopes = effective_scopes(stored.key, account.role),
                         .spaces = key != nullptr ? terms.spaces.common_with(key->spaces) : terms.spaces,
                         .expires_at = *stored.key.expires_at,
                         .keep = terms.keep};
  stored.hash = hash_of(session.token);
  CHECK_OK(put_key_in(txn, stored));
  CHECK_OK(record(txn, session_event(account, stored.key, terms.how)));
  return session;
}

Result<BrowserSession> BrowserSessions::sign_in(std::string_view email, std::string_view password,
                                                const BrowserTerms& terms, const Caller& caller) {
  BrowserSession session;
  CHECK_OK(sessions_.log_in(email, password, caller, [&](DirectoryTxn& txn, const Account& account) -> Result<> {
    TRY(session, open(txn, account, nullptr, terms, caller));
    return {};
  }));
  return session;
}

Result<BrowserSession> BrowserSessions::sign_in_with_key(std::string_view key, const BrowserTerms& terms,
                                                         const Caller& caller) {
  const std::string counted = counted_peer(caller.address);
  CHECK_OK(by_peer_.check(counted, clock_.now()));
  const auto principal = access_.authenticate(key);
  if (!principal && principal.error().code != ErrorCode::unauthorized) return std::unexpected(principal.error());
  if (!principal || is_session(**principal)) {
    by_peer_.note_failure(counted, clock_.now());
    access_.audit().note_refusal(
        {.action = "session.refused", .account = {}, .target = {}, .detail = "a key that opens no session"});
    return fail(ErrorCode::unauthorized, "this key is unknown, revoked, expired, or a session's");
  }
  CHECK_OK(by_key_.check((*principal)->key_id, clock_.now()));
  by_key_.note_failure((*principal)->key_id, clock_.now());
  BrowserSession session;
  CHECK_OK(access_.change(Access::Effect::admits, [&](DirectoryTxn& txn) -> Result<AccountNumber> {
    CHECK_OK(check_standing(txn, **principal, txn.now()));
    TRY(const StoredKey stored, get_key_in(txn, (*principal)->key_id));
    TRY(const Account account, get_account_in(txn, stored.key.account_email));
    TRY(session, open(txn, account, &stored.key, terms, caller));
    return account.number;
  }));
  return session;
}

Result<BrowserSession> BrowserSessions::change_password(const Principal& owner, std::string_view current,
                                                        std::string_view next, const Caller& caller) {
  BrowserSession session;
  const auto reopen = [&](DirectoryTxn& txn, const Account& account) -> Result<> {
    TRY(const StoredKey asking, get_key_in(txn, owner.key_id));
    if (!asking.cookie) return invalid_token();
    TRY(session, open(txn, account, nullptr, terms_of(asking), caller));
    return {};
  };
  CHECK_OK(sessions_.change_password(owner, current, next, caller, reopen));
  return session;
}

Result<> BrowserSessions::end(std::string_view token) {
  const auto principal = access_.authenticate(token, Access::Via::cookie);
  if (!principal && principal.error().code == ErrorCode::unauthorized) return {};
  if (!principal) return std::unexpected(principal.error());
  TRY([[maybe_unused]] const Key ended, access_.revoke_key((*principal)->key_id));
  return {};
}

}  // namespace syncline
