// Runs one program to its end, whatever it does: reads its output, watches its limits, and ends all of its processes.
// On the calling thread, which it blocks; a StopSwitch may be thrown by any other.
#pragma once

#include <atomic>
#include <optional>
#include <string>

#include "base/mutex.hpp"
#include "runner/captured_output.hpp"
#include "runner/program.hpp"

namespace syncline::runner {

/// Tells a running program to end. Safe from any thread.
class StopSwitch {
 public:
  StopSwitch();
  /// Only the first reason counts.
  void stop(std::string reason);
  /// Empty while nobody has stopped it.
  [[nodiscard]] std::string reason() const;
  /// Readable once it is stopped.
  [[nodiscard]] int descriptor() const { return event_.get(); }

 private:
  FileDescriptor event_;
  mutable Mutex mutex_;
  std::string reason_ GUARDED_BY(mutex_);
};

enum class Stream { out, err };

class ProgramObserver {
 public:
  virtual ~ProgramObserver() = default;
  /// As it comes, on the thread that runs the program.
  virtual void on_output(Stream stream, std::string_view bytes) = 0;
  /// If the program has not ended after a moment; again from time to time until it returns true.
  [[nodiscard]] virtual bool on_still_running() = 0;
};

struct ProgramEnd {
  std::optional<int> exit_code;  // nothing if the program was ended
  std::string reason;            // why it was ended: "timed out after 30 s", a limit, or the switch's reason
  CapturedOutput out;
  CapturedOutput err;
};

/// Returns when no process of the program is left. `timeout_ms` bounds the program's time, the policy the rest. Fails
/// if the program could not be started.
[[nodiscard]] Result<ProgramEnd> run_program(Launcher& launcher, const Program& program, const Policy& policy,
                                             const Roots& roots, std::int64_t timeout_ms, const StopSwitch& stop,
                                             ProgramObserver& observer);

}  // namespace syncline::runner
