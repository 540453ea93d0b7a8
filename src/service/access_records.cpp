#include "service/access_records.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "base/text.hpp"

namespace syncline::access {
namespace {

constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kSecretChars = 43;  // base64url of 32 bytes
constexpr std::size_t kChecksumChars = 8;

std::string checksum_of(std::string_view text) {
  const std::uint32_t crc = crc32(text);
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(crc >> static_cast<unsigned>(shift));
  return to_hex(bytes);
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

bool has_expired(const std::optional<Timestamp>& expires_at, Timestamp now) { return expires_at && *expires_at <= now; }

std::string hash_of(std::string_view token) { return to_hex(as_text(sha256(token))); }

std::string make_token(std::string_view key_id) {
  std::string token = std::string(kKeyPrefix) + std::string(key_id) + '_' + to_base64url(random_bytes(kSecretBytes));
  return token + checksum_of(token);
}

std::optional<std::string_view> key_id_in(std::string_view token) {
  const std::size_t tail = 1 + kSecretChars + kChecksumChars;
  if (!token.starts_with(kKeyPrefix) || token.size() <= kKeyPrefix.size() + tail) return std::nullopt;
  const std::string_view body = token.substr(0, token.size() - kChecksumChars);
  if (checksum_of(body) != token.substr(body.size())) return std::nullopt;
  return token.substr(kKeyPrefix.size(), token.size() - kKeyPrefix.size() - tail);
}

std::string doc_of(const Account& account) {
  std::string doc;
  JsonWriter writer(doc);
  writer.begin_object()
      .integer("number", account.number.value)
      .string("email", account.email)
      .string("plan", to_text(account.plan))
      .string("plan_label", account.plan_label)
      .string("created_at", format_time(account.created_at));
  if (account.ai_cap) writer.integer("ai_cap", *account.ai_cap);
  writer.end_object();
  return doc;
}

Account account_from(std::string_view doc) {
  const JsonView json(doc);
  return {.number = {integer_field(json, "number")},
          .email = json.text_of("email"),
          .plan = parse_plan(json.text_of("plan")).value_or(Plan::free),
          .plan_label = json.text_of("plan_label"),
          .ai_cap = json.find("ai_cap") ? std::optional(integer_field(json, "ai_cap")) : std::nullopt,
          .created_at = time_field(json, "created_at").value_or(Timestamp{})};
}

std::string doc_of(const StoredKey& stored) {
  std::string doc;
  JsonWriter writer(doc);
  const auto time = [&](std::string_view name, const std::optional<Timestamp>& at) {
    if (at) writer.string(name, format_time(*at));
  };
  const auto text = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) writer.string(name, value);
  };
  writer.begin_object()
      .integer("number", stored.key.number.value)
      .string("account", stored.key.account_email)
      .string("label", stored.key.label)
      .string("scopes", join_scopes(stored.key.scopes, ","))
      .string("hash", stored.hash)
      .string("created_at", format_time(stored.key.created_at));
  time("revoked_at", stored.key.revoked_at);
  time("expires_at", stored.key.expires_at);
  text("refresh_hash", stored.refresh_hash);
  text("previous_hash", stored.previous_hash);
  time("previous_expires_at", stored.previous_expires_at);
  time("refresh_expires_at", stored.refresh_expires_at);
  text("prefix", stored.key.prefix);
  text("parent", stored.key.parent);
  text("agent", stored.key.agent);
  writer.end_object();
  return doc;
}

StoredKey key_from(std::string_view id, std::string_view doc) {
  const JsonView json(doc);
  StoredKey stored;
  stored.key.number = {integer_field(json, "number")};
  stored.key.id = id;
  stored.key.account_email = json.text_of("account");
  stored.key.label = json.text_of("label");
  stored.key.scopes = parse_scopes(json.text_of("scopes")).value_or(ScopeSet{});
  stored.key.created_at = time_field(json, "created_at").value_or(Timestamp{});
  stored.key.revoked_at = time_field(json, "revoked_at");
  stored.key.expires_at = time_field(json, "expires_at");
  stored.hash = json.text_of("hash");
  stored.refresh_hash = json.text_of("refresh_hash");
  stored.previous_hash = json.text_of("previous_hash");
  stored.previous_expires_at = time_field(json, "previous_expires_at");
  stored.refresh_expires_at = time_field(json, "refresh_expires_at");
  stored.key.prefix = json.text_of("prefix");
  stored.key.parent = json.text_of("parent");
  stored.key.agent = json.text_of("agent");
  return stored;
}

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

Result<Account> add_account_in(Txn& txn, std::string_view email, Plan plan, Timestamp now) {
  CHECK_OK(check_email(email));
  Account account{.email = lower_case(email), .plan = plan, .created_at = now};
  if (find_account_in(txn, email)) {
    return fail(ErrorCode::conflict, "account '" + account.email + "' already exists");
  }
  TRY(account.number.value, next_number(txn, "account"));
  CHECK_OK(put_doc(txn, kAccounts, account.email, doc_of(account)));
  return account;
}

Result<Account> find_account_in(Snapshot& snapshot, std::string_view email) {
  TRY(const auto record, snapshot.find(kAccounts, lower_case(email)));
  if (!record || record->deleted) {
    return fail(ErrorCode::not_found, "account '" + std::string(email) + "' not found");
  }
  return account_from(record->doc);
}

Result<StoredKey> find_key_in(Snapshot& snapshot, std::string_view id) {
  TRY(const auto record, snapshot.find(kKeys, id));
  if (!record || record->deleted) return fail(ErrorCode::not_found, "key '" + std::string(id) + "' not found");
  return key_from(id, record->doc);
}

Result<StoredKey> new_key(Txn& txn, const Account& account, std::string_view label, ScopeSet scopes, Timestamp now) {
  StoredKey stored;
  TRY(stored.key.number.value, next_number(txn, "key"));
  stored.key.id = "k" + std::to_string(stored.key.number.value);
  stored.key.account_email = account.email;
  stored.key.label = label;
  stored.key.scopes = scopes;
  stored.key.created_at = now;
  return stored;
}

Result<> put_token(Txn& txn, const std::string& hash, std::string_view key_id) {
  return put_doc(txn, kTokens, hash, R"({"key":")" + std::string(key_id) + "\"}");
}

Result<> revoke_keys(Txn& txn, const std::string& email, const std::function<bool(const StoredKey&)>& wanted,
                     Timestamp now) {
  std::vector<StoredKey> found;
  CHECK_OK(txn.scan(kKeys, "", [&](const RecordView& record) {
    if (record.deleted) return true;
    StoredKey stored = key_from(record.id, record.doc);
    const bool stands = stored.key.account_email == email && !stored.key.revoked_at;
    if (stands && wanted(stored)) found.push_back(std::move(stored));
    return true;
  }));
  for (StoredKey& stored : found) {
    stored.key.revoked_at = now;
    CHECK_OK(put_doc(txn, kKeys, stored.key.id, doc_of(stored)));
  }
  return {};
}

Result<> check_standing(Snapshot& snapshot, const Principal& principal, Timestamp now) {
  const auto stored = find_key_in(snapshot, principal.key_id);
  const auto account = find_account_in(snapshot, principal.email);
  if (!stored || !account || account->number != principal.account) return invalid_token();
  if (stored->key.revoked_at || has_expired(stored->key.expires_at, now)) return invalid_token();
  return {};
}

std::unexpected<Error> invalid_token() { return fail(ErrorCode::unauthorized, "invalid token"); }

}  // namespace syncline::access
