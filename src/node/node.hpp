// The profiles of a node. Each is a directory of its own, all of them are kept in step at the same time; one of them is
// the active one, which programs mean that name none. Safe from any thread.
//
//   <data>/profiles/<name>/   see Profile
//   <data>/active             name of the active profile
#pragma once

#include <map>

#include "base/mutex.hpp"
#include "node/profile.hpp"

namespace syncline::node {

inline constexpr std::string_view kFirstProfile = "default";

class Node {
 public:
  Node(std::string directory, ProfileParts parts) : directory_(std::move(directory)), parts_(std::move(parts)) {}
  ~Node() { stop(); }

  /// Opens all profiles; makes the first one if there is none.
  [[nodiscard]] Result<> start();
  void stop();

  /// Of the active profile if `name` is empty. not_found if there is no such profile.
  [[nodiscard]] Result<std::shared_ptr<Profile>> find(const std::string& name);
  [[nodiscard]] std::vector<std::shared_ptr<Profile>> list();
  [[nodiscard]] std::string active();

  /// 1 to 64 letters, digits, '-' or '_'. conflict if there is one of that name.
  [[nodiscard]] Result<> add(const std::string& name);
  [[nodiscard]] Result<> use(const std::string& name);
  /// Moves the profile's directory to <data>/removed: nothing is deleted. conflict for the active one.
  [[nodiscard]] Result<std::string> remove(const std::string& name);

 private:
  [[nodiscard]] std::string profiles_path() const { return directory_ + "/profiles"; }
  [[nodiscard]] Result<> open(const std::string& name);

  const std::string directory_;
  const ProfileParts parts_;
  Mutex mutex_;
  std::map<std::string, std::shared_ptr<Profile>> profiles_ GUARDED_BY(mutex_);
  std::string active_ GUARDED_BY(mutex_);
};

}  // namespace syncline::node
