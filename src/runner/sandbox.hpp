// Programs in a sandbox of their own, made by bubblewrap: own user, mount, process, IPC, host name and network
// namespaces, no capabilities, a filter on system calls, the system read-only, the roots of the policy and nothing else
// of the machine's files. docs/runner.md says what is inside.
#pragma once

#include "runner/program.hpp"

namespace syncline::runner {

/// Finds bubblewrap and starts a program in a sandbox with these roots to see that it works. The error says what is in
/// the way; `unavailable`.
[[nodiscard]] Result<std::unique_ptr<Launcher>> make_sandbox(const Policy& policy, const Roots& roots);

/// A file with the filter on system calls, as bubblewrap loads it.
[[nodiscard]] Result<FileDescriptor> make_system_call_filter();

}  // namespace syncline::runner
