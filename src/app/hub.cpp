#include "app/hub.hpp"

#include <malloc.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iterator>

#include "api/operations/routes.hpp"
#include "app/admin.hpp"
#include "app/backup_settings.hpp"
#include "app/console.hpp"
#include "app/control.hpp"
#include "app/data_directory.hpp"
#include "app/plan_settings.hpp"
#include "app/process.hpp"
#include "app/public_url.hpp"
#include "app/running_hub.hpp"
#include "app/server_options.hpp"
#include "app/webhook_settings.hpp"
#include "base/limits.hpp"
#include "base/log.hpp"
#include "base/mutex.hpp"
#include "base/text.hpp"
#include "net/server.hpp"
#include "net/workers.hpp"
#include "service/hub_id.hpp"
#include "store/sqlite/store_file.hpp"

namespace syncline::app {
namespace {

/// Whoever hashes a password waits for some tens of milliseconds anyway; a push does not.
constexpr int kPasswordNiceness = 10;
/// Memory of this size comes from the system and goes back to it at once: bodies that hold much. Larger than the chunks
/// of a stream, which would come and go for each.
constexpr int kMappedBytesMin = 512 << 10;
/// return_memory() trims the heap when it is worth it; in between it keeps what it has.
constexpr int kTrimBytes = 64 << 20;

/// For whoever runs the hub to read: not for the log.
void show_code(const FirstRun::Code& code) {
  std::printf(
      "This hub has no admin yet. To make the first account, open %s on this machine or by https; the code is %s and "
      "works "
      "until %s.\n",
      code.link.c_str(), code.text.c_str(), format_time(code.expires_at).c_str());
  std::fflush(stdout);
}

/// Under which a browser on this machine reaches what listens there. An address for all interfaces is none of a page.
std::string local_url(std::string url) {
  for (const std::string_view all : {"//0.0.0.0:", "//[::]:"}) {
    if (const std::size_t at = url.find(all); at != std::string::npos) url.replace(at, all.size(), "//localhost:");
  }
  return url;
}

/// Everything that runs in a hub, in the order in which it depends on each other.
class Hub {
 public:
  Hub(const Settings& settings, const DataDirectory& directory, TrustedClock& clock, std::unique_ptr<SqliteStore> store,
      net::ServerOptions options, std::optional<net::ServerOptions> metrics, const Quotas::ByPlan& quotas,
      std::vector<api::FaceModule> modules, webhooks::Sender::Options webhooks, const api::CookieGate::Options& cookies,
      PublicUrl::Keep keep_url)
      : clock_(clock),
        page_prefix_(page_prefix(settings)),
        cookies_(cookies),
        public_url_(cookies.public_origin, std::move(keep_url)),
        server_(std::move(options)),
        password_threads_(static_cast<std::size_t>(std::max<std::int64_t>(1, settings.integer("threads.passwords"))),
                          kPasswordNiceness),
        core_(std::move(store), {directory.search_path(), directory.old_deliveries_path()}, clock_, server_.scheduler(),
              {.history = settings.integer("history.days"),
               .tombstones = settings.integer("tombstones.days"),
               .audit = settings.integer("audit.days")},
              quotas, modules),
        metrics_(SYNCLINE_VERSION),
        sender_(*core_.store, core_.deliveries, core_.webhooks, clock_, std::move(webhooks)),
        router_(core_.access, clock_,
                {.requests_per_minute = settings.integer("rate_limit"),
                 .cors_origins = settings.list("cors.origins"),
                 .everybody = nullptr,
                 .cookies = &cookies_}),
        operations_(router_, metrics_,
                    {.version = SYNCLINE_VERSION,
                     .not_ready = [this] { return not_ready(); },
                     .store_status = [this] { return core_.store_status(); },
                     .in_doubt = [this] { return clock_.status().advice(); },
                     .quotas = &core_.quotas,
                     .backups = &core_.backups}),
        metrics_router_(core_.access, clock_, {}),
        settings_(settings),
        public_url_at_start_(cookies.public_origin) {
    if (metrics) metrics_server_.emplace(*std::move(metrics));
    core_.public_url = [this] { return public_url_.get(); };
    public_url_.on_change([this](const std::string& url) { cookies_.use_public_origin(url); });
    core_.access.enforce_plans(settings.boolean("plans.enforce"));
    core_.backups.expect(read_backup_terms(settings));
    if (auto guard = webhooks::AddressGuard::make(settings.list("webhooks.allow"))) {
      core_.webhooks.guard_addresses(*std::move(guard));
    }
    core_.webhooks.on_wake([this] { sender_.wake(); });
    const api::FaceParts parts{.spaces = core_.spaces,
                               .directory = core_.store->directory(),
                               .access = core_.access,
                               .search = core_.search,
                               .sessions = core_.sessions,
                               .browser_sessions = core_.browser_sessions,
                               .first_run = core_.first_run,
                               .pairings = core_.pairings,
                               .passkeys = core_.passkeys,
                               .identities = core_.identities,
                               .device_keys = core_.device_keys,
                               .own_keys = core_.own_keys,
                               .shares = core_.shares,
                               .meter = core_.meter,
                               .subscriptions = core_.webhooks,
                               .deliveries = core_.deliveries,
                               .wake_sender = [this] { sender_.wake(); },
                               .workers = server_.workers(),
                               .passwords = passwords_,
                               .cookies = cookies_,
                               .public_url = public_url_};
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
    core_.keep_clock();
    for (const Served& served : faces_) CHECK_OK(served.face->start());
    router_.add(operations_.make_routes());
    for (const Served& served : faces_) router_.add(served.face->make_routes(), served.prefixes);
    router_.observe(metrics_);
    router_.meter(core_.meter);
    router_.limit(core_.quotas);
    TRY(control_, ControlServer::start(directory.control_path(), [this](const JsonObject& request) {
          if (request.text_of("command") == kSettingsCommand) return Result<std::string>(settings_now().to_json());
          return run_admin(core_, request);
        }));
    if (metrics_server_) {
      metrics_router_.add(operations_.make_metrics_routes());
      CHECK_OK(metrics_server_->start(metrics_router_));
      log(LogLevel::info, "metrics_started", {{"url", metrics_server_->url()}});
    }
    CHECK_OK(server_.start(router_));
    const std::string url = public_url_.get();
    core_.first_run.serve((url.empty() ? local_url(server_.url()) : url) + page_prefix_, show_code);
    core_.housekeeping.start();
    core_.search.start();
    sender_.start();
    each_second_from_now();
    return {};
  }

  [[nodiscard]] std::string url() const { return server_.url(); }

  /// Shows the code for the first account, if there is none yet. `new_data`: where a store was made; empty if it was
  /// there.
  void announce_first_run(const std::string& new_data) {
    const auto needed = core_.first_run.is_needed();
    if (!needed) log(LogLevel::warning, "accounts_not_read", {{"error", needed.error().text}});
    if (!needed || !*needed) return;
    const auto code = core_.first_run.code();
    if (!code) return;
    if (!new_data.empty()) {
      std::printf("Created a new store in %s, without accounts; if you expected some, check --data. ",
                  new_data.c_str());
    }
    show_code(*code);
  }

  void reload() {
    const auto reloaded = server_.reload_certificates();
    log(reloaded ? LogLevel::info : LogLevel::error, "reload", {{"outcome", reloaded ? "ok" : reloaded.error().text}});
  }

  void stop() {
    stopping_ = true;
    control_.reset();
    core_.live.end_waits();
    for (const Served& served : faces_) served.face->stop();
    password_threads_.stop();
    if (metrics_server_) metrics_server_->drain();
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
    return status.trouble().empty() ? std::nullopt : std::optional(status.trouble());
  }

  /// Whoever sets the hub up may say where people reach it.
  Settings settings_now() const {
    Settings settings = settings_;
    const std::string url = public_url_.get();
    if (url != public_url_at_start_) settings.replace("hub.public_url", {url, "setup"});
    return settings;
  }

  void purge_deliveries() {
    constexpr std::int64_t kSeconds = limits::kDeliveryLogDays * 86'400;
    report_purge(core_.deliveries.purge(clock_.now().plus_micros(-kSeconds * kMicrosPerSecond)));
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
        server_.return_memory();
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

  TrustedClock& clock_;
  const std::string page_prefix_;
  api::CookieGate cookies_;
  PublicUrl public_url_;
  net::Server server_;
  net::Workers password_threads_;
  PasswordQueue passwords_{password_threads_};
  CoreServices core_;
  operations::Metrics metrics_;
  webhooks::Sender sender_;
  std::vector<Served> faces_;  // complete before the hub starts
  api::Router router_;
  operations::Face operations_;
  api::Router metrics_router_;
  std::optional<net::Server> metrics_server_;
  const Settings settings_;  // those that it started with
  const std::string public_url_at_start_;
  std::unique_ptr<ControlServer> control_;
  std::atomic<bool> stopping_ = false;
  Mutex timer_mutex_;
  std::unique_ptr<Timer> timer_ GUARDED_BY(timer_mutex_);
};

/// Opens the store with a clock that knows what time it was when the store was last written.
Result<std::unique_ptr<SqliteStore>> open_store(const std::string& path, TrustedClock& clock,
                                                const Settings& settings) {
  TRY(auto store,
      open_store_file(path, clock, {.on_broken = stop_broken, .file_bytes_max = settings.integer("store.bytes_max")}));
  CHECK_OK(clock.load(*store));
  const ClockStatus status = clock.status();
  if (status.is_trusted() || !settings.boolean("clock.strict")) return store;
  return fail(ErrorCode::clock_in_doubt, status.advice());
}

}  // namespace

Result<> run_hub(const Settings& settings, const std::string& data, std::vector<api::FaceModule> more) {
  TRY(const LogLevel level, parse_log_level(settings.text("log.level")));
  TRY(net::ServerOptions options, read_server_options(settings));
  TRY(std::optional<net::ServerOptions> metrics, read_metrics_server_options(settings));
  TRY(std::vector<api::FaceModule> faces, make_faces(settings));
  std::ranges::move(more, std::back_inserter(faces));
  TRY(const Quotas::ByPlan quotas, read_quotas(settings));
  TRY(webhooks::Sender::Options webhooks, read_webhook_settings(settings));
  api::CookieGate::Options cookies{.hub_id = {},
                                   .public_origin = {},
                                   .tls = options.tls.has_value(),
                                   .plain_http_anywhere = settings.boolean("console.insecure")};
  TRY(cookies.public_origin, read_public_url(settings));
  const sigset_t signals = block_signals();
  raise_descriptor_limit();
  ::mallopt(M_MMAP_THRESHOLD, kMappedBytesMin);
  ::mallopt(M_TRIM_THRESHOLD, kTrimBytes);
  set_log_level(level);

  if (const std::int64_t days = settings.integer("history.days"); days < limits::kWipeUndoDays) {
    log(LogLevel::warning, "history_days_raised",
        {{"setting", days}, {"days", limits::kWipeUndoDays}, {"reason", "'account undo-wipe' needs them"}});
  }
  const bool is_new = !has_store(data);
  TRY(const DataDirectory directory, DataDirectory::own(data, DataDirectory::Missing::create));
  TrustedClock clock(TrustedClock::Of::hub);
  TRY(auto store, open_store(directory.store_path(), clock, settings));
  TRY(cookies.hub_id, load_hub_id(store->directory()));
  Hub hub(settings, directory, clock, std::move(store), std::move(options), std::move(metrics), quotas,
          std::move(faces), std::move(webhooks), cookies, keep_public_url(settings, data));
  CHECK_OK(hub.start(directory));
  std::printf("syncline hub ready at %s\n", hub.url().c_str());
  std::fflush(stdout);
  log(LogLevel::info, "started", {{"url", hub.url()}, {"data", data}, {"version", SYNCLINE_VERSION}});
  flush_log();
  hub.announce_first_run(is_new ? data : "");
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
