// The Kernle face: the self-hosted backend that Kernle clients push to and pull from. docs/api/kernle.md says what it
// answers.
#pragma once

#include "api/kernle/space.hpp"
#include "api/router.hpp"
#include "service/search.hpp"
#include "service/spaces.hpp"

namespace syncline::kernle {

struct Handlers;

/// What of a record is searched for.
[[nodiscard]] SearchedText searched_text(const RecordView& record);
/// The memories of all agents.
[[nodiscard]] Search::Subject make_search_subject();

/// The rule book of `spaces` has make_space_rules() for kSpacePrefix; `search` is over make_search_subject().
class Face {
 public:
  Face(Spaces& spaces, Search& search, Executor& executor) : spaces_(spaces), search_(search), executor_(executor) {}
  [[nodiscard]] std::vector<api::Route> make_routes();

 private:
  friend struct Handlers;

  Spaces& spaces_;
  Search& search_;
  Executor& executor_;
};

}  // namespace syncline::kernle
