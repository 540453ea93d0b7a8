// How many requests each account has made today and this month (UTC). For people to read: nothing is refused by it.
// Kept in memory and written down now and then; what is lost in a crash is not counted. Safe from any thread.
#pragma once

#include <unordered_map>
#include <unordered_set>

#include "base/mutex.hpp"
#include "store/store.hpp"

namespace syncline {

class RequestMeter {
 public:
  RequestMeter(Store& store, const Clock& clock) : directory_(store.directory()), clock_(clock) {}

  struct Usage {
    std::int64_t today = 0;
    std::int64_t this_month = 0;
    Timestamp day_ends;
    Timestamp month_ends;
  };
  void count(AccountNumber account);
  [[nodiscard]] Usage usage(AccountNumber account);

  /// Removes what is known of an account.
  [[nodiscard]] Result<> forget(AccountNumber account);
  [[nodiscard]] Result<> load();
  /// Waits for the disk.
  [[nodiscard]] Result<> save();

 private:
  struct Counted {
    std::int64_t day = 0;  // since 1970-01-01
    std::int64_t today = 0;
    std::int64_t this_month = 0;
  };
  Counted& counted(AccountNumber account, std::int64_t day) REQUIRES(mutex_);

  Directory& directory_;
  const Clock& clock_;
  Mutex mutex_;
  std::unordered_map<AccountNumber, Counted> accounts_ GUARDED_BY(mutex_);
  std::unordered_set<AccountNumber> unsaved_ GUARDED_BY(mutex_);
};

}  // namespace syncline
