// The keys and sessions of an account as its people see and change them. Nobody gives rights that they do not have, and
// nobody reaches another account's. Safe from any thread; everything here waits for the disk, so none of it is for
// network threads.
#pragma once

#include "service/access_records.hpp"

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
    SpaceLimit spaces;
  };
  /// `forbidden` names a scope that the maker lacks, space_not_allowed says for which spaces its key is. A request that
  /// comes again gets the key that it made.
  [[nodiscard]] Result<NewKey> add(const Principal& maker, const Wanted& wanted);
  /// What is to change of a key; what is absent stays.
  struct Change {
    std::optional<std::string> label;
    std::optional<ScopeSet> scopes;
    std::optional<SpaceLimit> spaces;
    /// Nothing inside: the key has no end.
    std::optional<std::optional<Timestamp>> expires_at;

    [[nodiscard]] bool is_label_alone() const { return !scopes && !spaces && !expires_at; }
  };
  /// Rights can only be taken away: `forbidden` or space_not_allowed for a scope or space that the key lacks. A later
  /// end is given only by who could make such a key: the errors of add(). Holds for the key's sessions, too, and at
  /// once for what is open. not_found for a session, or a key of another account; `conflict` for more than a new label
  /// of a key that has ended.
  [[nodiscard]] Result<WithSessions> change(const Principal& owner, std::string_view id, const Change& change);
  /// not_found unless it stands.
  [[nodiscard]] Result<> revoke(const Principal& owner, std::string_view id);

 private:
  [[nodiscard]] static Result<> change_rights(DirectoryTxn& txn, access::StoredKey& stored, const access::Rights& own,
                                              const Change& change);

  Directory& directory_;
  Access& access_;
};

}  // namespace syncline
