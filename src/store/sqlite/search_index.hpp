// Full-text search over records: an FTS5 index in a file of its own. It holds nothing that the store does not, so it is
// never backed up and is made anew from the feed when it is missing, damaged or of another format. Each account has a
// table of its own: nothing of one account counts in the ranking of another. Safe from any thread.
#pragma once

#include <vector>

#include "base/mutex.hpp"
#include "core/cursor.hpp"
#include "store/sqlite/side_file.hpp"
#include "store/store.hpp"

namespace syncline {

/// What of a record is searched for. Words of the title count more.
struct SearchedText {
  std::string title;
  std::string body;

  [[nodiscard]] bool empty() const { return title.empty() && body.empty(); }
};

class SearchIndex {
 public:
  struct Entry {
    std::string collection;
    std::string id;
    SearchedText text;  // empty: the record is not found any more
  };
  struct Query {
    AccountNumber account;
    std::string text;                 // words; the last one, and those that end in '*', find what begins with them
    std::vector<std::string> spaces;  // all if empty
    /// Collections that are not searched. Named so because leaving out is cheap where most are searched.
    std::vector<std::string> without;
    std::size_t count_max = 10;
  };
  struct Match {
    std::string space;
    std::string collection;
    std::string id;
    double score = 0;  // the higher, the better; between 0 and 1
  };

  /// The file is opened, or made, when it is first needed. ":memory:" keeps the index in memory.
  explicit SearchIndex(std::string path);

  /// The feed of the space has been indexed up to here; "from the beginning" if it has not.
  [[nodiscard]] Result<Cursor> position(const SpaceName& space);
  /// Takes the entries, and notes that the space is indexed up to `through`, together.
  [[nodiscard]] Result<> update(const SpaceName& space, const std::vector<Entry>& entries, const Cursor& through);
  /// Best first. With several words those that have all of them; if none has, those that have some.
  [[nodiscard]] Result<std::vector<Match>> find(const Query& query);
  /// Removes all of an account.
  [[nodiscard]] Result<> forget(AccountNumber account);

 private:
  [[nodiscard]] Result<> write(const SpaceName& space, const std::vector<Entry>& entries, const Cursor& through)
      REQUIRES(mutex_);
  [[nodiscard]] Result<std::vector<Match>> match(const Query& query, const std::string& words) REQUIRES(mutex_);

  Mutex mutex_;
  sqlite::SideFile file_ GUARDED_BY(mutex_);
};

}  // namespace syncline
