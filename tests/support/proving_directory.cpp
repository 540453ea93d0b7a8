#include "support/proving_directory.hpp"

namespace syncline::test {

template <class Base>
class FailingDirectory::FailingView : public Base {
 public:
  FailingView(const Faults& faults, Base& below) : faults_(faults), below_(below) {}

  Result<std::optional<AccountRow>> find_account(AccountNumber number) override {
    CHECK_OK(faults_.next_read());
    return below_.find_account(number);
  }
  Result<std::optional<AccountRow>> find_account_by_email(std::string_view email) override {
    CHECK_OK(faults_.next_read());
    return below_.find_account_by_email(email);
  }
  Result<> accounts(const AccountVisitor& visit) override {
    return cut(visit, [&](const AccountVisitor& cut_off) { return below_.accounts(cut_off); });
  }
  Result<std::optional<KeyRow>> find_key(KeyNumber number) override {
    CHECK_OK(faults_.next_read());
    return below_.find_key(number);
  }
  Result<std::optional<KeyRow>> find_key_by_token(std::string_view token_hash) override {
    CHECK_OK(faults_.next_read());
    return below_.find_key_by_token(token_hash);
  }
  Result<> keys(std::optional<AccountNumber> account, const KeyVisitor& visit) override {
    return cut(visit, [&](const KeyVisitor& cut_off) { return below_.keys(account, cut_off); });
  }
  Result<> keys_opened_with(KeyNumber parent, const KeyVisitor& visit) override {
    return cut(visit, [&](const KeyVisitor& cut_off) { return below_.keys_opened_with(parent, cut_off); });
  }
  Result<> keys_that_end(Timestamp until, const KeyVisitor& visit) override {
    return cut(visit, [&](const KeyVisitor& cut_off) { return below_.keys_that_end(until, cut_off); });
  }
  Result<std::optional<PasskeyRow>> find_passkey(std::string_view credential) override {
    CHECK_OK(faults_.next_read());
    return below_.find_passkey(credential);
  }
  Result<> passkeys(AccountNumber account, const PasskeyVisitor& visit) override {
    return cut(visit, [&](const PasskeyVisitor& cut_off) { return below_.passkeys(account, cut_off); });
  }
  Result<std::optional<IdentityRow>> find_identity(std::string_view subject) override {
    CHECK_OK(faults_.next_read());
    return below_.find_identity(subject);
  }
  Result<> identities(AccountNumber account, const IdentityVisitor& visit) override {
    return cut(visit, [&](const IdentityVisitor& cut_off) { return below_.identities(account, cut_off); });
  }
  Result<std::optional<ResetRow>> find_reset(std::string_view token_hash) override {
    CHECK_OK(faults_.next_read());
    return below_.find_reset(token_hash);
  }
  Result<Seq> find_pulled(KeyNumber key, const SpaceName& space) override {
    CHECK_OK(faults_.next_read());
    return below_.find_pulled(key, space);
  }
  Result<std::optional<GrantRow>> find_grant(const SpaceName& space, AccountNumber guest) override {
    CHECK_OK(faults_.next_read());
    return below_.find_grant(space, guest);
  }
  Result<> grants_by(AccountNumber owner, const GrantVisitor& visit) override {
    return cut(visit, [&](const GrantVisitor& cut_off) { return below_.grants_by(owner, cut_off); });
  }
  Result<> grants_to(AccountNumber guest, const GrantVisitor& visit) override {
    return cut(visit, [&](const GrantVisitor& cut_off) { return below_.grants_to(guest, cut_off); });
  }
  Result<> usage(const UsageVisitor& visit) override {
    return cut(visit, [&](const UsageVisitor& cut_off) { return below_.usage(cut_off); });
  }
  Result<std::int64_t> find_mark(std::string_view name) override {
    CHECK_OK(faults_.next_read());
    return below_.find_mark(name);
  }
  Result<std::optional<WebhookRow>> find_webhook(std::string_view id) override {
    CHECK_OK(faults_.next_read());
    return below_.find_webhook(id);
  }
  Result<> webhooks(std::optional<AccountNumber> account, const WebhookVisitor& visit) override {
    return cut(visit, [&](const WebhookVisitor& cut_off) { return below_.webhooks(account, cut_off); });
  }
  Result<std::optional<DeliveryRow>> find_delivery(std::string_view webhook, std::int64_t number) override {
    CHECK_OK(faults_.next_read());
    return below_.find_delivery(webhook, number);
  }
  Result<std::optional<DeliveryRow>> find_next_delivery(const std::vector<std::string>& webhooks) override {
    CHECK_OK(faults_.next_read());
    return below_.find_next_delivery(webhooks);
  }
  Result<> deliveries(std::string_view webhook, std::size_t count_max, const DeliveryVisitor& visit) override {
    return cut(visit, [&](const DeliveryVisitor& cut_off) { return below_.deliveries(webhook, count_max, cut_off); });
  }
  Result<> deliveries_due_after(std::string_view webhook, DeliveryRow::State state, Timestamp after,
                                const DeliveryVisitor& visit) override {
    return cut(visit, [&](const DeliveryVisitor& cut_off) {
      return below_.deliveries_due_after(webhook, state, after, cut_off);
    });
  }
  Result<std::optional<LeaseRow>> find_lease(const SpaceName& space, std::string_view command) override {
    CHECK_OK(faults_.next_read());
    return below_.find_lease(space, command);
  }
  Result<> leases_that_end(Timestamp until, const LeaseVisitor& visit) override {
    return cut(visit, [&](const LeaseVisitor& cut_off) { return below_.leases_that_end(until, cut_off); });
  }
  Result<std::optional<AuditEnds>> find_audit_ends() override {
    CHECK_OK(faults_.next_read());
    return below_.find_audit_ends();
  }
  Result<> audit_after(std::int64_t after, const AuditVisitor& visit) override {
    return cut(visit, [&](const AuditVisitor& cut_off) { return below_.audit_after(after, cut_off); });
  }
  Result<> audit_before(std::int64_t before, const AuditVisitor& visit) override {
    return cut(visit, [&](const AuditVisitor& cut_off) { return below_.audit_before(before, cut_off); });
  }

 protected:
  const Faults& faults_;
  Base& below_;

 private:
  template <typename Visitor, typename Visit>
  Result<> cut(const Visitor& visit, const Visit& visit_below) {
    const auto failure = faults_.next_read();
    if (failure) return visit_below(visit);
    CHECK_OK(visit_below([&](const auto& row) {
      (void)visit(row);
      return false;
    }));
    return failure;
  }
};

class FailingDirectory::FailingTxn final : public FailingView<DirectoryTxn> {
 public:
  using FailingView::FailingView;

  Timestamp now() const override { return below_.now(); }
  Result<AccountNumber> next_account_number() override {
    CHECK_OK(faults_.next_read());
    return below_.next_account_number();
  }
  Result<KeyNumber> next_key_number() override {
    CHECK_OK(faults_.next_read());
    return below_.next_key_number();
  }
  Result<PasskeyNumber> next_passkey_number() override {
    CHECK_OK(faults_.next_read());
    return below_.next_passkey_number();
  }
  Result<IdentityNumber> next_identity_number() override {
    CHECK_OK(faults_.next_read());
    return below_.next_identity_number();
  }
  Result<> put_account(const AccountRow& account) override { return below_.put_account(account); }
  Result<> erase_account(AccountNumber number) override { return below_.erase_account(number); }
  Result<> put_key(const KeyRow& key) override { return below_.put_key(key); }
  Result<> remove_key(KeyNumber number) override { return below_.remove_key(number); }
  Result<> set_last_used(KeyNumber number, Timestamp at) override {
    CHECK_OK(faults_.next_read());
    return below_.set_last_used(number, at);
  }
  Result<> put_passkey(const PasskeyRow& passkey) override { return below_.put_passkey(passkey); }
  Result<> remove_passkey(PasskeyNumber number) override { return below_.remove_passkey(number); }
  Result<> put_identity(const IdentityRow& identity) override { return below_.put_identity(identity); }
  Result<> remove_identity(IdentityNumber number) override { return below_.remove_identity(number); }
  Result<> put_reset(const ResetRow& reset) override { return below_.put_reset(reset); }
  Result<> remove_resets_of(AccountNumber account) override { return below_.remove_resets_of(account); }
  Result<> remove_expired_resets(Timestamp until) override { return below_.remove_expired_resets(until); }
  Result<> put_pulled(const PulledRow& pulled) override {
    CHECK_OK(faults_.next_read());
    return below_.put_pulled(pulled);
  }
  Result<> put_grant(const GrantRow& grant) override { return below_.put_grant(grant); }
  Result<> remove_grant(const SpaceName& space, AccountNumber guest) override {
    return below_.remove_grant(space, guest);
  }
  Result<> put_usage(const UsageRow& usage) override { return below_.put_usage(usage); }
  Result<> remove_usage(AccountNumber account) override { return below_.remove_usage(account); }
  Result<> put_mark(std::string_view name, std::int64_t value) override { return below_.put_mark(name, value); }
  Result<> put_webhook(const WebhookRow& webhook) override {
    CHECK_OK(faults_.next_read());
    return below_.put_webhook(webhook);
  }
  Result<> remove_webhook(std::string_view id) override { return below_.remove_webhook(id); }
  Result<> add_delivery(const DeliveryRow& delivery) override {
    CHECK_OK(faults_.next_read());
    return below_.add_delivery(delivery);
  }
  Result<> put_delivery(const DeliveryRow& delivery) override { return below_.put_delivery(delivery); }
  Result<std::size_t> remove_ended_deliveries(Timestamp before, std::size_t count_max) override {
    return below_.remove_ended_deliveries(before, count_max);
  }
  Result<> put_lease(const LeaseRow& lease) override { return below_.put_lease(lease); }
  Result<> remove_lease(const SpaceName& space, std::string_view command) override {
    return below_.remove_lease(space, command);
  }
  Result<> add_audit(const AuditRow& row) override { return below_.add_audit(row); }
  Result<> put_audit_ends(const AuditEnds& ends) override { return below_.put_audit_ends(ends); }
  Result<> remove_audit_through(std::int64_t number) override { return below_.remove_audit_through(number); }
};

Result<> FailingDirectory::read(const DirectoryReadFunction& run) {
  CHECK_OK(faults_.next_read());
  return directory_.read([&](DirectoryView& below) {
    FailingView<DirectoryView> view(faults_, below);
    return run(view);
  });
}

Result<> FailingDirectory::write(const DirectoryWriteFunction& run) {
  const auto rewind = faults_.rewind();
  return directory_.write([&](DirectoryTxn& below) {
    rewind();
    FailingTxn txn(faults_, below);
    return run(txn);
  });
}

}  // namespace syncline::test
