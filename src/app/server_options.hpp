// The settings of the hub's servers, as net/ takes them.
#pragma once

#include <optional>

#include "app/settings.hpp"
#include "net/server.hpp"

namespace syncline::app {

[[nodiscard]] Result<net::ServerOptions> read_server_options(const Settings& settings);

/// Of the server that has /metrics only; nothing without metrics.listen.
[[nodiscard]] Result<std::optional<net::ServerOptions>> read_metrics_server_options(const Settings& settings);

}  // namespace syncline::app
