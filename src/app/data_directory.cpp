#include "app/data_directory.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace syncline::app {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 10> kOurFiles = {
    "syncline.db", "syncline.db-wal", "syncline.db-shm", "syncline.db.partial", "syncline.db.partial-wal",
    "lock",        "control",         "hub.yaml",        "lost+found",          "syncline.db.partial-shm"};

/// The name of an entry that shows that the directory is somebody else's; empty if there is none.
Result<std::string> find_foreign_entry(const fs::path& path) {
  std::error_code error;
  std::string foreign;
  bool has_store = false;
  for (fs::directory_iterator at(path, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    has_store = has_store || name == "syncline.db";
    if (std::ranges::find(kOurFiles, name) == kOurFiles.end()) foreign = name;
  }
  if (error) return fail(ErrorCode::unavailable, "cannot read " + path.string() + ": " + error.message());
  return has_store ? "" : foreign;
}

}  // namespace

Result<DataDirectory> DataDirectory::own(const std::string& path, Missing missing) {
  std::error_code error;
  const fs::path absolute = fs::absolute(path, error);
  if (fs::exists(absolute, error) && !fs::is_directory(absolute, error)) {
    return fail(ErrorCode::wrong_store, path + " is not a directory");
  }
  if (!fs::exists(absolute / "syncline.db", error)) {
    if (missing == Missing::refuse) return fail(ErrorCode::not_found, "there is no syncline store in " + path);
    fs::create_directories(absolute, error);
    if (error) return fail(ErrorCode::unavailable, "cannot make " + path + ": " + error.message());
  }
  TRY(const std::string foreign, find_foreign_entry(absolute));
  if (!foreign.empty()) {
    return fail(ErrorCode::wrong_store,
                path + " is not a syncline data directory (it has '" + foreign + "'); name an empty one");
  }
  const std::string lock_path = (absolute / "lock").string();
  const int lock = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) {
    const ErrorCode code = errno == ENOSPC ? ErrorCode::storage_full : ErrorCode::unavailable;
    return fail(code, "cannot open " + lock_path + ": " + std::strerror(errno));
  }
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    ::close(lock);
    return fail(ErrorCode::locked, path + " is in use by another syncline process");
  }
  ::chmod(absolute.c_str(), 0700);
  return DataDirectory(absolute.string(), lock);
}

DataDirectory::DataDirectory(DataDirectory&& other) noexcept
    : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)) {}

DataDirectory::~DataDirectory() {
  if (lock_ >= 0) ::close(lock_);
}

std::string default_data_directory() {
  if (const char* data = std::getenv("SYNCLINE_DATA")) return data;
  if (const char* xdg = std::getenv("XDG_DATA_HOME"); xdg != nullptr && *xdg == '/') {
    return std::string(xdg) + "/syncline";
  }
  const char* home = std::getenv("HOME");
  return std::string(home != nullptr ? home : ".") + "/.local/share/syncline";
}

}  // namespace syncline::app
