#include "runner/supervisor.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <set>

#include "base/mutex.hpp"
#include "runner/processes.hpp"

namespace syncline::runner {
namespace {

/// The supervisors that run. Held while one is made, so that none is taken for an orphan.
Mutex supervisors_mutex;
std::set<pid_t>& supervisors() REQUIRES(supervisors_mutex) {
  static std::set<pid_t> running;
  return running;
}

/// Sends a signal to each child of this process. Only system calls: this runs in the child of a process with threads.
void signal_children(int number) {
  const int file = ::open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  std::array<char, 4096> text;
  pid_t pid = 0;
  for (ssize_t count = 0; (count = ::read(file, text.data(), text.size())) > 0;) {
    for (ssize_t i = 0; i < count; ++i) {
      const char c = text[static_cast<std::size_t>(i)];
      if (c >= '0' && c <= '9') {
        pid = pid * 10 + (c - '0');
      } else if (pid != 0) {
        (void)::kill(pid, number);
        pid = 0;
      }
    }
  }
  if (pid != 0) (void)::kill(pid, number);
  ::close(file);
}

/// Ends all descendants: the children of what is killed become children of the supervisor, until there are none.
void end_descendants() {
  for (;;) {
    signal_children(SIGKILL);
    const pid_t ended = ::waitpid(-1, nullptr, 0);
    if (ended < 0 && errno == ECHILD) return;
  }
}

/// Never returns. `program` is the supervisor's child.
[[noreturn]] void supervise(pid_t program, const sigset_t& signals) {
  ::close_range(0, ~0U, 0);  // pipes of other commands too
  for (;;) {
    const int number = ::sigwaitinfo(&signals, nullptr);
    if (number == SIGTERM) {
      end_descendants();
      ::_exit(128 + SIGKILL);
    }
    int status = 0;
    for (pid_t ended = 0; (ended = ::waitpid(-1, &status, WNOHANG)) > 0;) {
      if (ended != program) continue;
      end_descendants();
      ::_exit(exit_code_of(status));
    }
  }
}

/// In the supervisor: starts the program and stays. Never returns.
[[noreturn]] void run_supervisor(pid_t runner, const std::function<void()>& exec_program) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGCHLD);
  sigaddset(&signals, SIGTERM);
  sigset_t all;
  sigfillset(&all);
  const bool ready = ::sigprocmask(SIG_SETMASK, &all, nullptr) == 0 && ::prctl(PR_SET_CHILD_SUBREAPER, 1) == 0 &&
                     ::prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 && ::getppid() == runner;
  if (!ready) ::_exit(127);
  const pid_t program = ::fork();
  if (program < 0) ::_exit(127);
  if (program == 0) {
    exec_program();
    ::_exit(127);
  }
  supervise(program, signals);
}

}  // namespace

Result<pid_t> start_supervisor(const std::function<void()>& exec_program) {
  static const int kSubreaper = ::prctl(PR_SET_CHILD_SUBREAPER, 1);  // for a supervisor that its program kills
  (void)kSubreaper;
  const MutexLock lock(supervisors_mutex);
  const pid_t runner = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) run_supervisor(runner, exec_program);
  if (pid < 0) {
    return fail(ErrorCode::unavailable, std::string("cannot start a process: ") + std::strerror(errno));
  }
  supervisors().insert(pid);
  return pid;
}

void finish_supervisor(pid_t supervisor, int wait_status) {
  constexpr int kRoundsMax = 100;
  const MutexLock lock(supervisors_mutex);
  supervisors().erase(supervisor);
  if (WIFEXITED(wait_status)) return;
  for (int round = 0; round < kRoundsMax; ++round) {
    bool found = false;
    for (const pid_t pid : list_processes()) {
      if (parent_of(pid) != ::getpid() || supervisors().contains(pid)) continue;
      found = true;
      (void)::kill(pid, SIGKILL);
      (void)::waitpid(pid, nullptr, 0);  // its children are ours then
    }
    if (!found) return;
  }
}

std::vector<pid_t> descendants_of(pid_t ancestor) {
  std::vector<std::pair<pid_t, pid_t>> parents;  // (process, its parent)
  for (const pid_t pid : list_processes()) parents.emplace_back(pid, parent_of(pid));
  std::vector<pid_t> family = {ancestor};
  for (std::size_t i = 0; i < family.size(); ++i) {
    for (const auto& [pid, parent] : parents) {
      if (parent == family[i]) family.push_back(pid);
    }
  }
  family.erase(family.begin());
  return family;
}

int exit_code_of(int wait_status) {
  return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

}  // namespace syncline::runner
