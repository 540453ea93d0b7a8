// Spaces that an account lets others use: it shares a space by name, for reading or for writing, and takes that back.
// What guests may is looked up at each request (Access::reach), so a change holds at once, and what is open ends when
// it used what was taken away. Safe from any thread; the changing functions wait for the disk, so they are not for
// network threads.
#pragma once

#include "service/access.hpp"
#include "service/throttle.hpp"

namespace syncline {

class Shares {
 public:
  Shares(Store& store, Access& access) : directory_(store.directory()), access_(access) {}

  /// Spaces of one account that one guest can have: guests are not asked, and a stranger must not fill their list.
  static constexpr std::size_t kWithOneGuestMax = 100;

  struct Share {
    SpaceName space;
    std::string owner;  // address of the account that has the space
    AccountNumber guest_number;
    std::string guest;  // address
    Access::Use rights = Access::Use::read;
    Timestamp created_at;
  };

  /// Who may use the account's spaces, by space and guest.
  [[nodiscard]] Result<std::vector<Share>> given_by(AccountNumber owner);
  /// Which spaces of others the account may use, by owner and space; at most limits::kSharesMax.
  [[nodiscard]] Result<std::vector<Share>> given_to(AccountNumber guest);

  /// Who shares: a principal, whose key hands on no more than it may itself; or the operator, without one.
  struct Terms {
    const Principal* sharer = nullptr;
    Access::Use rights = Access::Use::read;
  };
  /// Shares a space, which need not exist yet, or changes what the guest may. `guest`: an address, or the number of an
  /// account that has this share already (the operator may name any). not_found for an unknown guest, too_many once the
  /// sharer has named too many of them, so that nobody finds out who has an account; invalid_argument for the account
  /// itself, `forbidden` for a space of another account or rights that the sharer's key lacks, `conflict` if the
  /// account has too many shares.
  [[nodiscard]] Result<Share> put(const SpaceName& space, std::string_view guest, const Terms& terms);
  /// not_found unless it is shared with that guest. Any account may be named that the space is shared with.
  [[nodiscard]] Result<> remove(const SpaceName& space, std::string_view guest, const Principal* sharer);

 private:
  Directory& directory_;
  Access& access_;
  Throttle unknown_guests_{30, 15LL * 60};  // that there are not, by account of the sharer
};

[[nodiscard]] std::string_view to_text(Access::Use use);
/// "read" or "write"; invalid_argument for anything else.
[[nodiscard]] Result<Access::Use> parse_use(std::string_view text);

}  // namespace syncline
