#include "service/access.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "service/access_records.hpp"

namespace syncline {

using namespace access;  // its own records

namespace {

constexpr std::size_t kTokenBytesMin = 8;
constexpr std::size_t kTokenBytesMax = 512;
constexpr std::size_t kCacheEntriesMax = 100'000;
/// While accounts and keys change all the time, the last answer counts.
constexpr int kLookUpsMax = 5;

/// `conflict` if the account is the only admin.
Result<> check_other_admin(DirectoryView& view, const Account& account) {
  if (account.role != Role::admin) return {};
  TRY(const bool has_other, has_admin_in(view, account.number));
  if (has_other) return {};
  return fail(ErrorCode::conflict, account.email + " is the only admin; make another account an admin first");
}

}  // namespace

SpaceName system_space() { return {AccountNumber{0}, "system"}; }

Result<std::shared_ptr<const Principal>> Access::authenticate(std::string_view token, Via via,
                                                              std::string_view address) {
  TRY(auto principal, recognise(token, address));
  if (principal->is_cookie != (via == Via::cookie)) return invalid_token();
  return principal;
}

Result<std::shared_ptr<const Principal>> Access::recognise(std::string_view token, std::string_view address) {
  if (token.size() < kTokenBytesMin || token.size() > kTokenBytesMax) return invalid_token();
  const std::string hash(as_text(sha256(token)));
  for (int tries = 1;; ++tries) {
    std::uint64_t generation = 0;
    {
      const SharedLock lock(mutex_);
      generation = generation_;
      const auto cached = cache_.find(hash);
      if (cached != cache_.end()) {
        const Timestamp now = clock_.now();
        if (has_expired(cached->second->principal->expires_at, now)) return invalid_token();
        cached->second->last_used_micros.store(now.micros, std::memory_order_relaxed);
        note_address(cached->second.get(), cached->second->principal->key, address);
        return cached->second->principal;
      }
    }
    TRY(auto principal, look_up(token));
    if (is_ended(*principal)) return invalid_token();
    const MutexLock lock(mutex_);
    const bool is_current = generation == generation_;
    if (!is_current && tries < kLookUpsMax) continue;  // what was read may be of before a revocation
    if (is_current && cache_.size() < kCacheEntriesMax) {
      auto entry = std::make_unique<Cached>();
      entry->principal = principal;
      entry->last_used_micros = clock_.now().micros;
      note_address(entry.get(), principal->key, address);
      if (cache_.insert_or_assign(hash, std::move(entry)).second) cached_of_[principal->account].push_back(hash);
    } else {
      note_address(nullptr, principal->key, address);
      unsaved_usage_[principal->key] = clock_.now().micros;
    }
    return principal;
  }
}

Result<std::shared_ptr<const Principal>> Access::look_up(std::string_view token) {
  const std::string hash = hash_of(token);
  std::shared_ptr<const Principal> principal;
  const auto read = directory_.read([&](DirectoryView& view) -> Result<> {
    std::optional<KeyRow> row;
    if (const auto own = key_id_in(token)) {
      TRY(row, view.find_key(key_number_of(*own).value_or(KeyNumber{})));
    } else {
      TRY(row, view.find_key_by_token(as_text(sha256(token))));
    }
    if (!row) return invalid_token();
    const StoredKey stored = key_from(*row);
    const bool right = equal_in_constant_time(stored.hash, hash);
    const bool right_before = equal_in_constant_time(stored.previous_hash, hash);
    const auto expires_at = right ? stored.key.expires_at : stored.previous_expires_at;
    if ((!right && !right_before) || has_expired(expires_at, clock_.now())) return invalid_token();
    TRY(const auto account_row, view.find_account(row->account));
    if (!account_row) return invalid_token();
    const Account account = account_from(*account_row);
    TRY(const Rights rights, rights_in(view, *row, account.role));
    principal = std::make_shared<Principal>(Principal{.account = account.number,
                                                      .email = account.email,
                                                      .plan = account.plan,
                                                      .role = account.role,
                                                      .plan_label = account.plan_label,
                                                      .key = stored.key.number,
                                                      .opened_with = row->parent,
                                                      .key_id = stored.key.id,
                                                      .label = stored.key.label,
                                                      .scopes = rights.scopes,
                                                      .spaces = rights.spaces,
                                                      .is_person = stored.key.is_person,
                                                      .is_cookie = stored.key.is_cookie,
                                                      .agent = stored.key.agent,
                                                      .expires_at = expires_at,
                                                      .ai_cap = account.ai_cap});
    return {};
  });
  if (!read) return std::unexpected(read.error());
  return principal;
}

bool Access::is_ended(const Principal& principal) const {
  const SharedLock lock(mutex_);
  return ended_.contains(principal.key) || ended_.contains(principal.opened_with);
}

void Access::forget_cached(AccountNumber account) {
  const MutexLock lock(mutex_);
  generation_ += 1;
  const auto own = cached_of_.find(account);
  if (own == cached_of_.end()) return;
  for (const std::string& hash : own->second) {
    const auto cached = cache_.find(hash);
    if (cached == cache_.end()) continue;
    std::int64_t& used = unsaved_usage_[cached->second->principal->key];
    used = std::max<std::int64_t>(used, cached->second->last_used_micros);
    cache_.erase(cached);
  }
  cached_of_.erase(own);
}

void Access::announce_change() const {
  if (listeners_.on_change) listeners_.on_change();
}

Result<> Access::change(Effect effect, const Change& run) {
  AccountNumber whose;
  CHECK_OK(audit_.write([&](DirectoryTxn& txn) -> Result<> {
    TRY(whose, run(txn));
    return {};
  }));
  if (effect == Effect::admits) return {};
  forget_cached(whose);
  announce_change();
  return {};
}

Result<Account> Access::add_account(std::string_view email, Plan plan) {
  Account account;
  CHECK_OK(change(Effect::admits, [&](DirectoryTxn& txn) -> Result<AccountNumber> {
    bool is_first = true;
    CHECK_OK(txn.accounts([&](const AccountRow&) { return is_first = false; }));
    TRY(account, add_account_in(txn, email, plan, is_first ? Role::admin : Role::member));
    CHECK_OK(record(txn, account_event("account.created", account, to_text(account.role))));
    return account.number;
  }));
  return account;
}

Result<std::optional<Account>> Access::find_account(std::string_view email) {
  std::optional<Account> account;
  CHECK_OK(directory_.read([&](DirectoryView& view) -> Result<> {
    TRY(const auto row, find_account_row_in(view, email));
    if (row) account = account_from(*row);
    return {};
  }));
  return account;
}

Result<Account> Access::get_account(std::string_view email) {
  Account account;
  CHECK_OK(directory_.read([&](DirectoryView& view) -> Result<> {
    TRY(account, get_account_in(view, email));
    return {};
  }));
  return account;
}

Result<std::vector<Account>> Access::accounts() {
  std::vector<Account> found;
  CHECK_OK(directory_.read([&](DirectoryView& view) {
    return view.accounts([&](const AccountRow& row) {
      found.push_back(account_from(row));
      return true;
    });
  }));
  return found;
}

Result<Account> Access::change_account(std::string_view email, std::string_view action, std::string_view detail,
                                       const std::function<void(Account&)>& alter) {
  Account account;
  CHECK_OK(change(Effect::revokes, [&](DirectoryTxn& txn) -> Result<AccountNumber> {
    TRY(AccountRow row, get_account_row_in(txn, email));
    account = account_from(row);
    alter(account);
    row.doc = doc_of(account);
    CHECK_OK(txn.put_account(row));
    CHECK_OK(record(txn, account_event(action, account, detail)));
    return account.number;
  }));
  return account;
}

Result<Account> Access::set_plan(std::string_view email, Plan plan) {
  return change_account(email, "account.plan", to_text(plan), [&](Account& account) { account.plan = plan; });
}

Result<Account> Access::set_role(std::string_view email, Role role) {
  Account account;
  CHECK_OK(change(Effect::revokes, [&](DirectoryTxn& txn) -> Result<AccountNumber> {
    TRY(AccountRow row, get_account_row_in(txn, email));
    account = account_from(row);
    if (role == Role::member) CHECK_OK(check_other_admin(txn, account));
    if (account.role != role) {
      CHECK_OK(revoke_keys(txn, account.number, [](const StoredKey& stored) { return stored.key.is_cookie; }));
    }
    account.role = role;
    row.doc = doc_of(account);
    CHECK_OK(txn.put_account(row));
    CHECK_OK(record(txn, account_event("account.role", account, to_text(role))));
    return account.number;
  }));
  return account;
}

Result<Account> Access::set_ai_cap(std::string_view email, std::optional<std::int64_t> tokens) {
  return change_account(email, "account.ai_cap", tokens ? std::to_string(*tokens) : "default",
                        [&](Account& account) { account.ai_cap = tokens; });
}

std::string_view Access::shown_plan(const Principal& principal) const {
  if (!may_sync(principal)) return to_text(Plan::free);
  return principal.plan_label.empty() ? to_text(principal.plan) : principal.plan_label;
}

std::string_view Access::plan_for_desktops(const Principal& principal) const {
  if (!may_sync(principal) || !principal.plan_label.empty()) return shown_plan(principal);
  return offers_ai_ && principal.plan != Plan::companion ? "sync_ai" : "sync";
}

Result<Account> Access::set_plan_label(std::string_view email, std::string_view label) {
  if (!label.empty()) CHECK_OK(check_plan_label(label));
  return change_account(email, "account.plan_label", label.empty() ? "default" : label,
                        [&](Account& account) { account.plan_label = label; });
}

Result<Account> Access::remove_account(std::string_view email) {
  // Keys first, so that nobody writes any more; the account itself last, so that a failure can be tried again.
  Account account;
  CHECK_OK(change(Effect::revokes, [&](DirectoryTxn& txn) -> Result<AccountNumber> {
    TRY(AccountRow row, get_account_row_in(txn, email));
    account = account_from(row);
    bool is_alone = true;
    CHECK_OK(txn.accounts([&](const AccountRow& other) { return is_alone = other.number == row.number; }));
    if (!is_alone) CHECK_OK(check_other_admin(txn, account));
    CHECK_OK(revoke_keys(txn, account.number, [](const StoredKey&) { return true; }));
    TRY([[maybe_unused]] const std::size_t passkeys, remove_passkeys(txn, account.number));
    TRY([[maybe_unused]] const std::size_t identities, remove_identities(txn, account.number));
    std::vector<GrantRow> given;
    CHECK_OK(txn.grants_by(account.number, [&](const GrantRow& grant) {
      given.push_back(grant);
      return true;
    }));
    for (const GrantRow& grant : given) CHECK_OK(txn.remove_grant(grant.space, grant.guest));
    row.api_key = {};
    row.password.clear();  // a login under way finds none any more
    CHECK_OK(txn.put_account(row));
    CHECK_OK(record(txn, account_event("account.removed", account, "its keys are revoked")));
    return account.number;
  }));
  CHECK_OK(store_.erase_account(account.number));
  if (listeners_.on_erase) CHECK_OK(listeners_.on_erase(account.number));
  CHECK_OK(change(Effect::revokes, [&](DirectoryTxn& txn) -> Result<AccountNumber> {
    CHECK_OK(txn.erase_account(account.number));
    CHECK_OK(record(txn, account_event("account.erased", account, "its data and keys are gone")));
    return account.number;
  }));
  return account;
}

Result<NewKey> Access::add_key(std::string_view email, std::string_view label, ScopeSet scopes,
                               std::optional<std::string_view> token, const KeyTerms& terms) {
  CHECK_OK(check_label(label));
  if (scopes.empty()) return fail(ErrorCode::invalid_argument, "a key needs at least one scope");
  if (token) {
    const bool printable = std::ranges::all_of(*token, [](char c) { return c > ' ' && c < 0x7F; });
    if (token->size() < kTokenBytesMin || token->size() > kTokenBytesMax || !printable) {
      return fail(ErrorCode::invalid_argument, "a token must have 8 to 512 printable ASCII characters without spaces");
    }
    if (token->starts_with(kKeyPrefix)) {
      return fail(ErrorCode::invalid_argument, "a token must not begin with sl_, which marks generated keys");
    }
  }
  NewKey made;
  CHECK_OK(change(Effect::admits, [&](DirectoryTxn& txn) -> Result<AccountNumber> {
    if (terms.maker != nullptr) {
      TRY(const Rights own, rights_of(txn, *terms.maker, txn.now()));
      CHECK_OK(check_may_give(own, scopes, terms.spaces));
    }
    TRY(const Account account, get_account_in(txn, email));
    if (terms.request != nullptr) {
      TRY(auto again, find_made_by(txn, account.number, *terms.request, token));
      if (again) {
        made = *std::move(again);
        made.key.account_email = account.email;
        return account.number;
      }
    }
    if (has_expired(terms.expires_at, txn.now())) {
      return fail(ErrorCode::invalid_argument, "expires_at must be in the future");
    }
    if (scopes.has(Scope::admin) && account.role != Role::admin) {
      return fail(ErrorCode::invalid_argument, "the account '" + account.email +
                                                   "' is a member, whose keys cannot have the scope admin; 'syncline "
                                                   "account role " +
                                                   account.email + " admin' makes it an admin");
    }
    TRY(StoredKey stored, new_key(txn, account, label, scopes));
    stored.key.expires_at = terms.expires_at;
    stored.key.spaces = terms.spaces;
    if (terms.maker != nullptr) note_maker(stored.key, *terms.maker);
    const std::string own = terms.request != nullptr ? note_request(stored, *terms.request) : make_token(stored.key.id);
    made = {stored.key, token ? std::string(*token) : own};
    stored.hash = hash_of(made.token);
    if (token) {
      TRY(const auto taken, txn.find_key_by_token(as_text(sha256(*token))));
      if (taken && !taken->revoked_at) return fail(ErrorCode::conflict, "this token is already registered");
    }
    CHECK_OK(put_key_in(txn, stored));
    CHECK_OK(record(txn, key_event("key.created", stored.key)));
    return account.number;
  }));
  return made;
}

Result<std::vector<Key>> Access::keys(std::optional<std::string_view> email) {
  const Usage recent = recent_usage();
  const Addresses addresses = recent_addresses();
  std::vector<Key> found;
  CHECK_OK(directory_.read([&](DirectoryView& view) -> Result<> {
    std::unordered_map<AccountNumber, Account> accounts;
    std::optional<AccountNumber> wanted;
    if (email) {
      TRY(const Account account, get_account_in(view, *email));
      wanted = account.number;
      accounts[account.number] = account;
    } else {
      CHECK_OK(view.accounts([&](const AccountRow& row) {
        accounts[row.number] = account_from(row);
        return true;
      }));
    }
    return view.keys(wanted, [&](const KeyRow& row) {
      Key key = key_from(row).key;
      const Account& account = accounts[row.account];
      key.account_email = account.email;
      if (key.is_person) key.scopes = effective_scopes(key, account.role);
      if (const auto from = addresses.find(row.number); from != addresses.end()) key.last_address = from->second;
      const auto used = recent.find(row.number);
      const std::int64_t used_micros = used == recent.end() ? 0 : used->second;
      if (used_micros > 0 && (!key.last_used_at || key.last_used_at->micros < used_micros)) {
        key.last_used_at = Timestamp{used_micros};
      }
      found.push_back(std::move(key));
      return true;
    });
  }));
  return found;
}

Result<> Access::store_revocation(const Key& key) {
  const KeyNumber number = key.number;
  const AuditEvent event = revocation_event(key, ActingAs::current());
  const auto written = audit_.write([&](DirectoryTxn& txn) -> Result<> {
    TRY(const auto standing, txn.find_key(number));
    if (standing && !standing->revoked_at) CHECK_OK(record(txn, event));
    return revoke_with_sessions(txn, number);
  });
  if (written) return {};
  std::optional<KeyRow> row;
  CHECK_OK(directory_.read([&](DirectoryView& view) -> Result<> {
    TRY(row, view.find_key(number));
    return {};
  }));
  if (!row) return {};
  const auto reserved = directory_.revoke_in_reserve(*row, clock_.now());
  if (reserved) {
    log(LogLevel::warning, "revocation_in_reserve", {{"key", key_id_of(number)}, {"error", written.error().text}});
    if (!row->revoked_at) audit_.note(event);
    return {};
  }
  return fail(written.error().code, "the key is revoked until the hub restarts, but this could not be stored (" +
                                        written.error().text + "; " + reserved.error().text +
                                        "); free some space and revoke the key again");
}

Result<Key> Access::revoke_key(std::string_view id) {
  StoredKey stored;
  const auto get = [&](DirectoryView& view) -> Result<> {
    TRY(stored, get_key_in(view, id));
    return {};
  };
  CHECK_OK(directory_.read(get));
  const KeyNumber number = stored.key.number;
  {
    const MutexLock lock(mutex_);
    ended_.insert(number);
  }
  forget_cached(stored.key.account);
  announce_change();
  CHECK_OK(store_revocation(stored.key));
  {
    const MutexLock lock(mutex_);
    ended_.erase(number);
    generation_ += 1;  // who has read the key before sees it revoked no more in memory
  }
  CHECK_OK(directory_.read(get));
  return stored.key;
}

Result<std::string> Access::label_of(KeyNumber key) {
  if (key.value == 0) return "hub";
  std::string label;
  CHECK_OK(directory_.read([&](DirectoryView& view) -> Result<> {
    TRY(const auto row, view.find_key(key));
    if (row) label = key_from(*row).key.label;
    return {};
  }));
  return label;
}

Result<std::string> Access::label_of_key_id(std::string_view id) {
  const auto number = key_number_of(id);
  return number ? label_of(*number) : std::string();
}

}  // namespace syncline
