#include "service/access.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "base/text.hpp"
#include "service/access_records.hpp"

namespace syncline {

using namespace access;  // its own records

namespace {

constexpr std::size_t kTokenBytesMin = 8;
constexpr std::size_t kTokenBytesMax = 512;
constexpr std::size_t kLabelBytesMax = 200;
constexpr std::size_t kCacheEntriesMax = 100'000;

}  // namespace

SpaceName system_space() { return {AccountNumber{0}, "system"}; }

Result<std::shared_ptr<const Principal>> Access::authenticate(std::string_view token) {
  if (token.size() < kTokenBytesMin || token.size() > kTokenBytesMax) return invalid_token();
  const std::string hash(as_text(sha256(token)));
  std::uint64_t generation = 0;
  {
    const SharedLock lock(mutex_);
    generation = generation_;
    const auto cached = cache_.find(hash);
    if (cached != cache_.end()) {
      const Timestamp now = clock_.now();
      if (has_expired(cached->second->principal->expires_at, now)) return invalid_token();
      cached->second->last_used_micros.store(now.micros, std::memory_order_relaxed);
      return cached->second->principal;
    }
  }
  TRY(auto principal, look_up(token));
  const MutexLock lock(mutex_);
  if (generation == generation_ && cache_.size() < kCacheEntriesMax) {
    auto entry = std::make_unique<Cached>();
    entry->principal = principal;
    entry->last_used_micros = clock_.now().micros;
    cache_[hash] = std::move(entry);
  }
  return principal;
}

Result<std::shared_ptr<const Principal>> Access::look_up(std::string_view token) {
  const std::string hash = hash_of(token);
  std::shared_ptr<const Principal> principal;
  const auto read = store_.read(system_space(), [&](Snapshot& snapshot) -> Result<> {
    std::string id;
    if (const auto own = key_id_in(token)) {
      id = *own;
    } else {
      TRY(const auto registered, snapshot.find(kTokens, hash));
      if (!registered || registered->deleted) return invalid_token();
      id = JsonView(registered->doc).text_of("key");
    }
    const auto stored = find_key_in(snapshot, id);
    if (!stored || stored->key.revoked_at) return invalid_token();
    const bool right = equal_in_constant_time(stored->hash, hash);
    const bool right_before = equal_in_constant_time(stored->previous_hash, hash);
    const auto expires_at = right ? stored->key.expires_at : stored->previous_expires_at;
    if ((!right && !right_before) || has_expired(expires_at, clock_.now())) return invalid_token();
    const auto account = find_account_in(snapshot, stored->key.account_email);
    if (!account) return invalid_token();
    principal = std::make_shared<Principal>(Principal{.account = account->number,
                                                      .email = account->email,
                                                      .plan = account->plan,
                                                      .plan_label = account->plan_label,
                                                      .key = stored->key.number,
                                                      .key_id = stored->key.id,
                                                      .label = stored->key.label,
                                                      .scopes = stored->key.scopes,
                                                      .agent = stored->key.agent,
                                                      .expires_at = expires_at,
                                                      .ai_cap = account->ai_cap});
    return {};
  });
  if (!read) return std::unexpected(read.error());
  return principal;
}

bool Access::is_valid(const Principal& principal) {
  return store_
      .read(system_space(), [&](Snapshot& snapshot) { return check_standing(snapshot, principal, clock_.now()); })
      .has_value();
}

void Access::forget_cached() {
  const MutexLock lock(mutex_);
  for (const auto& [hash, cached] : cache_) {
    unsaved_usage_[cached->principal->key_id] = cached->last_used_micros;
  }
  cache_.clear();
  generation_ += 1;
}

Result<> Access::change(Effect effect, WriteFunction run) {
  const auto written = write_and_wait(store_, system_space(), {}, std::move(run));
  if (!written) return std::unexpected(written.error());
  if (effect == Effect::admits) return {};
  forget_cached();
  if (listeners_.on_change) listeners_.on_change();
  return {};
}

Result<Account> Access::add_account(std::string_view email, Plan plan) {
  Account account;
  CHECK_OK(change(Effect::admits, [&](Txn& txn) -> Result<> {
    TRY(account, add_account_in(txn, email, plan, clock_.now()));
    return {};
  }));
  return account;
}

Result<Account> Access::find_account(std::string_view email) {
  Account account;
  CHECK_OK(store_.read(system_space(), [&](Snapshot& snapshot) -> Result<> {
    TRY(account, find_account_in(snapshot, email));
    return {};
  }));
  return account;
}

Result<std::vector<Account>> Access::accounts() {
  std::vector<Account> found;
  CHECK_OK(store_.read(system_space(), [&](Snapshot& snapshot) {
    return snapshot.scan(kAccounts, "", [&](const RecordView& record) {
      if (!record.deleted) found.push_back(account_from(record.doc));
      return true;
    });
  }));
  return found;
}

Result<Account> Access::change_account(std::string_view email, const std::function<void(Account&)>& alter) {
  Account account;
  CHECK_OK(change(Effect::revokes, [&](Txn& txn) -> Result<> {
    TRY(account, find_account_in(txn, email));
    alter(account);
    return put_doc(txn, kAccounts, account.email, doc_of(account));
  }));
  return account;
}

Result<Account> Access::set_plan(std::string_view email, Plan plan) {
  return change_account(email, [&](Account& account) { account.plan = plan; });
}

Result<Account> Access::set_ai_cap(std::string_view email, std::optional<std::int64_t> tokens) {
  return change_account(email, [&](Account& account) { account.ai_cap = tokens; });
}

std::string_view Access::reported_plan(const Principal& principal) const {
  if (!may_sync(principal)) return to_text(Plan::free);
  if (!principal.plan_label.empty()) return principal.plan_label;
  return principal.plan == Plan::companion ? "sync" : "sync_ai";
}

Result<Account> Access::set_plan_label(std::string_view email, std::string_view label) {
  if (!label.empty()) CHECK_OK(check_plan_label(label));
  return change_account(email, [&](Account& account) { account.plan_label = label; });
}

Result<Account> Access::remove_account(std::string_view email) {
  // Keys first, so that nobody writes any more; the account itself last, so that a failure can be tried again.
  Account account;
  CHECK_OK(change(Effect::revokes, [&](Txn& txn) -> Result<> {
    TRY(account, find_account_in(txn, email));
    CHECK_OK(revoke_keys(txn, account.email, [](const StoredKey&) { return true; }, clock_.now()));
    CHECK_OK(put_doc(txn, kApiKeys, account.email, ""));
    return put_doc(txn, kPasswords, account.email, "");  // a login under way finds none any more
  }));
  CHECK_OK(store_.erase_account(account.number));
  if (listeners_.on_erase) CHECK_OK(listeners_.on_erase(account.number));
  CHECK_OK(change(Effect::revokes, [&](Txn& txn) -> Result<> { return put_doc(txn, kAccounts, account.email, ""); }));
  return account;
}

Result<NewKey> Access::add_key(std::string_view email, std::string_view label, ScopeSet scopes,
                               std::optional<std::string_view> token) {
  if (label.empty() || label.size() > kLabelBytesMax || !is_utf8(label)) {
    return fail(ErrorCode::invalid_argument, "a label must have 1 to 200 bytes of UTF-8");
  }
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
  CHECK_OK(change(Effect::admits, [&](Txn& txn) -> Result<> {
    TRY(const Account account, find_account_in(txn, email));
    TRY(StoredKey stored, new_key(txn, account, label, scopes, clock_.now()));
    made = {stored.key, token ? std::string(*token) : make_token(stored.key.id)};
    stored.hash = hash_of(made.token);
    if (token) {
      TRY(const auto taken, txn.find(kTokens, stored.hash));
      if (taken && !taken->deleted) {
        const auto owner = find_key_in(txn, JsonView(taken->doc).text_of("key"));
        if (owner && !owner->key.revoked_at) return fail(ErrorCode::conflict, "this token is already registered");
      }
      CHECK_OK(put_token(txn, stored.hash, stored.key.id));
    }
    return put_doc(txn, kKeys, stored.key.id, doc_of(stored));
  }));
  return made;
}

Result<std::vector<Key>> Access::keys(std::optional<std::string_view> email) {
  CHECK_OK(store_usage());
  std::vector<Key> found;
  CHECK_OK(store_.read(system_space(), [&](Snapshot& snapshot) -> Result<> {
    std::string wanted;
    if (email) {
      TRY(const Account account, find_account_in(snapshot, *email));
      wanted = account.email;
    }
    CHECK_OK(snapshot.scan(kKeys, "", [&](const RecordView& record) {
      if (record.deleted) return true;
      Key key = key_from(record.id, record.doc).key;
      if (wanted.empty() || key.account_email == wanted) found.push_back(std::move(key));
      return true;
    }));
    for (Key& key : found) {
      TRY(const auto usage, snapshot.find(kUsage, key.id));
      if (usage) key.last_used_at = time_field(JsonView(usage->doc), "last_used_at");
    }
    return {};
  }));
  std::ranges::sort(found, {}, [](const Key& key) { return key.number.value; });
  return found;
}

Result<Key> Access::revoke_key(std::string_view id) {
  StoredKey stored;
  CHECK_OK(change(Effect::revokes, [&](Txn& txn) -> Result<> {
    const auto is_meant = [&](const StoredKey& key) { return key.key.id == id || key.key.parent == id; };
    TRY(stored, find_key_in(txn, id));
    CHECK_OK(revoke_keys(txn, stored.key.account_email, is_meant, clock_.now()));
    TRY(stored, find_key_in(txn, id));
    return {};
  }));
  return stored.key;
}

std::string Access::label_of_key_id(std::string_view id) {
  std::string label;
  (void)store_.read(system_space(), [&](Snapshot& snapshot) -> Result<> {
    TRY(const StoredKey stored, find_key_in(snapshot, id));
    label = stored.key.label;
    return {};
  });
  return label;
}

std::string Access::label_of(KeyNumber key) {
  return key.value == 0 ? "hub" : label_of_key_id("k" + std::to_string(key.value));
}

Result<> Access::store_usage() {
  std::unordered_map<std::string, std::int64_t> usage;
  {
    const MutexLock lock(mutex_);
    usage.swap(unsaved_usage_);
    for (auto& [hash, cached] : cache_) {
      if (const std::int64_t used = cached->last_used_micros.exchange(0); used != 0) {
        usage[cached->principal->key_id] = used;
      }
    }
  }
  std::erase_if(usage, [](const auto& entry) { return entry.second == 0; });
  if (usage.empty()) return {};
  std::vector<std::string> prolonged;
  const auto written = write_and_wait(store_, system_space(), {}, [&](Txn& txn) -> Result<> {
    for (const auto& [id, micros] : usage) {
      CHECK_OK(put_doc(txn, kUsage, id, "{\"last_used_at\":\"" + format_time({micros}) + "\"}"));
    }
    TRY(prolonged, prolong(txn, usage));
    return {};
  });
  if (!written) return std::unexpected(written.error());
  if (prolonged.empty()) return {};
  const MutexLock lock(mutex_);
  generation_ += 1;
  std::erase_if(cache_, [&](const auto& entry) {
    return std::ranges::find(prolonged, entry.second->principal->key_id) != prolonged.end();
  });
  return {};
}

Result<std::vector<std::string>> Access::prolong(Txn& txn, const std::unordered_map<std::string, std::int64_t>& usage) {
  constexpr std::int64_t kWorthWritingSeconds = 3600;
  std::vector<std::string> prolonged;
  for (const auto& [id, micros] : usage) {
    auto stored = find_key_in(txn, id);
    if (!stored || stored->key.parent.empty() || stored->key.revoked_at || !stored->key.expires_at) continue;
    const Timestamp until = Timestamp{micros}.plus_micros(kSessionSeconds * kMicrosPerSecond);
    if (until.micros - stored->key.expires_at->micros < kWorthWritingSeconds * kMicrosPerSecond) continue;
    stored->key.expires_at = until;
    CHECK_OK(put_doc(txn, kKeys, id, doc_of(*stored)));
    prolonged.push_back(id);
  }
  return prolonged;
}

}  // namespace syncline
