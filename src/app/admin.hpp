// Administration commands, as values: a JSON object in, a JSON object out. The same function answers in a running hub
// (over its control socket) and in a command that owns the data directory itself.
#pragma once

#include "app/core_services.hpp"
#include "base/json_object.hpp"

namespace syncline::app {

/// Runs {"command": "account add", ...}. Fails with the error that the operator should see.
[[nodiscard]] Result<std::string> run_admin(CoreServices& core, const JsonObject& request);

}  // namespace syncline::app
