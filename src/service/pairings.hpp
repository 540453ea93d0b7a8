// Pairing: somebody who is signed in gets a code, and whoever enters it on another device within a minute gets a
// session there. Pairings are in memory alone, so a restart of the hub ends those that wait, and of a code only its
// hash is kept. Safe from any thread; all but status() and wait() wait for the disk, so they are not for network
// threads.
#pragma once

#include <unordered_map>

#include "base/mutex.hpp"
#include "service/browser_sessions.hpp"
#include "service/live.hpp"

namespace syncline {

class Pairings {
 public:
  static constexpr std::int64_t kCodeSeconds = 60;
  /// Wrong codes of one address in a minute.
  static constexpr std::int64_t kTriesMax = 5;
  /// Of one account in a minute.
  static constexpr std::int64_t kMadeMax = 10;

  Pairings(Access& access, Live& live, const Clock& clock) : access_(access), live_(live), clock_(clock) {}

  struct Wanted {
    /// Nothing: what a phone needs, as far as the maker may do that.
    std::optional<ScopeSet> scopes;
    /// Nothing: all that the maker is for.
    std::optional<SpaceLimit> spaces = std::nullopt;
    std::string label;  // that the device has unless it says another one; empty: none
  };
  struct Made {
    std::string id;
    std::string code;  // "ABCD-EFGH"; the only time it is seen
    ScopeSet scopes;
    SpaceLimit spaces;
    Timestamp expires_at;
  };
  /// `forbidden` names a scope that the maker lacks, and space_not_allowed the spaces that the maker is for; no device
  /// gets the scopes keys and admin. `too_many` after too many, `busy` while too many of all accounts are kept.
  [[nodiscard]] Result<Made> make(const Principal& maker, const Wanted& wanted);

  enum class State : std::uint8_t { waiting, claimed, expired };
  struct Status {
    State state = State::waiting;
    Timestamp expires_at;
    /// As it was when it was paired.
    std::optional<Key> device;
  };
  /// not_found for what another account has made, and ten minutes after the code.
  [[nodiscard]] Result<Status> status(const Principal& asker, std::string_view id);
  /// Calls `done` once, on a thread of the scheduler: when the code was used, or after `wait_ms`.
  void wait(std::string_view id, std::int64_t wait_ms, std::move_only_function<void()> done);

  /// What whoever has the code sees before the device is paired.
  struct Offer {
    std::string account;
    ScopeSet scopes;
    SpaceLimit spaces;
    std::string label;
    Timestamp expires_at;
  };
  /// not_found for a code that nobody has made; `conflict` for one that was used, has expired, or whose maker may not
  /// do anything any more. Both count, and after too many of one address every code is `too_many`.
  [[nodiscard]] Result<Offer> look(std::string_view code, const Caller& caller);
  /// Fails as look() does. Uses up the code unless it fails. The session has the scopes and spaces of the pairing, and
  /// ends with the key of its maker, if that is one or was opened with one. `terms`: without a label, that of the
  /// pairing.
  [[nodiscard]] Result<BrowserSession> claim(std::string_view code, BrowserTerms terms, const Caller& caller);

  [[nodiscard]] const Clock& clock() const { return clock_; }

 private:
  struct Pairing {
    std::string id;
    std::string code_hash;
    Principal maker;
    ScopeSet scopes;
    SpaceLimit spaces;
    std::string label;
    Timestamp expires_at;
    bool is_used = false;
    std::optional<Key> device;
  };

  void forget_old() REQUIRES(mutex_);
  [[nodiscard]] Pairing* find(std::string_view id) REQUIRES(mutex_);
  [[nodiscard]] Result<Pairing*> find_by_code(std::string_view code) REQUIRES(mutex_);
  [[nodiscard]] Result<Pairing> check_code(std::string_view code, const Caller& caller, bool uses_it) EXCLUDES(mutex_);
  [[nodiscard]] Result<> check_maker(const Pairing& pairing);
  [[nodiscard]] Result<BrowserSession> open(const Pairing& pairing, const BrowserTerms& terms, const Caller& caller);

  Access& access_;
  Live& live_;
  const Clock& clock_;
  Throttle by_peer_{kTriesMax, 60};
  Throttle by_account_{kMadeMax, 60};
  Mutex mutex_;
  std::unordered_map<std::string, Pairing> pairings_ GUARDED_BY(mutex_);         // by id
  std::unordered_map<std::string, std::string> ids_by_hash_ GUARDED_BY(mutex_);  // of the code
};

}  // namespace syncline
