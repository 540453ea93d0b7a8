// The administration commands of accounts: each takes the fields of a request and answers a JSON document. Run by
// run_admin() on its thread.
#pragma once

#include "app/core_services.hpp"
#include "base/json_object.hpp"

namespace syncline::app {

[[nodiscard]] Result<std::string> account_add(CoreServices& core, const JsonObject& request);
[[nodiscard]] Result<std::string> account_plan(CoreServices& core, const JsonObject& request);
[[nodiscard]] Result<std::string> account_role(CoreServices& core, const JsonObject& request);
[[nodiscard]] Result<std::string> account_remove(CoreServices& core, const JsonObject& request);
[[nodiscard]] Result<std::string> account_label(CoreServices& core, const JsonObject& request);
[[nodiscard]] Result<std::string> account_undo_wipe(CoreServices& core, const JsonObject& request);
[[nodiscard]] Result<std::string> account_password(CoreServices& core, const JsonObject& request);
[[nodiscard]] Result<std::string> account_reset(CoreServices& core, const JsonObject& request);
[[nodiscard]] Result<std::string> account_ai_cap(CoreServices& core, const JsonObject& request);
[[nodiscard]] Result<std::string> account_invite(CoreServices& core, const JsonObject& request);
[[nodiscard]] Result<std::string> account_list(CoreServices& core, const JsonObject& request);

}  // namespace syncline::app
