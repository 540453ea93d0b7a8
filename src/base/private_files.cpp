#include "base/private_files.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "base/file_descriptor.hpp"

namespace syncline {
namespace {

constexpr mode_t kOthers = S_IRWXG | S_IRWXO;

/// Read before anything runs: it can only be read by changing it.
const mode_t kUmaskOfStart = [] {
  const mode_t mask = ::umask(kOthers);
  ::umask(mask);
  return mask;
}();

}  // namespace

void keep_new_files_private() { ::umask(kOthers); }

void use_umask_of_start() {
  // A thread of its own opinion: the others go on writing private files.
  if (::unshare(CLONE_FS) == 0) ::umask(kUmaskOfStart);
}

bool is_open_to_others(const std::filesystem::path& path) {
  struct stat status{};
  return ::lstat(path.c_str(), &status) == 0 && !S_ISLNK(status.st_mode) && (status.st_mode & kOthers) != 0;
}

Result<bool> make_private(const std::filesystem::path& path) {
  if (!is_open_to_others(path)) return false;
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  struct stat status{};
  const bool done = file.is_open() && ::fstat(file.get(), &status) == 0 &&
                    ::fchmod(file.get(), status.st_mode & 07777 & ~kOthers) == 0;
  if (done) return true;
  return fail(ErrorCode::unavailable, "other users have rights on " + path.string() +
                                          ", and taking them away failed: " + std::strerror(errno) +
                                          "; it must belong to the user who runs syncline");
}

}  // namespace syncline
