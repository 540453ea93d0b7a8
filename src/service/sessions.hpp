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
  Sessions(Store& store, Access& access, const Clock& clock)
      : directory_(store.directory()), access_(access), clock_(clock) {}

  /// A new account with a password. `conflict` if there is one of that address; `too_many` after too many from `peer`.
  [[nodiscard]] Result<Session> sign_up(std::string_view email, std::string_view password, Plan plan,
                                        const Caller& caller);
  /// What a right password opens, in the transaction that has found it right.
  using Open = std::function<Result<>(DirectoryTxn&, const Account&)>;
  /// A new account that is an admin. `conflict` if an account is one, or if there is one of that address.
  [[nodiscard]] Result<> add_admin(std::string_view email, std::string_view password, const Open& open);
  /// `unauthorized` in the same words and the same time for a wrong address and a wrong password; `too_many` after too
  /// many failures: of the address from one peer, of the peer, or of the address from anywhere, which a peer that has
  /// logged in before does not feel. A peer on this machine may be a proxy that speaks for many, so only the last of
  /// these counts for it.
  [[nodiscard]] Result<Session> log_in(std::string_view email, std::string_view password, const Caller& caller);
  [[nodiscard]] Result<> log_in(std::string_view email, std::string_view password, const Caller& caller,
                                const Open& open);
  /// For whoever is logged in and knows the current password: sets a new one, ends all sessions of the account and
  /// opens a new one. `forbidden` for a wrong password, which counts like a failed login.
  [[nodiscard]] Result<Session> change_password(const Principal& owner, std::string_view current, std::string_view next,
                                                const Caller& caller);
  [[nodiscard]] Result<> change_password(const Principal& owner, std::string_view current, std::string_view next,
                                         const Caller& caller, const Open& open);
  /// New tokens for the session. The shown refresh token stays good until the new one is used, for a client that never
  /// got the answer, or keeps its first token; calls that show it at the same time get the same tokens. A token that
  /// was replaced is a copy in other hands: it ends the session.
  [[nodiscard]] Result<Session> refresh(std::string_view refresh_token);

  /// The keys of programs when a password was replaced.
  struct Replaced {
    std::vector<Key> revoked;
    std::vector<Key> kept;
    std::size_t passkeys = 0;    // that were removed
    std::size_t identities = 0;  // the same
  };
  /// 8 to 1024 bytes. Ends all sessions and reset tokens of the account. Keys of programs and
  /// passkeys and identities stay, but for those made at `revoke_since` or later: whoever knew the password may have
  /// made some.
  [[nodiscard]] Result<Replaced> set_password(std::string_view email, std::string_view password,
                                              std::optional<Timestamp> revoke_since = std::nullopt);
  /// How long a reset token is good, and a token for somebody who is invited.
  static constexpr std::int64_t kResetSeconds = 3600;
  static constexpr std::int64_t kInvitationSeconds = 7LL * 86'400;
  /// A token that sets a new password once within that time. For the operator to hand out.
  [[nodiscard]] Result<std::string> make_reset_token(std::string_view email, std::int64_t seconds = kResetSeconds);
  /// As set_password, for whoever has a reset token.
  [[nodiscard]] Result<Replaced> reset_password(std::string_view reset_token, std::string_view password,
                                                std::optional<Timestamp> revoke_since, const std::string& peer);

  /// Removes what is left of sessions that nobody can renew any more.
  [[nodiscard]] Result<> purge();

  /// A new API key of that label, for programs; the one before it ends. It may read and write as far as the key that
  /// asks for it may.
  [[nodiscard]] Result<std::string> replace_api_key(const Principal& asker, std::string_view label);

 private:
  [[nodiscard]] static Result<Session> open_session(DirectoryTxn& txn, const Account& account, const Caller& caller);
  /// The hash of the password, if it is the account's; counts failures. Wrong ones are `unauthorized`, and in the audit
  /// log under that action.
  [[nodiscard]] Result<std::string> check_known(const std::string& address, std::string_view password,
                                                const Caller& caller, std::string_view action);
  [[nodiscard]] Result<std::string> compare(const std::string& address, std::string_view password, const Caller& caller,
                                            bool& has_password);
  /// In the audit log. `account`: its address; empty if it is not known.
  void note_refusal(std::string_view action, const std::string& account, const Error& error);
  [[nodiscard]] static Result<Replaced> replace_password(DirectoryTxn& txn, AccountNumber account,
                                                         std::string_view hash, std::optional<Timestamp> revoke_since);
  /// The account that a reset token is for; unauthorized if it is none.
  [[nodiscard]] static Result<Account> get_reset(DirectoryView& view, std::string_view reset_token, Timestamp now);

  Directory& directory_;
  Access& access_;
  const Clock& clock_;
  Throttle by_address_and_peer_{10, 15LL * 60};
  Throttle by_address_{100, 15LL * 60};
  Throttle by_peer_{100, 15LL * 60};
  KnownNames known_pairs_;
};

}  // namespace syncline
