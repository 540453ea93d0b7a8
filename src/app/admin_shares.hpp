// The administration commands about sharing spaces: each takes the fields of a request and answers a JSON document. Run
// by run_admin() on its thread.
#pragma once

#include "app/core_services.hpp"
#include "base/json_object.hpp"

namespace syncline::app {

[[nodiscard]] Result<std::string> space_share(CoreServices& core, const JsonObject& request);
[[nodiscard]] Result<std::string> space_unshare(CoreServices& core, const JsonObject& request);
[[nodiscard]] Result<std::string> space_shares(CoreServices& core, const JsonObject& request);

}  // namespace syncline::app
