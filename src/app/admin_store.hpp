// Commands of the operator on the store as a whole: backup, what is known of backups, verify.
#pragma once

#include <string>

#include "app/core_services.hpp"
#include "base/json_object.hpp"

namespace syncline::app {

[[nodiscard]] Result<std::string> back_up_store(CoreServices& core, const JsonObject& request);
/// Judged by every_seconds and tolerance_seconds of the request.
[[nodiscard]] Result<std::string> backup_status(CoreServices& core, const JsonObject& request);
/// Rows that Kaisho's clients cannot take, and that are left out of what they pull.
[[nodiscard]] Result<std::string> undeliverable_rows(CoreServices& core, const JsonObject& request);
[[nodiscard]] Result<std::string> verify_store(CoreServices& core, const JsonObject& request);

}  // namespace syncline::app
