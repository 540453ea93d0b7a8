#include "runner/roots.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <filesystem>

#include "base/text.hpp"

namespace syncline::runner {
namespace {

namespace fs = std::filesystem;

/// Directories that belong to the system: a root there would hide what programs need, or show what they must not see.
constexpr std::array<std::string_view, 13> kSystemDirectories = {
    "/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/proc", "/run", "/sbin", "/sys", "/usr", "/var"};
/// Below these nothing can be a root either.
constexpr std::array<std::string_view, 5> kClosedDirectories = {"/dev", "/proc", "/sys", "/usr", "/etc"};

constexpr int kLinksMax = 16;

bool is_below(std::string_view path, std::string_view directory) {
  return path == directory || (path.starts_with(directory) && path[directory.size()] == '/');
}

/// Every place that has a say in where a path leads: its directories and links as they are given, where those lead, and
/// the end. Who can change one of them can put something else in the path's place.
std::vector<fs::path> path_dependencies(const fs::path& path) {
  std::vector<fs::path> places;
  std::error_code error;
  fs::path rest = fs::absolute(path, error);
  for (int links = 0; links < kLinksMax; ++links) {
    fs::path so_far;
    bool followed = false;
    for (auto part = rest.begin(); part != rest.end() && !followed; ++part) {
      const fs::path parent = fs::weakly_canonical(so_far.empty() ? fs::path("/") : so_far, error);
      so_far /= *part;
      places.push_back(parent / *part);
      if (!fs::is_symlink(so_far, error)) continue;
      fs::path target = fs::read_symlink(so_far, error);
      if (target.is_relative()) target = parent / target;
      for (auto more = std::next(part); more != rest.end(); ++more) target /= *more;
      rest = target;
      followed = true;
    }
    if (!followed) break;
  }
  places.push_back(fs::weakly_canonical(path, error));
  return places;
}

bool is_reached_through(const std::string& path, const std::string& directory) {
  return std::ranges::any_of(path_dependencies(path), [&](const fs::path& place) {
    // The directory itself may be on the way to what lies elsewhere only as a part of the way to the root.
    return place != fs::path(directory) && is_below(place.lexically_normal().string(), directory);
  });
}

enum class Kind { root, shown };

Result<Root> open_root(const RootRule& rule, Kind kind) {
  const auto refuse = [&](const std::string& what) {
    return fail(ErrorCode::invalid_argument, rule.name + ": " + rule.path + ' ' + what);
  };
  std::error_code error;
  const fs::path canonical = fs::canonical(rule.path, error);
  if (error) return refuse("cannot be used: " + error.message());
  Root root{canonical.string(), fs::absolute(rule.path).lexically_normal().string(), rule.writable, rule.name, {}};
  while (root.given.size() > 1 && root.given.ends_with('/')) root.given.pop_back();
  if (root.path == "/") return refuse("is the whole file system; use a directory below it");
  const bool is_system = std::ranges::find(kSystemDirectories, root.path) != kSystemDirectories.end() ||
                         std::ranges::any_of(kClosedDirectories, [&](std::string_view directory) {
                           return is_below(root.path, directory);
                         });
  if (is_system) return refuse("is a system directory; use a directory of your own");
  root.directory =
      FileDescriptor(::open(root.path.c_str(), O_PATH | O_CLOEXEC | (kind == Kind::root ? O_DIRECTORY : 0)));
  if (!root.directory.is_open()) return refuse(std::string("cannot be opened: ") + std::strerror(errno));
  return root;
}

Error error_of(int number, const Place& place) {
  const std::string shown = "'" + place.below + "'";
  switch (number) {
    case EXDEV: return {ErrorCode::forbidden, refused_by(place.root->rule, shown + " leads outside the root")};
    case ELOOP:
      return {ErrorCode::forbidden,
              refused_by(place.root->rule, shown + " contains a symbolic link that the runner does not follow")};
    case ENOENT: return {ErrorCode::not_found, shown + " does not exist in " + place.root->path};
    default: return {ErrorCode::invalid_argument, shown + ": " + std::strerror(number)};
  }
}

Result<FileDescriptor> open_beneath(const std::string& path, int flags, const Place& place) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags) | O_CLOEXEC | ((flags & O_PATH) != 0 ? 0 : O_NOCTTY);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  // EAGAIN: the kernel saw a rename while it resolved ".." and could not be sure; it asks for another try.
  for (int tries = 0; tries < 64; ++tries) {
    const long fd = ::syscall(SYS_openat2, place.root->directory.get(), path.c_str(), &how, sizeof how);
    if (fd >= 0) return FileDescriptor(static_cast<int>(fd));
    if (errno != EAGAIN && errno != EINTR) return std::unexpected(error_of(errno, place));
  }
  return std::unexpected(error_of(EXDEV, place));
}

/// Makes the directories of a path, one name after the other, each opened beneath the root.
Result<> make_directories(const Place& place, const std::string& path) {
  std::string so_far;
  for (const std::string_view name : split(path, '/')) {
    if (name.empty() || name == ".") continue;
    const std::string parent = so_far.empty() ? "." : so_far;
    so_far += (so_far.empty() ? "" : "/") + std::string(name);
    if (name == "..") continue;
    const auto present = open_beneath(so_far, O_PATH | O_DIRECTORY, place);
    if (present) continue;
    if (present.error().code != ErrorCode::not_found) return std::unexpected(present.error());
    TRY(const FileDescriptor in, open_beneath(parent, O_RDONLY | O_DIRECTORY, place));
    if (::mkdirat(in.get(), std::string(name).c_str(), 0777) != 0 && errno != EEXIST) {
      return std::unexpected(error_of(errno, place));
    }
  }
  return {};
}

/// Where the link `name` in `directory` points to; nothing if it is no link.
std::optional<std::string> read_link(int directory, const std::string& name) {
  std::string target(PATH_MAX, '\0');
  const ssize_t length = ::readlinkat(directory, name.c_str(), target.data(), target.size());
  if (length < 0) return std::nullopt;
  target.resize(static_cast<std::size_t>(length));
  return target;
}

}  // namespace

Result<Roots> Roots::open(const Policy& policy, const std::vector<std::string>& forbidden) {
  Roots roots;
  for (const RootRule& rule : policy.roots) {
    TRY(Root root, open_root(rule, Kind::root));
    roots.roots_.push_back(std::move(root));
  }
  for (const RootRule& rule : policy.read_only_paths) {
    TRY(Root shown, open_root(rule, Kind::shown));
    roots.shown_.push_back(std::move(shown));
  }
  for (const Root* inner : roots.visible()) {
    for (const std::string& path : forbidden) {
      if (path != inner->path && !is_reached_through(path, inner->path)) continue;
      return fail(ErrorCode::invalid_argument,
                  inner->rule + ": commands below " + inner->path + " could reach " + path + "; move it elsewhere");
    }
    for (const Root* outer : roots.visible()) {
      // Which of the two counts would depend on how a path is spelled.
      const bool disagree = is_below(inner->path, outer->path) && inner->writable != outer->writable;
      if (!disagree) continue;
      return fail(ErrorCode::invalid_argument,
                  inner->rule + ": " + inner->path + " is inside " + outer->path + " (" + outer->rule +
                      "), but only one of them is writable; make both writable or neither");
    }
  }
  return roots;
}

std::vector<const Root*> Roots::visible() const {
  std::vector<const Root*> all;
  for (const auto* list : {&roots_, &shown_}) {
    for (const Root& root : *list) all.push_back(&root);
  }
  std::ranges::sort(all, {}, [](const Root* root) { return root->path.size(); });
  return all;
}

Result<Place> Roots::locate(std::string_view path, std::string_view working_dir) const {
  const std::string shown = "'" + std::string(cut_utf8(path, 200)) + "'";
  if (path.find('\0') != std::string_view::npos)
    return fail(ErrorCode::forbidden, refused_by("roots", "a path must not contain a NUL byte"));
  if (path.empty()) return fail(ErrorCode::invalid_argument, "the path is empty");
  if (roots_.empty()) return fail(ErrorCode::forbidden, refused_by("roots", "the policy has no roots"));
  if (!path.starts_with('/')) {
    if (working_dir.empty()) return Place{&roots_.front(), std::string(path)};
    TRY(Place from, locate(working_dir, ""));
    from.below += '/' + std::string(path);
    return from;
  }
  const Root* best = nullptr;
  std::size_t best_length = 0;
  for (const Root& root : roots_) {
    for (const std::string& spelling : {root.path, root.given}) {
      if (!is_below(path, spelling) || spelling.size() <= best_length) continue;
      best = &root;
      best_length = spelling.size();
    }
  }
  if (best == nullptr) {
    std::string names;
    for (const Root& root : roots_) names += (names.empty() ? "" : ", ") + root.rule;
    return fail(ErrorCode::forbidden, refused_by(names, shown + " is outside all roots"));
  }
  std::string below(path.substr(best_length));
  while (below.starts_with('/')) below.erase(0, 1);
  return Place{best, below.empty() ? "." : below};
}

Result<FileDescriptor> Roots::open_at(const Place& place, int flags) { return open_beneath(place.below, flags, place); }

Result<Roots::Entry> Roots::open_parent(const Place& place) {
  std::string path = place.below;
  for (int links = 0; links < kLinksMax; ++links) {
    const std::size_t slash = path.rfind('/');
    const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    std::string name = path.substr(slash == std::string::npos ? 0 : slash + 1);
    if (name.empty() || name == "." || name == "..") {
      return fail(ErrorCode::invalid_argument, "'" + place.below + "' is not the path of a file");
    }
    CHECK_OK(make_directories(place, directory));
    TRY(FileDescriptor parent, open_beneath(directory, O_RDONLY | O_DIRECTORY, place));
    const auto target = read_link(parent.get(), name);
    if (!target) return Entry{std::move(parent), std::move(name)};
    if (target->starts_with('/')) return std::unexpected(error_of(EXDEV, place));
    path = directory + (directory.ends_with('/') ? "" : "/") + *target;
  }
  return std::unexpected(error_of(ELOOP, place));
}

}  // namespace syncline::runner
