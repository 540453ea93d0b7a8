// The settings of backups: how often somebody makes one.
#pragma once

#include "app/settings.hpp"
#include "service/backup_watch.hpp"

namespace syncline::app {

[[nodiscard]] BackupWatch::Terms read_backup_terms(const Settings& settings);

}  // namespace syncline::app
