// What every long-running process of ours does: signals, the service manager, the log's level.
#pragma once

#include <signal.h>

#include <string>

#include "base/log.hpp"
#include "base/result.hpp"

namespace syncline::app {

/// Signals are taken by the main thread only; every thread made later inherits the mask. Returns what to wait for:
/// SIGTERM, SIGINT, SIGHUP.
[[nodiscard]] sigset_t block_signals();

/// As many descriptors as the system grants: each connection and each command needs some.
void raise_descriptor_limit();

/// Tells systemd (Type=notify), if it is there.
void notify_systemd(const std::string& state);

/// Stops at once. A disk that failed in a write (storage_broken) cannot be trusted again before the file is opened
/// afresh: the manager restarts us. A store that cannot be read (storage_damaged) is for the operator.
void stop_broken(const Error& error);

[[nodiscard]] Result<LogLevel> parse_log_level(const std::string& level);

}  // namespace syncline::app
