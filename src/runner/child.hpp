// Making a child process: what happens between fork and exec. Only calls that are safe in the child of a process with
// threads, so everything is prepared before.
#pragma once

#include <string>
#include <vector>

#include "base/file_descriptor.hpp"
#include "base/result.hpp"
#include "runner/policy.hpp"
#include "runner/program.hpp"

namespace syncline::runner {

struct Pipe {
  FileDescriptor read;
  FileDescriptor write;
};
[[nodiscard]] Result<Pipe> make_pipe();

/// argv or envp as exec wants them. Holds the texts.
class CStrings {
 public:
  explicit CStrings(std::vector<std::string> texts);
  [[nodiscard]] char* const* data() const { return pointers_.data(); }

 private:
  std::vector<std::string> texts_;
  mutable std::vector<char*> pointers_;
};

/// A file in memory that has this text, to be read from its beginning. `name` is for the list of open files.
[[nodiscard]] Result<FileDescriptor> make_memory_file(const char* name, std::string_view text);

/// The argv of `program` if its script is what can be read from `script`, a descriptor that it inherits.
[[nodiscard]] std::vector<std::string> argv_of(const Program& program, const FileDescriptor& script);

/// In the child: says on standard error why `what` could not be executed.
void complain_of_exec(std::string_view what);

/// An input that ends at once.
[[nodiscard]] Result<FileDescriptor> open_null();

/// In the child: these as its standard streams, no signal blocked or ignored, a session of its own. False if something
/// failed.
[[nodiscard]] bool prepare_streams(int in, int out, int err);

/// In the child: the limits of one process.
[[nodiscard]] bool set_process_limits(const Limits& limits);

/// Bounds the number of processes of `pid` (0: of the caller) and what it starts. Does not bind a program of root.
[[nodiscard]] bool set_process_count_limit(pid_t pid, std::int64_t processes);

/// True as soon as there is something to read, false if there is nothing after that time.
[[nodiscard]] bool wait_readable(int fd, std::int64_t timeout_ms);

/// A descriptor that becomes readable when the process ends.
[[nodiscard]] FileDescriptor open_pidfd(pid_t pid);

}  // namespace syncline::runner
