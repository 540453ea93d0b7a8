// `syncline command run`: submits a line, streams its output, ends with its exit code.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/hub_access.hpp"
#include "app/output.hpp"
#include "base/result.hpp"

namespace syncline::app {

struct CommandRun {
  HubOptions hub;
  std::vector<std::string> words;
  std::string working_dir;
  std::int64_t timeout_seconds = 0;  // to wait for a runner, and then to run; 0: as the hub and the policy say
  bool detach = false;
};

/// The exit code to end with: the remote one; 124 if it timed out or did not start in time, 130 if it was interrupted
/// here (and cancelled there), 1 if it failed otherwise.
[[nodiscard]] Result<int> run_command(const CommandRun& run, OutputForm form);

}  // namespace syncline::app
