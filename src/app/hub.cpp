#include "app/hub.hpp"

#include <malloc.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>

#include "api/accounts/routes.hpp"
#include "api/ai/gateway.hpp"
#include "api/kaisho/routes.hpp"
#include "api/kernle/routes.hpp"
#include "api/kiro/routes.hpp"
#include "api/native/routes.hpp"
#include "api/operations/routes.hpp"
#include "api/webhooks/routes.hpp"
#include "app/admin.hpp"
#include "app/ai_upstream.hpp"
#include "app/control.hpp"
#include "app/data_directory.hpp"
#include "app/process.hpp"
#include "app/webhook_settings.hpp"
#include "base/log.hpp"
#include "base/mutex.hpp"
#include "base/text.hpp"
#include "net/server.hpp"
#include "net/workers.hpp"

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
      net::ServerOptions options, AiSettings ai, webhooks::Sender::Options webhooks)
      : settings_(settings),
        server_(std::move(options)),
        core_(std::move(store), {directory.search_path(), directory.webhooks_path()}, clock_, server_.scheduler(),
              {settings.integer("history.days"), settings.integer("tombstones.days")}),
        metrics_(SYNCLINE_VERSION),
        kiro_(core_.spaces, core_.access, server_.workers(),
              {settings.integer("commands.claim_lease_seconds") * 1000,
               settings.integer("commands.patch_lease_seconds") * 1000}),
        kaisho_(core_.spaces, core_.access),
        kernle_(core_.spaces, core_.search, server_.workers()),
        ai_threads_(ai.upstream ? ai.upstream->requests_at_once_max : 0),
        ai_(core_.spaces, core_.access, ai_threads_, std::move(ai.upstream), std::move(ai.caps)),
        sender_(*core_.store, core_.deliveries, core_.webhooks, clock_, std::move(webhooks)),
        router_(core_.access, clock_, {settings.integer("rate_limit"), settings.list("cors.origins")}) {
    core_.access.enforce_plans(settings.boolean("plans.enforce"));
    core_.webhooks.on_wake([this] { sender_.wake(); });
    core_.housekeeping.each_hour([this] { purge_commands(); });
    core_.housekeeping.each_hour([this] { report_purge(core_.sessions.purge()); });
    core_.housekeeping.each_hour([this] { purge_deliveries(); });
  }

  Result<> start(const DataDirectory& directory) {
    CHECK_OK(core_.load());
    CHECK_OK(kiro_.commands().adopt_running());
    router_.add(operations::make_routes(
        router_, core_.access, metrics_,
        {SYNCLINE_VERSION, [this] { return not_ready(); }, [this] { return core_.store->status(); }}));
    router_.add(native::make_routes(core_.spaces, core_.access));
    router_.add(kiro_.make_routes());
    router_.add_under("/kiro", kiro_.make_routes());
    router_.add(kernle_.make_routes());  // before Kaisho's: see Route::only_with_query
    router_.add_under("/kernle", kernle_.make_routes());
    router_.add(kaisho_.make_routes());
    router_.add_under("/kaisho", kaisho_.make_routes());
    const auto webhook_routes =
        webhooks::make_routes({core_.webhooks, core_.deliveries, core_.spaces, [this] { sender_.wake(); }});
    router_.add(webhook_routes);
    router_.add_under("/kernle", webhook_routes);
    router_.add(ai_.make_routes());
    router_.add_under("/kaisho", ai_.make_routes());
    TRY(const Plan signup_plan, parse_plan(settings_.text("accounts.signup_plan")));
    const auto account_routes =
        accounts::make_routes(core_.sessions, {core_.device_keys, core_.access, core_.spaces, core_.meter},
                              {.open = settings_.boolean("accounts.signup"), .plan = signup_plan});
    router_.add(account_routes);
    router_.add_under("/kaisho", account_routes);
    router_.add_under("/kernle", account_routes);
    router_.observe(metrics_);
    router_.meter(core_.meter);
    TRY(control_, ControlServer::start(directory.control_path(),
                                       [this](const JsonObject& request) { return run_admin(core_, request); }));
    CHECK_OK(server_.start(router_));
    core_.housekeeping.start();
    core_.search.start();
    sender_.start();
    expire_leases_later();
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
    ai_.stop();
    ai_threads_.stop();
    server_.drain();  // ends the workers, so nobody sets the timer any more
    stop_lease_timer();
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
    report_purge(core_.deliveries.keep_only(known, ago(3600)));
  }

  void purge_commands() { report_purge(kiro_.commands().purge(settings_.integer("commands.keep_days"))); }

  static void report_purge(const Result<>& purged) {
    if (!purged) log(LogLevel::warning, "purge_failed", {{"error", purged.error().text}});
  }

  /// The timer may be over, and a worker set the next one, before this has set it.
  void expire_leases_later() {
    const MutexLock lock(lease_timer_mutex_);
    lease_timer_ = server_.scheduler().after_ms(1000, [this] {
      server_.workers().post([this] {
        kiro_.commands().expire_leases();
        if (!stopping_) expire_leases_later();
      });
    });
  }

  void stop_lease_timer() {
    const MutexLock lock(lease_timer_mutex_);
    lease_timer_.reset();
  }

  const Settings& settings_;
  SystemClock clock_;
  net::Server server_;
  CoreServices core_;
  operations::Metrics metrics_;
  kiro::Face kiro_;
  kaisho::Face kaisho_;
  kernle::Face kernle_;
  net::Workers ai_threads_;
  ai::Gateway ai_;
  webhooks::Sender sender_;
  api::Router router_;
  std::unique_ptr<ControlServer> control_;
  std::atomic<bool> stopping_ = false;
  Mutex lease_timer_mutex_;
  std::unique_ptr<Timer> lease_timer_ GUARDED_BY(lease_timer_mutex_);
};

}  // namespace

Result<> run_hub(const Settings& settings, const std::string& data) {
  TRY(const LogLevel level, parse_log_level(settings.text("log.level")));
  TRY(net::ServerOptions options, server_options(settings));
  TRY(AiSettings ai, read_ai_settings(settings));
  TRY(webhooks::Sender::Options webhooks, read_webhook_settings(settings));
  const sigset_t signals = block_signals();
  raise_descriptor_limit();
  set_log_level(level);

  TRY(const DataDirectory directory, DataDirectory::own(data, DataDirectory::Missing::create));
  static const SystemClock kClock;
  TRY(auto store, SqliteStore::open(directory.store_path(), kClock,
                                    {.on_broken = stop_broken, .file_bytes_max = settings.integer("store.bytes_max")}));
  Hub hub(settings, directory, std::move(store), std::move(options), std::move(ai), std::move(webhooks));
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
