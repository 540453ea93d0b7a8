// The runner as a process: puts the parts together and runs until it is told to stop.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/data_directory.hpp"
#include "app/hub_access.hpp"
#include "base/result.hpp"

namespace syncline::app {

struct RunnerSettings {
  HubOptions hub;
  std::string data = default_runner_directory();
  std::string policy_file;
  std::vector<std::string> roots;
  std::string allow;
  bool no_sandbox = false;
  bool published_api = false;
  std::int64_t poll_seconds = 5;
  std::int64_t concurrency = 0;  // 0: as the policy says
  std::int64_t drain_seconds = 30;
  std::string log_level = "info";
};

/// Serves until SIGTERM or SIGINT; SIGHUP reads the policy file again. Prints one line when it is ready. Returns the
/// error that kept it from starting or going on.
[[nodiscard]] Result<> run_runner(const RunnerSettings& settings);

}  // namespace syncline::app
