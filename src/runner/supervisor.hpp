// Between the runner and each program stands a supervisor: a fork of the runner that never execs. It is a subreaper, so
// whatever the program's processes do they stay its descendants; it ends them all when the program has ended, when it
// is told to (SIGTERM), and when the runner is gone. It ends with the program's exit code.
#pragma once

#include <sys/types.h>

#include <functional>
#include <vector>

#include "base/result.hpp"

namespace syncline::runner {

/// Starts a supervisor whose child runs `exec_program`, which must exec or return (then nothing ran). It is called in a
/// fork of a process with threads: only system calls are safe in it. The calling thread must outlive the program.
[[nodiscard]] Result<pid_t> start_supervisor(const std::function<void()>& exec_program);

/// Takes leave of a supervisor that was waited for. If it did not end by itself, a program has killed it: then its
/// orphans, which are ours now, are ended too.
void finish_supervisor(pid_t supervisor, int wait_status);

/// All processes below one, without itself.
[[nodiscard]] std::vector<pid_t> descendants_of(pid_t ancestor);

/// 128 + N if signal N ended it.
[[nodiscard]] int exit_code_of(int wait_status);

}  // namespace syncline::runner
