#include "service/identities.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "service/access_records.hpp"

namespace syncline {

using namespace access;

namespace {

/// An issuer is a URL, so it has no space.
std::string subject_of(const Identities::Person& person) { return person.issuer + ' ' + person.subject; }

std::string identity_id_of(IdentityNumber number) { return "i" + std::to_string(number.value); }

std::string identity_doc(const std::string& email, const std::optional<Timestamp>& last_used_at) {
  std::string doc;
  JsonWriter writer(doc);
  writer.begin_object();
  if (!email.empty()) writer.string("email", email);
  if (last_used_at) writer.string("last_used_at", format_time(*last_used_at));
  writer.end_object();
  return doc;
}

Identity shown_identity(const IdentityRow& row) {
  const JsonView json(row.doc);
  return {.number = row.number,
          .id = identity_id_of(row.number),
          .issuer = row.subject.substr(0, row.subject.find(' ')),
          .email = json.text_of("email"),
          .created_at = row.created_at,
          .last_used_at = time_field(json, "last_used_at")};
}

AuditEvent identity_event(std::string_view action, const Account& account, const IdentityRow& row,
                          std::string_view detail) {
  return {.action = std::string(action),
          .account = account.email,
          .target = identity_id_of(row.number),
          .detail = std::string(detail)};
}

bool is_email_of(const std::vector<std::string>& domains, std::string_view email) {
  const std::size_t at = email.rfind('@');
  return at != std::string_view::npos && std::ranges::find(domains, email.substr(at + 1)) != domains.end();
}

/// Asked each time, so that taking a domain out of the list puts out those who come from there.
Result<> check_domain(const Identities::Person& person, const Identities::Policy& policy) {
  if (policy.domains.empty()) return {};
  if (!person.is_email_verified) {
    return fail(ErrorCode::forbidden,
                policy.provider + " does not confirm that your e-mail address is yours, which this hub asks for");
  }
  if (is_email_of(policy.domains, person.email)) return {};
  return fail(ErrorCode::forbidden, "addresses like " + person.email + " are not allowed on this hub");
}

}  // namespace

Result<Account> Identities::find_or_add_account(DirectoryTxn& txn, const Person& person, const Policy& policy) {
  if (!person.is_email_verified) {
    return fail(ErrorCode::forbidden, policy.provider +
                                          " does not confirm that your e-mail address is yours, so the hub does not "
                                          "know which account is yours");
  }
  TRY(const auto row, find_account_row_in(txn, person.email));
  if (row && policy.links_accounts) return account_from(*row);
  if (row) {
    return fail(ErrorCode::forbidden, "the account " + person.email + " is not linked with " + policy.provider +
                                          "; sign in as before, and link it in your account");
  }
  if (!policy.creates_accounts) {
    return fail(ErrorCode::forbidden,
                "there is no account " + person.email + " on this hub; ask whoever runs the hub to add it");
  }
  auto account = add_account_in(txn, person.email, policy.plan, Role::member);
  if (!account && account.error().code == ErrorCode::invalid_argument) {
    return fail(ErrorCode::forbidden, account.error().text);
  }
  CHECK_OK(account);
  CHECK_OK(record(txn, account_event("account.created", *account, "at the first sign-in with " + policy.provider)));
  return account;
}

Result<IdentityRow> Identities::add(DirectoryTxn& txn, const Account& account, const Person& person,
                                    const Policy& policy) {
  std::size_t count = 0;
  CHECK_OK(txn.identities(account.number, [&](const IdentityRow&) { return ++count < kIdentitiesMax; }));
  if (count >= kIdentitiesMax) {
    return fail(ErrorCode::conflict, "an account can have " + std::to_string(kIdentitiesMax) +
                                         " identities; remove one that you do not use any more");
  }
  IdentityRow row{.account = account.number, .subject = subject_of(person), .created_at = txn.now()};
  TRY(row.number, txn.next_identity_number());
  row.doc = identity_doc(person.email, std::nullopt);
  CHECK_OK(txn.put_identity(row));
  CHECK_OK(record(txn, identity_event("identity.linked", account, row, policy.provider)));
  return row;
}

Result<BrowserSession> Identities::sign_in(const Person& person, const Policy& policy, const BrowserTerms& terms,
                                           const Caller& caller) {
  CHECK_OK(check_domain(person, policy));
  BrowserSession session;
  BrowserTerms with_provider = terms;
  with_provider.how = "with " + policy.provider;
  CHECK_OK(access_.change(Access::Effect::admits, [&](DirectoryTxn& txn) -> Result<AccountNumber> {
    TRY(auto row, txn.find_identity(subject_of(person)));
    Account account;
    if (row) {
      TRY(const auto account_row, txn.find_account(row->account));
      if (!account_row) return fail(ErrorCode::forbidden, "the account was removed");
      account = account_from(*account_row);
    } else {
      TRY(account, find_or_add_account(txn, person, policy));
      TRY(row, add(txn, account, person, policy));
    }
    row->doc = identity_doc(person.email.empty() ? JsonView(row->doc).text_of("email") : person.email, txn.now());
    CHECK_OK(txn.put_identity(*row));
    TRY(session, BrowserSessions::open(txn, account, nullptr, with_provider, caller));
    return account.number;
  }));
  return session;
}

Result<> Identities::check_may_link(const Principal& owner) { return check_whole_session(owner, "an identity"); }

Result<Identity> Identities::link(std::string_view session_id, const Person& person, const Policy& policy) {
  CHECK_OK(check_domain(person, policy));
  Identity linked;
  CHECK_OK(access_.change(Access::Effect::admits, [&](DirectoryTxn& txn) -> Result<AccountNumber> {
    TRY(const auto session, find_key_in(txn, session_id));
    if (!session) return invalid_token();
    Principal owner;
    owner.account = session->key.account;
    owner.key = session->key.number;
    CHECK_OK(check_standing(txn, owner, txn.now()));
    TRY(const Account account, get_account_in(txn, session->key.account_email));
    TRY(auto row, txn.find_identity(subject_of(person)));
    if (row && row->account != account.number) {
      return fail(ErrorCode::conflict,
                  "you are known to this hub as another account; sign in with that one, and "
                  "remove the identity there first");
    }
    if (!row) {
      TRY(row, add(txn, account, person, policy));
    }
    linked = shown_identity(*row);
    return account.number;
  }));
  return linked;
}

Result<std::vector<Identity>> Identities::list(const Principal& owner) {
  std::vector<Identity> found;
  CHECK_OK(directory_.read([&](DirectoryView& view) {
    return view.identities(owner.account, [&](const IdentityRow& row) {
      found.push_back(shown_identity(row));
      return true;
    });
  }));
  return found;
}

Result<> Identities::remove(const Principal& owner, std::string_view id) {
  return access_.change(Access::Effect::admits, [&](DirectoryTxn& txn) -> Result<AccountNumber> {
    CHECK_OK(check_standing(txn, owner, txn.now()));
    std::optional<IdentityRow> found;
    CHECK_OK(txn.identities(owner.account, [&](const IdentityRow& row) {
      if (identity_id_of(row.number) == id) found = row;
      return !found;
    }));
    if (!found) return fail(ErrorCode::not_found, "identity '" + to_valid_utf8(id) + "' not found");
    CHECK_OK(txn.remove_identity(found->number));
    CHECK_OK(record(txn, {.action = "identity.removed",
                          .account = owner.email,
                          .target = identity_id_of(found->number),
                          .detail = shown_identity(*found).issuer}));
    return owner.account;
  });
}

}  // namespace syncline
