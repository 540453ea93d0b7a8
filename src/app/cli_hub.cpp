// syncline hub, and what concerns its data and its settings as a whole: backup, restore, verify, doctor, config.
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/data_directory.hpp"
#include "app/doctor.hpp"
#include "app/hub.hpp"
#include "app/invocation.hpp"
#include "app/offline.hpp"
#include "app/output.hpp"
#include "app/progress.hpp"
#include "app/settings.hpp"
#include "base/bytes.hpp"
#include "base/json_object.hpp"
#include "core/cursor.hpp"
#include "store/sqlite/sqlite_store.hpp"

namespace syncline::app {
namespace {

using Missing = DataDirectory::Missing;

/// Where settings come from.
struct SettingsOptions {
  std::string file;
  std::map<std::string, std::string> flags;
  std::vector<std::string> assignments;  // --set key=value
};

std::shared_ptr<SettingsOptions> add_settings_options(Command command) {
  auto options = std::make_shared<SettingsOptions>();
  command.option("--config", options->file, "settings file (default: hub.yaml in the data directory, if present)");
  const auto flag = [&](const char* name, const char* key, const char* text) {
    const auto take = [options, key](const std::string& value) -> Result<> {
      options->flags[key] = value;
      return {};
    };
    command.text_option(name, take, text);
  };
  flag("--listen", "listen", "ADDRESS:PORT to listen on; port 0 picks a free one");
  flag("--rate-limit", "rate_limit", "requests per minute and key; 0: no limit");
  flag("--log-level", "log.level", "debug, info, warning, error or off");
  flag("--tls-certificate", "tls.certificate", "PEM file with the certificate chain");
  flag("--tls-key", "tls.key", "PEM file with the private key");
  command.option("--set", options->assignments, "any setting as KEY=VALUE; repeatable");
  return options;
}

Result<Settings> load_settings(const SettingsOptions& options, const std::string& data) {
  auto flags = options.flags;
  for (const std::string& assignment : options.assignments) {
    const std::size_t equals = assignment.find('=');
    if (equals == std::string::npos) {
      return fail(ErrorCode::invalid_argument, "--set needs KEY=VALUE, not '" + assignment + "'");
    }
    flags[assignment.substr(0, equals)] = assignment.substr(equals + 1);
  }
  std::string file = options.file;
  const std::string beside_data = data + "/hub.yaml";
  if (file.empty() && std::filesystem::exists(beside_data)) file = beside_data;
  return Settings::load(flags, file);
}

Result<> back_up(const Invocation& invocation, const std::string& to) {
  JsonObject request;
  request.set_text("command", "backup");
  request.set_text("path", std::filesystem::absolute(to).string());
  const Progress progress("copying", invocation.form());
  TRY(const std::string answer, run_anywhere(invocation.data, request, Missing::refuse));
  print_result(answer, invocation.form());
  return {};
}

Result<> restore(const Invocation& invocation, const std::string& from) {
  TRY(const DataDirectory directory, DataDirectory::own(invocation.data, Missing::create));
  const std::string epoch = std::string(kRestoredEpochPrefix) + to_hex(random_bytes(6));
  const Progress progress("restoring", invocation.form());
  CHECK_OK(restore_backup(from, directory.store_path(), epoch));
  std::string out;
  JsonWriter(out).begin_object().string("restored", invocation.data).string("epoch", epoch).end_object();
  print_result(out, invocation.form());
  return {};
}

void define_backup(Command root, Invocation& invocation) {
  const auto path = std::make_shared<std::string>();
  const Command backup = root.add("backup", "Back up the store to a new file; works while the hub runs");
  backup.option("OUT", *path, "file to create").required();
  add_common(backup, invocation);
  backup.example("syncline backup /srv/backup/syncline-2026-11-22.db");
  backup.on_run([&invocation, path] { return back_up(invocation, *path); });

  const Command restoring = root.add("restore", "Create a data directory from a backup; gives the store a new epoch");
  restoring.option("IN", *path, "file that backup wrote").required();
  add_common(restoring, invocation);
  restoring.example("syncline restore /srv/backup/syncline-2026-11-22.db --data /srv/syncline-restored");
  restoring.on_run([&invocation, path] { return restore(invocation, *path); });
}

Result<> verify(const Invocation& invocation) {
  JsonObject request;
  request.set_text("command", "verify");
  const Progress progress("checking", invocation.form());
  TRY(const std::string answer, run_anywhere(invocation.data, request, Missing::refuse));
  print_result(answer, invocation.form());
  const auto ok = JsonView(answer).find("ok");
  if (ok && ok->as_boolean().value_or(false)) return {};
  return fail(ErrorCode::internal, "the store has the problems listed above; restore a backup");
}

Result<> show_config(const Invocation& invocation, const SettingsOptions& options, bool origin) {
  TRY(const Settings settings, load_settings(options, invocation.data));
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().name("settings").begin_array();
  for (const SettingInfo& info : all_settings()) {
    const SettingValue& value = settings.values().at(std::string(info.key));
    writer.begin_object().string("key", info.key).string("value", value.text);
    if (origin) writer.string("origin", value.origin);
    writer.string("description", info.description).end_object();
  }
  writer.end_array().end_object();
  print_result(out, invocation.form());
  return {};
}

Result<> diagnose(const Invocation& invocation, const SettingsOptions& options) {
  TRY(const Settings settings, load_settings(options, invocation.data));
  const Diagnosis diagnosis = examine(settings, invocation.data);
  print_result(diagnosis.json, invocation.form());
  if (diagnosis.ok) return {};
  return fail(ErrorCode::internal, "a check failed; the list above says which");
}

void define_diagnosis(Command root, Invocation& invocation) {
  const Command verifying = root.add("verify", "Check the integrity of the whole store");
  add_common(verifying, invocation);
  verifying.example("syncline verify --data /srv/syncline");
  verifying.on_run([&invocation] { return verify(invocation); });

  const Command doctor = root.add("doctor", "Check for common operating problems");
  add_common(doctor, invocation);
  const auto doctor_settings = add_settings_options(doctor);
  doctor.example("syncline doctor --data /srv/syncline");
  doctor.on_run([&invocation, doctor_settings] { return diagnose(invocation, *doctor_settings); });

  const Command config = root.add_group("config", "Show settings");
  const Command show = config.add("show", "List all settings and their values");
  const auto origin = std::make_shared<bool>(false);
  show.flag("--origin", *origin, "show where each value comes from");
  add_common(show, invocation);
  const auto shown_settings = add_settings_options(show);
  show.example("syncline config show --origin");
  show.on_run([&invocation, shown_settings, origin] { return show_config(invocation, *shown_settings, *origin); });
}

}  // namespace

void define_hub(Command root, Invocation& invocation) {
  const Command hub = root.add("hub", "Run the hub; prints its URL when it is ready");
  hub.example("syncline hub --data /srv/syncline --listen 127.0.0.1:8080");
  add_common(hub, invocation);
  const auto options = add_settings_options(hub);
  hub.on_run([&invocation, options]() -> Result<> {
    TRY(const Settings settings, load_settings(*options, invocation.data));
    return run_hub(settings, invocation.data);
  });
}

void define_data_and_settings(Command root, Invocation& invocation) {
  define_backup(root, invocation);
  define_diagnosis(root, invocation);
}

}  // namespace syncline::app
