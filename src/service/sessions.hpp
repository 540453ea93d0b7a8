// Passwords and what they open: a login makes a session, which is a key of its own with an access token that expires
// and a refresh token that renews it. One device, one session, one cursor. Safe from any thread; everything here waits
// for the disk or hashes a password, so none of it is for network threads.
#pragma once

#include "service/access.hpp"
#include "service/throttle.hpp"

namespace syncline {

struct Session {
  Account account;
  std::string access_token;
  std::string refresh_token;
};

class Sessions {
 public:
  Sessions(Store& store, Access& access, const Clock& clock) : store_(store), access_(access), clock_(clock) {}

  /// A new account with a password. `conflict` if there is one of that address; `too_many` after too many from `peer`.
  [[nodiscard]] Result<Session> sign_up(std::string_view email, std::string_view password, Plan plan,
                                        const std::string& peer);
  /// `unauthorized` in the same words and the same time for a wrong address and a wrong password; `too_many` after too
  /// many failures: of the address from one peer, of the address from anywhere, or of the peer. A peer on this machine
  /// is a proxy that speaks for many, and is not counted.
  [[nodiscard]] Result<Session> log_in(std::string_view email, std::string_view password, const std::string& peer);
  /// A new access token for the session; the refresh token stays and lives on.
  [[nodiscard]] Result<Session> refresh(std::string_view refresh_token);

  /// 8 to 1024 bytes. Ends all sessions and reset tokens of the account; keys of programs stay.
  [[nodiscard]] Result<> set_password(std::string_view email, std::string_view password);
  /// A token that sets a new password once within an hour. For the operator to hand out.
  [[nodiscard]] Result<std::string> make_reset_token(std::string_view email);
  /// As set_password, for whoever has a reset token.
  [[nodiscard]] Result<> reset_password(std::string_view reset_token, std::string_view password,
                                        const std::string& peer);

  /// Removes what is left of sessions that nobody can renew any more.
  [[nodiscard]] Result<> purge();

  /// A new API key of that label, for programs; the one before it ends. It may read and write as far as the key that
  /// asks for it may.
  [[nodiscard]] Result<std::string> replace_api_key(const Principal& asker, std::string_view label);

 private:
  [[nodiscard]] Result<Session> open_session(Txn& txn, const Account& account);
  [[nodiscard]] Result<> replace_password(Txn& txn, const std::string& email, std::string_view hash);
  /// The account that a reset token is for; unauthorized if it is none.
  [[nodiscard]] Result<Account> find_reset(Snapshot& snapshot, std::string_view reset_token);

  Store& store_;
  Access& access_;
  const Clock& clock_;
  Throttle by_address_and_peer_{10, 15LL * 60};
  Throttle by_address_{100, 15LL * 60};
  Throttle by_peer_{100, 15LL * 60};
};

}  // namespace syncline
