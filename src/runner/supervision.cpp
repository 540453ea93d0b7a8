#include "runner/supervision.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>

#include "runner/supervisor.hpp"

namespace syncline::runner {
namespace {

using SteadyClock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;

constexpr Milliseconds kStillRunning{100};  // then others are told that it runs
constexpr Milliseconds kFirstSample{20};    // most programs have ended by then
constexpr Milliseconds kSampleEvery{100};
constexpr Milliseconds kGrace{2000};  // between the polite signal and the last one
constexpr std::int64_t kKillWaitMs = 5000;
constexpr std::size_t kReadBytes = 64UL << 10U;
constexpr int kSignalledExitCode = 128;  // and the number of the signal that ended the program

std::string seconds_text(std::int64_t ms) {
  std::string text = std::to_string(ms / 1000);
  if (ms % 1000 != 0) text += '.' + std::to_string(1000 + ms % 1000).substr(1);
  while (ms % 1000 != 0 && text.ends_with('0')) text.pop_back();
  return text;
}

void make_nonblocking(int fd) { (void)::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK); }

class Supervision {
 public:
  Supervision(Running running, const Policy& policy, std::int64_t timeout_ms, const StopSwitch& stop,
              ProgramObserver& observer)
      : running_(std::move(running)),
        limits_(policy.limits),
        timeout_ms_(timeout_ms),
        stop_(stop),
        observer_(observer),
        out_(static_cast<std::size_t>(limits_.output_kib) << 10U),
        err_(static_cast<std::size_t>(limits_.output_kib) << 10U),
        deadline_(began_ + Milliseconds(timeout_ms)) {
    make_nonblocking(running_.out.get());
    make_nonblocking(running_.err.get());
  }

  Result<ProgramEnd> run(Launcher& launcher) {
    while (!watch()) {
    }
    const bool all_gone = running_.tree->kill(kKillWaitMs);
    int status = 0;
    if (!all_gone) {
      for (const pid_t pid : descendants_of(running_.pid)) (void)::kill(pid, SIGKILL);
    }
    while (::waitpid(running_.pid, &status, 0) < 0 && errno == EINTR) {
    }
    finish_supervisor(running_.pid, status);
    drain(Stream::out);
    drain(Stream::err);
    std::optional<int> code;
    if (reason_.empty()) {
      TRY(code, launcher.exit_code(running_, status, err_.text()));
    }
    const bool was_killed = !reason_.empty() || code.value_or(0) > kSignalledExitCode;
    if (was_killed) out_.note_killed();
    if (was_killed) err_.note_killed();
    if (!all_gone) reason_ += (reason_.empty() ? "" : "; ") + std::string("some of its processes are still running");
    return ProgramEnd{code, reason_, std::move(out_), std::move(err_)};
  }

 private:
  /// One wait and what follows from it. True when the program has ended or must be ended now.
  bool watch() {
    std::array<pollfd, 4> polled = {{{running_.done.get(), POLLIN, 0},
                                     {stopping() ? -1 : stop_.descriptor(), POLLIN, 0},
                                     {running_.out.get(), POLLIN, 0},
                                     {running_.err.get(), POLLIN, 0}}};
    const auto now = SteadyClock::now();
    const auto wait = std::chrono::ceil<Milliseconds>(std::max(SteadyClock::duration::zero(), next_event() - now));
    (void)::poll(polled.data(), polled.size(), static_cast<int>(wait.count()));
    if (polled[2].revents != 0) read_some(Stream::out);
    if (polled[3].revents != 0) read_some(Stream::err);
    if (polled[0].revents != 0) return true;
    if (polled[1].revents != 0) end_politely(stop_.reason());
    return on_time(SteadyClock::now());
  }

  [[nodiscard]] bool stopping() const { return !reason_.empty(); }

  [[nodiscard]] SteadyClock::time_point next_event() const {
    return std::min(stopping() ? kill_at_ : deadline_, next_sample_);
  }

  /// True when the time of grace is over or a limit is exceeded.
  bool on_time(SteadyClock::time_point now) {
    if (stopping() && now >= kill_at_) return true;
    if (!stopping() && now >= deadline_) end_politely("timed out after " + seconds_text(timeout_ms_) + " s");
    if (now < next_sample_) return false;
    next_sample_ = now + kSampleEvery;
    if (!told_ && now >= began_ + kStillRunning) told_ = observer_.on_still_running();
    return exceeds_limits();
  }

  /// What exceeds a limit grows by the moment: no grace.
  bool exceeds_limits() {
    const ProcessTree::Usage usage = running_.tree->usage();
    if (usage.processes > limits_.processes) {
      note("stopped: more than " + std::to_string(limits_.processes) + " processes (limits.processes)");
      return true;
    }
    if (usage.resident_bytes > limits_.memory_mib << 20U) {
      note("stopped: more than " + std::to_string(limits_.memory_mib) + " MiB of memory (limits.memory_mib)");
      return true;
    }
    return false;
  }

  /// The first reason is the one that is told.
  void note(std::string reason) {
    if (reason_.empty()) reason_ = std::move(reason);
  }

  void end_politely(std::string reason) {
    reason_ = std::move(reason);
    kill_at_ = SteadyClock::now() + kGrace;
    running_.tree->terminate();
  }

  FileDescriptor& pipe_of(Stream stream) { return stream == Stream::out ? running_.out : running_.err; }

  /// False when there is nothing more for now, or for good.
  bool read_some(Stream stream) {
    FileDescriptor& pipe = pipe_of(stream);
    if (!pipe.is_open()) return false;
    const ssize_t count = ::read(pipe.get(), buffer_.data(), buffer_.size());
    if (count > 0) {
      const std::string_view bytes(buffer_.data(), static_cast<std::size_t>(count));
      (stream == Stream::out ? out_ : err_).add(bytes);
      observer_.on_output(stream, bytes);
      return true;
    }
    if (count == 0) pipe.reset();
    return false;
  }

  /// What the program has left in the pipe. Nobody writes any more, so this ends.
  void drain(Stream stream) {
    while (pipe_of(stream).is_open() && read_some(stream)) {
    }
  }

  Running running_;
  const Limits limits_;
  const std::int64_t timeout_ms_;
  const StopSwitch& stop_;
  ProgramObserver& observer_;
  CapturedOutput out_;
  CapturedOutput err_;
  const SteadyClock::time_point began_ = SteadyClock::now();
  const SteadyClock::time_point deadline_;
  SteadyClock::time_point next_sample_ = began_ + kFirstSample;
  SteadyClock::time_point kill_at_;
  bool told_ = false;
  std::string reason_;
  std::array<char, kReadBytes> buffer_{};
};

}  // namespace

StopSwitch::StopSwitch() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

void StopSwitch::stop(std::string reason) {
  const MutexLock lock(mutex_);
  if (!reason_.empty()) return;
  reason_ = std::move(reason);
  const std::uint64_t one = 1;
  (void)!::write(event_.get(), &one, sizeof one);
}

std::string StopSwitch::reason() const {
  const MutexLock lock(mutex_);
  return reason_;
}

Result<ProgramEnd> run_program(Launcher& launcher, const Program& program, const Policy& policy, const Roots& roots,
                               std::int64_t timeout_ms, const StopSwitch& stop, ProgramObserver& observer) {
  TRY(Running running, launcher.launch(program, policy, roots));
  const auto supervision = std::make_unique<Supervision>(std::move(running), policy, timeout_ms, stop, observer);
  return supervision->run(launcher);
}

}  // namespace syncline::runner
