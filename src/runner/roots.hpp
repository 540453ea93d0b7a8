// The directories that commands may reach. Paths are never checked and then used: each is opened by the kernel in one
// step that cannot leave its root (openat2 with RESOLVE_BENEATH and RESOLVE_NO_MAGICLINKS), so no rename and no
// symbolic link made meanwhile leads outside.
#pragma once

#include "base/file_descriptor.hpp"
#include "runner/policy.hpp"

namespace syncline::runner {

struct Root {
  std::string path;   // canonical
  std::string given;  // as the policy spells it
  bool writable = false;
  std::string rule;
  FileDescriptor directory;
};

/// A path as an order gives it: a root and what follows.
struct Place {
  const Root* root = nullptr;
  std::string below;  // relative to the root, never empty
  [[nodiscard]] std::string absolute() const { return below == "." ? root->path : root->path + '/' + below; }
};

class Roots {
 public:
  /// Opens the roots of a policy and the paths that it shows. Fails if one does not exist, is "/" or belongs to the
  /// system, if one lies within another and may be written otherwise, or if `forbidden` (paths that commands must never
  /// reach, like the runner's own data) lies below one.
  [[nodiscard]] static Result<Roots> open(const Policy& policy, const std::vector<std::string>& forbidden);

  [[nodiscard]] const std::vector<Root>& list() const { return roots_; }
  /// Roots and shown paths, outer ones first.
  [[nodiscard]] std::vector<const Root*> visible() const;

  /// Which root a path belongs to, by its spelling alone. A relative path is meant from `working_dir`, or from the
  /// first root if that is empty. `forbidden` naming the rule if there is none.
  [[nodiscard]] Result<Place> locate(std::string_view path, std::string_view working_dir) const;

  /// Opens below the root with O_CLOEXEC and O_NOCTTY. not_found, `forbidden` if the path leaves the root.
  [[nodiscard]] static Result<FileDescriptor> open_at(const Place& place, int flags);
  /// The directory of a place and the last name in it, following a symbolic link at the end as long as it stays below
  /// the root. Missing directories are made. invalid_argument if the place has no name, like "a/..".
  struct Entry {
    FileDescriptor directory;
    std::string name;
  };
  [[nodiscard]] static Result<Entry> open_parent(const Place& place);

 private:
  std::vector<Root> roots_;
  std::vector<Root> shown_;
};

}  // namespace syncline::runner
