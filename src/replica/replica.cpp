#include "replica/replica.hpp"

#include <algorithm>

#include "base/back_off.hpp"
#include "base/json_object.hpp"
#include "base/limits.hpp"
#include "base/log.hpp"
#include "base/mutex.hpp"
#include "base/stop.hpp"
#include "base/text.hpp"
#include "http/event_stream_reader.hpp"

namespace syncline::replica {
namespace {

/// The hub says something on a quiet link each 20 s.
constexpr std::int64_t kLinkSilenceMs = 70'000;
constexpr auto kLongWait = std::chrono::hours(1);

std::int64_t steady_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

Transfer operator-(const Transfer& a, const Transfer& b) {
  return {a.pulled_live - b.pulled_live, a.pulled_deleted - b.pulled_deleted, a.pushed_live - b.pushed_live,
          a.pushed_deleted - b.pushed_deleted, a.conflicts - b.conflicts};
}

void add(Transfer& to, const Transfer& from) {
  to.pulled_live += from.pulled_live;
  to.pulled_deleted += from.pulled_deleted;
  to.pushed_live += from.pushed_live;
  to.pushed_deleted += from.pushed_deleted;
  to.conflicts += from.conflicts;
}

}  // namespace

/// One space and who drives it at the moment.
struct Replica::Entry final : Watcher {
  Entry(Replica& of, const SpaceName& its_name)
      : owner(of), name(its_name), replica(of.spaces_, its_name, of.settings_.machine, of.settings_.limits) {}

  /// On the thread of the store: only notes it.
  void on_change(const SpaceName&, Seq head) override {
    local_head = head.value;
    owner.touch(*this);
  }

  [[nodiscard]] Result<> connect(const HubAddress& hub, bool anew) REQUIRES(mutex) {
    replica.machine().poll_each(hub.interval_ms);
    return replica.connect(*hub.dialect, anew, steady_ms());
  }

  Replica& owner;
  const SpaceName name;
  std::atomic<std::int64_t> local_head = 0;
  std::atomic<bool> is_due = true;
  std::atomic<std::int64_t> wake_ms = 0;

  Mutex mutex;  // taken before Replica::mutex_
  SpaceReplica replica GUARDED_BY(mutex);
};

std::int64_t SpaceStatus::to_pull() const {
  const bool knows_head = hub_head && hub_head->epoch == cursor.epoch;
  return knows_head ? std::max<std::int64_t>(0, hub_head->seq.value - cursor.seq.value) : 0;
}

Replica::Replica(Spaces& spaces, AccountNumber account, ReplicaSettings settings)
    : spaces_(spaces), account_(account), settings_(settings) {}

Replica::~Replica() { stop(); }

Result<> Replica::start(const std::vector<std::string>& spaces) {
  for (const std::string& space : spaces) CHECK_OK(add_space(space));
  for (std::size_t i = 0; i < settings_.threads; ++i) {
    threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
  }
  threads_.emplace_back([this](const std::stop_token& stop) { listen(stop); });
  return {};
}

void Replica::stop() {
  is_stopping_ = true;
  for (std::jthread& thread : threads_) thread.request_stop();
  {
    const MutexLock lock(mutex_);
    link_stop_.request_stop();
    signal();
  }
  threads_.clear();
  for (const auto& entry : entries()) spaces_.live().unwatch(entry->name, *entry);
  const MutexLock lock(mutex_);
  entries_.clear();
}

Result<> Replica::add_space(const std::string& space) {
  if (find(space)) return {};
  const SpaceName name{account_, space};
  auto entry = std::make_shared<Entry>(*this, name);
  {
    const MutexLock entry_lock(entry->mutex);
    CHECK_OK(entry->replica.load());
    entry->local_head = spaces_.head(name).value;
    const MutexLock lock(mutex_);
    if (entries_.contains(space)) return {};
    if (is_connected_) CHECK_OK(entry->connect(hub_, false));
    entries_.emplace(space, entry);
    link_stop_.request_stop();  // the link is opened anew, with this space
  }
  spaces_.live().watch(name, *entry);
  touch(*entry);
  return {};
}

void Replica::end_connection() {
  const MutexLock lock(mutex_);
  is_connected_ = false;
  ++connection_;
  link_stop_.request_stop();
  signal();
}

bool Replica::is_current(std::int64_t connection) const {
  const MutexLock lock(mutex_);
  return is_connected_ && connection == connection_;
}

Result<> Replica::connect(const HubAddress& hub, bool anew) {
  end_connection();
  for (const auto& entry : entries()) {
    const MutexLock lock(entry->mutex);
    CHECK_OK(entry->connect(hub, anew));
    touch(*entry);
  }
  const MutexLock lock(mutex_);
  hub_ = hub;
  is_connected_ = true;
  ++connection_;
  link_stop_.request_stop();
  signal();
  return {};
}

void Replica::disconnect() {
  end_connection();
  for (const auto& entry : entries()) {
    const MutexLock lock(entry->mutex);
    entry->replica.machine().disconnect(steady_ms());
  }
}

bool Replica::is_connected() const {
  const MutexLock lock(mutex_);
  return is_connected_;
}

bool Replica::is_refused() const {
  return std::ranges::any_of(entries(), [](const std::shared_ptr<Entry>& entry) {
    const MutexLock lock(entry->mutex);
    return entry->replica.machine().status(steady_ms()).state == SyncStatus::State::refused;
  });
}

HubAddress Replica::hub() const {
  const MutexLock lock(mutex_);
  return hub_;
}

std::vector<std::shared_ptr<Replica::Entry>> Replica::entries() const {
  const MutexLock lock(mutex_);
  std::vector<std::shared_ptr<Entry>> all;
  all.reserve(entries_.size());
  for (const auto& [name, entry] : entries_) all.push_back(entry);
  return all;
}

std::shared_ptr<Replica::Entry> Replica::find(const std::string& space) const {
  const MutexLock lock(mutex_);
  const auto found = entries_.find(space);
  return found == entries_.end() ? nullptr : found->second;
}

void Replica::signal() {
  ++signals_;
  changed_.notify_all();
}

void Replica::touch(Entry& entry) {
  entry.is_due = true;
  const MutexLock lock(mutex_);
  signal();
}

std::shared_ptr<Replica::Entry> Replica::take_due(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    std::int64_t wake_ms = steady_ms() + std::chrono::milliseconds(kLongWait).count();
    if (is_connected_) {
      for (const auto& [name, entry] : entries_) {
        if (taken_.contains(entry.get())) continue;
        if (entry->is_due.exchange(false) || entry->wake_ms <= steady_ms()) {
          taken_.insert(entry.get());
          return entry;
        }
        wake_ms = std::min(wake_ms, entry->wake_ms.load());
      }
    }
    const std::int64_t seen = signals_;
    const Deadline deadline{std::chrono::milliseconds(wake_ms)};
    while (signals_ == seen && changed_.wait_until(mutex_, stop, deadline)) {
    }
  }
  return nullptr;
}

void Replica::work(const std::stop_token& stop) {
  std::unique_ptr<http::Client> client;
  HubAddress hub;
  std::int64_t connection = -1;
  while (!stop.stop_requested()) {
    std::shared_ptr<Entry> entry;
    {
      const MutexLock lock(mutex_);
      entry = take_due(stop);
      if (!entry) return;
      if (connection != connection_) {
        hub = hub_;
        client = hub.clients();
        connection = connection_;
      }
    }
    run_steps(*entry, hub, *client, connection, stop);
    const MutexLock lock(mutex_);
    taken_.erase(entry.get());
    signal();
  }
}

void Replica::run_steps(Entry& entry, const HubAddress& hub, http::Client& client, std::int64_t connection,
                        const std::stop_token& stop) {
  for (;;) {
    std::optional<SpaceReplica::Request> request;
    {
      const MutexLock lock(entry.mutex);
      if (!is_current(connection)) return;
      // Added while the connection was being made.
      if (entry.replica.machine().is_off() && !entry.connect(hub, false)) return;
      entry.replica.note_local_head({entry.local_head.load()});
      request = entry.replica.next(steady_ms(), random_number());
      entry.wake_ms = entry.replica.machine().wake_at_ms().value_or(INT64_MAX);
    }
    if (!request) return;
    const auto response = client.send(request->http, stop);
    if (stop.stop_requested()) return;
    const MutexLock lock(entry.mutex);
    entry.replica.finish(request->ticket, response, steady_ms(), random_number());
    entry.wake_ms = entry.replica.machine().wake_at_ms().value_or(INT64_MAX);
  }
}

void Replica::set_link(bool is_up) {
  link_is_up_ = is_up;
  for (const auto& entry : entries()) {
    const MutexLock lock(entry->mutex);
    if (is_up) {
      entry->replica.machine().link_up(steady_ms());
    } else {
      entry->replica.machine().link_down();
    }
    touch(*entry);
  }
}

void Replica::find_spaces(http::Client& client, std::int64_t connection, const std::stop_token& stop) {
  const auto response = client.send({http::Method::get, "/v1/spaces", "", {}, 30'000}, stop);
  if (!response || response->status != 200) return;
  const auto answer = http::parse_object(response->body);
  const auto list = answer ? answer->find("spaces") : std::nullopt;
  if (!list || !list->is_array()) return;
  list->for_each_element([&](JsonView element) {
    const std::string name = element.text_of("name");
    if (!check_space_name(name) || !is_current(connection)) return;
    if (const auto added = add_space(name); !added) {
      log(LogLevel::warning, "space_not_added", {{"space", name}, {"error", added.error().text}});
    }
  });
}

void Replica::find_spaces(const std::stop_token& stop) {
  HubAddress hub;
  std::int64_t connection = 0;
  {
    const MutexLock lock(mutex_);
    if (!is_connected_ || !hub_.dialect->has_live_link()) return;
    hub = hub_;
    connection = connection_;
  }
  find_spaces(*hub.clients(), connection, stop);
}

void Replica::listen_once(http::Client& client, std::int64_t connection, const std::stop_token& stop, bool& was_up) {
  find_spaces(client, connection, stop);
  std::stop_source ends_link;
  std::string names;
  std::int64_t interval_ms = 0;
  {
    const MutexLock lock(mutex_);
    if (!is_connected_ || connection != connection_) return;
    interval_ms = hub_.interval_ms;
    link_stop_ = ends_link;  // after find_spaces: a space that is added from now on ends the link
    std::size_t count = 0;
    for (const auto& [name, entry] : entries_) {
      if (++count > limits::kWatchedSpacesMax) break;  // the others are polled
      if (!names.empty()) names += ',';
      names += percent_encode(name);
    }
  }
  if (names.empty()) return;
  const std::stop_callback forward(stop, [&ends_link] { ends_link.request_stop(); });
  const std::int64_t ends_ms = steady_ms() + interval_ms;
  http::EventStreamReader reader([this, connection](const std::string& event, const std::string& data) {
    if (event != "change" && event != "reset") return;
    const auto notice = parse_json_object(data, limits::kBodyDepthMax);
    const auto cursor = notice ? parse_cursor(notice->text_of("cursor")) : fail(ErrorCode::unavailable, "");
    const auto entry = notice ? find(notice->text_of("space")) : nullptr;
    if (!cursor || !entry || !is_current(connection)) return;
    const MutexLock lock(entry->mutex);
    entry->replica.machine().note_hub_head(*cursor);
    touch(*entry);
  });
  http::ClientRequest request{http::Method::get, "/v1/events?spaces=" + names, "", {}, kLinkSilenceMs};
  request.headers = {{"Accept", "text/event-stream"}};
  (void)client.stream(
      request,
      [&](std::string_view bytes) {
        if (!was_up && is_current(connection)) {
          was_up = true;
          set_link(true);
        }
        reader.add(bytes);
        // Now and then the link is opened anew, to hear of spaces that other devices have made.
        if (steady_ms() >= ends_ms) ends_link.request_stop();
      },
      ends_link.get_token());
}

void Replica::listen(const std::stop_token& stop) {
  BackOff back_off;
  std::unique_ptr<http::Client> client;
  std::int64_t connection = -1;
  while (!stop.stop_requested()) {
    {
      const MutexLock lock(mutex_);
      while ((!is_connected_ || !hub_.dialect->has_live_link()) && changed_.wait(mutex_, stop)) {
      }
      if (stop.stop_requested()) return;
      if (connection != connection_) {
        client = hub_.clients();
        connection = connection_;
        back_off.reset();
      }
    }
    bool was_up = false;
    listen_once(*client, connection, stop, was_up);
    if (was_up) {
      set_link(false);
      back_off.reset();
    }
    // Wait, unless it was ended to be opened anew.
    std::stop_token ended;
    {
      const MutexLock lock(mutex_);
      ended = link_stop_.get_token();
      if (ended.stop_requested()) link_stop_ = std::stop_source();
    }
    if (ended.stop_requested()) continue;
    std::stop_source sleep;
    const std::stop_callback wake_on_stop(stop, [&sleep] { sleep.request_stop(); });
    const std::stop_callback wake_on_change(ended, [&sleep] { sleep.request_stop(); });
    wait_unless_stopped(sleep.get_token(), std::chrono::milliseconds(back_off.next_ms()));
  }
}

CycleReport Replica::sync_now(const std::string& space, std::chrono::milliseconds wait_max) {
  const std::int64_t began_ms = steady_ms();
  struct Awaited {
    std::shared_ptr<Entry> entry;
    std::int64_t cycles;
    std::int64_t failures;
    Transfer before;
  };
  std::vector<Awaited> awaited;
  const Dialect& dialect = *hub().dialect;
  for (const auto& entry : entries()) {
    const std::string& name = entry->name.name;
    if ((!space.empty() && name != space) || !dialect.carries_space(name)) continue;
    const MutexLock lock(entry->mutex);
    Replicator& machine = entry->replica.machine();
    machine.sync_now(steady_ms());
    awaited.push_back({entry, machine.cycles_after_next(), machine.failures(), entry->replica.local().transfer()});
    touch(*entry);
  }
  CycleReport report;
  for (const Awaited& one : awaited) {
    const std::string& name = one.entry->name.name;
    const auto ends_at = std::chrono::steady_clock::now() + wait_max;
    for (;;) {
      MutexLock entry_lock(one.entry->mutex);
      const Replicator& machine = one.entry->replica.machine();
      const bool failed = machine.failures() > one.failures;
      const bool is_over = std::chrono::steady_clock::now() >= ends_at || is_stopping_ || machine.is_off();
      if (machine.cycles() >= one.cycles || failed || is_over) {
        if (failed) {
          const SyncStatus status = machine.status(steady_ms());
          report.errors.push_back(name + ": " + status.reason);
          report.is_key_refused = report.is_key_refused || status.state == SyncStatus::State::refused;
        }
        const bool is_late = !failed && machine.cycles() < one.cycles;
        if (is_late) report.errors.push_back(name + ": the hub has not answered in time");
        add(report.moved, one.entry->replica.local().transfer() - one.before);
        break;
      }
      entry_lock.unlock();
      const MutexLock lock(mutex_);
      changed_.wait_until(mutex_, Deadline::clock::now() + std::chrono::milliseconds(20));
    }
  }
  report.duration_ms = steady_ms() - began_ms;
  return report;
}

Timestamp Replica::wall_time(std::int64_t at_ms) const {
  return spaces_.clock().now().plus_micros((at_ms - steady_ms()) * 1000);
}

Result<std::vector<SpaceStatus>> Replica::status() {
  std::vector<SpaceStatus> all;
  const bool connected = is_connected();
  const Dialect& dialect = *hub().dialect;
  for (const auto& entry : entries()) {
    const MutexLock lock(entry->mutex);
    LocalSpace& local = entry->replica.local();
    const Replicator& machine = entry->replica.machine();
    SpaceStatus status;
    status.space = local.name().name;
    status.sync = machine.status(steady_ms());
    status.since = wall_time(status.sync.since_ms);
    if (status.sync.next_try_ms) status.next_try = wall_time(*status.sync.next_try_ms);
    // Before the first cycle since the start: when there was something to exchange.
    if (local.exchanged_at().micros > 0) status.synced_at = local.exchanged_at();
    if (status.sync.synced_ms) status.synced_at = wall_time(*status.sync.synced_ms);
    status.cursor = local.cursor();
    status.positions = local.positions();
    status.hub_head = machine.hub_head();
    TRY(status.pending, local.count_pending());
    status.dead_letters = local.dead_letters();
    status.transfer = local.transfer();
    if (status.dead_letters > 0 && status.sync.state == SyncStatus::State::in_sync) {
      status.sync.reason = "in sync but for " + std::to_string(status.dead_letters) + " changes that the hub refused";
    }
    if (connected && !dialect.carries_space(status.space)) {
      status.sync.reason = "stays on this device: the hub speaks " + std::string(dialect.name()) + " only";
    }
    all.push_back(std::move(status));
  }
  return all;
}

Result<> Replica::read_from_start(const std::string& space) {
  const auto entry = find(space);
  if (!entry) return {};
  const MutexLock lock(entry->mutex);
  // A hub that does not merge may have lost what it acknowledged, and cannot say so.
  const bool may_have_lost = !hub().dialect->hub_merges();
  CHECK_OK(may_have_lost ? entry->replica.local().begin_anew() : entry->replica.local().read_from_start());
  if (is_connected()) CHECK_OK(entry->connect(hub(), false));
  return {};
}

Result<> Replica::for_each_pending(std::string_view space, const std::function<void(const RecordView&)>& visit) {
  const auto entry = find(std::string(space));
  if (!entry) return {};
  const MutexLock lock(entry->mutex);
  return entry->replica.local().for_each_pending(visit);
}

Result<std::vector<RefusedChange>> Replica::refused(const std::string& space) {
  const auto entry = find(space);
  if (!entry) return std::vector<RefusedChange>{};
  const MutexLock lock(entry->mutex);
  return entry->replica.local().refused();
}

Result<std::int64_t> Replica::revive_dead_letters(const std::string& space) {
  const auto entry = find(space);
  if (!entry) return 0;
  const MutexLock lock(entry->mutex);
  TRY(const std::int64_t revived, entry->replica.local().revive_dead_letters());
  entry->replica.machine().sync_now(steady_ms());
  touch(*entry);
  return revived;
}

}  // namespace syncline::replica
