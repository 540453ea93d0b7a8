// Commands of the operator on the store as a whole: backup, verify.
#pragma once

#include <string>

#include "app/core_services.hpp"
#include "base/json_object.hpp"

namespace syncline::app {

[[nodiscard]] Result<std::string> back_up_store(CoreServices& core, const JsonObject& request);
[[nodiscard]] Result<std::string> verify_store(CoreServices& core, const JsonObject& request);

}  // namespace syncline::app
