#include "runner/processes.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string>

#include "base/file_descriptor.hpp"
#include "base/text.hpp"

namespace syncline::runner {
namespace {

std::string path_of(pid_t pid, const char* name) { return "/proc/" + std::to_string(pid) + name; }

/// The start of a small file of /proc; empty if it is gone.
std::string read_start(const std::string& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 1024> buffer;
  const ssize_t count = file.is_open() ? ::read(file.get(), buffer.data(), buffer.size()) : 0;
  return {buffer.data(), count > 0 ? static_cast<std::size_t>(count) : 0};
}

}  // namespace

std::vector<pid_t> list_processes() {
  std::vector<pid_t> pids;
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir("/proc"), ::closedir);
  if (!directory) return pids;
  while (const dirent* entry = ::readdir(directory.get())) {
    if (const auto pid = parse_integer(entry->d_name)) pids.push_back(static_cast<pid_t>(*pid));
  }
  return pids;
}

std::uint64_t process_namespace_of(pid_t pid) {
  struct stat status{};
  return ::stat(path_of(pid, "/ns/pid").c_str(), &status) == 0 ? status.st_ino : 0;
}

pid_t parent_of(pid_t pid) {
  // "pid (name) state ppid ...": the name may hold anything, so the last bracket counts.
  const std::string text = read_start(path_of(pid, "/stat"));
  const std::size_t bracket = text.rfind(')');
  if (bracket == std::string::npos) return 0;
  const auto fields = split(std::string_view(text).substr(bracket + 1), ' ');
  return fields.size() > 2 ? static_cast<pid_t>(parse_integer(fields[2]).value_or(0)) : 0;
}

std::int64_t resident_bytes_of(pid_t pid) {
  const std::string text = read_start(path_of(pid, "/statm"));
  const auto fields = split(text, ' ');
  const std::int64_t pages = fields.size() > 1 ? parse_integer(fields[1]).value_or(0) : 0;
  return pages * ::sysconf(_SC_PAGESIZE);
}

}  // namespace syncline::runner
