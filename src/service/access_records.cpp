#include "service/access_records.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "base/hmac.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"

namespace syncline::access {
namespace {

constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kLabelBytesMax = 200;
constexpr std::size_t kSecretChars = 43;  // base64url of 32 bytes
constexpr std::size_t kChecksumChars = 8;

std::string checksum_of(std::string_view text) {
  const std::uint32_t crc = crc32(text);
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(crc >> static_cast<unsigned>(shift));
  return to_hex(bytes);
}

std::string join_hashes(const std::vector<std::string>& hashes) {
  const std::vector<std::string_view> parts(hashes.begin(), hashes.end());
  return join(parts, ",");
}

Result<> check_email(std::string_view email) {
  const std::size_t at = email.find('@');
  // Addresses are shown on terminals, and two that look the same there must be the same.
  const bool plain = email.find(' ') == std::string_view::npos && !has_control_or_bidi(email);
  if (email.size() > 254 || at == std::string_view::npos || at == 0 || at + 1 == email.size() || !plain) {
    return fail(ErrorCode::invalid_argument, "'" + to_valid_utf8(email) + "' is not an email address");
  }
  return {};
}

}  // namespace

std::int64_t integer_field(JsonView doc, std::string_view name) {
  const auto field = doc.find(name);
  return field ? field->as_integer().value_or(0) : 0;
}

std::optional<Timestamp> time_field(JsonView doc, std::string_view name) {
  const auto time = parse_time(doc.text_of(name));
  if (!time) return std::nullopt;
  return *time;
}

namespace {

/// A limit that cannot be read allows nothing.
SpaceLimit spaces_field(JsonView doc) {
  const auto list = doc.find("spaces");
  if (!list) return {};
  std::vector<std::string> names;
  if (list->is_array()) list->for_each_element([&](JsonView name) { names.push_back(name.as_string().value_or("")); });
  return SpaceLimit::only(std::move(names)).value_or(SpaceLimit::none());
}

}  // namespace

bool has_expired(const std::optional<Timestamp>& expires_at, Timestamp now) { return expires_at && *expires_at <= now; }

std::string hash_of(std::string_view token) { return to_hex(as_text(sha256(token))); }

std::string from_hex(std::string_view hex) {
  std::string bytes;
  const auto value = [](char digit) { return digit <= '9' ? digit - '0' : digit - 'a' + 10; };
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(value(hex[i]) * 16 + value(hex[i + 1]));
  }
  return bytes;
}

std::string make_token(std::string_view key_id) { return token_of(key_id, random_bytes(kSecretBytes)); }

std::string token_of(std::string_view key_id, std::string_view secret) {
  std::string token = std::string(kKeyPrefix) + std::string(key_id) + '_' + to_base64url(secret);
  return token + checksum_of(token);
}

std::optional<std::string_view> key_id_in(std::string_view token) {
  const std::size_t tail = 1 + kSecretChars + kChecksumChars;
  if (!token.starts_with(kKeyPrefix) || token.size() <= kKeyPrefix.size() + tail) return std::nullopt;
  const std::string_view body = token.substr(0, token.size() - kChecksumChars);
  if (checksum_of(body) != token.substr(body.size())) return std::nullopt;
  return token.substr(kKeyPrefix.size(), token.size() - kKeyPrefix.size() - tail);
}

std::string key_id_of(KeyNumber number) { return "k" + std::to_string(number.value); }

std::optional<KeyNumber> key_number_of(std::string_view id) {
  if (!id.starts_with('k')) return std::nullopt;
  const auto number = parse_integer(id.substr(1));
  // Only in the one spelling that we give it.
  if (!number || *number <= 0 || key_id_of({*number}) != id) return std::nullopt;
  return KeyNumber{*number};
}

std::string doc_of(const Account& account) {
  std::string doc;
  JsonWriter writer(doc);
  writer.begin_object().string("plan", to_text(account.plan)).string("plan_label", account.plan_label);
  if (account.role == Role::admin) writer.string("role", to_text(account.role));
  if (account.ai_cap) writer.integer("ai_cap", *account.ai_cap);
  writer.end_object();
  return doc;
}

Account account_from(const AccountRow& row) {
  const JsonView json(row.doc);
  return {.number = row.number,
          .email = row.email,
          .plan = parse_plan(json.text_of("plan")).value_or(Plan::free),
          .role = parse_role(json.text_of("role")).value_or(Role::member),
          .plan_label = json.text_of("plan_label"),
          .ai_cap = json.find("ai_cap") ? std::optional(integer_field(json, "ai_cap")) : std::nullopt,
          .created_at = row.created_at};
}

KeyRow row_of(const StoredKey& stored) {
  std::string doc;
  JsonWriter writer(doc);
  const auto time = [&](std::string_view name, const std::optional<Timestamp>& at) {
    if (at) writer.string(name, format_time(*at));
  };
  const auto text = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) writer.string(name, value);
  };
  writer.begin_object().string("label", stored.key.label).string("scopes", join_scopes(stored.key.scopes, ","));
  time("expires_at", stored.key.expires_at);
  text("refresh_hash", stored.refresh_hash);
  text("issued_hash", stored.rotation.issued_hash);
  text("issue_nonce", stored.rotation.nonce);
  time("issued_at", stored.rotation.issued_at);
  text("replaced_hashes", join_hashes(stored.rotation.replaced_hashes));
  text("previous_hash", stored.previous_hash);
  time("previous_expires_at", stored.previous_expires_at);
  time("refresh_expires_at", stored.refresh_expires_at);
  if (stored.cookie) {
    writer.integer("idle_seconds", stored.cookie->idle_seconds);
    writer.string("cookie_until", format_time(stored.cookie->until)).boolean("keep", stored.cookie->keep);
  }
  if (stored.key.has_own_scopes) writer.boolean("own_scopes", true);
  text("request_name", stored.request_name);
  text("request_fingerprint", stored.request_fingerprint);
  text("token_nonce", stored.token_nonce);
  text("prefix", stored.key.prefix);
  text("agent", stored.key.agent);
  text("client", stored.key.client);
  text("address", stored.key.address);
  text("maker", stored.key.maker);
  text("maker_label", stored.key.maker_label);
  text("last_address", stored.key.last_address);
  if (stored.key.spaces.is_limited()) {
    writer.name("spaces");
    append_names(writer, stored.key.spaces);
  }
  writer.end_object();
  const auto parent = key_number_of(stored.key.parent);
  return {.number = stored.key.number,
          .account = stored.key.account,
          .parent = parent.value_or(KeyNumber{}),
          .token_hash = from_hex(stored.hash),
          .created_at = stored.key.created_at,
          .revoked_at = stored.key.revoked_at,
          .ends_at = parent || stored.cookie ? stored.key.expires_at : stored.refresh_expires_at,
          .last_used_at = {},
          .doc = std::move(doc)};
}

StoredKey key_from(const KeyRow& row) {
  const JsonView json(row.doc);
  StoredKey stored;
  stored.key.number = row.number;
  stored.key.account = row.account;
  stored.key.id = key_id_of(row.number);
  stored.key.label = json.text_of("label");
  stored.key.scopes = parse_scopes(json.text_of("scopes")).value_or(ScopeSet{});
  stored.key.created_at = row.created_at;
  stored.key.revoked_at = row.revoked_at;
  stored.key.expires_at = time_field(json, "expires_at");
  stored.key.last_used_at = row.last_used_at;
  stored.hash = to_hex(row.token_hash);
  stored.refresh_hash = json.text_of("refresh_hash");
  stored.rotation.issued_hash = json.text_of("issued_hash");
  stored.rotation.nonce = json.text_of("issue_nonce");
  stored.rotation.issued_at = time_field(json, "issued_at");
  const std::string replaced = json.text_of("replaced_hashes");
  if (!replaced.empty()) {
    for (const std::string_view hash : split(replaced, ',')) stored.rotation.replaced_hashes.emplace_back(hash);
  }
  stored.previous_hash = json.text_of("previous_hash");
  stored.previous_expires_at = time_field(json, "previous_expires_at");
  stored.refresh_expires_at = time_field(json, "refresh_expires_at");
  stored.request_name = json.text_of("request_name");
  stored.request_fingerprint = json.text_of("request_fingerprint");
  stored.token_nonce = json.text_of("token_nonce");
  stored.key.prefix = json.text_of("prefix");
  if (row.parent.value != 0) stored.key.parent = key_id_of(row.parent);
  stored.key.agent = json.text_of("agent");
  if (const auto until = time_field(json, "cookie_until")) {
    const auto keep = json.find("keep");
    stored.cookie = {.idle_seconds = integer_field(json, "idle_seconds"),
                     .until = *until,
                     .keep = keep && keep->as_boolean().value_or(false)};
  }
  stored.key.is_cookie = stored.cookie.has_value();
  stored.key.is_person = stored.refresh_expires_at || (stored.key.is_cookie && stored.key.parent.empty());
  const auto own_scopes = json.find("own_scopes");
  stored.key.has_own_scopes = own_scopes && own_scopes->as_boolean().value_or(false);
  stored.key.client = json.text_of("client");
  stored.key.address = json.text_of("address");
  stored.key.maker = json.text_of("maker");
  stored.key.maker_label = json.text_of("maker_label");
  stored.key.last_address = json.text_of("last_address");
  stored.key.spaces = spaces_field(json);
  return stored;
}

Result<> check_label(std::string_view label) {
  if (!label.empty() && label.size() <= kLabelBytesMax && is_utf8(label)) return {};
  return fail(ErrorCode::invalid_argument, "a label must have 1 to 200 bytes of UTF-8");
}

bool is_session(const Key& key) { return key.is_person || !key.parent.empty(); }
bool is_session(const Principal& principal) { return principal.is_person || principal.opened_with.value != 0; }

Timestamp ends_of_session(Timestamp used_at, const std::optional<Timestamp>& key_expires_at) {
  const Timestamp end = used_at.plus_micros(kSessionSeconds * kMicrosPerSecond);
  return key_expires_at ? std::min(end, *key_expires_at) : end;
}

Timestamp end_after_use(const StoredKey& session, Timestamp used_at, const std::optional<Timestamp>& key_expires_at) {
  if (!session.cookie) return ends_of_session(used_at, key_expires_at);
  const Timestamp idle = used_at.plus_micros(session.cookie->idle_seconds * kMicrosPerSecond);
  const Timestamp end = std::min(idle, session.cookie->until);
  return key_expires_at ? std::min(end, *key_expires_at) : end;
}

void note_maker(Key& key, const Principal& maker) {
  key.maker = maker.key_id;
  key.maker_label = maker.label;
}

void note_caller(Key& session, const Caller& caller) {
  constexpr std::size_t kClientBytesMax = 200;
  session.address = caller.address == "-" ? std::string() : caller.address;
  session.client = to_valid_utf8(caller.client.substr(0, kClientBytesMax));
}

Result<Account> add_account_in(DirectoryTxn& txn, std::string_view email, Plan plan, Role role) {
  CHECK_OK(check_email(email));
  Account account{.email = lower_case(email), .plan = plan, .role = role, .created_at = txn.now()};
  TRY(const auto taken, find_account_row_in(txn, email));
  if (taken) return fail(ErrorCode::conflict, "account '" + account.email + "' already exists");
  TRY(account.number, txn.next_account_number());
  CHECK_OK(txn.put_account({.number = account.number,
                            .email = account.email,
                            .created_at = account.created_at,
                            .password = {},
                            .api_key = {},
                            .doc = doc_of(account)}));
  return account;
}

Result<bool> has_admin_in(DirectoryView& view, AccountNumber other_than) {
  bool found = false;
  CHECK_OK(view.accounts([&](const AccountRow& row) {
    found = row.number != other_than && account_from(row).role == Role::admin;
    return !found;
  }));
  return found;
}

Result<std::optional<AccountRow>> find_account_row_in(DirectoryView& view, std::string_view email) {
  return view.find_account_by_email(lower_case(email));
}

Result<AccountRow> get_account_row_in(DirectoryView& view, std::string_view email) {
  TRY(auto row, find_account_row_in(view, email));
  if (!row) return fail(ErrorCode::not_found, "account '" + std::string(email) + "' not found");
  return *std::move(row);
}

Result<Account> get_account_in(DirectoryView& view, std::string_view email) {
  TRY(const AccountRow row, get_account_row_in(view, email));
  return account_from(row);
}

Result<std::optional<StoredKey>> find_key_in(DirectoryView& view, std::string_view id) {
  const auto number = key_number_of(id);
  if (!number) return std::nullopt;
  TRY(const auto row, view.find_key(*number));
  if (!row) return std::nullopt;
  StoredKey stored = key_from(*row);
  TRY(const auto account, view.find_account(row->account));
  if (account) stored.key.account_email = account->email;
  return stored;
}

Result<StoredKey> get_key_in(DirectoryView& view, std::string_view id) {
  TRY(auto key, find_key_in(view, id));
  if (!key) return fail(ErrorCode::not_found, "key '" + std::string(id) + "' not found");
  return *std::move(key);
}

Result<StoredKey> new_key(DirectoryTxn& txn, const Account& account, std::string_view label, ScopeSet scopes) {
  StoredKey stored;
  TRY(stored.key.number, txn.next_key_number());
  stored.key.id = key_id_of(stored.key.number);
  stored.key.account = account.number;
  stored.key.account_email = account.email;
  stored.key.label = label;
  stored.key.scopes = scopes;
  stored.key.created_at = txn.now();
  return stored;
}

namespace {

std::string token_by_request(const StoredKey& stored, const RepeatableRequest& request) {
  const std::string what = "key " + stored.token_nonce + ' ' + stored.key.id;
  return token_of(stored.key.id, as_text(hmac_sha256(request.credential, what)));
}

}  // namespace

std::string note_request(StoredKey& stored, const RepeatableRequest& request) {
  stored.request_name = to_hex(request.name);
  stored.request_fingerprint = to_hex(request.fingerprint);
  stored.token_nonce = to_hex(random_bytes(16));
  return token_by_request(stored, request);
}

Result<std::optional<NewKey>> find_made_by(DirectoryTxn& txn, AccountNumber account, const RepeatableRequest& request,
                                           std::optional<std::string_view> token) {
  const std::string name = to_hex(request.name);
  const Timestamp since = txn.now().plus_micros(-limits::kIdempotencySeconds * kMicrosPerSecond);
  std::optional<StoredKey> made;
  CHECK_OK(txn.keys(account, [&](const KeyRow& row) {
    if (row.created_at <= since) return true;
    StoredKey stored = key_from(row);
    if (stored.request_name == name) made = std::move(stored);
    return !made;
  }));
  if (!made) return std::nullopt;
  if (made->request_fingerprint != to_hex(request.fingerprint)) {
    return fail(ErrorCode::key_reused, "this Idempotency-Key was used for another request");
  }
  NewKey again{made->key, token ? std::string(*token) : token_by_request(*made, request), true};
  if (!equal_in_constant_time(hash_of(again.token), made->hash)) {
    return fail(ErrorCode::conflict, "this request has made the key '" + made->key.id +
                                         "', whose token only the access token can show that asked for it; revoke the "
                                         "key and make another one");
  }
  return again;
}

Result<> put_key_in(DirectoryTxn& txn, const StoredKey& stored) { return txn.put_key(row_of(stored)); }

Result<> revoke_keys(DirectoryTxn& txn, AccountNumber account, const std::function<bool(const StoredKey&)>& wanted) {
  std::vector<KeyRow> found;
  CHECK_OK(txn.keys(account, [&](const KeyRow& row) {
    if (!row.revoked_at && wanted(key_from(row))) found.push_back(row);
    return true;
  }));
  for (KeyRow& row : found) {
    row.revoked_at = txn.now();
    CHECK_OK(txn.put_key(row));
  }
  return {};
}

Result<std::size_t> remove_passkeys(DirectoryTxn& txn, AccountNumber account, std::optional<Timestamp> since) {
  std::vector<PasskeyNumber> found;
  CHECK_OK(txn.passkeys(account, [&](const PasskeyRow& row) {
    if (!since || row.created_at >= *since) found.push_back(row.number);
    return true;
  }));
  for (const PasskeyNumber number : found) CHECK_OK(txn.remove_passkey(number));
  return found.size();
}

Result<std::size_t> remove_identities(DirectoryTxn& txn, AccountNumber account, std::optional<Timestamp> since) {
  std::vector<IdentityNumber> found;
  CHECK_OK(txn.identities(account, [&](const IdentityRow& row) {
    if (!since || row.created_at >= *since) found.push_back(row.number);
    return true;
  }));
  for (const IdentityNumber number : found) CHECK_OK(txn.remove_identity(number));
  return found.size();
}

Result<> revoke_with_sessions(DirectoryTxn& txn, KeyNumber number) {
  std::vector<KeyRow> found;
  TRY(const auto key, txn.find_key(number));
  if (key) found.push_back(*key);
  CHECK_OK(txn.keys_opened_with(number, [&](const KeyRow& row) {
    found.push_back(row);
    return true;
  }));
  for (KeyRow& row : found) {
    if (row.revoked_at) continue;
    row.revoked_at = txn.now();
    CHECK_OK(txn.put_key(row));
  }
  return {};
}

std::unexpected<Error> invalid_token() { return fail(ErrorCode::unauthorized, "invalid token"); }

}  // namespace syncline::access
