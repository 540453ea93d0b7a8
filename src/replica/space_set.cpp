#include "replica/space_set.hpp"

#include <algorithm>

#include "base/limits.hpp"

namespace syncline::replica {
namespace {

constexpr auto kLongWait = std::chrono::hours(1);

}  // namespace

std::int64_t steady_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

void KeptSpace::on_change(const SpaceName&, Seq head) {
  local_head = head.value;
  owner.touch(*this);
}

Result<> KeptSpace::connect(const HubAddress& hub, bool anew) {
  replica.machine().poll_each(hub.interval_ms);
  return replica.connect(*hub.dialect, anew, steady_ms());
}

Result<> SpaceSet::add(const std::string& space) {
  if (find(space)) return {};
  const SpaceName name{account_, space};
  auto kept = std::make_shared<KeptSpace>(*this, spaces_, name, settings_);
  {
    const MutexLock space_lock(kept->mutex);
    CHECK_OK(kept->replica.load());
    kept->local_head = spaces_.head(name).value;
    const MutexLock lock(mutex_);
    if (kept_.contains(space)) return {};
    if (is_connected_) CHECK_OK(kept->connect(hub_, false));
    kept_.emplace(space, kept);
    link_stop_.request_stop();  // the link is opened anew, with this space
  }
  spaces_.live().watch(name, *kept);
  touch(*kept);
  return {};
}

std::vector<KeptSpacePtr> SpaceSet::all() const {
  const MutexLock lock(mutex_);
  std::vector<KeptSpacePtr> all;
  all.reserve(kept_.size());
  for (const auto& [name, kept] : kept_) all.push_back(kept);
  return all;
}

std::size_t SpaceSet::count() const {
  const MutexLock lock(mutex_);
  return kept_.size();
}

KeptSpacePtr SpaceSet::find(const std::string& space) const {
  const MutexLock lock(mutex_);
  const auto found = kept_.find(space);
  return found == kept_.end() ? nullptr : found->second;
}

void SpaceSet::wake_all() {
  const MutexLock lock(mutex_);
  link_stop_.request_stop();
  signal();
}

void SpaceSet::clear() {
  for (const auto& kept : all()) spaces_.live().unwatch(kept->name, *kept);
  const MutexLock lock(mutex_);
  kept_.clear();
}

void SpaceSet::end_connection() {
  const MutexLock lock(mutex_);
  is_connected_ = false;
  ++connection_;
  link_stop_.request_stop();
  signal();
}

Result<> SpaceSet::connect(const HubAddress& hub, bool anew) {
  end_connection();
  for (const auto& kept : all()) {
    const MutexLock lock(kept->mutex);
    CHECK_OK(kept->connect(hub, anew));
    touch(*kept);
  }
  const MutexLock lock(mutex_);
  hub_ = hub;
  is_connected_ = true;
  ++connection_;
  link_stop_.request_stop();
  signal();
  return {};
}

void SpaceSet::disconnect() {
  end_connection();
  for (const auto& kept : all()) {
    const MutexLock lock(kept->mutex);
    kept->replica.machine().disconnect(steady_ms());
  }
}

bool SpaceSet::is_connected() const {
  const MutexLock lock(mutex_);
  return is_connected_;
}

HubAddress SpaceSet::hub() const {
  const MutexLock lock(mutex_);
  return hub_;
}

std::optional<HubConnection> SpaceSet::connection() const {
  const MutexLock lock(mutex_);
  if (!is_connected_) return std::nullopt;
  return HubConnection{hub_, connection_};
}

bool SpaceSet::is_current(std::int64_t connection) const {
  const MutexLock lock(mutex_);
  return is_connected_ && connection == connection_;
}

void SpaceSet::signal() {
  ++signals_;
  changed_.notify_all();
}

void SpaceSet::touch(KeptSpace& space) {
  space.is_due = true;
  const MutexLock lock(mutex_);
  signal();
}

KeptSpacePtr SpaceSet::find_due(std::int64_t& wake_ms) {
  wake_ms = steady_ms() + std::chrono::milliseconds(kLongWait).count();
  if (!is_connected_) return nullptr;
  for (const auto& [name, kept] : kept_) {
    if (taken_.contains(kept.get())) continue;
    if (kept->is_due.exchange(false) || kept->wake_ms <= steady_ms()) return kept;
    wake_ms = std::min(wake_ms, kept->wake_ms.load());
  }
  return nullptr;
}

KeptSpacePtr SpaceSet::take_due(HubConnection& connection, const std::stop_token& stop) {
  const MutexLock lock(mutex_);
  while (!stop.stop_requested()) {
    std::int64_t wake_ms = 0;
    if (auto due = find_due(wake_ms)) {
      taken_.insert(due.get());
      if (connection.number != connection_) connection = {hub_, connection_};
      return due;
    }
    const std::int64_t seen = signals_;
    const Deadline deadline{std::chrono::milliseconds(wake_ms)};
    while (signals_ == seen && changed_.wait_until(mutex_, stop, deadline)) {
    }
  }
  return nullptr;
}

void SpaceSet::release(const KeptSpace& space) {
  const MutexLock lock(mutex_);
  taken_.erase(&space);
  signal();
}

void SpaceSet::wait_for_sign(Deadline deadline) {
  const MutexLock lock(mutex_);
  changed_.wait_until(mutex_, deadline);
}

bool SpaceSet::wait_for_link_hub(HubConnection& connection, const std::stop_token& stop) {
  const MutexLock lock(mutex_);
  while ((!is_connected_ || !hub_.dialect->has_live_link()) && changed_.wait(mutex_, stop)) {
  }
  if (stop.stop_requested()) return false;
  if (connection.number != connection_) connection = {hub_, connection_};
  return true;
}

std::optional<std::vector<std::string>> SpaceSet::open_link(std::int64_t connection,
                                                            const std::stop_source& ends_link) {
  const MutexLock lock(mutex_);
  if (!is_connected_ || connection != connection_) return std::nullopt;
  link_stop_ = ends_link;
  std::vector<std::string> names;
  for (const auto& [name, kept] : kept_) {
    if (names.size() >= limits::kWatchedSpacesMax) break;  // the others are polled
    names.push_back(name);
  }
  return names;
}

std::stop_token SpaceSet::take_link_end() {
  const MutexLock lock(mutex_);
  std::stop_token ended = link_stop_.get_token();
  if (ended.stop_requested()) link_stop_ = std::stop_source();
  return ended;
}

}  // namespace syncline::replica
