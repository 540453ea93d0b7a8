// API keys that their owners manage themselves, and the sessions that devices open with them: one device, one session,
// one cursor. A session ends 7 days after its last use, and with the key it was opened with. Safe from any thread;
// everything here waits for the disk, so none of it is for network threads.
#pragma once

#include "service/access.hpp"
#include "service/access_records.hpp"
#include "service/throttle.hpp"

namespace syncline {

struct DeviceSession {
  Account account;
  Key key;  // that the session was opened with
  std::string token;
  Timestamp expires_at;
};

class DeviceKeys {
 public:
  DeviceKeys(Store& store, Access& access, const Clock& clock)
      : directory_(store.directory()), access_(access), clock_(clock) {}

  struct Registered {
    DeviceSession session;
    std::string secret;  // the API key: the only time it is seen
  };
  /// A new account with its first API key and a session. `conflict` if there is one of that address; `too_many` after
  /// too many from `peer`.
  [[nodiscard]] Result<Registered> sign_up(std::string_view email, std::string_view agent, Plan plan,
                                           const std::string& peer);
  /// `unauthorized` for anything but a standing API key: a session does not open another one. `too_many` after too many
  /// failures from `peer`, or too many sessions of the key.
  [[nodiscard]] Result<DeviceSession> log_in(std::string_view api_key, const Caller& caller);
  /// Ends the session; nothing for a key that is none.
  [[nodiscard]] Result<> log_out(const Principal& principal);

  /// Keys of the account that are not sessions, oldest first, revoked ones too.
  [[nodiscard]] Result<std::vector<Key>> list(std::string_view email);
  /// A name of 1 to 64 characters. The key may do what its maker may, in the same spaces, but for administering the
  /// hub.
  [[nodiscard]] Result<NewKey> create(const Principal& maker, std::string_view name);
  /// not_found for a key of another account.
  [[nodiscard]] Result<> revoke(const Principal& owner, std::string_view id);
  /// A new key in the place of one that stands, in one step: there is always exactly one of them. `forbidden` if it may
  /// do what the owner's key may not.
  [[nodiscard]] Result<NewKey> cycle(const Principal& owner, std::string_view id);

 private:
  /// `maker`: null for the first key of an account.
  [[nodiscard]] static Result<NewKey> make_key(DirectoryTxn& txn, const Account& account, std::string_view name,
                                               const access::Rights& rights, std::string_view agent,
                                               const Principal* maker);
  [[nodiscard]] static Result<DeviceSession> open_session(DirectoryTxn& txn, const Account& account, const Key& key,
                                                          const Caller& caller);
  /// The key of that id if it is the owner's and no session; else not_found.
  [[nodiscard]] Result<access::StoredKey> get_own(DirectoryView& view, const Principal& owner, std::string_view id);

  Directory& directory_;
  Access& access_;
  const Clock& clock_;
  Throttle by_peer_{100, 15LL * 60};
  Throttle by_key_{100, 15LL * 60};
};

}  // namespace syncline
