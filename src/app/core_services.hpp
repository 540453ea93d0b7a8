// The parts that a hub and an administration command share: the store with the services on it.
#pragma once

#include "api/kaisho/space.hpp"
#include "api/kiro/space.hpp"
#include "service/housekeeping.hpp"
#include "service/sessions.hpp"
#include "service/spaces.hpp"
#include "store/sqlite/sqlite_store.hpp"

namespace syncline::app {

struct CoreServices {
  CoreServices(std::unique_ptr<SqliteStore> of, const Clock& wall_clock, Scheduler& scheduler,
               Housekeeping::KeepDays keep)
      : clock(wall_clock),
        store(std::move(of)),
        live(scheduler),
        access(*store, wall_clock),
        sessions(*store, access, wall_clock),
        progress(*store),
        spaces(*store, wall_clock, live, progress),
        housekeeping(*store, wall_clock, access, progress, keep) {
    access.on_change([this] { live.notify_access_change(); });
    spaces.set_rules(std::string(kiro::kSpace), kiro::make_space_rules());
    spaces.set_rules(std::string(kaisho::kSpace), kaisho::make_space_rules());
  }

  const Clock& clock;
  std::unique_ptr<SqliteStore> store;
  Live live;
  Access access;
  Sessions sessions;
  PullProgress progress;
  Spaces spaces;
  Housekeeping housekeeping;
};

}  // namespace syncline::app
