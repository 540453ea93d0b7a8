// Programs without a sandbox. Between the runner and the program stands a supervisor, a fork of the runner that never
// execs: whatever the program's processes do, they stay the supervisor's descendants, and it ends them all when the
// program has ended, when it is told to, or when the runner is gone.
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "runner/child.hpp"
#include "runner/processes.hpp"
#include "runner/sandbox.hpp"

namespace syncline::runner {
namespace {

class DescendantTree final : public ProcessTree {
 public:
  DescendantTree(pid_t supervisor, FileDescriptor pidfd) : supervisor_(supervisor), pidfd_(std::move(pidfd)) {}

  [[nodiscard]] Usage usage() const override {
    Usage usage;
    for (const pid_t pid : descendants()) {
      usage.processes += 1;
      usage.resident_bytes += resident_bytes_of(pid);
    }
    return usage;
  }

  void terminate() override {
    for (const pid_t pid : descendants()) (void)::kill(pid, SIGTERM);
  }

  [[nodiscard]] bool kill(std::int64_t wait_ms) override {
    if (is_gone(0)) return true;
    (void)::kill(supervisor_, SIGTERM);  // which it takes as the order to end all
    return is_gone(wait_ms);
  }

 private:
  [[nodiscard]] bool is_gone(std::int64_t wait_ms) const {
    pollfd polled{pidfd_.get(), POLLIN, 0};
    return ::poll(&polled, 1, static_cast<int>(wait_ms)) == 1;
  }

  [[nodiscard]] std::vector<pid_t> descendants() const {
    std::vector<std::pair<pid_t, pid_t>> parents;  // (process, its parent)
    for (const pid_t pid : list_processes()) parents.emplace_back(pid, parent_of(pid));
    std::vector<pid_t> family = {supervisor_};
    for (std::size_t i = 0; i < family.size(); ++i) {
      for (const auto& [pid, parent] : parents) {
        if (parent == family[i]) family.push_back(pid);
      }
    }
    family.erase(family.begin());
    return family;
  }

  const pid_t supervisor_;
  const FileDescriptor pidfd_;
};

int code_of(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

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
      ::_exit(code_of(status));
    }
  }
}

/// In the supervisor: starts the program and stays. Never returns.
[[noreturn]] void run_supervisor(pid_t runner, const CStrings& argv, const CStrings& environment, int out, int err,
                                 int directory, const Limits& limits) {
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
    if (prepare_streams(out, err) && ::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) == 0 &&
        ::fchdir(directory) == 0 && set_process_limits(limits) && set_process_count_limit(0, limits.processes)) {
      ::execvpe(argv.data()[0], argv.data(), environment.data());
    }
    ::_exit(127);
  }
  supervise(program, signals);
}

class PlainLauncher final : public Launcher {
 public:
  Result<Running> launch(const Program& program, const Policy& policy, const Roots&) override {
    TRY(Pipe out, make_pipe());
    TRY(Pipe err, make_pipe());
    TRY(const FileDescriptor directory, Roots::open_at(program.working_dir, O_RDONLY | O_DIRECTORY));
    const CStrings argv(program.argv);
    std::vector<std::string> variables;
    for (const auto& [name, value] : make_environment(policy)) variables.push_back(name + '=' + value);
    const CStrings environment(std::move(variables));

    const pid_t runner = ::getpid();
    const pid_t pid = ::fork();
    if (pid < 0) return fail(ErrorCode::unavailable, std::string("no new process: ") + std::strerror(errno));
    if (pid == 0) {
      run_supervisor(runner, argv, environment, out.write.get(), err.write.get(), directory.get(), policy.limits);
    }
    Running running;
    running.pid = pid;
    running.done = open_pidfd(pid);
    running.out = std::move(out.read);
    running.err = std::move(err.read);
    running.tree = std::make_unique<DescendantTree>(pid, open_pidfd(pid));
    return running;
  }

  Result<int> exit_code(const Running&, int wait_status) override { return code_of(wait_status); }
};

}  // namespace

std::unique_ptr<Launcher> make_plain_launcher() { return std::make_unique<PlainLauncher>(); }

std::vector<std::pair<std::string, std::string>> make_environment(const Policy& policy) {
  std::map<std::string, std::string> variables = {
      {"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
      {"HOME", "/tmp"},
      {"LANG", "C.UTF-8"},
      {"TERM", "dumb"}};
  for (const std::string& name : policy.passed_environment) {
    if (const char* value = std::getenv(name.c_str())) variables[name] = value;
  }
  for (const auto& [name, value] : policy.set_environment) variables[name] = value;
  return {variables.begin(), variables.end()};
}

}  // namespace syncline::runner
