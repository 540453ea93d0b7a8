// The keys and sessions of an account as its people see and change them. Nobody gives rights that they do not have, and
// nobody reaches another account's. Safe from any thread; everything here waits for the disk, so none of it is for
// network threads.
#pragma once

#include "service/access.hpp"

namespace syncline {

class OwnKeys {
 public:
  OwnKeys(Store& store, Access& access) : directory_(store.directory()), access_(access) {}

  /// Sessions that stand, last used first.
  [[nodiscard]] Result<std::vector<Key>> sessions(const Principal& owner);
  /// not_found for anything but a standing session of the account.
  [[nodiscard]] Result<> end_session(const Principal& owner, std::string_view id);
  /// All sessions but the one that asks. Returns how many have ended.
  [[nodiscard]] Result<std::int64_t> end_other_sessions(const Principal& owner);

  struct WithSessions {
    Key key;
    std::int64_t sessions = 0;  // that stand
  };
  /// Oldest first, revoked ones too.
  [[nodiscard]] Result<std::vector<WithSessions>> keys(const Principal& owner);

  struct Wanted {
    std::string label;
    ScopeSet scopes;
    std::optional<std::string> token;
    std::optional<Timestamp> expires_at;
    std::optional<RepeatableRequest> request;
  };
  /// `forbidden` names a scope that the maker lacks. A request that comes again gets the key that it made.
  [[nodiscard]] Result<NewKey> add(const Principal& maker, const Wanted& wanted);
  /// not_found for a session, or a key of another account.
  [[nodiscard]] Result<WithSessions> relabel(const Principal& owner, std::string_view id, std::string_view label);
  /// not_found unless it stands.
  [[nodiscard]] Result<> revoke(const Principal& owner, std::string_view id);

 private:
  Directory& directory_;
  Access& access_;
};

}  // namespace syncline
