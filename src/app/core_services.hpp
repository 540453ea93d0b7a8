// The parts that a hub and an administration command share: the store with the services on it.
#pragma once

#include "api/kaisho/space.hpp"
#include "api/kernle/routes.hpp"
#include "api/kiro/space.hpp"
#include "service/device_keys.hpp"
#include "service/housekeeping.hpp"
#include "service/request_meter.hpp"
#include "service/search.hpp"
#include "service/sessions.hpp"
#include "service/spaces.hpp"
#include "store/sqlite/delivery_queue.hpp"
#include "store/sqlite/sqlite_store.hpp"
#include "webhooks/subscriptions.hpp"

namespace syncline::app {

/// The rules of the spaces of all faces.
[[nodiscard]] inline RuleBook make_rule_book() {
  return RuleBook({{std::string(kiro::kSpace), kiro::make_space_rules()},
                   {std::string(kernle::kSpacePrefix), kernle::make_space_rules()},
                   {std::string(kaisho::kSpace), kaisho::make_space_rules()}});
}

/// The types of events of all faces.
[[nodiscard]] inline EventTypes make_event_types() {
  return {kernle::kSyncCompleted,  kernle::kMemoryCreated, kConflictDetected,    kRecordChanged,
          kiro::kCommandCompleted, kaisho::kTimerStarted,  kaisho::kTimerStopped};
}

struct CoreServices {
  /// Files beside the store's, which are made when they are needed.
  struct Paths {
    std::string search;
    std::string webhooks;
  };
  CoreServices(std::unique_ptr<SqliteStore> of, Paths paths, const Clock& wall_clock, Scheduler& scheduler,
               Housekeeping::KeepDays keep)
      : clock(wall_clock),
        store(std::move(of)),
        live(scheduler),
        access(*store, wall_clock,
               {.on_change = [this] { live.notify_access_change(); },
                .on_erase = [this](AccountNumber account) { return erase_rest(account); }}),
        sessions(*store, access, wall_clock),
        device_keys(*store, access, wall_clock),
        meter(*store, wall_clock),
        progress(*store),
        webhooks(*store, wall_clock, make_event_types()),
        spaces(*store, wall_clock, live, progress, rules, &webhooks),
        search_index(std::move(paths.search)),
        search(spaces, search_index, kernle::make_search_subject()),
        deliveries(std::move(paths.webhooks)),
        housekeeping(*store, wall_clock, access, progress, keep) {
    housekeeping.each_minute([this] { (void)meter.save(); });
  }

  /// What must be read before anything is served or changed.
  [[nodiscard]] Result<> load() {
    CHECK_OK(progress.load());
    CHECK_OK(meter.load());
    return webhooks.load();
  }

  /// What there is of an account beside the store.
  [[nodiscard]] Result<> erase_rest(AccountNumber account) {
    CHECK_OK(search_index.forget(account));
    const auto own = webhooks.list(account);
    CHECK_OK(webhooks.forget(account));  // first, so that nothing more is queued
    for (const auto& webhook : own) CHECK_OK(deliveries.forget(webhook.id));
    return meter.forget(account);
  }

  const Clock& clock;
  std::unique_ptr<SqliteStore> store;
  Live live;
  Access access;
  Sessions sessions;
  DeviceKeys device_keys;
  RequestMeter meter;
  PullProgress progress;
  const RuleBook rules = make_rule_book();
  webhooks::Subscriptions webhooks;
  Spaces spaces;
  SearchIndex search_index;
  Search search;
  DeliveryQueue deliveries;
  Housekeeping housekeeping;
};

}  // namespace syncline::app
