// A program that a command starts: how it is launched, how all of its processes are found and ended. Two launchers:
// sandbox.hpp, and plain_launcher.hpp for a runner that was told to do without.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/file_descriptor.hpp"
#include "base/result.hpp"
#include "runner/policy.hpp"
#include "runner/roots.hpp"

namespace syncline::runner {

struct Program {
  /// Each argument shorter than kArgumentBytesMax, all of them shorter than kArgumentsBytesMax.
  std::vector<std::string> argv;
  Place working_dir;
  bool network = false;
  /// If not empty, argv is a shell's without what it shall do: it reads this from a descriptor. For what is too long to
  /// be an argument.
  std::string script;
};

/// What the kernel takes for one argument, with its NUL; and about what it takes for all with the environment.
inline constexpr std::size_t kArgumentBytesMax = 128UL << 10U;
inline constexpr std::size_t kArgumentsBytesMax = 1536UL << 10U;
/// too_large, naming the limit, if no program can be started with these.
[[nodiscard]] Result<> check_arguments(const std::vector<std::string>& argv);

/// All processes of one program, whatever they did to hide: double forks, new sessions, stopped ones.
class ProcessTree {
 public:
  virtual ~ProcessTree() = default;

  struct Usage {
    std::int64_t processes = 0;
    std::int64_t resident_bytes = 0;
  };
  [[nodiscard]] virtual Usage usage() const = 0;
  /// Asks every process to end.
  virtual void terminate() = 0;
  /// Ends every process and waits until none is left, at most `wait_ms`. False if one is left.
  [[nodiscard]] virtual bool kill(std::int64_t wait_ms) = 0;
};

/// A program that runs.
struct Running {
  FileDescriptor out;
  FileDescriptor err;
  pid_t pid = -1;         // a child of ours; the program's main process or what stands for it
  FileDescriptor done;    // readable when that has ended
  FileDescriptor status;  // the sandbox's report, if there is a sandbox
  std::unique_ptr<ProcessTree> tree;
};

class Launcher {
 public:
  virtual ~Launcher() = default;
  /// Starts a program. The calling thread must outlive it: when the thread ends, the program is killed.
  [[nodiscard]] virtual Result<Running> launch(const Program& program, const Policy& policy, const Roots& roots) = 0;
  /// The exit code of the program's main process: 128 + N if signal N ended it, 127 if there is no such program. After
  /// it has ended; `err` is what came on standard error. Fails if the program never ran.
  [[nodiscard]] virtual Result<int> exit_code(const Running& running, int wait_status, std::string_view err) = 0;
};

/// The environment of every program: a small fixed one, what the policy passes on from ours, what it sets.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> make_environment(const Policy& policy);

}  // namespace syncline::runner
