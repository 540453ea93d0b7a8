#include "runner/file_kinds.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/text.hpp"

namespace syncline::runner {
namespace {

constexpr std::size_t kEntriesMax = 10'000;

Outcome failed_with(const Error& error) { return failed(error.text); }
Outcome failed_by_errno(const std::string& what) { return failed(what + ": " + std::strerror(errno)); }

/// Reads up to `bytes_max` bytes.
Result<std::string> read_bytes(int fd, std::size_t bytes_max) {
  std::string bytes;
  std::array<char, 65536> buffer;
  while (bytes.size() < bytes_max) {
    const ssize_t count = ::read(fd, buffer.data(), std::min(buffer.size(), bytes_max - bytes.size()));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(ErrorCode::unavailable, std::strerror(errno));
    if (count == 0) break;
    bytes.append(buffer.data(), static_cast<std::size_t>(count));
  }
  return bytes;
}

Result<> write_bytes(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(ErrorCode::unavailable, std::strerror(errno));
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

/// Writes a new file beside the old one and puts it in its place: readers see the old or the new, never a part.
Result<> replace_file(const Roots::Entry& entry, std::string_view content) {
  const std::string temporary = '.' + to_hex(random_bytes(8)) + ".syncline";
  struct stat old{};
  const bool replaces = ::fstatat(entry.directory.get(), entry.name.c_str(), &old, AT_SYMLINK_NOFOLLOW) == 0;
  if (replaces && !S_ISREG(old.st_mode)) return fail(ErrorCode::conflict, "it is not a regular file");
  const FileDescriptor file(
      ::openat(entry.directory.get(), temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666));
  if (!file.is_open()) return fail(ErrorCode::unavailable, std::strerror(errno));
  const auto finish = [&]() -> Result<> {
    if (replaces && ::fchmod(file.get(), old.st_mode & 0777) != 0)
      return fail(ErrorCode::unavailable, std::strerror(errno));
    CHECK_OK(write_bytes(file.get(), content));
    const bool placed = ::fsync(file.get()) == 0 && ::renameat(entry.directory.get(), temporary.c_str(),
                                                               entry.directory.get(), entry.name.c_str()) == 0;
    if (!placed) return fail(ErrorCode::unavailable, std::strerror(errno));
    ::fsync(entry.directory.get());
    return {};
  };
  auto finished = finish();
  if (!finished) ::unlinkat(entry.directory.get(), temporary.c_str(), 0);
  return finished;
}

std::string_view type_name(mode_t mode) {
  if (S_ISREG(mode)) return "file";
  if (S_ISDIR(mode)) return "directory";
  if (S_ISLNK(mode)) return "symlink";
  return "other";
}

}  // namespace

Outcome read_file(const Roots& roots, const Order& order, std::size_t bytes_max) {
  const auto place = roots.locate(order.text("path"), order.text("workingDir"));
  if (!place) return failed_with(place.error());
  // Looked at before it is opened for reading: opening a pipe waits, opening a device may do something.
  const auto found = Roots::open_at(*place, O_PATH);
  if (!found) return failed_with(found.error());
  struct stat status{};
  if (::fstat(found->get(), &status) != 0) return failed_by_errno("cannot read the file's status");
  if (!S_ISREG(status.st_mode)) return failed("'" + order.text("path") + "' is not a regular file");
  const std::string same_file = "/proc/self/fd/" + std::to_string(found->get());
  const FileDescriptor file(::open(same_file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) return failed_by_errno("cannot read '" + order.text("path") + "'");
  auto content = read_bytes(file.get(), bytes_max + 1);
  if (!content) return failed("cannot read '" + order.text("path") + "': " + content.error().text);
  const bool truncated = content->size() > bytes_max;
  if (truncated) content->resize(cut_utf8(*content, bytes_max).size());
  const bool is_text = is_utf8(*content);
  std::string result;
  JsonWriter(result)
      .begin_object()
      .string("content", is_text ? *content : to_base64(*content))
      .integer("size", status.st_size)
      .string("encoding", is_text ? "utf-8" : "base64")
      .boolean("truncated", truncated)
      .end_object();
  return completed(std::move(result));
}

Outcome write_file(const Roots& roots, const Order& order) {
  const auto place = roots.locate(order.text("path"), order.text("workingDir"));
  if (!place) return failed_with(place.error());
  if (!place->root->writable) {
    return failed(refused_by(place->root->rule, "'" + order.text("path") + "' is below a read-only root"));
  }
  std::string content = order.text("content");
  if (order.text("encoding") == "base64") {
    auto decoded = from_base64(content);
    if (!decoded) return failed("the content is not base64");
    content = *std::move(decoded);
  }
  const auto entry = Roots::open_parent(*place);
  if (!entry) return failed_with(entry.error());
  const auto written = replace_file(*entry, content);
  if (!written) return failed("cannot write '" + order.text("path") + "': " + written.error().text);
  std::string result;
  JsonWriter(result)
      .begin_object()
      .string("path", place->absolute())
      .integer("bytesWritten", static_cast<std::int64_t>(content.size()))
      .end_object();
  return completed(std::move(result));
}

Outcome list_directory(const Roots& roots, const Order& order) {
  const auto place = roots.locate(order.text("path"), order.text("workingDir"));
  if (!place) return failed_with(place.error());
  auto opened = Roots::open_at(*place, O_RDONLY | O_DIRECTORY | O_NONBLOCK);
  if (!opened) return failed_with(opened.error());
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::fdopendir(::fcntl(opened->get(), F_DUPFD_CLOEXEC, 0)),
                                                      ::closedir);
  if (!directory) return failed_by_errno("cannot list '" + order.text("path") + "'");

  std::vector<std::string> names;
  bool truncated = false;
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string_view name(entry->d_name);
    if (name == "." || name == "..") continue;
    truncated = names.size() == kEntriesMax;
    if (truncated) break;
    names.emplace_back(name);
  }
  std::ranges::sort(names);
  std::string result;
  JsonWriter writer(result);
  writer.begin_object().name("entries").begin_array();
  for (const std::string& name : names) {
    struct stat status{};
    if (::fstatat(opened->get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) continue;  // gone meanwhile
    writer.begin_object()
        .string("name", to_valid_utf8(name))
        .string("type", type_name(status.st_mode))
        .integer("size", status.st_size)
        .integer("modified", status.st_mtim.tv_sec * 1000 + status.st_mtim.tv_nsec / 1'000'000)
        .end_object();
  }
  writer.end_array().boolean("truncated", truncated).end_object();
  return completed(std::move(result));
}

}  // namespace syncline::runner
