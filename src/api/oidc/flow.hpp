// Sign-ins under way: between the moment when a browser is sent to the provider and the one when it comes back. Both
// what comes back in the URL (`state`) and what the browser keeps in a cookie must be ours and belong together, so
// nobody can make a browser finish a sign-in that it has not begun. The hub keeps nothing for a sign-in that begins:
// state and cookie carry its end and a seal. Only those that came back are remembered, until they would end. A restart
// makes all of them void. Safe from any thread.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "base/mutex.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

namespace syncline::oidc {

/// What the browser asked for at the beginning.
struct Wanted {
  std::string return_to = "/";  // as check_return_to() allows
  std::string session_id;       // of the session that it had; empty: none
  bool keep = false;            // the browser keeps the session when it is closed
  bool is_phone = false;
  bool links = false;  // to link an identity to the account of that session, instead of signing in
};

class Flows {
 public:
  static constexpr std::int64_t kSeconds = 600;

  explicit Flows(const Clock& clock);

  struct Begun {
    std::string state;
    std::string cookie;
    std::string nonce;      // that the ID token must repeat
    std::string challenge;  // of PKCE, by S256
  };
  [[nodiscard]] Begun begin(const Wanted& wanted) const;

  struct Returned {
    Wanted wanted;
    std::string nonce;
    std::string verifier;  // of PKCE
  };
  /// Uses up the state. `unauthorized` if it was used, has ended, or was not begun in the browser with that cookie;
  /// `busy` if too many came back within kSeconds.
  [[nodiscard]] Result<Returned> finish(const std::string& state, std::string_view cookie) EXCLUDES(mutex_);

 private:
  static constexpr std::size_t kUsedMax = 10'000;

  [[nodiscard]] std::string derive(std::string_view what, std::string_view state, std::string_view cookie) const;

  const Clock& clock_;
  const std::string secret_;
  Mutex mutex_;
  std::unordered_map<std::string, Timestamp> used_ GUARDED_BY(mutex_);  // by state: when it ends
};

/// invalid_argument unless `path` is one of this hub: it begins with one slash, and has nothing that a browser could
/// read as the name of another host. At most 512 printable ASCII characters.
[[nodiscard]] Result<> check_return_to(std::string_view path);

}  // namespace syncline::oidc
