// The Kernle face: the self-hosted backend that Kernle clients push to and pull from. docs/api/kernle.md says what it
// answers.
#pragma once

#include "api/face.hpp"
#include "api/kernle/space.hpp"

namespace syncline::kernle {

/// What of a record is searched for.
[[nodiscard]] SearchedText searched_text(const RecordView& record);
/// The memories of all agents.
[[nodiscard]] Search::Subject make_search_subject();

/// The rule book of `spaces` has make_space_rules() for kSpacePrefix; `search` is over make_search_subject(). A push
/// changes the agent's space; a pull and a full sync change what is written down of the key in it: what it was offered.
class Face final : public api::Face {
 public:
  /// `workers`: an answer is not read from the store on the store's own thread.
  Face(Spaces& spaces, Search& search, Executor& workers) : spaces_(spaces), search_(search), workers_(workers) {}

  [[nodiscard]] std::vector<api::Route> make_routes() override;

 private:
  // push_routes.cpp
  void push(const api::CallPtr& call);
  void sync_full(const api::CallPtr& call);
  // pull_routes.cpp
  void pull(const api::CallPtr& call);
  void get_status(const api::CallPtr& call);
  // search_routes.cpp
  void search(const api::CallPtr& call);
  void search_memories(const api::CallPtr& call);

  Spaces& spaces_;
  Search& search_;
  Executor& workers_;
};

[[nodiscard]] api::FaceModule make_module();

}  // namespace syncline::kernle
