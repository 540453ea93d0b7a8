#include "app/hub.hpp"

#include <malloc.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iterator>

#include "api/operations/routes.hpp"
#include "app/admin.hpp"
#include "app/control.hpp"
#include "app/data_directory.hpp"
#include "app/process.hpp"
#include "app/webhook_settings.hpp"
#include "base/log.hpp"
#include "base/mutex.hpp"
#include "base/text.hpp"
#include "net/server.hpp"

namespace syncline::app {
namespace {

Result<net::ServerOptions> server_options(const Settings& settings) {
  net::ServerOptions options;
  const std::string& listen = settings.text("listen");
  const std::size_t colon = listen.rfind(':');
  const auto port = parse_integer(listen.substr(colon == std::string::npos ? 0 : colon + 1));
  if (colon == std::string::npos || !port || *port < 0 || *port > 65535) {
    return fail(ErrorCode::invalid_argument, "listen must be ADDRESS:PORT, like 127.0.0.1:8080, not '" + listen + "'");
  }
  options.host = listen.substr(0, colon);
  if (options.host.starts_with('[') && options.host.ends_with(']')) {
    options.host = options.host.substr(1, options.host.size() - 2);
  }
  options.port = static_cast<std::uint16_t>(*port);
  options.loops = static_cast<std::size_t>(std::max<std::int64_t>(1, settings.integer("threads.loops")));
  options.workers = static_cast<std::size_t>(std::max<std::int64_t>(1, settings.integer("threads.workers")));
  options.connections_max = static_cast<std::size_t>(settings.integer("connections.max"));
  const std::string& certificate = settings.text("tls.certificate");
  const std::string& key = settings.text("tls.key");
  if (certificate.empty() != key.empty()) {
    return fail(ErrorCode::invalid_argument, "TLS needs both tls.certificate and tls.key; set " +
                                                 std::string(key.empty() ? "tls.key" : "tls.certificate") + " too");
  }
  if (!certificate.empty()) options.tls = net::TlsFiles{certificate, key};
  return options;
}

/// Everything that runs in a hub, in the order in which it depends on each other.
class Hub {
 public:
  Hub(const Settings& settings, const DataDirectory& directory, std::unique_ptr<SqliteStore> store,
      net::ServerOptions options, std::vector<api::FaceModule> modules, webhooks::Sender::Options webhooks)
      : server_(std::move(options)),
        core_(std::move(store), {directory.search_path(), directory.webhooks_path()}, clock_, server_.scheduler(),
              {settings.integer("history.days"), settings.integer("tombstones.days")}, modules),
        metrics_(SYNCLINE_VERSION),
        sender_(*core_.store, core_.deliveries, core_.webhooks, clock_, std::move(webhooks)),
        router_(core_.access, clock_, {settings.integer("rate_limit"), settings.list("cors.origins")}),
        operations_(router_, core_.access, metrics_,
                    {SYNCLINE_VERSION, [this] { return not_ready(); }, [this] { return core_.store->status(); }}) {
    core_.access.enforce_plans(settings.boolean("plans.enforce"));
    core_.webhooks.on_wake([this] { sender_.wake(); });
    const api::FaceParts parts{core_.spaces,     core_.access,      core_.search,
                               core_.sessions,   core_.device_keys, core_.meter,
                               core_.webhooks,   core_.deliveries,  [this] { sender_.wake(); },
                               server_.workers()};
    for (api::FaceModule& module : modules) {
      std::unique_ptr<api::Face> face = module.make(parts);
      core_.housekeeping.each_hour([&face = *face] { report_purge(face.each_hour()); });
      faces_.push_back({std::move(module.prefixes), std::move(face)});
    }
    core_.housekeeping.each_hour([this] { report_purge(core_.sessions.purge()); });
    core_.housekeeping.each_hour([this] { purge_deliveries(); });
  }

  Result<> start(const DataDirectory& directory) {
    CHECK_OK(core_.load());
    for (const Served& served : faces_) CHECK_OK(served.face->start());
    router_.add(operations_.make_routes());
    for (const Served& served : faces_) router_.add(served.face->make_routes(), served.prefixes);
    router_.observe(metrics_);
    router_.meter(core_.meter);
    TRY(control_, ControlServer::start(directory.control_path(),
                                       [this](const JsonObject& request) { return run_admin(core_, request); }));
    CHECK_OK(server_.start(router_));
    core_.housekeeping.start();
    core_.search.start();
    sender_.start();
    each_second_from_now();
    return {};
  }

  [[nodiscard]] std::string url() const { return server_.url(); }

  void reload() {
    const auto reloaded = server_.reload_certificates();
    log(reloaded ? LogLevel::info : LogLevel::error, "reload", {{"outcome", reloaded ? "ok" : reloaded.error().text}});
  }

  void stop() {
    stopping_ = true;
    control_.reset();
    core_.live.end_waits();
    for (const Served& served : faces_) served.face->stop();
    server_.drain();  // ends the workers, so nobody sets the timer any more
    stop_timer();
    sender_.stop();
    core_.search.stop();
    core_.housekeeping.stop();
    core_.store->close();
  }

 private:
  std::optional<std::string> not_ready() const {
    if (stopping_) return "the hub is stopping";
    const StoreStatus status = core_.store->status();
    if (!status.failing.empty()) return status.failing;
    return std::nullopt;
  }

  void purge_deliveries() {
    const auto ago = [&](std::int64_t seconds) { return clock_.now().plus_micros(-seconds * kMicrosPerSecond); };
    report_purge(core_.deliveries.purge(ago(limits::kDeliveryLogDays * 86'400)));
    std::vector<std::string> known;
    for (const auto& webhook : core_.webhooks.list(std::nullopt)) known.push_back(webhook.id);
    report_purge(core_.deliveries.remove_all_except(known, ago(3600)));
  }

  static void report_purge(const Result<>& purged) {
    if (!purged) log(LogLevel::warning, "purge_failed", {{"error", purged.error().text}});
  }

  /// The timer may be over, and a worker set the next one, before this has set it.
  void each_second_from_now() {
    const MutexLock lock(timer_mutex_);
    timer_ = server_.scheduler().after_ms(1000, [this] {
      server_.workers().post([this] {
        for (const Served& served : faces_) served.face->each_second();
        if (!stopping_) each_second_from_now();
      });
    });
  }

  void stop_timer() {
    const MutexLock lock(timer_mutex_);
    timer_.reset();
  }

  /// A face at work, and where else its routes are served.
  struct Served {
    std::vector<std::string_view> prefixes;
    std::unique_ptr<api::Face> face;
  };

  SystemClock clock_;
  net::Server server_;
  CoreServices core_;
  operations::Metrics metrics_;
  webhooks::Sender sender_;
  std::vector<Served> faces_;  // complete before the hub starts
  api::Router router_;
  operations::Face operations_;
  std::unique_ptr<ControlServer> control_;
  std::atomic<bool> stopping_ = false;
  Mutex timer_mutex_;
  std::unique_ptr<Timer> timer_ GUARDED_BY(timer_mutex_);
};

}  // namespace

Result<> run_hub(const Settings& settings, const std::string& data, std::vector<api::FaceModule> more) {
  TRY(const LogLevel level, parse_log_level(settings.text("log.level")));
  TRY(net::ServerOptions options, server_options(settings));
  TRY(std::vector<api::FaceModule> faces, make_faces(settings));
  std::ranges::move(more, std::back_inserter(faces));
  TRY(webhooks::Sender::Options webhooks, read_webhook_settings(settings));
  const sigset_t signals = block_signals();
  raise_descriptor_limit();
  set_log_level(level);

  TRY(const DataDirectory directory, DataDirectory::own(data, DataDirectory::Missing::create));
  static const SystemClock kClock;
  TRY(auto store, SqliteStore::open(directory.store_path(), kClock,
                                    {.on_broken = stop_broken, .file_bytes_max = settings.integer("store.bytes_max")}));
  Hub hub(settings, directory, std::move(store), std::move(options), std::move(faces), std::move(webhooks));
  CHECK_OK(hub.start(directory));
  std::printf("syncline hub ready at %s\n", hub.url().c_str());
  std::fflush(stdout);
  log(LogLevel::info, "started", {{"url", hub.url()}, {"data", data}, {"version", SYNCLINE_VERSION}});
  flush_log();
  notify_systemd("READY=1\nSTATUS=serving at " + hub.url());

  for (;;) {
    int number = 0;
    if (sigwait(&signals, &number) != 0) continue;
    if (number == SIGHUP) {
      hub.reload();
      flush_log();
      continue;
    }
    break;
  }
  notify_systemd("STOPPING=1");
  log(LogLevel::info, "stopping");
  hub.stop();
  log(LogLevel::info, "stopped");
  flush_log();
  return {};
}

}  // namespace syncline::app
