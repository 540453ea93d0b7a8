#include "service/access.hpp"

#include <algorithm>
#include <mutex>

#include "base/bytes.hpp"
#include "base/json.hpp"
#include "base/text.hpp"

namespace syncline {
namespace {

constexpr std::string_view kAccounts = "accounts";  // by e-mail address
constexpr std::string_view kKeys = "keys";          // by key id
constexpr std::string_view kTokens = "tokens";      // by hash of a registered token -> key id
constexpr std::string_view kUsage = "key_usage";    // by key id
constexpr std::string_view kCounters = "counters";

constexpr std::string_view kKeyPrefix = "sl_";
constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kSecretChars = 43;  // base64url of 32 bytes
constexpr std::size_t kChecksumChars = 8;
constexpr std::size_t kTokenBytesMin = 8;
constexpr std::size_t kTokenBytesMax = 512;
constexpr std::size_t kLabelBytesMax = 200;
constexpr std::size_t kCacheEntriesMax = 100'000;

std::string hash_of(std::string_view token) { return to_hex(as_text(sha256(token))); }

std::string checksum_of(std::string_view text) {
  const std::uint32_t crc = crc32(text);
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(crc >> static_cast<unsigned>(shift));
  return to_hex(bytes);
}

std::string make_token(std::string_view key_id) {
  std::string token = std::string(kKeyPrefix) + std::string(key_id) + '_' + to_base64url(random_bytes(kSecretBytes));
  return token + checksum_of(token);
}

/// The key id inside a token of our own form with the right checksum.
std::optional<std::string_view> key_id_in(std::string_view token) {
  const std::size_t tail = 1 + kSecretChars + kChecksumChars;
  if (!token.starts_with(kKeyPrefix) || token.size() <= kKeyPrefix.size() + tail) return std::nullopt;
  const std::string_view body = token.substr(0, token.size() - kChecksumChars);
  if (checksum_of(body) != token.substr(body.size())) return std::nullopt;
  return token.substr(kKeyPrefix.size(), token.size() - kKeyPrefix.size() - tail);
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return lower;
}

Result<> check_email(std::string_view email) {
  const std::size_t at = email.find('@');
  const bool plain = std::ranges::none_of(email, [](char c) { return static_cast<unsigned char>(c) <= ' '; });
  if (email.size() > 254 || at == std::string_view::npos || at == 0 || at + 1 == email.size() || !plain ||
      !is_utf8(email)) {
    return fail(ErrorCode::invalid_argument, "'" + std::string(email) + "' is not an e-mail address");
  }
  return {};
}

std::string text_field(JsonView doc, std::string_view name) {
  const auto field = doc.find(name);
  return field ? field->as_string().value_or("") : "";
}

std::int64_t integer_field(JsonView doc, std::string_view name) {
  const auto field = doc.find(name);
  return field ? field->as_integer().value_or(0) : 0;
}

std::optional<Timestamp> time_field(JsonView doc, std::string_view name) {
  const auto time = parse_time(text_field(doc, name));
  if (!time) return std::nullopt;
  return *time;
}

std::string doc_of(const Account& account) {
  std::string doc;
  JsonWriter(doc)
      .begin_object()
      .integer("number", account.number.value)
      .string("email", account.email)
      .string("plan", to_text(account.plan))
      .string("plan_label", account.plan_label)
      .string("created_at", format_time(account.created_at))
      .end_object();
  return doc;
}

Account account_from(std::string_view doc) {
  const JsonView json(doc);
  return {.number = {integer_field(json, "number")},
          .email = text_field(json, "email"),
          .plan = parse_plan(text_field(json, "plan")).value_or(Plan::free),
          .plan_label = text_field(json, "plan_label"),
          .created_at = time_field(json, "created_at").value_or(Timestamp{})};
}

/// What is stored of a key: everything but the secret, of which only the hash.
struct StoredKey {
  Key key;
  std::string hash;
};

std::string doc_of(const StoredKey& stored) {
  std::string doc;
  JsonWriter writer(doc);
  writer.begin_object()
      .integer("number", stored.key.number.value)
      .string("account", stored.key.account_email)
      .string("label", stored.key.label)
      .string("scopes", join_scopes(stored.key.scopes, ","))
      .string("hash", stored.hash)
      .string("created_at", format_time(stored.key.created_at));
  if (stored.key.revoked_at) writer.string("revoked_at", format_time(*stored.key.revoked_at));
  writer.end_object();
  return doc;
}

StoredKey key_from(std::string_view id, std::string_view doc) {
  const JsonView json(doc);
  StoredKey stored;
  stored.key.number = {integer_field(json, "number")};
  stored.key.id = id;
  stored.key.account_email = text_field(json, "account");
  stored.key.label = text_field(json, "label");
  stored.key.scopes = parse_scopes(text_field(json, "scopes")).value_or(ScopeSet{});
  stored.key.created_at = time_field(json, "created_at").value_or(Timestamp{});
  stored.key.revoked_at = time_field(json, "revoked_at");
  stored.hash = text_field(json, "hash");
  return stored;
}

/// Puts a system record as it is: these are written by one process only and need no merge.
Result<> put_doc(Txn& txn, std::string_view collection, std::string_view id, std::string doc) {
  TRY(const auto existing, txn.find(collection, id));
  Record record;
  record.collection = collection;
  record.id = id;
  record.updated_at = record.effective_at = txn.stamp();
  record.deleted = doc.empty();
  record.doc = std::move(doc);
  txn.put(std::move(record), existing ? &*existing : nullptr);
  return {};
}

Result<std::int64_t> next_number(Txn& txn, std::string_view counter) {
  TRY(const auto stored, txn.find(kCounters, counter));
  const std::int64_t number = (stored ? integer_field(JsonView(stored->doc), "last") : 0) + 1;
  CHECK_OK(put_doc(txn, kCounters, counter, "{\"last\":" + std::to_string(number) + "}"));
  return number;
}

Result<Account> find_account_in(Snapshot& snapshot, std::string_view email) {
  TRY(const auto record, snapshot.find(kAccounts, lower_case(email)));
  if (!record || record->deleted) {
    return fail(ErrorCode::not_found, "there is no account '" + std::string(email) + "'");
  }
  return account_from(record->doc);
}

Result<StoredKey> find_key_in(Snapshot& snapshot, std::string_view id) {
  TRY(const auto record, snapshot.find(kKeys, id));
  if (!record || record->deleted) return fail(ErrorCode::not_found, "there is no key '" + std::string(id) + "'");
  return key_from(id, record->doc);
}

std::unexpected<Error> invalid_token() {
  return fail(ErrorCode::unauthorized, "the token is not valid", Advice::reauth);
}

}  // namespace

SpaceName system_space() { return {AccountNumber{0}, "system"}; }

Result<std::shared_ptr<const Principal>> Access::authenticate(std::string_view token) {
  if (token.size() < kTokenBytesMin || token.size() > kTokenBytesMax) return invalid_token();
  const std::string hash(as_text(sha256(token)));
  std::uint64_t generation = 0;
  {
    const std::shared_lock lock(mutex_);
    generation = generation_;
    const auto cached = cache_.find(hash);
    if (cached != cache_.end()) {
      cached->second->last_used_micros.store(clock_.now().micros, std::memory_order_relaxed);
      return cached->second->principal;
    }
  }
  TRY(auto principal, look_up(token));
  const std::unique_lock lock(mutex_);
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
      id = text_field(JsonView(registered->doc), "key");
    }
    const auto stored = find_key_in(snapshot, id);
    if (!stored || stored->key.revoked_at || !equal_in_constant_time(stored->hash, hash)) return invalid_token();
    const auto account = find_account_in(snapshot, stored->key.account_email);
    if (!account) return invalid_token();
    principal = std::make_shared<Principal>(Principal{.account = account->number,
                                                      .email = account->email,
                                                      .plan = account->plan,
                                                      .plan_label = account->plan_label,
                                                      .key = stored->key.number,
                                                      .key_id = stored->key.id,
                                                      .label = stored->key.label,
                                                      .scopes = stored->key.scopes});
    return {};
  });
  if (!read) return std::unexpected(read.error());
  return principal;
}

bool Access::is_valid(const Principal& principal) {
  bool valid = false;
  (void)store_.read(system_space(), [&](Snapshot& snapshot) -> Result<> {
    TRY(const StoredKey stored, find_key_in(snapshot, principal.key_id));
    TRY(const Account account, find_account_in(snapshot, principal.email));
    valid = !stored.key.revoked_at && account.number == principal.account;
    return {};
  });
  return valid;
}

void Access::forget_cached() {
  const std::unique_lock lock(mutex_);
  for (const auto& [hash, cached] : cache_) {
    unsaved_usage_[cached->principal->key_id] = cached->last_used_micros;
  }
  cache_.clear();
  generation_ += 1;
}

Result<> Access::change(WriteFunction run) {
  const auto written = write_and_wait(store_, system_space(), {}, std::move(run));
  if (!written) return std::unexpected(written.error());
  forget_cached();
  if (listener_) listener_();
  return {};
}

Result<Account> Access::add_account(std::string_view email, Plan plan) {
  CHECK_OK(check_email(email));
  Account account{.email = lower_case(email), .plan = plan, .created_at = clock_.now()};
  CHECK_OK(change([&](Txn& txn) -> Result<> {
    if (find_account_in(txn, email)) {
      return fail(ErrorCode::conflict, "there is an account '" + account.email + "' already");
    }
    TRY(account.number.value, next_number(txn, "account"));
    return put_doc(txn, kAccounts, account.email, doc_of(account));
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

Result<Account> Access::set_plan(std::string_view email, Plan plan) {
  Account account;
  CHECK_OK(change([&](Txn& txn) -> Result<> {
    TRY(account, find_account_in(txn, email));
    account.plan = plan;
    return put_doc(txn, kAccounts, account.email, doc_of(account));
  }));
  return account;
}

std::string_view Access::reported_plan(const Principal& principal) const {
  if (!may_sync(principal)) return to_text(Plan::free);
  if (!principal.plan_label.empty()) return principal.plan_label;
  return principal.plan == Plan::companion ? "sync" : "sync_ai";
}

Result<Account> Access::set_plan_label(std::string_view email, std::string_view label) {
  if (!label.empty()) CHECK_OK(check_plan_label(label));
  Account account;
  CHECK_OK(change([&](Txn& txn) -> Result<> {
    TRY(account, find_account_in(txn, email));
    account.plan_label = label;
    return put_doc(txn, kAccounts, account.email, doc_of(account));
  }));
  return account;
}

Result<Account> Access::remove_account(std::string_view email) {
  // Keys first, so that nobody writes any more; the account itself last, so that a failure can be tried again.
  Account account;
  CHECK_OK(change([&](Txn& txn) -> Result<> {
    TRY(account, find_account_in(txn, email));
    std::vector<StoredKey> own;
    CHECK_OK(txn.scan(kKeys, "", [&](const RecordView& record) {
      if (record.deleted) return true;
      StoredKey stored = key_from(record.id, record.doc);
      if (stored.key.account_email == account.email && !stored.key.revoked_at) own.push_back(std::move(stored));
      return true;
    }));
    for (StoredKey& stored : own) {
      stored.key.revoked_at = clock_.now();
      CHECK_OK(put_doc(txn, kKeys, stored.key.id, doc_of(stored)));
    }
    return {};
  }));
  CHECK_OK(store_.erase_account(account.number));
  CHECK_OK(change([&](Txn& txn) { return put_doc(txn, kAccounts, account.email, ""); }));
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
      return fail(ErrorCode::invalid_argument, "tokens that begin with sl_ are made by syncline");
    }
  }
  NewKey made;
  made.key = {.label = std::string(label), .scopes = scopes, .created_at = clock_.now()};
  CHECK_OK(change([&](Txn& txn) -> Result<> {
    TRY(const Account account, find_account_in(txn, email));
    made.key.account_email = account.email;
    TRY(made.key.number.value, next_number(txn, "key"));
    made.key.id = "k" + std::to_string(made.key.number.value);
    made.token = token ? std::string(*token) : make_token(made.key.id);
    const std::string hash = hash_of(made.token);
    if (token) {
      TRY(const auto taken, txn.find(kTokens, hash));
      if (taken && !taken->deleted) {
        const auto owner = find_key_in(txn, text_field(JsonView(taken->doc), "key"));
        if (owner && !owner->key.revoked_at) return fail(ErrorCode::conflict, "this token is registered already");
      }
      CHECK_OK(put_doc(txn, kTokens, hash, "{\"key\":\"" + made.key.id + "\"}"));
    }
    return put_doc(txn, kKeys, made.key.id, doc_of(StoredKey{made.key, hash}));
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
  CHECK_OK(change([&](Txn& txn) -> Result<> {
    TRY(stored, find_key_in(txn, id));
    if (stored.key.revoked_at) return {};
    stored.key.revoked_at = clock_.now();
    return put_doc(txn, kKeys, id, doc_of(stored));
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
    const std::unique_lock lock(mutex_);
    usage.swap(unsaved_usage_);
    for (auto& [hash, cached] : cache_) {
      if (const std::int64_t used = cached->last_used_micros.exchange(0); used != 0) {
        usage[cached->principal->key_id] = used;
      }
    }
  }
  std::erase_if(usage, [](const auto& entry) { return entry.second == 0; });
  if (usage.empty()) return {};
  const auto written = write_and_wait(store_, system_space(), {}, [&](Txn& txn) -> Result<> {
    for (const auto& [id, micros] : usage) {
      CHECK_OK(put_doc(txn, kUsage, id, "{\"last_used_at\":\"" + format_time({micros}) + "\"}"));
    }
    return {};
  });
  if (!written) return std::unexpected(written.error());
  return {};
}

}  // namespace syncline
