// The first account of a hub. While no account is an admin, whoever has the code that the hub shows makes one: over the
// network, but only who can read what the hub prints on its machine. The code is in memory alone. Safe from any thread;
// everything here waits for the disk or hashes a password, so none of it is for network threads.
#pragma once

#include "service/browser_sessions.hpp"

namespace syncline {

class FirstRun {
 public:
  /// After that many wrong codes, or seconds, there is a new code.
  static constexpr int kTriesMax = 5;
  static constexpr std::int64_t kCodeSeconds = 30LL * 60;

  FirstRun(Store& store, Access& access, Sessions& sessions, const Clock& clock)
      : directory_(store.directory()), access_(access), sessions_(sessions), clock_(clock) {}

  struct Code {
    std::string text;  // "ABCD-EFGH"
    std::string link;  // where it is entered, with the code
    Timestamp expires_at;
  };
  using Show = std::function<void(const Code&)>;
  /// From now on the hub takes codes. `base_url`: of its pages. `show`: shows a code that replaces another one to
  /// whoever runs the hub; on the thread of the request that has used up the other one.
  void serve(std::string base_url, Show show);

  /// True while no account is an admin.
  [[nodiscard]] Result<bool> is_needed();
  /// The code that is good now. `conflict` once an account is an admin; `unavailable` where no hub takes codes.
  [[nodiscard]] Result<Code> code();
  /// A new code in place of that one, which is good no more. Fails as code() does.
  [[nodiscard]] Result<Code> renew();
  /// Makes an account that is an admin, and a session of it. `forbidden` for a wrong code, `conflict` once an account
  /// is an admin, `too_many` after too many wrong codes: of the caller, or of everybody. `prepare` runs once the code
  /// is found right, before the account is made; its error ends the call.
  [[nodiscard]] Result<BrowserSession> set_up(std::string_view code, std::string_view email, std::string_view password,
                                              const Caller& caller, const std::function<Result<>()>& prepare = {});

 private:
  /// A new code if there is none that is good.
  Code current() REQUIRES(mutex_);
  [[nodiscard]] Result<> check_needed();
  [[nodiscard]] Result<> check_code(std::string_view code, const Caller& caller);

  Directory& directory_;
  Access& access_;
  Sessions& sessions_;
  const Clock& clock_;
  Throttle by_peer_{10, 15LL * 60};
  Throttle by_anybody_{30, 15LL * 60};
  Mutex mutex_;
  std::string base_url_ GUARDED_BY(mutex_);
  Show show_ GUARDED_BY(mutex_);         // null: no hub takes codes
  std::string code_ GUARDED_BY(mutex_);  // without the dash; empty: none
  Timestamp expires_at_ GUARDED_BY(mutex_);
  int wrong_ GUARDED_BY(mutex_) = 0;
};

}  // namespace syncline
