#include "service/shares.hpp"

#include "base/limits.hpp"
#include "base/text.hpp"
#include "service/access_records.hpp"

namespace syncline {

using namespace access;

namespace {

using Share = Shares::Share;

/// By number only whoever has a share of the space already, for all but the operator: nobody learns the address of an
/// account by counting.
Result<Account> guest_in(DirectoryView& view, const SpaceName& space, std::string_view guest, bool is_operator) {
  if (const auto number = parse_integer(guest)) {
    TRY(const auto row, view.find_account({*number}));
    TRY(const auto grant, view.find_grant(space, {*number}));
    if (row && (grant || is_operator)) return account_from(*row);
    return fail(ErrorCode::not_found, "account " + std::string(guest) + " not found");
  }
  return get_account_in(view, to_valid_utf8(guest));
}

/// Nobody shares what others have, nor hands on more than the asking key may do.
Result<> check_may_share(DirectoryTxn& txn, const SpaceName& space, const Principal* sharer, ScopeSet needed) {
  if (sharer == nullptr) return {};
  if (space.account != sharer->account) {
    return fail(ErrorCode::forbidden, "only the account that has a space can share it");
  }
  TRY(const Rights own, rights_of(txn, *sharer, txn.now()));
  CHECK_OK(check_limit(own.spaces, sharer->account, space));
  return check_may_give(own, needed, own.spaces);
}

Result<Share> share_from(DirectoryView& view, const GrantRow& row) {
  Share share{.space = row.space,
              .owner = {},
              .guest_number = row.guest,
              .guest = {},
              .rights = row.may_write ? Access::Use::write : Access::Use::read,
              .created_at = row.created_at};
  TRY(const auto owner, view.find_account(row.space.account));
  TRY(const auto guest, view.find_account(row.guest));
  if (owner) share.owner = owner->email;
  if (guest) share.guest = guest->email;
  return share;
}

Result<std::vector<Share>> shares_from(DirectoryView& view, const std::vector<GrantRow>& rows) {
  std::vector<Share> shares;
  for (const GrantRow& row : rows) {
    TRY(shares.emplace_back(), share_from(view, row));
  }
  return shares;
}

AuditEvent share_event(std::string_view action, const std::string& owner, const SpaceName& space, std::string detail) {
  return {.action = std::string(action), .account = owner, .target = space.name, .detail = std::move(detail)};
}

}  // namespace

Result<std::vector<Share>> Shares::given_by(AccountNumber owner) {
  std::vector<Share> shares;
  CHECK_OK(directory_.read([&](DirectoryView& view) -> Result<> {
    std::vector<GrantRow> rows;
    CHECK_OK(view.grants_by(owner, [&](const GrantRow& row) {
      rows.push_back(row);
      return true;
    }));
    TRY(shares, shares_from(view, rows));
    return {};
  }));
  return shares;
}

Result<std::vector<Share>> Shares::given_to(AccountNumber guest) {
  std::vector<Share> shares;
  CHECK_OK(directory_.read([&](DirectoryView& view) -> Result<> {
    std::vector<GrantRow> rows;
    CHECK_OK(view.grants_to(guest, [&](const GrantRow& row) {
      rows.push_back(row);
      return rows.size() < limits::kSharesMax;
    }));
    TRY(shares, shares_from(view, rows));
    return {};
  }));
  return shares;
}

Result<Share> Shares::put(const SpaceName& space, std::string_view guest, const Terms& terms) {
  ScopeSet needed = Scope::read;
  if (terms.rights == Access::Use::write) needed.add(Scope::write);
  const std::string sharer = terms.sharer != nullptr ? std::to_string(terms.sharer->account.value) : std::string();
  CHECK_OK(unknown_guests_.check(sharer, access_.clock().now()));
  Share share;
  const auto shared = access_.change(Access::Effect::revokes, [&](DirectoryTxn& txn) -> Result<AccountNumber> {
    CHECK_OK(check_may_share(txn, space, terms.sharer, needed));
    TRY(const Account found, guest_in(txn, space, guest, terms.sharer == nullptr));
    if (found.number == space.account) {
      return fail(ErrorCode::invalid_argument, "the space belongs to this account already");
    }
    std::size_t others = 0;
    std::size_t with_guest = 0;
    CHECK_OK(txn.grants_by(space.account, [&](const GrantRow& row) {
      if (row.space == space && row.guest == found.number) return true;
      others += 1;
      with_guest += row.guest == found.number ? 1 : 0;
      return true;
    }));
    if (with_guest >= Shares::kWithOneGuestMax) {
      return fail(ErrorCode::conflict, "an account can share at most " + std::to_string(Shares::kWithOneGuestMax) +
                                           " spaces with one other; remove a share first");
    }
    if (others >= limits::kSharesMax) {
      return fail(ErrorCode::conflict, "an account can share its spaces at most " + std::to_string(limits::kSharesMax) +
                                           " times; remove a share first");
    }
    TRY(const auto before, txn.find_grant(space, found.number));
    const GrantRow row{.space = space,
                       .guest = found.number,
                       .may_write = terms.rights == Access::Use::write,
                       .created_at = before ? before->created_at : txn.now()};
    CHECK_OK(txn.put_grant(row));
    TRY(share, share_from(txn, row));
    const std::string_view what = row.may_write ? " may read and write it" : " may read it";
    CHECK_OK(record(txn, share_event("space.shared", share.owner, space, found.email + std::string(what))));
    return found.number;
  });
  if (!shared && shared.error().code == ErrorCode::not_found) {
    unknown_guests_.note_failure(sharer, access_.clock().now());
  }
  CHECK_OK(shared);
  return share;
}

Result<> Shares::remove(const SpaceName& space, std::string_view guest, const Principal* sharer) {
  return access_.change(Access::Effect::revokes, [&](DirectoryTxn& txn) -> Result<AccountNumber> {
    CHECK_OK(check_may_share(txn, space, sharer, {}));
    // The same words whether there is such an account: so unknown ones need not be counted, and nobody who names many
    // keeps the owner from ending a share.
    const auto no_share = [&] {
      return fail(ErrorCode::not_found,
                  "the space '" + space.name + "' is not shared with '" + to_valid_utf8(guest) + "'");
    };
    const auto found_or_none = guest_in(txn, space, guest, sharer == nullptr);
    if (!found_or_none && found_or_none.error().code == ErrorCode::not_found) return no_share();
    TRY(const Account found, found_or_none);
    TRY(const auto grant, txn.find_grant(space, found.number));
    if (!grant) return no_share();
    CHECK_OK(txn.remove_grant(space, found.number));
    TRY(const auto owner, txn.find_account(space.account));
    CHECK_OK(
        record(txn, share_event("space.unshared", owner ? owner->email : "", space, "no longer for " + found.email)));
    return found.number;
  });
}

std::string_view to_text(Access::Use use) { return use == Access::Use::write ? "write" : "read"; }

Result<Access::Use> parse_use(std::string_view text) {
  for (const Access::Use use : {Access::Use::read, Access::Use::write}) {
    if (text == to_text(use)) return use;
  }
  return fail(ErrorCode::invalid_argument, "rights must be read or write");
}

namespace access {

Result<> check_shared(DirectoryView& view, AccountNumber guest, const SpaceName& space, Access::Use use) {
  TRY(const auto grant, view.find_grant(space, guest));
  const std::string name = name_for(guest, space);
  // The same words whether there is such an account or space.
  if (!grant) return fail(ErrorCode::forbidden, "the space '" + name + "' is not shared with this account");
  if (use == Access::Use::read || grant->may_write) return {};
  return fail(ErrorCode::forbidden, "the space '" + name + "' is shared with this account for reading only");
}

}  // namespace access

}  // namespace syncline
