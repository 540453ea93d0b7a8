#include "node/model_settings.hpp"

#include "node/yaml_edit.hpp"

namespace syncline::node {

ModelsSet missing_models(const ProfileSettings& settings, const replica::HostedModels& models) {
  ModelsSet missing;
  if (settings.advisor_model.empty()) missing.emplace_back("advisor_model", models.advisor);
  if (settings.cron_model.empty()) missing.emplace_back("cron_model", models.cron);
  return missing;
}

std::vector<SettingsFile::Change> changes_of(const ModelsSet& models) {
  std::vector<SettingsFile::Change> changes;
  for (const auto& [name, model] : models) changes.push_back({"ai", name, yaml_scalar(model)});
  return changes;
}

Result<ModelSettings::Switched> ModelSettings::use(const replica::HostedModels& models) {
  const MutexLock changing(mutex_);
  Switched switched;
  CHECK_OK(settings_.change([&](const ProfileSettings& now) -> std::vector<SettingsFile::Change> {
    switched.advisor_changed = now.advisor_model != models.advisor || now.cron_model != models.cron;
    if (!switched.advisor_changed) return {};
    return changes_of({{"advisor_model", models.advisor}, {"cron_model", models.cron}});
  }));
  TRY(const std::string text, read_file(jobs_path_));
  auto edit = set_model_of_jobs(text, models.cron);
  if (!edit) return fail(edit.error().code, "jobs.yaml: " + edit.error().text);
  if (edit->changed > 0) CHECK_OK(replace_file(jobs_path_, edit->text));
  switched.jobs_changed = edit->changed;
  return switched;
}

}  // namespace syncline::node
