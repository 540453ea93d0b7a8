#include "node/shared_settings.hpp"

namespace syncline::node {

ProfileSettings SharedSettings::values() {
  const MutexLock lock(mutex_);
  file_.refresh();
  return file_.values();
}

std::string SharedSettings::error() {
  const MutexLock lock(mutex_);
  file_.refresh();
  return file_.error();
}

Result<ProfileSettings> SharedSettings::change(const Choose& choose) {
  const MutexLock lock(mutex_);
  file_.refresh();
  const auto changes = choose(file_.values());
  if (!changes.empty()) CHECK_OK(file_.set(changes));
  return file_.values();
}

}  // namespace syncline::node
