// The tables of the directory (directory.hpp) in syncline.db: their rows, their hashes, and the statements on them. One
// object serves one read or one write on a connection. One thread at a time.
#pragma once

#include <unordered_map>
#include <vector>

#include "store/directory.hpp"
#include "store/sqlite/connection.hpp"
#include "store/sqlite/revocation_reserve.hpp"

namespace syncline::sqlite {

/// What migration 5 makes (schema.cpp). Times are microseconds, 0 for none; tokens are SHA-256 of the token. `hash` is
/// XXH3-64 over the columns before it.
inline constexpr const char* kDirectoryTables = R"sql(
CREATE TABLE account (number INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, created_at INTEGER NOT NULL,
  password BLOB NOT NULL, api_key INTEGER NOT NULL, doc BLOB NOT NULL, hash INTEGER NOT NULL);
CREATE TABLE api_key (number INTEGER PRIMARY KEY, account INTEGER NOT NULL, parent INTEGER NOT NULL,
  token BLOB NOT NULL, created_at INTEGER NOT NULL, revoked_at INTEGER NOT NULL, ends_at INTEGER NOT NULL,
  doc BLOB NOT NULL, hash INTEGER NOT NULL, last_used_at INTEGER NOT NULL DEFAULT 0);
CREATE INDEX api_key_account ON api_key (account);
CREATE INDEX api_key_parent ON api_key (parent) WHERE parent > 0;
CREATE INDEX api_key_token ON api_key (token);
CREATE INDEX api_key_end ON api_key (ends_at) WHERE ends_at > 0;
CREATE TABLE password_reset (token BLOB PRIMARY KEY, account INTEGER NOT NULL, expires_at INTEGER NOT NULL,
  hash INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX password_reset_account ON password_reset (account);
CREATE TABLE pulled (key INTEGER NOT NULL, account INTEGER NOT NULL, space TEXT NOT NULL, seq INTEGER NOT NULL,
  PRIMARY KEY (key, account, space)) WITHOUT ROWID;
CREATE INDEX pulled_account ON pulled (account);
CREATE TABLE request_usage (account INTEGER PRIMARY KEY, day TEXT NOT NULL, today INTEGER NOT NULL,
  this_month INTEGER NOT NULL);
CREATE TABLE directory_mark (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
)sql";

/// Made when a store is opened that does not have them. `hash` of the last entry, and of the last one that was purged,
/// are hexadecimal digits.
inline constexpr const char* kAuditTables = R"sql(
CREATE TABLE IF NOT EXISTS audit (number INTEGER PRIMARY KEY, at INTEGER NOT NULL, actor TEXT NOT NULL,
  account TEXT NOT NULL, action TEXT NOT NULL, entry TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS audit_end (which TEXT PRIMARY KEY, number INTEGER NOT NULL, hash TEXT NOT NULL)
  WITHOUT ROWID;
)sql";

/// Made when a store is opened that does not have it, without a format of its own: a version that does not know the
/// table lets no guest in.
inline constexpr const char* kGrantTable = R"sql(
CREATE TABLE IF NOT EXISTS space_grant (account INTEGER NOT NULL, space TEXT NOT NULL, guest INTEGER NOT NULL,
  may_write INTEGER NOT NULL, created_at INTEGER NOT NULL, hash INTEGER NOT NULL,
  PRIMARY KEY (account, space, guest)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS space_grant_guest ON space_grant (guest);
)sql";

/// Came after that: made in a store that does not have it yet.
inline constexpr const char* kPasskeyTable = R"sql(
CREATE TABLE IF NOT EXISTS passkey (number INTEGER PRIMARY KEY, account INTEGER NOT NULL,
  credential BLOB NOT NULL UNIQUE, created_at INTEGER NOT NULL, doc BLOB NOT NULL, hash INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS passkey_account ON passkey (account);
)sql";

/// Came after that too. Ids of webhooks and messages are texts; `state` is a DeliveryRow::State. The deliveries of a
/// webhook that wait are found by `delivery_due` in the order in which they are due, and those that have ended by
/// `delivery_ended`.
inline constexpr const char* kWebhookTables = R"sql(
CREATE TABLE IF NOT EXISTS webhook (id TEXT PRIMARY KEY, account INTEGER NOT NULL, created_at INTEGER NOT NULL,
  doc BLOB NOT NULL, hash INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS webhook_account ON webhook (account);
CREATE TABLE IF NOT EXISTS delivery (number INTEGER PRIMARY KEY AUTOINCREMENT, account INTEGER NOT NULL,
  webhook TEXT NOT NULL, message TEXT NOT NULL, type TEXT NOT NULL, body BLOB NOT NULL, created_at INTEGER NOT NULL,
  state INTEGER NOT NULL, attempts INTEGER NOT NULL, next_at INTEGER NOT NULL, last_at INTEGER NOT NULL,
  last_status INTEGER NOT NULL, last_error TEXT NOT NULL, hash INTEGER NOT NULL, UNIQUE (webhook, message));
CREATE INDEX IF NOT EXISTS delivery_due ON delivery (webhook, state, next_at);
CREATE INDEX IF NOT EXISTS delivery_ended ON delivery (last_at) WHERE state > 0;
)sql";

/// The places of what waits for a webhook, in the order in which it is due.
inline constexpr const char* kWaitingDeliveries =
    "SELECT next_at, number FROM delivery WHERE webhook = ? AND state = 0 ORDER BY next_at, number";
inline constexpr const char* kRemoveEndedDeliveries =
    "DELETE FROM delivery WHERE number IN "
    "(SELECT number FROM delivery WHERE state > 0 AND last_at < ? ORDER BY last_at LIMIT ?)";

/// Came with the webhooks.
inline constexpr const char* kLeaseTable = R"sql(
CREATE TABLE IF NOT EXISTS lease (account INTEGER NOT NULL, space TEXT NOT NULL, command TEXT NOT NULL,
  holder TEXT NOT NULL, ends_at INTEGER NOT NULL, hash INTEGER NOT NULL,
  PRIMARY KEY (account, space, command)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS lease_end ON lease (ends_at);
)sql";

/// Came after that too. `subject`: the issuer and its name for the person, with a space between them.
inline constexpr const char* kIdentityTable = R"sql(
CREATE TABLE IF NOT EXISTS identity (number INTEGER PRIMARY KEY, account INTEGER NOT NULL,
  subject BLOB NOT NULL UNIQUE, created_at INTEGER NOT NULL, doc BLOB NOT NULL, hash INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS identity_account ON identity (account);
)sql";

class DirectoryTables final : public DirectoryTxn {
 public:
  /// `reserve` holds revocations that are not in the rows yet.
  DirectoryTables(Connection& on, Timestamp now, const RevocationReserve& reserve)
      : on_(on), now_(now), reserve_(reserve) {}

  [[nodiscard]] Result<std::optional<AccountRow>> find_account(AccountNumber number) override;
  [[nodiscard]] Result<std::optional<AccountRow>> find_account_by_email(std::string_view email) override;
  [[nodiscard]] Result<> accounts(const AccountVisitor& visit) override;
  [[nodiscard]] Result<std::optional<KeyRow>> find_key(KeyNumber number) override;
  [[nodiscard]] Result<std::optional<KeyRow>> find_key_by_token(std::string_view token_hash) override;
  [[nodiscard]] Result<> keys(std::optional<AccountNumber> account, const KeyVisitor& visit) override;
  [[nodiscard]] Result<> keys_opened_with(KeyNumber parent, const KeyVisitor& visit) override;
  [[nodiscard]] Result<> keys_that_end(Timestamp until, const KeyVisitor& visit) override;
  [[nodiscard]] Result<std::optional<PasskeyRow>> find_passkey(std::string_view credential) override;
  [[nodiscard]] Result<> passkeys(AccountNumber account, const PasskeyVisitor& visit) override;
  [[nodiscard]] Result<std::optional<IdentityRow>> find_identity(std::string_view subject) override;
  [[nodiscard]] Result<> identities(AccountNumber account, const IdentityVisitor& visit) override;
  [[nodiscard]] Result<std::optional<ResetRow>> find_reset(std::string_view token_hash) override;
  [[nodiscard]] Result<Seq> find_pulled(KeyNumber key, const SpaceName& space) override;
  [[nodiscard]] Result<std::optional<GrantRow>> find_grant(const SpaceName& space, AccountNumber guest) override;
  [[nodiscard]] Result<> grants_by(AccountNumber owner, const GrantVisitor& visit) override;
  [[nodiscard]] Result<> grants_to(AccountNumber guest, const GrantVisitor& visit) override;
  [[nodiscard]] Result<> usage(const UsageVisitor& visit) override;
  [[nodiscard]] Result<std::int64_t> find_mark(std::string_view name) override;
  [[nodiscard]] Result<std::optional<WebhookRow>> find_webhook(std::string_view id) override;
  [[nodiscard]] Result<> webhooks(std::optional<AccountNumber> account, const WebhookVisitor& visit) override;
  [[nodiscard]] Result<std::optional<DeliveryRow>> find_delivery(std::string_view webhook,
                                                                 std::int64_t number) override;
  [[nodiscard]] Result<std::optional<DeliveryRow>> find_next_delivery(
      const std::vector<std::string>& webhooks) override;
  [[nodiscard]] Result<> deliveries(std::string_view webhook, std::size_t count_max,
                                    const DeliveryVisitor& visit) override;
  [[nodiscard]] Result<> deliveries_due_after(std::string_view webhook, DeliveryRow::State state, Timestamp after,
                                              const DeliveryVisitor& visit) override;
  [[nodiscard]] Result<std::optional<LeaseRow>> find_lease(const SpaceName& space, std::string_view command) override;
  [[nodiscard]] Result<> leases_that_end(Timestamp until, const LeaseVisitor& visit) override;
  [[nodiscard]] Result<std::optional<AuditEnds>> find_audit_ends() override;
  [[nodiscard]] Result<> audit_after(std::int64_t after, const AuditVisitor& visit) override;
  [[nodiscard]] Result<> audit_before(std::int64_t before, const AuditVisitor& visit) override;

  [[nodiscard]] Timestamp now() const override { return now_; }
  [[nodiscard]] Result<AccountNumber> next_account_number() override;
  [[nodiscard]] Result<KeyNumber> next_key_number() override;
  [[nodiscard]] Result<PasskeyNumber> next_passkey_number() override;
  [[nodiscard]] Result<IdentityNumber> next_identity_number() override;
  [[nodiscard]] Result<> put_account(const AccountRow& account) override;
  [[nodiscard]] Result<> erase_account(AccountNumber number) override;
  [[nodiscard]] Result<> put_key(const KeyRow& key) override;
  [[nodiscard]] Result<> remove_key(KeyNumber number) override;
  [[nodiscard]] Result<> set_last_used(KeyNumber number, Timestamp at) override;
  [[nodiscard]] Result<> put_passkey(const PasskeyRow& passkey) override;
  [[nodiscard]] Result<> remove_passkey(PasskeyNumber number) override;
  [[nodiscard]] Result<> put_identity(const IdentityRow& identity) override;
  [[nodiscard]] Result<> remove_identity(IdentityNumber number) override;
  [[nodiscard]] Result<> put_reset(const ResetRow& reset) override;
  [[nodiscard]] Result<> remove_resets_of(AccountNumber account) override;
  [[nodiscard]] Result<> remove_expired_resets(Timestamp until) override;
  [[nodiscard]] Result<> put_pulled(const PulledRow& pulled) override;
  [[nodiscard]] Result<> put_grant(const GrantRow& grant) override;
  [[nodiscard]] Result<> remove_grant(const SpaceName& space, AccountNumber guest) override;
  [[nodiscard]] Result<> put_usage(const UsageRow& usage) override;
  [[nodiscard]] Result<> remove_usage(AccountNumber account) override;
  [[nodiscard]] Result<> put_mark(std::string_view name, std::int64_t value) override;
  [[nodiscard]] Result<> put_webhook(const WebhookRow& webhook) override;
  [[nodiscard]] Result<> remove_webhook(std::string_view id) override;
  [[nodiscard]] Result<> add_delivery(const DeliveryRow& delivery) override;
  [[nodiscard]] Result<> put_delivery(const DeliveryRow& delivery) override;
  [[nodiscard]] Result<std::size_t> remove_ended_deliveries(Timestamp before, std::size_t count_max) override;
  [[nodiscard]] Result<> put_lease(const LeaseRow& lease) override;
  [[nodiscard]] Result<> remove_lease(const SpaceName& space, std::string_view command) override;
  [[nodiscard]] Result<> add_audit(const AuditRow& row) override;
  [[nodiscard]] Result<> put_audit_ends(const AuditEnds& ends) override;
  [[nodiscard]] Result<> remove_audit_through(std::int64_t number) override;

  /// True if the key's row itself says that it is revoked, or there is no row: what the reserve has does not count.
  [[nodiscard]] Result<bool> is_revocation_stored(KeyNumber number);
  /// The first error of a read or a write; a function that has met one has failed, whatever it returns.
  [[nodiscard]] const std::optional<Error>& failure() const { return failure_; }
  /// Rows that are not what was written, a text each.
  [[nodiscard]] Result<std::vector<std::string>> verify();

 private:
  using Bind = std::function<void(Statement&)>;
  using Row = std::function<Result<bool>(Statement&)>;

  /// Runs the statement, prepared once, and calls `row` for each row until that returns false.
  [[nodiscard]] Result<> query(const char* sql, const Bind& bind, const Row& row);
  [[nodiscard]] Result<> run(const char* sql, const Bind& bind);
  [[nodiscard]] Result<> run_for(const char* sql, std::int64_t number);
  [[nodiscard]] Result<> run_for(const char* sql, std::string_view id);
  [[nodiscard]] Result<> visit_audit(const char* sql, std::int64_t bound, const AuditVisitor& visit);
  [[nodiscard]] Result<> visit_grants(const char* sql, AccountNumber account, const GrantVisitor& visit);
  [[nodiscard]] Result<> verify_grants(std::vector<std::string>& problems);
  [[nodiscard]] Result<> visit_keys(const char* sql, std::int64_t bound, const KeyVisitor& visit);
  [[nodiscard]] Result<std::optional<KeyRow>> find_one_key(const char* sql, const Bind& bind);
  [[nodiscard]] Result<std::optional<AccountRow>> find_one_account(const char* sql, const Bind& bind);
  [[nodiscard]] Result<KeyRow> key_of(const Statement& row) const;
  [[nodiscard]] Result<> verify_passkeys(std::vector<std::string>& problems);
  [[nodiscard]] Result<> verify_webhooks(std::vector<std::string>& problems);
  [[nodiscard]] Result<> verify_leases(std::vector<std::string>& problems);
  [[nodiscard]] Result<> verify_identities(std::vector<std::string>& problems);
  [[nodiscard]] Result<std::int64_t> next_number(std::string_view mark);
  [[nodiscard]] Result<std::int64_t> number_for(const DeliveryRow& delivery);

  Connection& on_;
  const Timestamp now_;
  const RevocationReserve& reserve_;
  std::unordered_map<const char*, Statement> idle_;
  std::optional<Error> failure_;
  std::optional<std::int64_t> last_delivery_;  // once it was read
};

}  // namespace syncline::sqlite
