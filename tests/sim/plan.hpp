// What a run is like: drawn from its seed. First which faults there are, then how often they come, so that some runs
// have one fault alone and others all of them.
#pragma once

#include <string>

#include "replica/space_replica.hpp"
#include "sim/random.hpp"

namespace syncline::sim {

/// How a collection merges, as the three published APIs have it.
enum class Rules { native, kernle, kaisho };

struct Plan {
  int nodes = 2;
  int records = 3;
  int writes = 40;
  std::int64_t safety_ms = 60'000;  // the time in which there are faults
  Rules rules = Rules::native;
  ReplicatorSettings settings;
  replica::Limits limits;

  std::int64_t latency_max_ms = 20;
  double loss = 0;        // of a message
  double duplicates = 0;  // of a request
  // How often something happens, per node or hub and virtual second; 0: never.
  double node_crashes = 0;
  double hub_crashes = 0;
  double partitions = 0;
  double pauses = 0;  // of a node
  bool clocks_are_off = false;
  bool clocks_jump = false;
  bool has_stamped_writes = false;  // some programs bring their own stamps
  bool has_outsider = false;        // another client of the hub, without a node
  bool has_refusals = false;        // the hub refuses some documents
  bool loses_keys = false;
  bool clones_a_node = false;
  bool restores_hub = false;
  bool purges = false;

  [[nodiscard]] std::string to_text() const;
};

[[nodiscard]] Plan draw_plan(Random& random);

}  // namespace syncline::sim
