// The parts that a hub and an administration command share: the store with the services on it.
#pragma once

#include "app/faces.hpp"
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

struct CoreServices {
  /// Files beside the store's, which are made when they are needed.
  struct Paths {
    std::string search;
    std::string webhooks;
  };
  /// `faces`: whose spaces these are.
  CoreServices(std::unique_ptr<SqliteStore> of, Paths paths, const Clock& wall_clock, Scheduler& scheduler,
               Housekeeping::KeepDays keep, const std::vector<api::FaceModule>& faces)
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
        rules(make_rule_book(faces)),
        webhooks(*store, wall_clock, make_event_types(faces)),
        spaces(*store, wall_clock, live, progress, rules, &webhooks),
        search_index(std::move(paths.search)),
        search(spaces, search_index, find_search_subject(faces)),
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
  const RuleBook rules;
  webhooks::Subscriptions webhooks;
  Spaces spaces;
  SearchIndex search_index;
  Search search;
  DeliveryQueue deliveries;
  Housekeeping housekeeping;
};

}  // namespace syncline::app
