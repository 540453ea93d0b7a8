// Search over the memories of an account. The index follows the feed: a thread of its own updates it when nobody
// writes. A search, on any thread, updates it first, as far as that is quick, so that it finds what was just written.
#pragma once

#include <thread>

#include "base/mutex.hpp"
#include "service/spaces.hpp"
#include "store/sqlite/search_index.hpp"

namespace syncline {

class Search {
 public:
  using TextOf = std::function<SearchedText(const RecordView&)>;

  /// Spaces whose names begin with `prefix` are searched, by what `text_of` says of their records, on any thread.
  struct Subject {
    std::string prefix;
    TextOf text_of;
  };

  Search(Spaces& spaces, SearchIndex& index, Subject subject)
      : spaces_(spaces), index_(index), subject_(std::move(subject)) {}
  ~Search() { stop(); }

  void start();
  void stop();

  struct Hit {
    std::string space;
    Record record;
    double score = 0;
  };
  /// At most `count_max` hits that `wanted` says yes to, best first; fewer if their documents are large. Every hit is a
  /// live record as it stands now.
  [[nodiscard]] Result<std::vector<Hit>> find(const SearchIndex::Query& query, std::size_t count_max,
                                              const std::function<bool(const Hit&)>& wanted);

 private:
  void run(const std::stop_token& stop);
  void follow_quiet_spaces(const std::stop_token& stop);
  /// Indexes what the feed of the space has beyond the index's position.
  [[nodiscard]] Result<> catch_up(const SpaceInfo& space, Deadline deadline, const std::stop_token& stop);
  /// How far the feed of the space is indexed; 0 if what is indexed belongs to another history.
  [[nodiscard]] Result<Seq> position(const SpaceName& space);
  /// One batch. Returns where the index stands then.
  [[nodiscard]] Result<Seq> index_batch(const SpaceInfo& space, Seq at);

  Spaces& spaces_;
  SearchIndex& index_;
  const Subject subject_;
  Mutex catching_up_;                         // held for a batch at a time: several may bring an index up to date
  std::unordered_map<SpaceName, Seq> heads_;  // at the last look of the thread
  std::jthread thread_;
};

}  // namespace syncline
