#include "node/node.hpp"

#include <algorithm>
#include <filesystem>

#include "base/text.hpp"

namespace syncline::node {
namespace {

namespace fs = std::filesystem;

Result<> check_name(const std::string& name) {
  const bool is_plain = std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
  if (is_plain && !name.empty() && name.size() <= 64) return {};
  return fail(ErrorCode::invalid_argument, "a profile name must have 1 to 64 letters, digits, '-' or '_'");
}

std::unexpected<Error> unknown(const std::string& name) {
  return fail(ErrorCode::not_found, "profile '" + name + "' not found");
}

}  // namespace

Result<> Node::open(const std::string& name) {
  TRY(auto profile, Profile::open(name, profiles_path() + '/' + name, parts_));
  const MutexLock lock(mutex_);
  profiles_[name] = std::move(profile);
  return {};
}

Result<> Node::start() {
  std::error_code error;
  fs::create_directories(profiles_path(), error);
  if (error) return fail(ErrorCode::unavailable, "cannot create " + profiles_path() + ": " + error.message());
  std::vector<std::string> names;
  for (fs::directory_iterator at(profiles_path(), error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (at->is_directory() && check_name(name)) names.push_back(name);
  }
  if (error) return fail(ErrorCode::unavailable, "cannot read " + profiles_path() + ": " + error.message());
  if (names.empty()) names.emplace_back(kFirstProfile);
  for (const std::string& name : names) CHECK_OK(open(name));
  TRY(const std::string active, read_file(directory_ + "/active"));
  const MutexLock lock(mutex_);
  active_ = trim(active);
  if (!profiles_.contains(active_)) {
    active_ = profiles_.contains(std::string(kFirstProfile)) ? kFirstProfile : profiles_.begin()->first;
  }
  return {};
}

void Node::stop() {
  for (const auto& profile : list()) profile->stop();
  const MutexLock lock(mutex_);
  profiles_.clear();
}

Result<std::shared_ptr<Profile>> Node::find(const std::string& name) {
  const MutexLock lock(mutex_);
  const auto found = profiles_.find(name.empty() ? active_ : name);
  if (found == profiles_.end()) return unknown(name);
  return found->second;
}

std::vector<std::shared_ptr<Profile>> Node::list() {
  const MutexLock lock(mutex_);
  std::vector<std::shared_ptr<Profile>> all;
  all.reserve(profiles_.size());
  for (const auto& [name, profile] : profiles_) all.push_back(profile);
  return all;
}

std::string Node::active() {
  const MutexLock lock(mutex_);
  return active_;
}

Result<> Node::add(const std::string& name) {
  CHECK_OK(check_name(name));
  if (find(name)) return fail(ErrorCode::conflict, "profile '" + name + "' already exists");
  return open(name);
}

Result<> Node::use(const std::string& name) {
  if (name.empty() || !find(name)) return unknown(name);
  CHECK_OK(replace_file(directory_ + "/active", name + '\n'));
  const MutexLock lock(mutex_);
  active_ = name;
  return {};
}

Result<std::string> Node::remove(const std::string& name) {
  std::shared_ptr<Profile> profile;
  {
    const MutexLock lock(mutex_);
    const auto found = profiles_.find(name);
    if (found == profiles_.end()) return unknown(name);
    if (name == active_) {
      return fail(ErrorCode::conflict, "'" + name + "' is the active profile; switch to another one first");
    }
    profile = std::move(found->second);
    profiles_.erase(found);
  }
  profile->stop();
  const std::string stamp = std::to_string(parts_.clock.now().millis());
  std::string kept = directory_ + "/removed/" + name + '.' + stamp;
  std::error_code error;
  fs::create_directories(directory_ + "/removed", error);
  if (!error) fs::rename(profiles_path() + '/' + name, kept, error);
  if (error) return fail(ErrorCode::unavailable, "cannot move the profile to removed/: " + error.message());
  return kept;
}

}  // namespace syncline::node
