#include "store/memory/memory_directory.hpp"

#include <algorithm>
#include <ranges>
#include <vector>

namespace syncline {

class MemoryDirectory::Work final : public DirectoryTxn {
 public:
  Work(State& state, Timestamp now) : state_(state), now_(now) {}

  Result<std::optional<AccountRow>> find_account(AccountNumber number) override {
    return found_in(state_.accounts, number);
  }
  Result<std::optional<AccountRow>> find_account_by_email(std::string_view email) override {
    const auto found = std::ranges::find(state_.accounts, email, [](const auto& entry) { return entry.second.email; });
    if (found == state_.accounts.end()) return std::nullopt;
    return found->second;
  }
  Result<> accounts(const AccountVisitor& visit) override {
    std::vector<AccountRow> rows;
    rows.reserve(state_.accounts.size());
    for (const auto& [number, row] : state_.accounts) rows.push_back(row);
    std::ranges::sort(rows, {}, &AccountRow::email);
    for (const AccountRow& row : rows) {
      if (!visit(row)) break;
    }
    return {};
  }

  Result<std::optional<KeyRow>> find_key(KeyNumber number) override { return found_in(state_.keys, number); }
  Result<std::optional<KeyRow>> find_key_by_token(std::string_view token_hash) override {
    std::optional<KeyRow> newest;
    for (const auto& [number, row] : state_.keys) {
      if (row.token_hash == token_hash) newest = row;
    }
    return newest;
  }
  Result<> keys(std::optional<AccountNumber> account, const KeyVisitor& visit) override {
    return visit_keys([&](const KeyRow& row) { return !account || row.account == *account; }, visit);
  }
  Result<> keys_opened_with(KeyNumber parent, const KeyVisitor& visit) override {
    return visit_keys([&](const KeyRow& row) { return row.parent == parent; }, visit);
  }
  Result<> keys_that_end(Timestamp until, const KeyVisitor& visit) override {
    std::vector<KeyRow> rows;
    for (const auto& [number, row] : state_.keys) {
      if (row.ends_at && *row.ends_at <= until) rows.push_back(row);
    }
    std::ranges::sort(rows, {}, [](const KeyRow& row) { return std::pair(*row.ends_at, row.number); });
    for (const KeyRow& row : rows) {
      if (!visit(row)) break;
    }
    return {};
  }

  Result<std::optional<PasskeyRow>> find_passkey(std::string_view credential) override {
    const auto found =
        std::ranges::find(state_.passkeys, credential, [](const auto& entry) { return entry.second.credential; });
    if (found == state_.passkeys.end()) return std::nullopt;
    return found->second;
  }
  Result<> passkeys(AccountNumber account, const PasskeyVisitor& visit) override {
    for (const auto& [number, row] : state_.passkeys) {
      if (row.account == account && !visit(row)) break;
    }
    return {};
  }

  Result<std::optional<IdentityRow>> find_identity(std::string_view subject) override {
    const auto found =
        std::ranges::find(state_.identities, subject, [](const auto& entry) { return entry.second.subject; });
    if (found == state_.identities.end()) return std::nullopt;
    return found->second;
  }
  Result<> identities(AccountNumber account, const IdentityVisitor& visit) override {
    for (const auto& [number, row] : state_.identities) {
      if (row.account == account && !visit(row)) break;
    }
    return {};
  }

  Result<std::optional<ResetRow>> find_reset(std::string_view token_hash) override {
    const auto found = state_.resets.find(token_hash);
    if (found == state_.resets.end()) return std::nullopt;
    return found->second;
  }
  Result<Seq> find_pulled(KeyNumber key, const SpaceName& space) override {
    const auto found = state_.pulled.find({key, space});
    return found == state_.pulled.end() ? Seq{} : found->second;
  }
  Result<std::optional<GrantRow>> find_grant(const SpaceName& space, AccountNumber guest) override {
    return found_in(state_.grants, std::pair(space, guest));
  }
  Result<> grants_by(AccountNumber owner, const GrantVisitor& visit) override {
    return visit_grants([&](const GrantRow& row) { return row.space.account == owner; }, visit);
  }
  Result<> grants_to(AccountNumber guest, const GrantVisitor& visit) override {
    return visit_grants([&](const GrantRow& row) { return row.guest == guest; }, visit);
  }
  Result<> usage(const UsageVisitor& visit) override {
    for (const auto& [account, row] : state_.usage) {
      if (!visit(row)) break;
    }
    return {};
  }
  Result<std::int64_t> find_mark(std::string_view name) override {
    const auto found = state_.marks.find(name);
    return found == state_.marks.end() ? 0 : found->second;
  }

  Result<std::optional<WebhookRow>> find_webhook(std::string_view id) override { return found_in(state_.webhooks, id); }
  Result<> webhooks(std::optional<AccountNumber> account, const WebhookVisitor& visit) override {
    for (const auto& [id, row] : state_.webhooks) {
      if ((!account || row.account == *account) && !visit(row)) break;
    }
    return {};
  }
  Result<std::optional<DeliveryRow>> find_delivery(std::string_view webhook, std::int64_t number) override {
    auto found = found_in(state_.deliveries, number);
    if (found && found->webhook != webhook) found.reset();
    return found;
  }
  Result<std::optional<DeliveryRow>> find_next_delivery(const std::vector<std::string>& webhooks) override {
    const DeliveryRow* next = nullptr;
    for (const auto& [number, row] : state_.deliveries) {
      const bool is_theirs = std::ranges::find(webhooks, row.webhook) != webhooks.end();
      if (row.state != DeliveryRow::State::waiting || !is_theirs) continue;
      if (next == nullptr || row.next_at < next->next_at) next = &row;
    }
    if (next == nullptr) return std::nullopt;
    return *next;
  }
  Result<> deliveries(std::string_view webhook, std::size_t count_max, const DeliveryVisitor& visit) override {
    for (const auto& [number, row] : std::views::reverse(state_.deliveries)) {
      if (row.webhook != webhook) continue;
      if (count_max == 0 || !visit(row)) break;
      count_max -= 1;
    }
    return {};
  }
  Result<> deliveries_due_after(std::string_view webhook, DeliveryRow::State state, Timestamp after,
                                const DeliveryVisitor& visit) override {
    std::vector<DeliveryRow> rows;
    for (const auto& [number, row] : state_.deliveries) {
      if (row.webhook == webhook && row.state == state && row.next_at > after) rows.push_back(row);
    }
    std::ranges::sort(rows, {}, [](const DeliveryRow& row) { return std::pair(row.next_at, row.number); });
    return visit_all(rows, visit);
  }
  Result<std::optional<LeaseRow>> find_lease(const SpaceName& space, std::string_view command) override {
    return found_in(state_.leases, std::pair(space, std::string(command)));
  }
  Result<> leases_that_end(Timestamp until, const LeaseVisitor& visit) override {
    std::vector<LeaseRow> rows;
    for (const auto& [key, row] : state_.leases) {
      if (row.until <= until) rows.push_back(row);
    }
    std::ranges::sort(rows, {}, &LeaseRow::until);
    return visit_all(rows, visit);
  }

  Result<std::optional<AuditEnds>> find_audit_ends() override { return state_.audit_ends; }
  Result<> audit_after(std::int64_t after, const AuditVisitor& visit) override {
    for (auto row = state_.audit.upper_bound(after); row != state_.audit.end() && visit(row->second);) ++row;
    return {};
  }
  Result<> audit_before(std::int64_t before, const AuditVisitor& visit) override {
    auto row = state_.audit.lower_bound(before);
    while (row != state_.audit.begin()) {
      --row;
      if (!visit(row->second)) break;
    }
    return {};
  }

  Timestamp now() const override { return now_; }
  Result<AccountNumber> next_account_number() override { return AccountNumber{++mark(kLastAccount)}; }
  Result<KeyNumber> next_key_number() override { return KeyNumber{++mark(kLastKey)}; }
  Result<PasskeyNumber> next_passkey_number() override { return PasskeyNumber{++mark(kLastPasskey)}; }
  Result<IdentityNumber> next_identity_number() override { return IdentityNumber{++mark(kLastIdentity)}; }

  Result<> put_account(const AccountRow& account) override {
    TRY(const auto holder, find_account_by_email(account.email));
    if (holder && holder->number != account.number) {
      return fail(ErrorCode::conflict, "account '" + account.email + "' already exists");
    }
    state_.accounts[account.number] = account;
    return {};
  }
  Result<> erase_account(AccountNumber number) override {
    state_.accounts.erase(number);
    state_.usage.erase(number);
    std::erase_if(state_.keys, [&](const auto& entry) { return entry.second.account == number; });
    std::erase_if(state_.pulled, [&](const auto& entry) { return entry.first.second.account == number; });
    std::erase_if(state_.grants, [&](const auto& entry) {
      return entry.second.space.account == number || entry.second.guest == number;
    });
    std::erase_if(state_.passkeys, [&](const auto& entry) { return entry.second.account == number; });
    std::erase_if(state_.deliveries, [&](const auto& entry) { return entry.second.account == number; });
    std::erase_if(state_.webhooks, [&](const auto& entry) { return entry.second.account == number; });
    std::erase_if(state_.leases, [&](const auto& entry) { return entry.first.first.account == number; });
    std::erase_if(state_.identities, [&](const auto& entry) { return entry.second.account == number; });
    return remove_resets_of(number);
  }
  Result<> put_key(const KeyRow& key) override {
    KeyRow& row = state_.keys[key.number];
    const auto last_used_at = row.last_used_at;
    row = key;
    row.last_used_at = last_used_at;
    return {};
  }
  Result<> remove_key(KeyNumber number) override {
    state_.keys.erase(number);
    std::erase_if(state_.pulled, [&](const auto& entry) { return entry.first.first == number; });
    return {};
  }
  Result<> set_last_used(KeyNumber number, Timestamp at) override {
    const auto found = state_.keys.find(number);
    if (found != state_.keys.end()) found->second.last_used_at = std::max(found->second.last_used_at.value_or(at), at);
    return {};
  }
  Result<> put_passkey(const PasskeyRow& passkey) override {
    TRY(const auto holder, find_passkey(passkey.credential));
    if (holder && holder->number != passkey.number) {
      return fail(ErrorCode::conflict, "this passkey is already registered");
    }
    state_.passkeys[passkey.number] = passkey;
    return {};
  }
  Result<> remove_passkey(PasskeyNumber number) override {
    state_.passkeys.erase(number);
    return {};
  }
  Result<> put_identity(const IdentityRow& identity) override {
    TRY(const auto holder, find_identity(identity.subject));
    if (holder && holder->number != identity.number) {
      return fail(ErrorCode::conflict, "this identity is already linked");
    }
    state_.identities[identity.number] = identity;
    return {};
  }
  Result<> remove_identity(IdentityNumber number) override {
    state_.identities.erase(number);
    return {};
  }
  Result<> put_reset(const ResetRow& reset) override {
    state_.resets[reset.token_hash] = reset;
    return {};
  }
  Result<> remove_resets_of(AccountNumber account) override {
    std::erase_if(state_.resets, [&](const auto& entry) { return entry.second.account == account; });
    return {};
  }
  Result<> remove_expired_resets(Timestamp until) override {
    std::erase_if(state_.resets, [&](const auto& entry) { return entry.second.expires_at <= until; });
    return {};
  }
  Result<> put_pulled(const PulledRow& pulled) override {
    Seq& seq = state_.pulled[{pulled.key, pulled.space}];
    seq = std::max(seq, pulled.seq);
    return {};
  }
  Result<> put_grant(const GrantRow& grant) override {
    state_.grants[{grant.space, grant.guest}] = grant;
    return {};
  }
  Result<> remove_grant(const SpaceName& space, AccountNumber guest) override {
    state_.grants.erase({space, guest});
    return {};
  }
  Result<> put_usage(const UsageRow& usage) override {
    state_.usage[usage.account] = usage;
    return {};
  }
  Result<> remove_usage(AccountNumber account) override {
    state_.usage.erase(account);
    return {};
  }
  Result<> put_mark(std::string_view name, std::int64_t value) override {
    mark(name) = value;
    return {};
  }
  Result<> put_webhook(const WebhookRow& webhook) override {
    const auto holder = found_in(state_.webhooks, webhook.id);
    if (holder && holder->account != webhook.account) {
      return fail(ErrorCode::conflict, "webhook '" + webhook.id + "' already exists");
    }
    state_.webhooks[webhook.id] = webhook;
    return {};
  }
  Result<> remove_webhook(std::string_view id) override {
    std::erase_if(state_.deliveries, [&](const auto& entry) { return entry.second.webhook == id; });
    std::erase_if(state_.webhooks, [&](const auto& entry) { return entry.first == id; });
    return {};
  }
  Result<> add_delivery(const DeliveryRow& delivery) override {
    const auto webhook = found_in(state_.webhooks, delivery.webhook);
    const bool had_it = std::ranges::any_of(state_.deliveries, [&](const auto& entry) {
      return entry.second.webhook == delivery.webhook && entry.second.message == delivery.message;
    });
    if (!webhook || webhook->account != delivery.account || had_it) return {};
    DeliveryRow row = delivery;
    if (row.number <= 0 || state_.deliveries.contains(row.number)) row.number = state_.last_delivery + 1;
    state_.last_delivery = std::max(state_.last_delivery, row.number);
    state_.deliveries[row.number] = row;
    return {};
  }
  Result<> put_delivery(const DeliveryRow& delivery) override {
    const auto found = state_.deliveries.find(delivery.number);
    if (found != state_.deliveries.end()) found->second = delivery;
    return {};
  }
  Result<std::size_t> remove_ended_deliveries(Timestamp before, std::size_t count_max) override {
    std::vector<std::pair<Timestamp, std::int64_t>> ended;
    for (const auto& [number, row] : state_.deliveries) {
      if (row.state != DeliveryRow::State::waiting && row.last_at < before) ended.emplace_back(row.last_at, number);
    }
    std::ranges::sort(ended);
    ended.resize(std::min(ended.size(), count_max));
    for (const auto& [at, number] : ended) state_.deliveries.erase(number);
    return ended.size();
  }
  Result<> put_lease(const LeaseRow& lease) override {
    state_.leases[{lease.space, lease.command}] = lease;
    return {};
  }
  Result<> remove_lease(const SpaceName& space, std::string_view command) override {
    state_.leases.erase({space, std::string(command)});
    return {};
  }
  Result<> add_audit(const AuditRow& row) override {
    if (state_.audit.emplace(row.number, row).second) return {};
    return fail(ErrorCode::conflict, "the audit log has an entry " + std::to_string(row.number));
  }
  Result<> put_audit_ends(const AuditEnds& ends) override {
    state_.audit_ends = ends;
    return {};
  }
  Result<> remove_audit_through(std::int64_t number) override {
    std::erase_if(state_.audit, [&](const auto& entry) { return entry.first <= number; });
    return {};
  }

 private:
  template <typename Rows, typename Number>
  static std::optional<typename Rows::mapped_type> found_in(const Rows& rows, const Number& number) {
    const auto found = rows.find(number);
    if (found == rows.end()) return std::nullopt;
    return found->second;
  }
  template <typename Rows, typename Visitor>
  static Result<> visit_all(const Rows& rows, const Visitor& visit) {
    for (const auto& row : rows) {
      if (!visit(row)) break;
    }
    return {};
  }
  template <typename Picks>
  Result<> visit_keys(const Picks& picks, const KeyVisitor& visit) {
    for (const auto& [number, row] : state_.keys) {
      if (picks(row) && !visit(row)) break;
    }
    return {};
  }
  template <typename Picks>
  Result<> visit_grants(const Picks& picks, const GrantVisitor& visit) {
    for (const auto& [key, row] : state_.grants) {
      if (picks(row) && !visit(row)) break;
    }
    return {};
  }
  std::int64_t& mark(std::string_view name) { return state_.marks[std::string(name)]; }

  State& state_;
  const Timestamp now_;
};

Result<> MemoryDirectory::read(const DirectoryReadFunction& run) {
  const MutexLock lock(mutex_);
  Work work(state_, {});
  return run(work);
}

Result<> MemoryDirectory::write(const DirectoryWriteFunction& run) {
  const MutexLock lock(mutex_);
  State changed = state_;
  Work work(changed, clock_.now());
  CHECK_OK(run(work));
  changed.reserved.clear();
  state_ = std::move(changed);
  commits_ += 1;
  return {};
}

std::int64_t MemoryDirectory::commits() const {
  const MutexLock lock(mutex_);
  return commits_;
}

Result<> MemoryDirectory::revoke_in_reserve(const KeyRow& key, Timestamp at) {
  const MutexLock lock(mutex_);
  const auto found = state_.keys.find(key.number);
  if (found == state_.keys.end() || found->second.revoked_at) return {};
  found->second.revoked_at = at;
  state_.reserved.insert(key.number);
  return {};
}

Result<std::vector<KeyNumber>> MemoryDirectory::revoked_in_reserve() {
  const MutexLock lock(mutex_);
  return std::vector<KeyNumber>(state_.reserved.begin(), state_.reserved.end());
}

void MemoryDirectory::copy_from(const MemoryDirectory& other) {
  State copy;
  {
    const MutexLock lock(other.mutex_);
    copy = other.state_;
  }
  const MutexLock lock(mutex_);
  state_ = std::move(copy);
}

}  // namespace syncline
