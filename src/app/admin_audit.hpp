// The administration commands of the audit log: each takes the fields of a request and answers a JSON document. Run by
// run_admin() on its thread.
#pragma once

#include "app/core_services.hpp"
#include "base/json_object.hpp"

namespace syncline::app {

[[nodiscard]] Result<std::string> audit_list(CoreServices& core, const JsonObject& request);
[[nodiscard]] Result<std::string> audit_verify(CoreServices& core, const JsonObject& request);

}  // namespace syncline::app
