// Sessions that a browser keeps in a cookie. Each is a key of its own, like the other sessions (sessions.hpp), but its
// token is good as a cookie alone. It ends when it was not used for a while, and after 180 days in any case; it has no
// refresh token. Safe from any thread; everything here waits for the disk or hashes a password, so none of it is for
// network threads.
#pragma once

#include "service/sessions.hpp"

namespace syncline {

struct BrowserTerms {
  std::string label = "browser";
  /// Ends after 30 days without use instead of 7.
  bool is_phone = false;
  /// The browser keeps the cookie when it is closed.
  bool keep = false;
  /// The session may do no more than this, whatever its account or key may.
  std::optional<ScopeSet> scopes = std::nullopt;
  /// The session is for these spaces alone, and at most for those of its key.
  SpaceLimit spaces;
  /// How it was opened, for the audit log: "with a passkey". Empty: with a password, or with its key.
  std::string how;
};

struct BrowserSession {
  Account account;
  Key key;
  std::string token;  // the cookie's value
  ScopeSet scopes;
  SpaceLimit spaces;
  Timestamp expires_at;  // unless it is used
  bool keep = false;
};

class BrowserSessions {
 public:
  /// No cookie is good for longer.
  static constexpr std::int64_t kSecondsMax = 180LL * 86'400;

  BrowserSessions(Access& access, Sessions& sessions, const Clock& clock)
      : access_(access), sessions_(sessions), clock_(clock) {}

  /// Fails as Sessions::log_in() does. The session may do what the role of its account may.
  [[nodiscard]] Result<BrowserSession> sign_in(std::string_view email, std::string_view password,
                                               const BrowserTerms& terms, const Caller& caller);
  /// With a key that is no session: the session may do what the key may, and ends with it. Fails in the same words for
  /// every key that does not serve; `too_many` after too many.
  [[nodiscard]] Result<BrowserSession> sign_in_with_key(std::string_view key, const BrowserTerms& terms,
                                                        const Caller& caller);
  /// As Sessions::change_password(), for a session of this kind: the new one has the terms of the one that asks.
  [[nodiscard]] Result<BrowserSession> change_password(const Principal& owner, std::string_view current,
                                                       std::string_view next, const Caller& caller);
  /// Ends the session of that cookie, if it stands: somebody signs in in its place.
  [[nodiscard]] Result<> end(std::string_view token);

  /// A new session, stored. With `key`: opened with that key.
  [[nodiscard]] static Result<BrowserSession> open(DirectoryTxn& txn, const Account& account, const Key* key,
                                                   const BrowserTerms& terms, const Caller& caller);

 private:
  Access& access_;
  Sessions& sessions_;
  const Clock& clock_;
  Throttle by_peer_{100, 15LL * 60};
  Throttle by_key_{100, 15LL * 60};
};

}  // namespace syncline
