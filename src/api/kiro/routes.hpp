// Kiro sync: the published API of conversations, documents and remote commands. docs/api/kiro.md is its contract.
#pragma once

#include "api/kiro/command_queue.hpp"
#include "api/kiro/output.hpp"
#include "api/kiro/view_cache.hpp"
#include "api/router.hpp"

namespace syncline::kiro {

/// The face's own parts. The rule book of `spaces` has make_space_rules() for kSpace.
class Face {
 public:
  Face(Spaces& spaces, Access& access, Executor& workers, LeaseTimes lease_times);

  [[nodiscard]] std::vector<api::Route> make_routes();
  [[nodiscard]] CommandQueue& commands() { return commands_; }

 private:
  friend struct Handlers;
  Spaces& spaces_;
  Access& access_;
  Executor& workers_;
  ViewCache views_;
  CommandQueue commands_;
  Outputs outputs_;
};

}  // namespace syncline::kiro
