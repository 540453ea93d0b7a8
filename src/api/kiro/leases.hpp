// Who runs which command, and until when that counts. The leases are rows of the directory; what has changed since they
// were written is in memory and stored each second, so whoever claims or reports does not wait for it. A lease that is
// renewed is stored when a fifth of it has passed. A process that ends in between has less of a lease in the rows than
// it gave, so a restart gives every running command a full one. Safe from any thread; what waits for the disk says so.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/mutex.hpp"
#include "store/directory.hpp"

namespace syncline::kiro {

class Leases {
 public:
  struct Of {
    SpaceName space;
    std::string command;
    friend auto operator<=>(const Of&, const Of&) = default;
  };
  struct Lease {
    Of of;
    std::string holder;  // id of the runner's key
    std::int64_t until_ms = 0;
    std::int64_t length_ms = 0;
  };

  explicit Leases(Directory& directory) : directory_(directory) {}

  /// Begins or renews.
  void hold(Lease lease) EXCLUDES(mutex_);
  void end(const Of& of) EXCLUDES(mutex_);
  /// All leases of that holder and length begin anew.
  void renew(std::string_view holder, std::int64_t length_ms, std::int64_t now_ms) EXCLUDES(mutex_);
  /// What was found to be over has been ended. Nothing happens if the command has another lease by now.
  void end_over(const Lease& lease) EXCLUDES(mutex_);
  /// The same if its end could not be written: until then it is not over.
  void postpone(const Lease& lease, std::int64_t until_ms) EXCLUDES(mutex_);
  /// Who holds leases of that space, as far as this process knows.
  [[nodiscard]] std::set<std::string> holders(const SpaceName& space) const EXCLUDES(mutex_);

  /// At start: these are held, and rows of others end with the next save. Waits for the disk.
  [[nodiscard]] Result<> adopt(const std::vector<Lease>& running) EXCLUDES(mutex_);
  /// Stores what has changed, and returns the leases that are over. Waits for the disk; one call at a time.
  [[nodiscard]] Result<std::vector<Lease>> save_and_find_over(std::int64_t now_ms) EXCLUDES(mutex_);
  /// False if it was renewed since it was found to be over, here or by whoever else has this store. May be called in a
  /// write of the command's space.
  [[nodiscard]] Result<bool> is_over(const Lease& lease, std::int64_t now_ms) EXCLUDES(mutex_);

 private:
  struct Entry {
    std::string holder;
    std::int64_t until_ms = 0;
    std::int64_t length_ms = 0;
    bool has_row = false;              // perhaps another holder's
    std::int64_t stored_until_ms = 0;  // 0: the row is not this holder's
  };
  using Entries = std::map<Of, Entry>;
  [[nodiscard]] Result<> save() EXCLUDES(mutex_);
  void erase(Entries::iterator entry) REQUIRES(mutex_);
  [[nodiscard]] static bool is_same(const Entry& entry, const Lease& lease) {
    return entry.holder == lease.holder && entry.until_ms == lease.until_ms;
  }

  Directory& directory_;
  mutable Mutex mutex_;
  Entries entries_ GUARDED_BY(mutex_);
  std::set<Of> ended_ GUARDED_BY(mutex_);  // whose rows are to be removed
};

}  // namespace syncline::kiro
