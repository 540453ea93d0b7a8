#include "runner/sandbox.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <chrono>
#include <filesystem>

#include "base/json_object.hpp"
#include "runner/child.hpp"
#include "runner/processes.hpp"
#include "runner/supervisor.hpp"

namespace syncline::runner {
namespace {

namespace fs = std::filesystem;

/// What runs first in the sandbox: the program starts when the runner has said so, and never if the runner has gone.
constexpr const char* kGate = R"(read -r word && [ "$word" = go ] && exec "$@" </dev/null; exit 126)";
constexpr std::string_view kGo = "go\n";
constexpr int kSetupTimeoutMs = 10'000;
/// The sandbox's first process, which waits for all others.
constexpr std::int64_t kOwnProcesses = 1;

/// Found in /etc and needed by ordinary programs; the rest of /etc is nobody's business.
constexpr std::array kSystemFiles = {"/etc/alternatives",  "/etc/ld.so.cache",     "/etc/ld.so.conf",
                                     "/etc/ld.so.conf.d",  "/etc/passwd",          "/etc/group",
                                     "/etc/nsswitch.conf", "/etc/localtime",       "/etc/mime.types",
                                     "/etc/ssl/certs",     "/etc/ssl/openssl.cnf", "/etc/ca-certificates"};
constexpr std::array kNetworkFiles = {"/etc/resolv.conf", "/etc/hosts",     "/etc/services",
                                      "/etc/protocols",   "/etc/host.conf", "/etc/gai.conf"};
/// With merged directories these are links into /usr, else directories.
constexpr std::array kProgramDirectories = {"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"};

int send_signal(int pidfd, int number) {
  return static_cast<int>(::syscall(SYS_pidfd_send_signal, pidfd, number, nullptr, 0));
}

/// The processes of a sandbox: those of its process namespace. When its first process ends, the kernel ends all others,
/// whatever they do.
class NamespaceTree final : public ProcessTree {
 public:
  NamespaceTree(pid_t first, FileDescriptor pidfd, std::uint64_t process_namespace)
      : first_(first), pidfd_(std::move(pidfd)), namespace_(process_namespace) {}
  ~NamespaceTree() override { (void)send_signal(pidfd_.get(), SIGKILL); }

  [[nodiscard]] Usage usage() const override {
    Usage usage;
    for (const pid_t pid : list_processes()) {
      if (process_namespace_of(pid) != namespace_) continue;
      usage.processes += 1;
      usage.resident_bytes += resident_bytes_of(pid);
    }
    usage.processes -= kOwnProcesses;
    return usage;
  }

  void terminate() override {
    for (const pid_t pid : list_processes()) {
      if (pid == first_) continue;
      // Opened first and looked at then: a number that was given to another process meanwhile is not ours.
      const FileDescriptor process = open_pidfd(pid);
      if (process.is_open() && process_namespace_of(pid) == namespace_) (void)send_signal(process.get(), SIGTERM);
    }
  }

  [[nodiscard]] bool kill(std::int64_t wait_ms) override {
    (void)send_signal(pidfd_.get(), SIGKILL);
    return wait_readable(pidfd_.get(), wait_ms);
  }

 private:
  const pid_t first_;
  const FileDescriptor pidfd_;
  const std::uint64_t namespace_;
};

/// Arguments handed over in memory: neither secrets nor paths stand in the list of processes.
Result<FileDescriptor> make_argument_file(const std::vector<std::string>& arguments) {
  std::string text;
  for (const std::string& argument : arguments) text.append(argument).push_back('\0');
  return make_memory_file("sandbox-arguments", text);
}

/// Builds bubblewrap's arguments.
class Arguments {
 public:
  Arguments(const Program& program, const Policy& policy, const Roots& roots) : network_(program.network) {
    add({"--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent", "--new-session", "--cap-drop",
         "ALL", "--hostname", "sandbox"});
    if (network_) add({"--share-net"});
    add({"--clearenv"});
    for (const auto& [name, value] : make_environment(policy)) add({"--setenv", name, value});
    add_system();
    const std::string temporary = std::to_string(policy.limits.temporary_mib << 20U);
    add({"--proc", "/proc", "--dev", "/dev"});
    add({"--perms", "1777", "--size", temporary, "--tmpfs", "/tmp"});
    add({"--perms", "1777", "--size", temporary, "--tmpfs", "/dev/shm"});
    for (const Root* root : roots.visible()) {
      // What was opened when the policy was read, not what stands at its path by now.
      add({root->writable ? "--bind-fd" : "--ro-bind-fd", std::to_string(root->directory.get()), root->path});
    }
    // bubblewrap leaves /proc/sys writable for a runner of root, and the kernel's settings are a way out. These three
    // are not needed to be written.
    add({"--remount-ro", "/proc", "--remount-ro", "/dev", "--remount-ro", "/"});
    add({"--chdir", program.working_dir.absolute()});
  }

  void add(std::initializer_list<std::string> words) { words_.insert(words_.end(), words); }
  [[nodiscard]] const std::vector<std::string>& words() const { return words_; }

 private:
  void add_system() {
    add({"--ro-bind", "/usr", "/usr"});
    for (const char* path : kProgramDirectories) {
      std::error_code error;
      if (fs::is_symlink(path, error)) {
        add({"--symlink", fs::read_symlink(path, error).string(), path});
      } else if (fs::is_directory(path, error)) {
        add({"--ro-bind", path, path});
      }
    }
    for (const char* path : kSystemFiles) add({"--ro-bind-try", path, path});
    if (!network_) return;
    for (const char* path : kNetworkFiles) add({"--ro-bind-try", path, path});
  }

  const bool network_;
  std::vector<std::string> words_;
};

/// In the child: lets bubblewrap have these descriptors and no other, whoever opened it.
bool pass_descriptors(const std::vector<int>& descriptors) {
  if (::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) != 0) return false;
  for (const int fd : descriptors) {
    if (::fcntl(fd, F_SETFD, 0) != 0) return false;
  }
  return true;
}

/// Reads what is there now, or comes within the time; stops at a line's end.
std::string read_line(int fd, int timeout_ms) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  std::string line;
  while (line.empty() || line.back() != '\n') {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    if (left.count() < 0 || !wait_readable(fd, left.count())) break;
    char c = 0;
    if (::read(fd, &c, 1) != 1) break;
    line += c;
  }
  return line;
}

/// What bubblewrap said on standard error.
std::string read_complaint(int fd) {
  std::array<char, 4096> buffer;
  const ssize_t count = wait_readable(fd, 0) ? ::read(fd, buffer.data(), buffer.size()) : 0;
  std::string text(buffer.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
  while (text.ends_with('\n')) text.pop_back();
  return text.empty() ? "bubblewrap ended without a word" : text;
}

std::optional<std::int64_t> find_number(std::string line, std::string_view name) {
  const auto status = parse_json_object(std::move(line), 4);
  return status ? status->integer_of(name) : std::nullopt;
}

class Sandbox final : public Launcher {
 public:
  Sandbox(std::string bubblewrap, FileDescriptor filter)
      : bubblewrap_(std::move(bubblewrap)), filter_(std::move(filter)) {}

  Result<Running> launch(const Program& program, const Policy& policy, const Roots& roots) override {
    TRY(Pipe out, make_pipe());
    TRY(Pipe err, make_pipe());
    TRY(Pipe status, make_pipe());
    TRY(Pipe gate, make_pipe());
    // Opened anew, so that programs that start at the same time do not share a position in it.
    const FileDescriptor filter(
        ::open(("/proc/self/fd/" + std::to_string(filter_.get())).c_str(), O_RDONLY | O_CLOEXEC));
    Arguments arguments(program, policy, roots);
    arguments.add({"--seccomp", std::to_string(filter.get())});
    arguments.add({"--json-status-fd", std::to_string(status.write.get())});
    TRY(const FileDescriptor argument_file, make_argument_file(arguments.words()));

    std::vector<std::string> words = {bubblewrap_, "--args", std::to_string(argument_file.get()), "--"};
    words.insert(words.end(), {"sh", "-c", kGate, "sh"});
    FileDescriptor script;
    if (!program.script.empty()) {
      TRY(script, make_memory_file("script", program.script));
    }
    const std::vector<std::string> program_argv = argv_of(program, script);
    words.insert(words.end(), program_argv.begin(), program_argv.end());
    const CStrings argv(std::move(words));
    const CStrings no_environment({});  // the sandbox's first process shows its own to all others
    std::vector<int> handed_on = {filter.get(), status.write.get(), argument_file.get()};
    if (script.is_open()) handed_on.push_back(script.get());
    for (const Root* root : roots.visible()) handed_on.push_back(root->directory.get());

    TRY(const pid_t pid, start_supervisor([&] {
          if (prepare_streams(gate.read.get(), out.write.get(), err.write.get()) && pass_descriptors(handed_on) &&
              set_process_limits(policy.limits)) {
            ::execve(bubblewrap_.c_str(), argv.data(), no_environment.data());
            complain_of_exec("bubblewrap");
          }
        }));
    Running running;
    running.pid = pid;
    running.done = open_pidfd(pid);
    out.write.reset();
    err.write.reset();
    status.write.reset();
    gate.read.reset();
    running.out = std::move(out.read);
    running.err = std::move(err.read);
    running.status = std::move(status.read);
    auto opened = open_gate(running, policy, gate.write.get());
    if (!opened) {
      int wait_status = 0;
      ::kill(pid, SIGTERM);
      ::waitpid(pid, &wait_status, 0);
      finish_supervisor(pid, wait_status);
      return std::unexpected(opened.error());
    }
    return running;
  }

  Result<int> exit_code(const Running& running, int, std::string_view err) override {
    while (true) {
      const std::string line = read_line(running.status.get(), 1000);
      if (line.empty()) break;
      if (const auto code = find_number(line, "exit-code")) return static_cast<int>(*code);
    }
    return fail(ErrorCode::unavailable, "the program did not run: " + std::string(err));
  }

 private:
  /// The sandbox is there and waits: its processes become known and limited, then the program may start.
  static Result<> open_gate(Running& running, const Policy& policy, int gate) {
    const auto first = find_number(read_line(running.status.get(), kSetupTimeoutMs), "child-pid");
    if (!first) return fail(ErrorCode::unavailable, "cannot create the sandbox: " + read_complaint(running.err.get()));
    const auto pid = static_cast<pid_t>(*first);
    FileDescriptor pidfd = open_pidfd(pid);
    const std::uint64_t process_namespace = process_namespace_of(pid);
    const bool is_apart = process_namespace != 0 && process_namespace != process_namespace_of(::getpid());
    if (!pidfd.is_open() || !running.done.is_open() || !is_apart) {
      return fail(ErrorCode::unavailable, "cannot create the sandbox: " + read_complaint(running.err.get()));
    }
    running.tree = std::make_unique<NamespaceTree>(pid, std::move(pidfd), process_namespace);
    if (!set_process_count_limit(pid, policy.limits.processes + kOwnProcesses)) {
      return fail(ErrorCode::unavailable, "cannot limit the number of processes in the sandbox");
    }
    const bool told = ::write(gate, kGo.data(), kGo.size()) == static_cast<ssize_t>(kGo.size());
    return told ? Result<>{} : fail(ErrorCode::unavailable, "the sandbox ended before the program started");
  }

  const std::string bubblewrap_;
  const FileDescriptor filter_;
};

/// What usually keeps bubblewrap from working.
std::string advice() {
  return "; on this machine unprivileged user namespaces may be off (sysctl kernel.unprivileged_userns_clone, "
         "user.max_user_namespaces) or a service manager may forbid them. --no-sandbox runs commands without a sandbox";
}

}  // namespace

Result<std::unique_ptr<Launcher>> make_sandbox(const Policy& policy, const Roots& roots) {
  std::string bubblewrap;
  for (const char* path : {"/usr/bin/bwrap", "/usr/local/bin/bwrap"}) {
    if (bubblewrap.empty() && ::access(path, X_OK) == 0) bubblewrap = path;
  }
  if (bubblewrap.empty()) {
    return fail(
        ErrorCode::unavailable,
        "no sandbox: bubblewrap is not installed (apt install bubblewrap). --no-sandbox runs commands without a "
        "sandbox");
  }
  TRY(FileDescriptor filter, make_system_call_filter());
  auto sandbox = std::make_unique<Sandbox>(bubblewrap, std::move(filter));
  Program program{.argv = {"true"}, .working_dir = {&roots.list().front(), "."}, .network = false, .script = {}};
  auto running = sandbox->launch(program, policy, roots);
  if (!running) return fail(ErrorCode::unavailable, running.error().text + advice());
  int status = 0;
  ::waitpid(running->pid, &status, 0);
  finish_supervisor(running->pid, status);
  const auto code = sandbox->exit_code(*running, status, read_complaint(running->err.get()));
  if (!code) return fail(ErrorCode::unavailable, code.error().text + advice());
  if (*code != 0) return fail(ErrorCode::unavailable, "the sandbox starts, but programs fail in it" + advice());
  return sandbox;
}

}  // namespace syncline::runner
