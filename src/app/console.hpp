// Which console a hub serves: console.dir, or the one that was built into the program.
#pragma once

#include "api/console/routes.hpp"
#include "app/settings.hpp"

namespace syncline::app {

/// Fails with `not_found` if console.dir has no console.
[[nodiscard]] Result<console::Assets> read_console_settings(const Settings& settings);

/// What a link for people begins with behind the hub's URL: the console's path, or nothing without a console.
[[nodiscard]] std::string_view page_prefix(const Settings& settings);

}  // namespace syncline::app
