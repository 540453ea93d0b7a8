#include "service/sessions.hpp"

#include "base/bytes.hpp"
#include "base/password.hpp"
#include "service/access_records.hpp"

namespace syncline {

using namespace access;  // the records that Access and Sessions share

namespace {

constexpr std::size_t kPasswordBytesMin = 8;
constexpr std::size_t kPasswordBytesMax = 1024;
constexpr std::int64_t kAccessTokenSeconds = 7LL * 86'400;
constexpr std::int64_t kRefreshTokenSeconds = 90LL * 86'400;
constexpr std::int64_t kResetTokenSeconds = 3600;
constexpr std::string_view kSessionLabel = "session";
constexpr std::string_view kApiKeyLabel = "kaisho api key";
constexpr std::string_view kResetPrefix = "slreset_";

Timestamp after(Timestamp now, std::int64_t seconds) { return now.plus_micros(seconds * kMicrosPerSecond); }

Result<> check_password(std::string_view password) {
  if (password.size() >= kPasswordBytesMin && password.size() <= kPasswordBytesMax) return {};
  return fail(ErrorCode::invalid_argument, "a password must have 8 to 1024 bytes");
}

/// What a wrong address is compared with, so that it takes as long as a wrong password.
const std::string& hash_of_nobody() {
  static const std::string kHash = hash_password(random_bytes(16)).value_or("");
  return kHash;
}

Result<> put_password(Txn& txn, const std::string& email, std::string_view hash) {
  std::string doc;
  JsonWriter(doc).begin_object().string("hash", hash).end_object();
  return put_doc(txn, kPasswords, email, std::move(doc));
}

/// Ends the keys of the account that have this label.
Result<> end_keys(Txn& txn, const std::string& email, std::string_view label, Timestamp now) {
  std::vector<StoredKey> found;
  CHECK_OK(txn.scan(kKeys, "", [&](const RecordView& record) {
    if (record.deleted) return true;
    StoredKey stored = key_from(record.id, record.doc);
    const bool wanted = stored.key.account_email == email && stored.key.label == label && !stored.key.revoked_at;
    if (wanted) found.push_back(std::move(stored));
    return true;
  }));
  for (StoredKey& stored : found) {
    stored.key.revoked_at = now;
    CHECK_OK(put_doc(txn, kKeys, stored.key.id, doc_of(stored)));
  }
  return {};
}

std::string make_uuid4() {
  std::string bytes = random_bytes(16);
  bytes[6] = static_cast<char>((static_cast<unsigned char>(bytes[6]) & 0x0FU) | 0x40U);
  bytes[8] = static_cast<char>((static_cast<unsigned char>(bytes[8]) & 0x3FU) | 0x80U);
  std::string text = to_hex(bytes);
  for (const std::size_t at : {8U, 13U, 18U, 23U}) text.insert(at, "-");
  return text;
}

std::unexpected<Error> wrong_login() {
  return fail(ErrorCode::unauthorized, "the e-mail address or the password is wrong", Advice::reauth);
}

}  // namespace

Result<Session> Sessions::open_session(Txn& txn, const Account& account) {
  StoredKey stored;
  TRY(stored.key.number.value, next_number(txn, "key"));
  stored.key.id = "k" + std::to_string(stored.key.number.value);
  stored.key.account_email = account.email;
  stored.key.label = kSessionLabel;
  stored.key.scopes = {Scope::read, Scope::write, Scope::keys, Scope::commands_submit, Scope::commands_approve};
  stored.key.created_at = clock_.now();
  stored.key.expires_at = after(clock_.now(), kAccessTokenSeconds);
  stored.refresh_expires_at = after(clock_.now(), kRefreshTokenSeconds);
  Session session{account, make_token(stored.key.id), make_token(stored.key.id)};
  stored.hash = hash_of(session.access_token);
  stored.refresh_hash = hash_of(session.refresh_token);
  CHECK_OK(put_doc(txn, kKeys, stored.key.id, doc_of(stored)));
  return session;
}

Result<Session> Sessions::sign_up(std::string_view email, std::string_view password, Plan plan) {
  CHECK_OK(check_password(password));
  TRY(const std::string hash, hash_password(password));
  TRY(const Account account, access_.add_account(email, plan));
  Session session;
  CHECK_OK(access_.change(Access::Effect::lets_in, [&](Txn& txn) -> Result<> {
    CHECK_OK(put_password(txn, account.email, hash));
    TRY(session, open_session(txn, account));
    return {};
  }));
  return session;
}

Result<Session> Sessions::log_in(std::string_view email, std::string_view password, const std::string& peer) {
  const std::string address = lower_case(email);
  CHECK_OK(by_address_.check(address, clock_.now()));
  CHECK_OK(by_peer_.check(peer, clock_.now()));
  std::string hash;
  CHECK_OK(store_.read(system_space(), [&](Snapshot& snapshot) -> Result<> {
    if (check_record_id(address)) {
      TRY(const auto stored, snapshot.find(kPasswords, address));
      if (stored && !stored->deleted && find_account_in(snapshot, address)) {
        hash = text_field(JsonView(stored->doc), "hash");
      }
    }
    return {};
  }));
  const bool right = is_password(hash.empty() ? hash_of_nobody() : hash, password);
  if (!right || hash.empty()) {
    by_address_.note_failure(address, clock_.now());
    by_peer_.note_failure(peer, clock_.now());
    return wrong_login();
  }
  by_address_.forget(address);
  Session session;
  CHECK_OK(access_.change(Access::Effect::lets_in, [&](Txn& txn) -> Result<> {
    TRY(const Account account, find_account_in(txn, address));
    TRY(session, open_session(txn, account));
    return {};
  }));
  return session;
}

Result<Session> Sessions::refresh(std::string_view refresh_token) {
  const auto id = key_id_in(refresh_token);
  if (!id) return invalid_token();
  Session session;
  CHECK_OK(access_.change(Access::Effect::lets_in, [&](Txn& txn) -> Result<> {
    auto stored = find_key_in(txn, *id);
    if (!stored || stored->key.revoked_at || !stored->refresh_expires_at) return invalid_token();
    if (*stored->refresh_expires_at <= clock_.now()) return invalid_token();
    if (!equal_in_constant_time(stored->refresh_hash, hash_of(refresh_token))) return invalid_token();
    TRY(session.account, find_account_in(txn, stored->key.account_email));
    session.refresh_token = refresh_token;
    session.access_token = make_token(*id);
    stored->previous_hash = std::exchange(stored->hash, hash_of(session.access_token));
    stored->key.expires_at = after(clock_.now(), kAccessTokenSeconds);
    stored->refresh_expires_at = after(clock_.now(), kRefreshTokenSeconds);
    return put_doc(txn, kKeys, *id, doc_of(*stored));
  }));
  return session;
}

Result<> Sessions::set_password(std::string_view email, std::string_view password) {
  CHECK_OK(check_password(password));
  TRY(const std::string hash, hash_password(password));
  return access_.change(Access::Effect::lets_in, [&](Txn& txn) -> Result<> {
    TRY(const Account account, find_account_in(txn, email));
    return put_password(txn, account.email, hash);
  });
}

Result<std::string> Sessions::make_reset_token(std::string_view email) {
  const std::string token = std::string(kResetPrefix) + to_base64url(random_bytes(32));
  CHECK_OK(access_.change(Access::Effect::lets_in, [&](Txn& txn) -> Result<> {
    TRY(const Account account, find_account_in(txn, email));
    std::string doc;
    JsonWriter(doc)
        .begin_object()
        .string("email", account.email)
        .string("expires_at", format_time(after(clock_.now(), kResetTokenSeconds)))
        .end_object();
    return put_doc(txn, kResets, hash_of(token), std::move(doc));
  }));
  return token;
}

Result<> Sessions::reset_password(std::string_view reset_token, std::string_view password) {
  CHECK_OK(check_password(password));
  TRY(const std::string hash, hash_password(password));
  return access_.change(Access::Effect::puts_out, [&](Txn& txn) -> Result<> {
    const std::string reset = hash_of(reset_token);
    TRY(const auto stored, txn.find(kResets, reset));
    if (!stored || stored->deleted) return invalid_token();
    const JsonView doc(stored->doc);
    const auto expires_at = time_field(doc, "expires_at");
    if (!expires_at || *expires_at <= clock_.now()) return invalid_token();
    TRY(const Account account, find_account_in(txn, text_field(doc, "email")));
    CHECK_OK(put_doc(txn, kResets, reset, ""));
    CHECK_OK(end_keys(txn, account.email, kSessionLabel, clock_.now()));
    return put_password(txn, account.email, hash);
  });
}

Result<> Sessions::purge() {
  return access_.change(Access::Effect::lets_in, [&](Txn& txn) -> Result<> {
    std::vector<std::string> over;
    CHECK_OK(txn.scan(kKeys, "", [&](const RecordView& record) {
      if (record.deleted) return true;
      const StoredKey stored = key_from(record.id, record.doc);
      if (stored.refresh_expires_at && *stored.refresh_expires_at <= clock_.now()) over.emplace_back(record.id);
      return true;
    }));
    for (const std::string& id : over) CHECK_OK(put_doc(txn, kKeys, id, ""));
    return {};
  });
}

Result<std::string> Sessions::replace_api_key(std::string_view email) {
  CHECK_OK(access_.change(Access::Effect::puts_out, [&](Txn& txn) -> Result<> {
    TRY(const Account account, find_account_in(txn, email));
    return end_keys(txn, account.email, kApiKeyLabel, clock_.now());
  }));
  std::string token = make_uuid4();
  TRY([[maybe_unused]] const NewKey made, access_.add_key(email, kApiKeyLabel, {Scope::read, Scope::write}, token));
  return token;
}

}  // namespace syncline
