// The parts that a hub and an administration command share: the store with the services on it.
#pragma once

#include "app/faces.hpp"
#include "base/log.hpp"
#include "service/backup_watch.hpp"
#include "service/browser_sessions.hpp"
#include "service/device_keys.hpp"
#include "service/directory_move.hpp"
#include "service/first_run.hpp"
#include "service/housekeeping.hpp"
#include "service/identities.hpp"
#include "service/own_keys.hpp"
#include "service/pairings.hpp"
#include "service/passkeys.hpp"
#include "service/request_meter.hpp"
#include "service/search.hpp"
#include "service/sessions.hpp"
#include "service/shares.hpp"
#include "service/spaces.hpp"
#include "service/trusted_clock.hpp"
#include "store/sqlite/sqlite_store.hpp"
#include "webhooks/delivery_queue.hpp"
#include "webhooks/operator_events.hpp"
#include "webhooks/subscriptions.hpp"
#include "webhooks/webhook_move.hpp"

namespace syncline::app {

struct CoreServices {
  /// Files beside the store's.
  struct Paths {
    std::string search;          // made when it is needed
    std::string old_deliveries;  // of earlier versions
  };
  /// `faces`: whose spaces these are. `of_plans`: what their accounts may store. The store has the same clock.
  CoreServices(std::unique_ptr<SqliteStore> of, Paths paths, TrustedClock& of_store, Scheduler& scheduler,
               Housekeeping::KeepDays keep, const Quotas::ByPlan& of_plans, const std::vector<api::FaceModule>& faces)
      : clock(of_store),
        store(std::move(of)),
        live(scheduler),
        access(*store, of_store,
               {.on_change = [this] { live.notify_access_change(); },
                .on_erase = [this](AccountNumber account) { return erase_rest(account); }}),
        sessions(*store, access, of_store),
        browser_sessions(access, sessions, of_store),
        first_run(*store, access, sessions, of_store),
        device_keys(*store, access, of_store),
        own_keys(*store, access),
        shares(*store, access),
        pairings(access, live, of_store),
        passkeys(*store, access, of_store),
        identities(*store, access),
        meter(*store, of_store),
        quotas(*store, of_plans),
        progress(*store),
        rules(make_rule_book(faces)),
        webhooks(*store, make_event_types(faces)),
        spaces(*store, of_store, live, progress, rules, &webhooks, &quotas),
        search_index(std::move(paths.search)),
        search(spaces, search_index, find_search_subject(faces)),
        deliveries(*store),
        backups(store->directory(), of_store,
                {.queue =
                     [this](DirectoryTxn& txn, EventType type, const std::string& data) {
                       return webhooks::queue_operator_event(txn, webhooks, type, data);
                     },
                 .committed = [this] { webhooks.on_events(); }}),
        old_deliveries(std::move(paths.old_deliveries)),
        housekeeping(*store, of_store, access, progress, keep) {
    housekeeping.each_minute([this] { (void)meter.save(); });
    housekeeping.each_minute([this] { keep_clock(); });
    housekeeping.each_minute([this] { quotas.forget_idle(); });
    housekeeping.each_minute([this] { backups.check(); });
    // Keys end by themselves, too; open connections look whether theirs has.
    housekeeping.each_minute([this] { live.notify_access_change(); });
    housekeeping.each_hour([this] { quotas.read_again(); });
  }

  /// What must be read before anything is served or changed.
  [[nodiscard]] Result<> load() {
    CHECK_OK(move_to_directory(*store));
    CHECK_OK(webhooks::move_webhooks(*store, old_deliveries));
    CHECK_OK(access.audit().adopt_reserve());
    CHECK_OK(progress.load());
    CHECK_OK(meter.load());
    CHECK_OK(backups.load());
    return webhooks.load();
  }

  /// With the warning of whoever has one: the store, which looks at itself, or the spaces, which hear of devices.
  [[nodiscard]] StoreStatus store_status() const {
    StoreStatus status = store->status();
    if (status.warning.empty()) status.warning = spaces.lost_history_warning();
    return status;
  }

  void keep_clock() {
    if (const auto kept = clock.save(*store); !kept) {
      log(LogLevel::warning, "clock_not_kept", {{"error", kept.error().text}});
    }
  }

  /// What there is of an account beside the store.
  [[nodiscard]] Result<> erase_rest(AccountNumber account) {
    CHECK_OK(search_index.forget(account));
    CHECK_OK(webhooks.forget(account));
    return meter.forget(account);
  }

  /// Where people reach the hub, for links; empty if nobody has said so. An error if the setting is wrong.
  std::function<Result<std::string>()> public_url = [] { return std::string(); };
  TrustedClock& clock;
  std::unique_ptr<SqliteStore> store;
  Live live;
  Access access;
  Sessions sessions;
  BrowserSessions browser_sessions;
  FirstRun first_run;
  DeviceKeys device_keys;
  OwnKeys own_keys;
  Shares shares;
  Pairings pairings;
  Passkeys passkeys;
  Identities identities;
  RequestMeter meter;
  Quotas quotas;
  PullProgress progress;
  const RuleBook rules;
  webhooks::Subscriptions webhooks;
  Spaces spaces;
  SearchIndex search_index;
  Search search;
  webhooks::DeliveryQueue deliveries;
  BackupWatch backups;
  const std::string old_deliveries;
  Housekeeping housekeeping;
};

}  // namespace syncline::app
