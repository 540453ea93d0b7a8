// Reads /proc: which processes there are, who started them, in which process namespace they live.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

namespace syncline::runner {

/// Ids of all processes.
[[nodiscard]] std::vector<pid_t> list_processes();
/// Identity of the process namespace; 0 if the process is gone.
[[nodiscard]] std::uint64_t process_namespace_of(pid_t pid);
/// 0 if the process is gone.
[[nodiscard]] pid_t parent_of(pid_t pid);
[[nodiscard]] std::int64_t resident_bytes_of(pid_t pid);

}  // namespace syncline::runner
