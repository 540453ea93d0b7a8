// Identities: people whom a provider (OpenID Connect) knows, and who sign in by its word. An identity is the issuer and
// its name for the person, which it gives to nobody else; an address may pass to another person, so it decides only at
// the first sign-in. Safe from any thread; everything here waits for the disk, so none of it is for network threads.
#pragma once

#include <vector>

#include "service/browser_sessions.hpp"

namespace syncline {

struct Identity {
  IdentityNumber number;
  std::string id;  // "i3"
  std::string issuer;
  std::string email;  // as the provider said it last; may be empty
  Timestamp created_at;
  std::optional<Timestamp> last_used_at;
};

class Identities {
 public:
  static constexpr std::size_t kIdentitiesMax = 20;  // of an account

  Identities(Store& store, Access& access) : directory_(store.directory()), access_(access) {}

  /// What a provider has said, and id_token.hpp has checked.
  struct Person {
    std::string issuer;
    std::string subject;
    std::string email;  // in lower case; empty: it does not say
    bool is_email_verified = false;
  };
  /// Whom the hub lets in.
  struct Policy {
    std::string provider;              // what people call it
    std::vector<std::string> domains;  // of addresses; empty: all
    /// An account of that address is theirs, although somebody else may have made it.
    bool links_accounts = false;
    bool creates_accounts = false;
    Plan plan = Plan::free;  // of accounts that are made so
  };
  /// A session with what the role of the account may do. `forbidden` says why the person is not let in. Links the
  /// identity, and makes the account, as far as the policy says so.
  [[nodiscard]] Result<BrowserSession> sign_in(const Person& person, const Policy& policy, const BrowserTerms& terms,
                                               const Caller& caller);

  /// Whether the owner may begin to link an identity: `forbidden` unless a person's whole session asks, because an
  /// identity opens one.
  [[nodiscard]] static Result<> check_may_link(const Principal& owner);
  /// Links the identity to the account of the session with that id, which has begun this. `unauthorized` if the session
  /// is over; `conflict` if the identity belongs to another account, and beyond kIdentitiesMax; `forbidden` if the
  /// policy does not let the person in.
  [[nodiscard]] Result<Identity> link(std::string_view session_id, const Person& person, const Policy& policy);

  /// Oldest first.
  [[nodiscard]] Result<std::vector<Identity>> list(const Principal& owner);
  /// Sessions that it has opened stay. not_found for one of another account.
  [[nodiscard]] Result<> remove(const Principal& owner, std::string_view id);

 private:
  [[nodiscard]] static Result<Account> find_or_add_account(DirectoryTxn& txn, const Person& person,
                                                           const Policy& policy);
  [[nodiscard]] static Result<IdentityRow> add(DirectoryTxn& txn, const Account& account, const Person& person,
                                               const Policy& policy);

  Directory& directory_;
  Access& access_;
};

}  // namespace syncline
