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
#include <vector>

#include "base/log.hpp"
#include "base/private_files.hpp"

namespace syncline::app {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kRemoved = "removed";

/// Those at the top of the directory: hub.yaml, setup.yaml, node.yaml.
bool is_settings_file(const fs::path& path, const fs::path& directory) {
  return path.parent_path() == directory && path.extension() == ".yaml";
}

struct Kind {
  std::string_view main_file;  // a directory that has it is ours, whatever else is there
  std::vector<std::string_view> files;
};

const Kind& kind_of(DataDirectory::Of owner) {
  static const Kind kHub = {
      "syncline.db",
      {"syncline.db", "syncline.db-wal", "syncline.db-shm", "syncline.db-commit", "syncline.db.partial",
       "syncline.db.partial-wal", "syncline.db.partial-shm", "lock", "control", "hub.yaml", "setup.yaml",
       "setup.yaml.partial", "lost+found", "node"}};  // where a node's directory is unless --data says otherwise
  static const Kind kNode = {"profiles",
                             {"profiles", "active", "active.partial", "removed", "node.url", "node.url.partial",
                              "node.yaml", "lock", "lost+found"}};
  static const Kind kRunner = {
      "runner.db",
      {"runner.db", "runner.db-wal", "runner.db-shm", "audit.log", "audit.log.head", "lock", "lost+found"}};
  switch (owner) {
    case DataDirectory::Of::hub: return kHub;
    case DataDirectory::Of::node: return kNode;
    case DataDirectory::Of::runner: break;
  }
  return kRunner;
}

/// The name of an entry that shows that the directory is somebody else's; empty if there is none.
Result<std::string> find_foreign_entry(const fs::path& path, const Kind& kind) {
  std::error_code error;
  std::string foreign;
  bool is_ours = false;
  for (fs::directory_iterator at(path, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    is_ours = is_ours || name == kind.main_file;
    if (std::ranges::find(kind.files, name) == kind.files.end()) foreign = name;
  }
  if (error) return fail(ErrorCode::internal, "cannot read " + path.string() + ": " + error.message());
  return is_ours ? "" : foreign;
}

/// Takes the rights of other users from the directory and what is in it: older versions of this program, a copy or a
/// restored archive may have given them some. Says so once, because then there is nothing left to do.
Result<> make_contents_private(const fs::path& path, const Kind& kind) {
  CHECK_OK(make_private(path));
  std::int64_t count = 0;
  std::error_code error;
  std::error_code gone;  // of a file that another process has just removed
  fs::recursive_directory_iterator at(path, error);
  for (const fs::recursive_directory_iterator end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    const bool is_directory = at->is_directory(gone) && !at->is_symlink(gone);
    // Below the top there is only what we have made. The settings are the operator's, and name files instead of keys.
    const bool is_ours = at.depth() > 0 || !is_directory || name == kind.main_file || name == kRemoved;
    if (is_directory && !is_ours) at.disable_recursion_pending();
    const bool is_file = at->is_regular_file(gone) && !at->is_symlink(gone);
    if (!is_ours || (!is_file && !is_directory) || is_settings_file(at->path(), path)) continue;
    TRY(const bool was_open, make_private(at->path()));
    count += was_open ? 1 : 0;
  }
  if (error) return fail(ErrorCode::internal, "cannot read " + path.string() + ": " + error.message());
  if (count > 0) log(LogLevel::warning, "files_made_private", {{"directory", path.string()}, {"files", count}});
  return {};
}

std::string in_home(const char* variable, const std::string& fallback, const std::string& name) {
  if (const char* base = std::getenv(variable); base != nullptr && *base == '/') return std::string(base) + '/' + name;
  const char* home = std::getenv("HOME");
  return std::string(home != nullptr ? home : ".") + '/' + fallback + '/' + name;
}

}  // namespace

Result<DataDirectory> DataDirectory::own(const std::string& path, Missing missing, Of owner) {
  const Kind& kind = kind_of(owner);
  std::error_code error;
  const fs::path absolute = fs::absolute(path, error);
  if (fs::exists(absolute, error) && !fs::is_directory(absolute, error)) {
    return fail(ErrorCode::wrong_store, path + " is not a directory; use another --data");
  }
  if (!fs::exists(absolute / kind.main_file, error)) {
    if (missing == Missing::refuse) {
      return fail(ErrorCode::not_found, missing_data_text(path, owner));
    }
    fs::create_directories(absolute, error);
    if (error) return fail(ErrorCode::internal, "cannot create " + path + ": " + error.message());
  }
  TRY(const std::string foreign, find_foreign_entry(absolute, kind));
  if (!foreign.empty()) {
    return fail(ErrorCode::wrong_store,
                path + " is not a syncline data directory (it has '" + foreign + "'); use an empty or new one");
  }
  const std::string lock_path = (absolute / "lock").string();
  const int lock = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) {
    const ErrorCode code = errno == ENOSPC ? ErrorCode::storage_full : ErrorCode::internal;
    return fail(code, "cannot open " + lock_path + ": " + std::strerror(errno));
  }
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    ::close(lock);
    return fail(ErrorCode::locked, path + " is in use by another syncline process; stop it, or use another --data");
  }
  DataDirectory directory(absolute.string(), lock);
  CHECK_OK(make_contents_private(absolute, kind));
  return directory;
}

DataDirectory::DataDirectory(DataDirectory&& other) noexcept
    : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)) {}

DataDirectory::~DataDirectory() {
  if (lock_ >= 0) ::close(lock_);
}

std::string missing_data_text(const std::string& path, DataDirectory::Of owner) {
  switch (owner) {
    case DataDirectory::Of::hub:
      return "no syncline store in " + path + "; check --data, or start a hub with 'syncline hub --data " + path +
             "', which creates one";
    case DataDirectory::Of::node:
      return "no data of a node in " + path + "; check --data, or connect this device with 'syncline login URL'";
    case DataDirectory::Of::runner: break;
  }
  return "no data of a runner in " + path + "; check --data";
}

bool has_store(const std::string& path, DataDirectory::Of owner) {
  std::error_code error;
  return fs::exists(fs::path(path) / kind_of(owner).main_file, error);
}

std::string default_data_directory() {
  if (const char* data = std::getenv("SYNCLINE_DATA")) return data;
  return in_home("XDG_DATA_HOME", ".local/share", "syncline");
}

std::string default_node_directory() {
  if (const char* data = std::getenv("SYNCLINE_NODE_DATA")) return data;
  return in_home("XDG_DATA_HOME", ".local/share", "syncline/node");
}

std::string default_runner_directory() {
  if (const char* data = std::getenv("SYNCLINE_RUNNER_DATA")) return data;
  return in_home("XDG_STATE_HOME", ".local/state", "syncline/runner");
}

}  // namespace syncline::app
