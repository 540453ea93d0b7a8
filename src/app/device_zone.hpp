// The time zone of this device, by the name that a node or a hub counts days in.
#pragma once

#include <string>

#include "base/result.hpp"

namespace syncline::app {

/// The IANA name of the zone in $TZ, else of the one that `localtime` is a link to, else UTC. invalid_argument if $TZ
/// or the link names none.
[[nodiscard]] Result<std::string> device_zone(const std::string& localtime = "/etc/localtime");

}  // namespace syncline::app
