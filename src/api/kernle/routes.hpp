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

class Face {
 public:
  Face(Spaces& spaces, Search& search, Executor& executor);
  [[nodiscard]] std::vector<api::Route> make_routes();

 private:
  friend struct Handlers;

  Spaces& spaces_;
  Search& search_;
  Executor& executor_;
};

}  // namespace syncline::kernle
