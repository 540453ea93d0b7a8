#include "runner/child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace syncline::runner {
namespace {

constexpr rlim_t kOpenFilesMax = 4096;
constexpr rlim_t kMiB = 1UL << 20U;

bool limit(__rlimit_resource resource, rlim_t value) {
  rlimit current{};
  if (::getrlimit(resource, &current) != 0) return false;
  const rlim_t lowered = std::min(value, current.rlim_max);
  const rlimit wanted{lowered, lowered};
  return ::setrlimit(resource, &wanted) == 0;
}

}  // namespace

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return fail(ErrorCode::unavailable, std::string("cannot create a pipe: ") + std::strerror(errno));
  }
  return Pipe{FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

CStrings::CStrings(std::vector<std::string> texts) : texts_(std::move(texts)) {
  for (std::string& text : texts_) pointers_.push_back(text.data());
  pointers_.push_back(nullptr);
}

Result<FileDescriptor> make_memory_file(const char* name, std::string_view text) {
  FileDescriptor file(::memfd_create(name, MFD_CLOEXEC));
  const bool written = file.is_open() &&
                       ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       ::lseek(file.get(), 0, SEEK_SET) == 0;
  if (!written) return fail(ErrorCode::unavailable, "not enough memory for the program's arguments");
  return file;
}

std::vector<std::string> argv_of(const Program& program, const FileDescriptor& script) {
  std::vector<std::string> argv = program.argv;
  if (program.script.empty()) return argv;
  const std::string number = std::to_string(script.get());
  // Read first and closed then: what the script starts does not inherit it.
  argv.emplace_back("-c");
  argv.push_back("eval \"$(</proc/self/fd/" + number + ")\" " + number + "<&-");
  return argv;
}

void complain_of_exec(std::string_view what) {
  const std::string_view reason = ::strerrordesc_np(errno);  // safe between fork and exec, unlike strerror
  for (const std::string_view part : {std::string_view("cannot start "), what, std::string_view(": "), reason}) {
    (void)!::write(STDERR_FILENO, part.data(), part.size());
  }
}

Result<FileDescriptor> open_null() {
  FileDescriptor null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!null.is_open())
    return fail(ErrorCode::unavailable, std::string("cannot open /dev/null: ") + std::strerror(errno));
  return null;
}

bool prepare_streams(int in, int out, int err) {
  sigset_t none;
  sigemptyset(&none);
  for (int number = 1; number < NSIG; ++number) {
    struct sigaction action{};
    action.sa_handler = SIG_DFL;
    (void)::sigaction(number, &action, nullptr);  // fails for SIGKILL and SIGSTOP, as it should
  }
  return ::sigprocmask(SIG_SETMASK, &none, nullptr) == 0 && ::setsid() >= 0 && ::dup2(in, STDIN_FILENO) >= 0 &&
         ::dup2(out, STDOUT_FILENO) >= 0 && ::dup2(err, STDERR_FILENO) >= 0;
}

bool set_process_limits(const Limits& limits) {
  return limit(RLIMIT_CORE, 0) && limit(RLIMIT_NOFILE, kOpenFilesMax) &&
         limit(RLIMIT_CPU, static_cast<rlim_t>(limits.cpu_seconds)) &&
         limit(RLIMIT_DATA, static_cast<rlim_t>(limits.memory_mib) * kMiB) &&
         limit(RLIMIT_FSIZE, static_cast<rlim_t>(limits.written_file_mib) * kMiB);
}

bool set_process_count_limit(pid_t pid, std::int64_t processes) {
  const rlimit wanted{static_cast<rlim_t>(processes), static_cast<rlim_t>(processes)};
  return ::prlimit(pid, RLIMIT_NPROC, &wanted, nullptr) == 0;
}

bool wait_readable(int fd, std::int64_t timeout_ms) {
  pollfd polled{fd, POLLIN, 0};
  return ::poll(&polled, 1, static_cast<int>(timeout_ms)) == 1;
}

FileDescriptor open_pidfd(pid_t pid) { return FileDescriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))); }

}  // namespace syncline::runner
