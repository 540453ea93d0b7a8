#include "runner/plain_launcher.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runner/child.hpp"
#include "runner/processes.hpp"
#include "runner/supervisor.hpp"

namespace syncline::runner {
namespace {

class DescendantTree final : public ProcessTree {
 public:
  DescendantTree(pid_t supervisor, FileDescriptor pidfd) : supervisor_(supervisor), pidfd_(std::move(pidfd)) {}

  [[nodiscard]] Usage usage() const override {
    Usage usage;
    for (const pid_t pid : descendants_of(supervisor_)) {
      usage.processes += 1;
      usage.resident_bytes += resident_bytes_of(pid);
    }
    return usage;
  }

  void terminate() override {
    for (const pid_t pid : descendants_of(supervisor_)) (void)::kill(pid, SIGTERM);
  }

  [[nodiscard]] bool kill(std::int64_t wait_ms) override {
    if (wait_readable(pidfd_.get(), 0)) return true;
    (void)::kill(supervisor_, SIGTERM);  // which it takes as the order to end all
    return wait_readable(pidfd_.get(), wait_ms);
  }

 private:
  const pid_t supervisor_;
  const FileDescriptor pidfd_;
};

class PlainLauncher final : public Launcher {
 public:
  Result<Running> launch(const Program& program, const Policy& policy, const Roots&) override {
    TRY(Pipe out, make_pipe());
    TRY(Pipe err, make_pipe());
    TRY(const FileDescriptor directory, Roots::open_at(program.working_dir, O_RDONLY | O_DIRECTORY));
    TRY(const FileDescriptor nothing, open_null());
    FileDescriptor script;
    if (!program.script.empty()) {
      TRY(script, make_memory_file("script", program.script));
    }
    const int script_number = script.get();
    const CStrings argv(argv_of(program, script));
    std::vector<std::string> variables;
    for (const auto& [name, value] : make_environment(policy)) variables.emplace_back(name).append("=").append(value);
    const CStrings environment(std::move(variables));

    // The number of processes is only looked at: outside a namespace the kernel's limit counts all of the user's.
    TRY(const pid_t pid, start_supervisor([&] {
          const bool ready = prepare_streams(nothing.get(), out.write.get(), err.write.get()) &&
                             ::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) == 0 &&
                             (script_number < 0 || ::fcntl(script_number, F_SETFD, 0) == 0) &&
                             ::fchdir(directory.get()) == 0 && set_process_limits(policy.limits);
          if (ready) ::execvpe(argv.data()[0], argv.data(), environment.data());
          complain_of_exec("the program");
        }));
    Running running;
    running.pid = pid;
    running.done = open_pidfd(pid);
    running.out = std::move(out.read);
    running.err = std::move(err.read);
    running.tree = std::make_unique<DescendantTree>(pid, open_pidfd(pid));
    return running;
  }

  Result<int> exit_code(const Running&, int wait_status, std::string_view) override {
    if (WIFEXITED(wait_status)) return exit_code_of(wait_status);
    return fail(ErrorCode::conflict, "the program killed its supervisor; the runner ended its processes");
  }
};

}  // namespace

std::unique_ptr<Launcher> make_plain_launcher() { return std::make_unique<PlainLauncher>(); }

}  // namespace syncline::runner
