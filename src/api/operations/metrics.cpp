#include "api/operations/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include "base/log.hpp"
#include "base/mutex.hpp"
#include "store/read_health.hpp"

namespace syncline::operations {
namespace {

const prometheus::Histogram::BucketBoundaries kSecondsBuckets = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                                 0.1,    0.25,  0.5,    1,     2.5,  10,    60};

}  // namespace

struct Metrics::Parts {
  prometheus::Registry registry;
  prometheus::Family<prometheus::Counter>& requests =
      prometheus::BuildCounter().Name("syncline_http_requests_total").Help("Requests answered").Register(registry);
  prometheus::Family<prometheus::Histogram>& durations = prometheus::BuildHistogram()
                                                             .Name("syncline_http_request_duration_seconds")
                                                             .Help("Time from the head of a request to its answer")
                                                             .Register(registry);
  prometheus::Gauge& web_sockets =
      prometheus::BuildGauge().Name("syncline_ws_connections").Help("Open WebSockets").Register(registry).Add({});
  prometheus::Gauge& wal_bytes = prometheus::BuildGauge()
                                     .Name("syncline_storage_bytes")
                                     .Help("Size of the store's files")
                                     .Register(registry)
                                     .Add({{"kind", "wal"}});
  prometheus::Gauge& file_bytes = prometheus::BuildGauge()
                                      .Name("syncline_storage_bytes")
                                      .Help("Size of the store's files")
                                      .Register(registry)
                                      .Add({{"kind", "database"}});
  prometheus::Gauge& queued =
      prometheus::BuildGauge().Name("syncline_queued_writes").Help("Writes not begun").Register(registry).Add({});
  prometheus::Gauge& commits =
      prometheus::BuildGauge().Name("syncline_commits").Help("Commits since the start").Register(registry).Add({});

  prometheus::Gauge& damaged_rows = prometheus::BuildGauge()
                                        .Name("syncline_damaged_rows")
                                        .Help("Rows found damaged since the start and not healed")
                                        .Register(registry)
                                        .Add({});
  prometheus::Family<prometheus::Gauge>& failed_reads = prometheus::BuildGauge()
                                                            .Name("syncline_failed_reads")
                                                            .Help("Reads since the start that met damage in the store")
                                                            .Register(registry);

  prometheus::Family<prometheus::Gauge>& quota_refusals = prometheus::BuildGauge()
                                                              .Name("syncline_quota_refusals")
                                                              .Help("Refused by quotas of plans since the start")
                                                              .Register(registry);
  prometheus::Family<prometheus::Gauge>& quota_limits =
      prometheus::BuildGauge().Name("syncline_quota_limit").Help("Quotas of the plans; 0: no limit").Register(registry);

  void show(const Quotas& quotas) {
    const Quotas::Refusals refused = quotas.refusals();
    quota_refusals.Add({{"kind", "writes"}}).Set(static_cast<double>(refused.writes));
    quota_refusals.Add({{"kind", "requests"}}).Set(static_cast<double>(refused.requests));
    for (const Plan plan : Quotas::kPlans) {
      const Quotas::Limits& limits = quotas.of(plan);
      const auto set = [&](const char* kind, std::int64_t limit) {
        quota_limits.Add({{"plan", std::string(syncline::to_text(plan))}, {"kind", kind}})
            .Set(static_cast<double>(limit));
      };
      set("bytes", limits.bytes);
      set("records", limits.records);
      set("requests_per_minute", limits.requests_per_minute);
    }
  }

  void show(const BackupWatch& backups) {
    const BackupWatch::Status status = backups.status();
    const auto set = [&](const char* name, const char* help, double value) {
      prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({}).Set(value);
    };
    set("syncline_backup_last_success_timestamp_seconds", "When a backup succeeded last; 0: never",
        static_cast<double>(status.ok_at.micros) / static_cast<double>(kMicrosPerSecond));
    set("syncline_backup_failures", "Backups that failed since the start", static_cast<double>(status.failures));
    set("syncline_backup_overdue", "1 if a backup is late by backup.every_hours", backups.is_overdue() ? 1 : 0);
  }

  struct Series {
    prometheus::Counter* count;
    prometheus::Histogram* duration;
  };
  /// Looking a series up by its labels costs more than the request: they are remembered.
  Series& series(const http::Summary& summary) {
    std::string key(http::to_text(summary.method));
    key.append(summary.route).append(std::to_string(summary.status));
    {
      const SharedLock lock(mutex);
      const auto known = all.find(key);
      if (known != all.end()) return known->second;
    }
    const MutexLock lock(mutex);
    const prometheus::Labels route = {{"route", std::string(summary.route)},
                                      {"method", std::string(http::to_text(summary.method))}};
    prometheus::Labels with_code = route;
    with_code["code"] = std::to_string(summary.status);
    return all.try_emplace(key, Series{&requests.Add(with_code), &durations.Add(route, kSecondsBuckets)}).first->second;
  }

  SharedMutex mutex;
  std::unordered_map<std::string, Series> all GUARDED_BY(mutex);
};

Metrics::Metrics(std::string_view version) : parts_(std::make_unique<Parts>()) {
  prometheus::BuildGauge()
      .Name("syncline_build_info")
      .Help("Version of the program")
      .Register(parts_->registry)
      .Add({{"version", std::string(version)}})
      .Set(1);
}

Metrics::~Metrics() = default;

void Metrics::on_request(const http::Summary& summary) {
  const Parts::Series& series = parts_->series(summary);
  series.count->Increment();
  series.duration->Observe(static_cast<double>(summary.duration_us) / 1e6);
  log(LogLevel::info, "request",
      {{"method", http::to_text(summary.method)},
       {"route", summary.route},
       {"path", summary.path},
       {"status", summary.status},
       {"duration_us", summary.duration_us},
       {"bytes_in", static_cast<std::int64_t>(summary.bytes_in)},
       {"bytes_out", static_cast<std::int64_t>(summary.bytes_out)},
       {"key", summary.key_id},
       {"peer", summary.peer},
       {"request_id", summary.request_id}});
}

void Metrics::on_web_sockets(std::int64_t delta) { parts_->web_sockets.Increment(static_cast<double>(delta)); }

std::string Metrics::to_text(const StoreStatus& store, const Quotas* quotas, const BackupWatch* backups) {
  if (quotas != nullptr) parts_->show(*quotas);
  if (backups != nullptr) parts_->show(*backups);
  parts_->wal_bytes.Set(static_cast<double>(store.wal_bytes));
  parts_->file_bytes.Set(static_cast<double>(store.file_bytes));
  parts_->queued.Set(static_cast<double>(store.queued_writes));
  parts_->commits.Set(static_cast<double>(store.commits));
  parts_->damaged_rows.Set(static_cast<double>(store.damaged_rows));
  for (const ReadKind kind : {ReadKind::accounts, ReadKind::spaces, ReadKind::tables}) {
    const std::int64_t count = store.failed_reads.at(static_cast<std::size_t>(kind));
    parts_->failed_reads.Add({{"kind", std::string(syncline::to_text(kind))}}).Set(static_cast<double>(count));
  }
  return prometheus::TextSerializer().Serialize(parts_->registry.Collect());
}

}  // namespace syncline::operations
