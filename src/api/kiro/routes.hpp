// Kiro sync: the published API of conversations, documents and remote commands. docs/api/kiro.md is its contract.
#pragma once

#include "api/face.hpp"
#include "api/kiro/command_queue.hpp"
#include "api/kiro/output.hpp"
#include "api/kiro/view_cache.hpp"

namespace syncline::kiro {

/// The face's own parts. The rule book of `spaces` has make_space_rules() for kSpace.
class Face final : public api::Face {
 public:
  Face(Spaces& spaces, Access& access, Executor& workers, LeaseTimes lease_times, std::int64_t keep_days);

  [[nodiscard]] std::vector<api::Route> make_routes() override;
  [[nodiscard]] Result<> start() override { return commands_.adopt_running(); }
  void each_second() override { commands_.expire_leases(); }
  [[nodiscard]] Result<> each_hour() override { return commands_.purge(keep_days_); }

 private:
  friend struct Handlers;
  Spaces& spaces_;
  Access& access_;
  Executor& workers_;
  ViewCache views_;
  CommandQueue commands_;
  Outputs outputs_;
  const std::int64_t keep_days_;
};

/// `keep_days`: how long finished commands are kept.
[[nodiscard]] api::FaceModule make_module(LeaseTimes lease_times, std::int64_t keep_days);

}  // namespace syncline::kiro
