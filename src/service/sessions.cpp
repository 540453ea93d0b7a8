#include "service/sessions.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "base/password.hpp"
#include "base/text.hpp"
#include "service/access_records.hpp"

namespace syncline {

using namespace access;  // the records that Access and Sessions share

namespace {

constexpr std::size_t kPasswordBytesMin = 8;
constexpr std::size_t kPasswordBytesMax = 1024;
constexpr std::int64_t kRefreshTokenSeconds = 90LL * 86'400;
constexpr std::int64_t kResetTokenSeconds = 3600;
constexpr std::string_view kSessionLabel = "session";
/// How long requests that are under way may still use the access token before a renewal.
constexpr std::int64_t kOverlapSeconds = 10LL * 60;
constexpr std::string_view kResetPrefix = "slreset_";

Timestamp after(Timestamp now, std::int64_t seconds) { return now.plus_micros(seconds * kMicrosPerSecond); }

Result<> check_password(std::string_view password) {
  if (password.size() >= kPasswordBytesMin && password.size() <= kPasswordBytesMax) return {};
  return fail(ErrorCode::invalid_argument, "a password must have 8 to 1024 bytes");
}

/// What a wrong address is compared with, so that it takes as long as a wrong password.
std::string dummy_password_hash() {
  static const std::string kHash = hash_password(random_bytes(16)).value_or("");
  return kHash.empty() ? hash_password(random_bytes(16)).value_or("") : kHash;
}

Result<> put_password(Txn& txn, const std::string& email, std::string_view hash) {
  std::string doc;
  JsonWriter(doc).begin_object().string("hash", hash).end_object();
  return put_doc(txn, kPasswords, email, std::move(doc));
}

/// Deletes the reset tokens that `wanted` picks.
Result<> forget_resets(Txn& txn, const std::function<bool(JsonView)>& wanted) {
  std::vector<std::string> found;
  CHECK_OK(txn.scan(kResets, "", [&](const RecordView& record) {
    if (!record.deleted && wanted(JsonView(record.doc))) found.emplace_back(record.id);
    return true;
  }));
  for (const std::string& id : found) CHECK_OK(put_doc(txn, kResets, id, ""));
  return {};
}

Result<std::string> find_password(Snapshot& snapshot, const std::string& address) {
  if (!check_record_id(address) || !find_account_in(snapshot, address)) return std::string();
  TRY(const auto stored, snapshot.find(kPasswords, address));
  return stored && !stored->deleted ? JsonView(stored->doc).text_of("hash") : std::string();
}

std::string make_uuid4() {
  std::string bytes = random_bytes(16);
  bytes[6] = static_cast<char>((static_cast<unsigned char>(bytes[6]) & 0x0FU) | 0x40U);
  bytes[8] = static_cast<char>((static_cast<unsigned char>(bytes[8]) & 0x3FU) | 0x80U);
  std::string text = to_hex(bytes);
  for (const std::size_t at : {8U, 13U, 18U, 23U}) text.insert(at, "-");
  return text;
}

std::unexpected<Error> wrong_login() { return fail(ErrorCode::unauthorized, "wrong e-mail address or password"); }

}  // namespace

Result<Session> Sessions::open_session(Txn& txn, const Account& account) {
  TRY(StoredKey stored, new_key(txn, account, kSessionLabel, {Scope::read, Scope::write, Scope::keys}, clock_.now()));
  stored.key.expires_at = after(clock_.now(), kSessionSeconds);
  stored.refresh_expires_at = after(clock_.now(), kRefreshTokenSeconds);
  Session session{account, make_token(stored.key.id), make_token(stored.key.id)};
  stored.hash = hash_of(session.access_token);
  stored.refresh_hash = hash_of(session.refresh_token);
  CHECK_OK(put_doc(txn, kKeys, stored.key.id, doc_of(stored)));
  return session;
}

Result<Session> Sessions::sign_up(std::string_view email, std::string_view password, Plan plan,
                                  const std::string& peer) {
  CHECK_OK(check_password(password));
  const std::string counted = counted_peer(peer);
  CHECK_OK(by_peer_.check(counted, clock_.now()));
  by_peer_.note_failure(counted, clock_.now());
  if (access_.find_account(email))
    return fail(ErrorCode::conflict, "an account with this e-mail address already exists");
  TRY(const std::string hash, hash_password(password));
  Session session;
  CHECK_OK(access_.change(Access::Effect::admits, [&](Txn& txn) -> Result<> {
    TRY(const Account account, add_account_in(txn, email, plan, clock_.now()));
    CHECK_OK(put_password(txn, account.email, hash));
    TRY(session, open_session(txn, account));
    return {};
  }));
  return session;
}

Result<Session> Sessions::log_in(std::string_view email, std::string_view password, const std::string& peer) {
  const std::string address = lower_case(email.substr(0, limits::kRecordIdBytesMax + 1));
  const std::string counted = counted_peer(peer);
  const std::string pair = address + ' ' + counted;
  CHECK_OK(by_address_and_peer_.check(pair, clock_.now()));
  CHECK_OK(by_address_.check(address, clock_.now()));
  CHECK_OK(by_peer_.check(counted, clock_.now()));
  std::string hash;
  CHECK_OK(store_.read(system_space(), [&](Snapshot& snapshot) -> Result<> {
    TRY(hash, find_password(snapshot, address));
    return {};
  }));
  const bool right = is_password(hash.empty() ? dummy_password_hash() : hash, password);
  if (!right || hash.empty()) {
    by_address_and_peer_.note_failure(pair, clock_.now());
    by_address_.note_failure(address, clock_.now());
    by_peer_.note_failure(counted, clock_.now());
    return wrong_login();
  }
  by_address_and_peer_.forget(pair);
  Session session;
  CHECK_OK(access_.change(Access::Effect::admits, [&](Txn& txn) -> Result<> {
    // It may have been changed while it was compared.
    TRY(const std::string standing, find_password(txn, address));
    if (standing != hash) return wrong_login();
    TRY(const Account account, find_account_in(txn, address));
    TRY(session, open_session(txn, account));
    return {};
  }));
  return session;
}

Result<Session> Sessions::refresh(std::string_view refresh_token) {
  const auto id = key_id_in(refresh_token);
  if (!id) return invalid_token();
  const auto find = [&](Snapshot& snapshot) -> Result<StoredKey> {
    auto stored = find_key_in(snapshot, *id);
    if (!stored || stored->key.revoked_at || !stored->refresh_expires_at) return invalid_token();
    if (has_expired(stored->refresh_expires_at, clock_.now())) return invalid_token();
    if (!equal_in_constant_time(stored->refresh_hash, hash_of(refresh_token))) return invalid_token();
    return stored;
  };
  // Whoever has none does not get as far as the writer.
  CHECK_OK(store_.read(system_space(), [&](Snapshot& snapshot) -> Result<> {
    TRY([[maybe_unused]] const StoredKey stored, find(snapshot));
    return {};
  }));
  Session session;
  CHECK_OK(access_.change(Access::Effect::revokes, [&](Txn& txn) -> Result<> {
    TRY(StoredKey stored, find(txn));
    TRY(session.account, find_account_in(txn, stored.key.account_email));
    session.refresh_token = refresh_token;
    session.access_token = make_token(*id);
    stored.previous_hash = std::exchange(stored.hash, hash_of(session.access_token));
    stored.previous_expires_at =
        std::min(stored.key.expires_at.value_or(clock_.now()), after(clock_.now(), kOverlapSeconds));
    stored.key.expires_at = after(clock_.now(), kSessionSeconds);
    stored.refresh_expires_at = after(clock_.now(), kRefreshTokenSeconds);
    return put_doc(txn, kKeys, *id, doc_of(stored));
  }));
  return session;
}

Result<> Sessions::replace_password(Txn& txn, const std::string& email, std::string_view hash) {
  const auto is_session = [](const StoredKey& stored) { return stored.refresh_expires_at.has_value(); };
  CHECK_OK(revoke_keys(txn, email, is_session, clock_.now()));
  CHECK_OK(forget_resets(txn, [&](JsonView reset) { return reset.text_of("email") == email; }));
  return put_password(txn, email, hash);
}

Result<> Sessions::set_password(std::string_view email, std::string_view password) {
  CHECK_OK(check_password(password));
  TRY(const std::string hash, hash_password(password));
  return access_.change(Access::Effect::revokes, [&](Txn& txn) -> Result<> {
    TRY(const Account account, find_account_in(txn, email));
    return replace_password(txn, account.email, hash);
  });
}

Result<std::string> Sessions::make_reset_token(std::string_view email) {
  std::string token = std::string(kResetPrefix) + to_base64url(random_bytes(32));
  CHECK_OK(access_.change(Access::Effect::admits, [&](Txn& txn) -> Result<> {
    TRY(const Account account, find_account_in(txn, email));
    std::string doc;
    JsonWriter(doc)
        .begin_object()
        .string("email", account.email)
        .integer("account", account.number.value)
        .string("expires_at", format_time(after(clock_.now(), kResetTokenSeconds)))
        .end_object();
    return put_doc(txn, kResets, hash_of(token), std::move(doc));
  }));
  return token;
}

Result<Account> Sessions::find_reset(Snapshot& snapshot, std::string_view reset_token) {
  TRY(const auto stored, snapshot.find(kResets, hash_of(reset_token)));
  if (!stored || stored->deleted) return invalid_token();
  const JsonView doc(stored->doc);
  if (has_expired(time_field(doc, "expires_at"), clock_.now())) return invalid_token();
  auto account = find_account_in(snapshot, doc.text_of("email"));
  // The account of that address may be another one by now.
  if (!account || account->number.value != integer_field(doc, "account")) return invalid_token();
  return account;
}

Result<> Sessions::reset_password(std::string_view reset_token, std::string_view password, const std::string& peer) {
  CHECK_OK(check_password(password));
  const std::string counted = counted_peer(peer);
  CHECK_OK(by_peer_.check(counted, clock_.now()));
  const auto known = store_.read(system_space(), [&](Snapshot& snapshot) -> Result<> {
    TRY([[maybe_unused]] const Account account, find_reset(snapshot, reset_token));
    return {};
  });
  if (!known) {  // before a hash is made for nothing
    by_peer_.note_failure(counted, clock_.now());
    return known;
  }
  TRY(const std::string hash, hash_password(password));
  return access_.change(Access::Effect::revokes, [&](Txn& txn) -> Result<> {
    TRY(const Account account, find_reset(txn, reset_token));
    return replace_password(txn, account.email, hash);
  });
}

Result<> Sessions::purge() {
  return access_.change(Access::Effect::admits, [&](Txn& txn) -> Result<> {
    std::vector<std::string> over;
    CHECK_OK(txn.scan(kKeys, "", [&](const RecordView& record) {
      if (record.deleted) return true;
      const StoredKey stored = key_from(record.id, record.doc);
      const bool is_device = !stored.key.parent.empty();
      const auto& end = is_device ? stored.key.expires_at : stored.refresh_expires_at;
      if (has_expired(end, clock_.now())) over.emplace_back(record.id);
      return true;
    }));
    for (const std::string& id : over) {
      CHECK_OK(put_doc(txn, kKeys, id, ""));
      CHECK_OK(put_doc(txn, kUsage, id, ""));
    }
    return forget_resets(txn,
                         [&](JsonView reset) { return has_expired(time_field(reset, "expires_at"), clock_.now()); });
  });
}

Result<std::string> Sessions::replace_api_key(const Principal& asker, std::string_view label) {
  ScopeSet scopes;
  for (const Scope scope : {Scope::read, Scope::write}) {
    if (asker.scopes.has(scope)) scopes.add(scope);
  }
  if (scopes.empty())
    return fail(ErrorCode::forbidden, "a key without the scope read or write cannot create an API key");
  std::string token = make_uuid4();
  CHECK_OK(access_.change(Access::Effect::revokes, [&](Txn& txn) -> Result<> {
    CHECK_OK(check_standing(txn, asker, clock_.now()));
    TRY(const Account account, find_account_in(txn, asker.email));
    TRY(const auto before, txn.find(kApiKeys, account.email));
    if (before && !before->deleted) {
      const std::string old = JsonView(before->doc).text_of("key");
      if (const auto stored = find_key_in(txn, old)) CHECK_OK(put_doc(txn, kTokens, stored->hash, ""));
      const auto ends = [&](const StoredKey& key) { return key.key.id == old || key.key.parent == old; };
      CHECK_OK(revoke_keys(txn, account.email, ends, clock_.now()));
    }
    TRY(StoredKey stored, new_key(txn, account, label, scopes, clock_.now()));
    stored.hash = hash_of(token);
    CHECK_OK(put_token(txn, stored.hash, stored.key.id));
    CHECK_OK(put_doc(txn, kApiKeys, account.email, R"({"key":")" + stored.key.id + "\"}"));
    return put_doc(txn, kKeys, stored.key.id, doc_of(stored));
  }));
  return token;
}

}  // namespace syncline
