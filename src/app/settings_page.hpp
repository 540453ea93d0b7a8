// The manual pages that are not about commands: the settings of a hub, and the hub as a service.
#pragma once

#include "cli/man_page.hpp"

namespace syncline::app {

/// syncline-hub.yaml(5), made from the tables of settings.
[[nodiscard]] cli::ManPage make_settings_page(const cli::ManEdition& edition);
/// syncline.service(8)
[[nodiscard]] cli::ManPage make_service_page(const cli::ManEdition& edition);

}  // namespace syncline::app
