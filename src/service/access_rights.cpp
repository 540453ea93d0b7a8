// What a key may do, as far as access_records.hpp declares it: scopes and spaces, with those of the key behind a
// session.
#include "service/access_records.hpp"

namespace syncline::access {

Result<> check_may_give(const Rights& own, ScopeSet scopes, const SpaceLimit& spaces) {
  for (const std::string_view name : scopes.names()) {
    TRY(const ScopeSet scope, parse_scopes(name));
    if (own.scopes.has_any(scope)) continue;
    return fail(ErrorCode::forbidden, "the key has a scope that the requesting key lacks: " + std::string(name));
  }
  if (own.spaces.allows_all_of(spaces)) return {};
  return fail(ErrorCode::space_not_allowed, "the requesting key is only for " + own.spaces.to_text() +
                                                ", so it gives no rights for " + spaces.to_text());
}

Result<> check_whole_session(const Principal& owner, std::string_view what) {
  if (owner.is_person && check_may_give({owner.scopes, owner.spaces}, scopes_of(owner.role), {})) return {};
  return fail(ErrorCode::forbidden, std::string(what) +
                                        " opens a session with all rights of the account, so only such a session can "
                                        "add one: sign in with your password or a passkey");
}

ScopeSet effective_scopes(const Key& key, Role role) {
  return key.is_person && !key.has_own_scopes ? scopes_of(role) : key.scopes.common_with(scopes_of(role));
}

Result<Rights> rights_in(DirectoryView& view, const KeyRow& row, Role role) {
  if (row.revoked_at) return invalid_token();
  const Key key = key_from(row).key;
  Rights rights{effective_scopes(key, role), key.spaces};
  if (row.parent.value == 0) return rights;
  TRY(const auto parent, view.find_key(row.parent));
  if (!parent || parent->revoked_at) return invalid_token();
  const Key opened_with = key_from(*parent).key;
  rights.scopes = rights.scopes.common_with(opened_with.scopes);
  rights.spaces = rights.spaces.common_with(opened_with.spaces);
  return rights;
}

Result<Rights> rights_of(DirectoryView& view, const Principal& principal, Timestamp now) {
  TRY(const auto row, view.find_key(principal.key));
  TRY(const auto account, view.find_account(principal.account));
  if (!row || !account || row->account != principal.account) return invalid_token();
  TRY(Rights rights, rights_in(view, *row, account_from(*account).role));
  if (has_expired(key_from(*row).key.expires_at, now)) return invalid_token();
  return rights;
}

Result<> check_standing(DirectoryView& view, const Principal& principal, Timestamp now) {
  TRY([[maybe_unused]] const Rights rights, rights_of(view, principal, now));
  return {};
}

Result<> check_limit(const SpaceLimit& limit, AccountNumber account, const SpaceName& space) {
  const std::string name = name_for(account, space);
  return limit.allows(name) ? Result<>{} : Result<>(space_not_allowed(limit, name));
}

}  // namespace syncline::access
