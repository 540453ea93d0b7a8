// Passkeys: what people sign in with instead of a password. Each is the public half of a key that a device keeps
// (passkey_check.hpp says what is checked). Safe from any thread; all but begin_sign_in() wait for the disk, so they
// are not for network threads.
#pragma once

#include <unordered_map>
#include <vector>

#include "base/mutex.hpp"
#include "service/browser_sessions.hpp"
#include "service/passkey_check.hpp"

namespace syncline {

struct Passkey {
  PasskeyNumber number;
  std::string id;
  std::string label;
  Timestamp created_at;
  std::optional<Timestamp> last_used_at;
};

/// Where the passkeys of a hub at that URL belong; `conflict` says why browsers offer none there.
[[nodiscard]] Result<passkey::Site> passkey_site(const std::string& public_url);

class Passkeys {
 public:
  static constexpr std::int64_t kChallengeSeconds = 60;
  static constexpr std::size_t kPasskeysMax = 20;  // of an account

  Passkeys(Store& store, Access& access, const Clock& clock);

  /// What the browser is told to make a passkey.
  struct Creation {
    std::string challenge;
    std::string user;                      // stands for the account, and says nothing of it
    std::vector<std::string> credentials;  // that the account has already
  };
  /// `forbidden` unless a person's whole session asks: a passkey opens one.
  [[nodiscard]] Result<Creation> begin(const Principal& owner);
  /// Fails as begin() does, and with what check_registration() says. `conflict` for a passkey that is registered, and
  /// beyond kPasskeysMax.
  [[nodiscard]] Result<Passkey> add(const Principal& owner, const passkey::Site& site, std::string_view label,
                                    const passkey::Registration& registration);
  /// Oldest first.
  [[nodiscard]] Result<std::vector<Passkey>> list(const Principal& owner);
  /// Sessions that it has opened stay. not_found for one of another account.
  [[nodiscard]] Result<> remove(const Principal& owner, std::string_view id);

  /// A challenge for whoever wants to sign in.
  [[nodiscard]] std::string begin_sign_in() { return make_challenge(kForSignIn); }
  /// The session may do what the role of its account may. `unauthorized` says what is wrong; `too_many` after too many
  /// failures of one peer.
  [[nodiscard]] Result<BrowserSession> sign_in(const passkey::Site& site, const passkey::Assertion& assertion,
                                               const BrowserTerms& terms, const Caller& caller);

 private:
  static constexpr std::string_view kForSignIn = "sign in";

  // A challenge proves by itself that we have made it, for what and when; only those that were used are remembered.
  [[nodiscard]] std::string make_challenge(std::string_view purpose) const;
  [[nodiscard]] bool is_good(std::string_view challenge, std::string_view purpose) EXCLUDES(mutex_);
  /// False if it was used before.
  [[nodiscard]] bool use_up(const std::string& challenge) EXCLUDES(mutex_);
  /// What it was used for has failed in the store: it may be tried again.
  void take_back(const std::string& challenge) EXCLUDES(mutex_);
  [[nodiscard]] std::string seal_of(std::string_view head, std::string_view purpose) const;

  [[nodiscard]] Result<passkey::Known> find_known(std::string_view credential);
  [[nodiscard]] Result<BrowserSession> open(const passkey::Assertion& assertion, std::uint32_t counter,
                                            const BrowserTerms& terms, const Caller& caller);

  Directory& directory_;
  Access& access_;
  const Clock& clock_;
  Throttle by_peer_{100, 15LL * 60};
  const std::string secret_;
  Mutex mutex_;
  std::unordered_map<std::string, Timestamp> used_ GUARDED_BY(mutex_);  // until when they would be good
};

}  // namespace syncline
