// The directory contract: who may enter a store, and what is known of those who do. Accounts, keys, sessions (a session
// is a key), passkeys, identities, reset tokens, who may use whose space, how far keys have pulled, how much accounts
// have asked, who wants to hear of events and what is on its way there, and who runs which command. These are rows of
// tables of their own, not records: nobody pulls them, they have no seq and no history, and each is found by an index.
//
// - read(): a consistent view that never waits for writers. Runs on the calling thread, also inside a read or a write
//   function of the store.
// - write(): the function sees all earlier commits of the directory and its own changes. Returns when the changes are
//   durable, or with the error that undid them: the function's own, or the store's. It waits for the thread that
//   writes, so it must not be called by a write function or a `done` of the store, or by a network thread.
// - A write function may run more than once, and only the last run counts: see WriteFunction in store.hpp.
// - A failed read says nothing about what is stored. If a read of a write function fails, the function has failed.
// - A row that is no longer what was written is never delivered: looking it up fails with `damaged`, and lists leave it
//   out. Entries of the audit log alone are delivered as they are: their chain shows what was changed.
// - revoke_in_reserve() works on a full disk: see there.
//
// The meaning of a `doc` is the service's; no lookup needs it. Every implementation passes directory_test.cpp. All
// methods may be called from any thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "store/directory_rows.hpp"

namespace syncline {

class DirectoryView {
 public:
  virtual ~DirectoryView() = default;

  [[nodiscard]] virtual Result<std::optional<AccountRow>> find_account(AccountNumber number) = 0;
  [[nodiscard]] virtual Result<std::optional<AccountRow>> find_account_by_email(std::string_view email) = 0;
  /// All of them, by address.
  [[nodiscard]] virtual Result<> accounts(const AccountVisitor& visit) = 0;

  [[nodiscard]] virtual Result<std::optional<KeyRow>> find_key(KeyNumber number) = 0;
  /// The newest key with that token: only one of them can stand.
  [[nodiscard]] virtual Result<std::optional<KeyRow>> find_key_by_token(std::string_view token_hash) = 0;
  /// Keys of one account, or of all, revoked ones too, by number.
  [[nodiscard]] virtual Result<> keys(std::optional<AccountNumber> account, const KeyVisitor& visit) = 0;
  /// Sessions that were opened with that key, by number.
  [[nodiscard]] virtual Result<> keys_opened_with(KeyNumber parent, const KeyVisitor& visit) = 0;
  /// Keys that end at `until` or earlier, first those that end first.
  [[nodiscard]] virtual Result<> keys_that_end(Timestamp until, const KeyVisitor& visit) = 0;

  [[nodiscard]] virtual Result<std::optional<PasskeyRow>> find_passkey(std::string_view credential) = 0;
  /// Those of one account, by number.
  [[nodiscard]] virtual Result<> passkeys(AccountNumber account, const PasskeyVisitor& visit) = 0;

  [[nodiscard]] virtual Result<std::optional<IdentityRow>> find_identity(std::string_view subject) = 0;
  /// Those of one account, by number.
  [[nodiscard]] virtual Result<> identities(AccountNumber account, const IdentityVisitor& visit) = 0;

  [[nodiscard]] virtual Result<std::optional<ResetRow>> find_reset(std::string_view token_hash) = 0;
  /// 0 if nothing is known.
  [[nodiscard]] virtual Result<Seq> find_pulled(KeyNumber key, const SpaceName& space) = 0;
  [[nodiscard]] virtual Result<std::optional<GrantRow>> find_grant(const SpaceName& space, AccountNumber guest) = 0;
  /// What the account grants, by space and guest.
  [[nodiscard]] virtual Result<> grants_by(AccountNumber owner, const GrantVisitor& visit) = 0;
  /// What the account was granted, by owner and space.
  [[nodiscard]] virtual Result<> grants_to(AccountNumber guest, const GrantVisitor& visit) = 0;
  [[nodiscard]] virtual Result<> usage(const UsageVisitor& visit) = 0;
  /// A number under a name, 0 if there is none. For what the service must know of the directory as a whole.
  [[nodiscard]] virtual Result<std::int64_t> find_mark(std::string_view name) = 0;

  [[nodiscard]] virtual Result<std::optional<WebhookRow>> find_webhook(std::string_view id) = 0;
  /// Webhooks of one account, or of all, by id.
  [[nodiscard]] virtual Result<> webhooks(std::optional<AccountNumber> account, const WebhookVisitor& visit) = 0;
  /// Nothing also for a delivery of another webhook.
  [[nodiscard]] virtual Result<std::optional<DeliveryRow>> find_delivery(std::string_view webhook,
                                                                         std::int64_t number) = 0;
  /// Of the deliveries that wait for one of these webhooks, the one that is due first, perhaps only later; of those
  /// that are due together the one with the least number. A damaged one is passed over.
  [[nodiscard]] virtual Result<std::optional<DeliveryRow>> find_next_delivery(
      const std::vector<std::string>& webhooks) = 0;
  /// The newest `count_max` of a webhook, newest first.
  [[nodiscard]] virtual Result<> deliveries(std::string_view webhook, std::size_t count_max,
                                            const DeliveryVisitor& visit) = 0;
  /// Those of a webhook that are in that state and have a next_at after that, by next_at and number.
  [[nodiscard]] virtual Result<> deliveries_due_after(std::string_view webhook, DeliveryRow::State state,
                                                      Timestamp after, const DeliveryVisitor& visit) = 0;

  [[nodiscard]] virtual Result<std::optional<LeaseRow>> find_lease(const SpaceName& space,
                                                                   std::string_view command) = 0;
  /// Leases that end at `until` or earlier, first those that end first.
  [[nodiscard]] virtual Result<> leases_that_end(Timestamp until, const LeaseVisitor& visit) = 0;

  /// Nothing before the first entry.
  [[nodiscard]] virtual Result<std::optional<AuditEnds>> find_audit_ends() = 0;
  /// Entries with numbers above `after`, by number.
  [[nodiscard]] virtual Result<> audit_after(std::int64_t after, const AuditVisitor& visit) = 0;
  /// Entries with numbers below `before`, newest first.
  [[nodiscard]] virtual Result<> audit_before(std::int64_t before, const AuditVisitor& visit) = 0;
};

class DirectoryTxn : public DirectoryView {
 public:
  /// The store's time when this run of the function began: the only clock of a write function.
  [[nodiscard]] virtual Timestamp now() const = 0;

  /// Numbers that were never used, also not by what was removed since.
  [[nodiscard]] virtual Result<AccountNumber> next_account_number() = 0;
  [[nodiscard]] virtual Result<KeyNumber> next_key_number() = 0;
  [[nodiscard]] virtual Result<PasskeyNumber> next_passkey_number() = 0;
  [[nodiscard]] virtual Result<IdentityNumber> next_identity_number() = 0;

  /// Adds the account, or replaces the one of that number. `conflict` if another one has the address.
  [[nodiscard]] virtual Result<> put_account(const AccountRow& account) = 0;
  /// Removes the account with its keys, passkeys, identities, reset tokens, progress, usage, webhooks and their
  /// deliveries, the leases of its spaces, and what it grants and was granted.
  [[nodiscard]] virtual Result<> erase_account(AccountNumber number) = 0;
  /// Adds the key, or replaces the one of that number but for `last_used_at`.
  [[nodiscard]] virtual Result<> put_key(const KeyRow& key) = 0;
  [[nodiscard]] virtual Result<> remove_key(KeyNumber number) = 0;
  /// Nothing happens without such a key, or if it was used later.
  [[nodiscard]] virtual Result<> set_last_used(KeyNumber number, Timestamp at) = 0;
  /// Adds the passkey, or replaces the one of that number. `conflict` if another one has the credential.
  [[nodiscard]] virtual Result<> put_passkey(const PasskeyRow& passkey) = 0;
  [[nodiscard]] virtual Result<> remove_passkey(PasskeyNumber number) = 0;
  /// Adds the identity, or replaces the one of that number. `conflict` if another one has the subject.
  [[nodiscard]] virtual Result<> put_identity(const IdentityRow& identity) = 0;
  [[nodiscard]] virtual Result<> remove_identity(IdentityNumber number) = 0;
  [[nodiscard]] virtual Result<> put_reset(const ResetRow& reset) = 0;
  [[nodiscard]] virtual Result<> remove_resets_of(AccountNumber account) = 0;
  /// Those that expire at `until` or earlier.
  [[nodiscard]] virtual Result<> remove_expired_resets(Timestamp until) = 0;
  /// Raises what is known; a smaller seq changes nothing.
  [[nodiscard]] virtual Result<> put_pulled(const PulledRow& pulled) = 0;
  /// Adds the grant, or replaces the one of that space and guest.
  [[nodiscard]] virtual Result<> put_grant(const GrantRow& grant) = 0;
  [[nodiscard]] virtual Result<> remove_grant(const SpaceName& space, AccountNumber guest) = 0;
  [[nodiscard]] virtual Result<> put_usage(const UsageRow& usage) = 0;
  [[nodiscard]] virtual Result<> remove_usage(AccountNumber account) = 0;
  [[nodiscard]] virtual Result<> put_mark(std::string_view name, std::int64_t value) = 0;

  /// Adds the webhook, or replaces the one of that id. `conflict` if another account has it.
  [[nodiscard]] virtual Result<> put_webhook(const WebhookRow& webhook) = 0;
  /// With its deliveries.
  [[nodiscard]] virtual Result<> remove_webhook(std::string_view id) = 0;
  /// Adds the delivery under a number that was never used, or under its own if it has one that no delivery has. Nothing
  /// happens if the account has no such webhook, or the webhook has had the message.
  [[nodiscard]] virtual Result<> add_delivery(const DeliveryRow& delivery) = 0;
  /// Replaces the delivery of that number. Nothing happens if there is none.
  [[nodiscard]] virtual Result<> put_delivery(const DeliveryRow& delivery) = 0;
  /// Removes those that do not wait and whose last attempt was before that, the oldest first and at most `count_max`.
  /// Returns how many.
  [[nodiscard]] virtual Result<std::size_t> remove_ended_deliveries(Timestamp before, std::size_t count_max) = 0;
  /// Adds the lease, or replaces the one of that command.
  [[nodiscard]] virtual Result<> put_lease(const LeaseRow& lease) = 0;
  [[nodiscard]] virtual Result<> remove_lease(const SpaceName& space, std::string_view command) = 0;

  /// Fails if there is an entry of that number: none is ever replaced.
  [[nodiscard]] virtual Result<> add_audit(const AuditRow& row) = 0;
  [[nodiscard]] virtual Result<> put_audit_ends(const AuditEnds& ends) = 0;
  /// Removes the entries up to that number.
  [[nodiscard]] virtual Result<> remove_audit_through(std::int64_t number) = 0;

  // The marks under which the numbers are counted: the last one that was used.
  static constexpr std::string_view kLastAccount = "last_account";
  static constexpr std::string_view kLastKey = "last_key";
  static constexpr std::string_view kLastPasskey = "last_passkey";
  static constexpr std::string_view kLastIdentity = "last_identity";
};

using DirectoryReadFunction = std::function<Result<>(DirectoryView&)>;
using DirectoryWriteFunction = std::function<Result<>(DirectoryTxn&)>;

class Directory {
 public:
  virtual ~Directory() = default;

  [[nodiscard]] virtual Result<> read(const DirectoryReadFunction& run) = 0;
  [[nodiscard]] virtual Result<> write(const DirectoryWriteFunction& run) = 0;

  /// For a revocation that write() could not store because the disk is full: notes it durably where room was set aside,
  /// without waiting for a writer. From then on every lookup and list shows the key as revoked, also after a restart,
  /// and the next write() that succeeds stores it in the key's row. `storage_full` if that room is used up too.
  [[nodiscard]] virtual Result<> revoke_in_reserve(const KeyRow& key, Timestamp at) = 0;
  /// The keys whose revocation is in the reserve alone: no write() has stored it yet.
  [[nodiscard]] virtual Result<std::vector<KeyNumber>> revoked_in_reserve() = 0;
};

}  // namespace syncline
