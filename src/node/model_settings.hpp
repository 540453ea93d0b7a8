// The AI models of a profile's programs: which settings.yaml names, and which the jobs of jobs.yaml use. Safe from any
// thread; asks no hub.
#pragma once

#include "base/mutex.hpp"
#include "node/shared_settings.hpp"
#include "replica/dialect.hpp"

namespace syncline::node {

/// Names of settings with their models: {"advisor_model", "..."}.
using ModelsSet = std::vector<std::pair<std::string, std::string>>;

/// Those of the models that the settings do not name yet.
[[nodiscard]] ModelsSet missing_models(const ProfileSettings& settings, const replica::HostedModels& models);
[[nodiscard]] std::vector<SettingsFile::Change> changes_of(const ModelsSet& models);

class ModelSettings {
 public:
  /// `settings` outlives this.
  ModelSettings(SharedSettings& settings, std::string jobs_path)
      : settings_(settings), jobs_path_(std::move(jobs_path)) {}

  struct Switched {
    bool advisor_changed = false;
    std::int64_t jobs_changed = 0;
  };
  /// Uses the models for everything: in the settings, and in each job.
  [[nodiscard]] Result<Switched> use(const replica::HostedModels& models);

 private:
  SharedSettings& settings_;
  const std::string jobs_path_;
  Mutex mutex_;  // held by whoever changes the jobs
};

}  // namespace syncline::node
