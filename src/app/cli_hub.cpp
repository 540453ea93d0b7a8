// syncline hub, and what concerns its data and its settings as a whole: backup, restore, verify, doctor, clock, config.
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/data_directory.hpp"
#include "app/doctor.hpp"
#include "app/hub.hpp"
#include "app/invocation.hpp"
#include "app/offline.hpp"
#include "app/output.hpp"
#include "app/progress.hpp"
#include "app/running_hub.hpp"
#include "app/settings.hpp"
#include "base/bytes.hpp"
#include "base/json_object.hpp"
#include "core/cursor.hpp"
#include "service/audit_entry.hpp"
#include "service/trusted_clock.hpp"
#include "store/sqlite/store_file.hpp"

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
  command.option("--config FILE", options->file, "settings file")
      .defaults_to("hub.yaml in the data directory, if there is one");
  const auto flag = [&](const char* name, const char* key, const char* text) {
    const auto take = [options, key](const std::string& value) -> Result<> {
      options->flags[key] = value;
      return {};
    };
    return command.text_option(name, take, text);
  };
  flag("--listen ADDRESS:PORT", "listen", "address to listen on; port 0 picks a free one")
      .defaults_to("127.0.0.1:8080");
  flag("--rate-limit N", "rate_limit", "requests per minute and key; 0 for no limit").defaults_to("0");
  flag("--log-level LEVEL", "log.level", "least important messages to log")
      .known_values({"debug", "info", "warning", "error", "off"})
      .defaults_to("info");
  flag("--tls-certificate FILE", "tls.certificate", "PEM file with the certificate chain");
  flag("--tls-key FILE", "tls.key", "PEM file with the private key");
  flag("--ui-dir DIRECTORY", "console.dir", "directory with the files of the web console, instead of those built in");
  std::vector<std::string> keys;
  for (const SettingInfo& info : all_settings()) keys.push_back(std::string(info.key) + '=');
  command.option("--set KEY=VALUE", options->assignments, "any setting; syncline-hub.yaml(5) describes them")
      .known_beginnings(keys);
  return options;
}

Result<Settings> load_settings(const SettingsOptions& options, const std::string& data) {
  auto flags = options.flags;
  TRY(const auto assigned, read_assignments(options.assignments));
  for (const auto& [key, value] : assigned) flags[key] = value;
  return Settings::load(flags, options.file.empty() ? find_settings_file(data) : options.file, all_settings(),
                        setup_file_in(data));
}

Result<> back_up(const Invocation& invocation, const std::string& to) {
  JsonObject request;
  request.set_text("command", "backup");
  request.set_text("path", std::filesystem::absolute(to).string());
  const Progress progress("copying", invocation.form());
  TRY(const std::string answer, run_anywhere(invocation.data, request, Missing::refuse));
  print_result(answer, invocation.form());
  const auto damaged = JsonView(answer).find("damaged_rows");
  if (damaged && damaged->as_integer().value_or(0) > 0) {
    print_note("the store has damaged rows, and so has the backup; 'syncline verify' names them", invocation.form());
  }
  return {};
}

/// However old a backup is, whoever restores it has a clock to go by, and whoever reads its audit log is told.
Result<> finish_restore(const std::string& store_path) {
  TrustedClock clock(TrustedClock::Of::hub);
  TRY(const auto store, open_store_file(store_path, clock, {}));
  CHECK_OK(clock.accept(*store));
  const Actor actor{.account = std::string(Actor::kOperator), .key = {}, .label = {}, .address = {}};
  return store->directory().write([&](DirectoryTxn& txn) {
    return record(txn, actor, txn.now(),
                  {.action = "store.restored", .account = {}, .target = {}, .detail = "from a backup"});
  });
}

Result<> restore_into(const std::string& store_path, const std::string& from, const std::string& epoch) {
  CHECK_OK(restore_backup(from, store_path, epoch));
  return finish_restore(store_path);
}

Result<> restore(const Invocation& invocation, const std::string& from) {
  namespace fs = std::filesystem;
  const bool was_there = fs::exists(invocation.data);
  TRY(const DataDirectory directory, DataDirectory::own(invocation.data, Missing::create));
  const std::string epoch = std::string(kRestoredEpochPrefix) + to_hex(random_bytes(6));
  const Progress progress("restoring", invocation.form());
  if (const auto restored = restore_into(directory.store_path(), from, epoch); !restored) {
    std::error_code ignored;  // a directory that is not empty stays
    if (!was_there && fs::remove(fs::path(invocation.data) / "lock", ignored)) fs::remove(invocation.data, ignored);
    return std::unexpected(restored.error());
  }
  std::string out;
  JsonWriter(out).begin_object().string("restored", invocation.data).string("epoch", epoch).end_object();
  print_result(out, invocation.form());
  return {};
}

void define_backup(Command root, Invocation& invocation) {
  const auto path = std::make_shared<std::string>();
  const Command backup = root.add("backup", "Copy the store to a new file");
  backup.note("Works while the hub runs. The backup contains no settings: copy hub.yaml yourself.");
  backup.option("OUT", *path, "file to create").required();
  add_common(backup, invocation);
  backup.example("syncline backup /srv/backup/syncline-2026-11-22.db");
  backup.on_run([&invocation, path] { return back_up(invocation, *path); });

  const Command restoring = root.add("restore", "Create a data directory from a backup");
  restoring.note(
      "The new store has a new epoch, so devices notice the restore, push their data again, and lose nothing.");
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
  return fail(ErrorCode::internal, "the store has the problems listed above; docs/operating.md says what to do");
}

Action ask(const Invocation& invocation, const std::string& words) {
  return [&invocation, words]() -> Result<> {
    JsonObject request;
    request.set_text("command", words);
    TRY(const std::string answer, run_anywhere(invocation.data, request, Missing::refuse));
    print_result(answer, invocation.form());
    return {};
  };
}

void define_clock(Command root, Invocation& invocation) {
  const Command clock = root.add("clock", "Show whether the hub trusts this machine's clock");
  add_common(clock, invocation);
  clock.example("syncline clock --json");
  clock.on_run(ask(invocation, "clock status"));

  const Command accept = clock.add("accept", "Trust the system clock as it is now, so that purging resumes");
  accept.note(
      "Check the date first: if the clock is ahead, the next purge permanently removes what is old by that clock.");
  add_common(accept, invocation);
  accept.example("syncline clock accept --data /srv/syncline");
  accept.on_run(ask(invocation, "clock accept"));
}

/// `now`: what a hub has that runs; without one what it would start with.
std::string config_json(const Settings& files, const Settings* now, bool is_running, bool origin) {
  const Settings& shown = now == nullptr ? files : *now;
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().boolean("hub_is_running", is_running).name("settings").begin_array();
  for (const SettingInfo& info : all_settings()) {
    const SettingValue& value = shown.values().at(std::string(info.key));
    writer.begin_object().string("key", info.key).string("value", value.text);
    writer.string("after_restart", after_restart(shown, files, info.key));
    if (origin) writer.string("origin", value.origin);
    writer.string("description", info.description).end_object();
  }
  writer.end_array().end_object();
  return out;
}

Result<> show_config(const Invocation& invocation, const SettingsOptions& options, bool origin) {
  TRY(const Settings files, load_settings(options, invocation.data));
  const auto running = find_running_hub(invocation.data);
  const Settings* now = running && running->settings ? &*running->settings : nullptr;
  const std::string json = config_json(files, now, running.has_value(), origin);
  const std::size_t changed = now == nullptr ? 0 : changed_by_restart(*now, files).size();
  std::string head = "Settings of the running hub:";
  if (!running) head = "No hub runs on " + invocation.data + ". One would start with these settings:";
  if (running && now == nullptr) head = "The running hub does not tell its settings. After a restart it has these:";
  if (changed > 0) {
    head = "Settings of the running hub; a restart changes " + std::to_string(changed) + " of them:";
  }
  if (invocation.form() == OutputForm::text) std::puts(to_terminal_text(head).c_str());
  ListView view{.members = {"key", "value"}, .empty = {}};
  if (changed > 0) view.members.emplace_back("after_restart");
  if (origin) view.members.emplace_back("origin");
  view.members.emplace_back("description");
  if (invocation.form() == OutputForm::json) {
    print_result(json, OutputForm::json);
  } else {
    const std::string rows(JsonView(json).find("settings")->raw());
    print_result("{\"settings\":" + rows + '}', OutputForm::text, view);
  }
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
  const Command verifying = root.add("verify", "Check the whole store for damage");
  verifying.note("Works while the hub runs. Exits with 1 if it finds a problem.");
  add_common(verifying, invocation);
  verifying.example("syncline verify --data /srv/syncline");
  verifying.on_run([&invocation] { return verify(invocation); });

  const Command doctor = root.add("doctor", "Check for common operating problems");
  doctor.note("Exits with 1 if a check fails.");
  add_common(doctor, invocation);
  const auto doctor_settings = add_settings_options(doctor);
  doctor.example("syncline doctor --data /srv/syncline");
  doctor.on_run([&invocation, doctor_settings] { return diagnose(invocation, *doctor_settings); });

  const Command config = root.add_group("config", "Show settings", "syncline config show --origin");
  const Command show =
      config.add("show", "List all settings: what the running hub has, and what files and environment say");
  const auto origin = std::make_shared<bool>(false);
  show.flag("--origin", *origin, "show where each value comes from");
  add_common(show, invocation);
  const auto shown_settings = add_settings_options(show);
  show.example("syncline config show --origin");
  show.on_run([&invocation, shown_settings, origin] { return show_config(invocation, *shown_settings, *origin); });
}

}  // namespace

void define_hub(Command root, Invocation& invocation) {
  const Command hub = root.add("hub", "Run the hub");
  hub.example("syncline hub --data /srv/syncline --listen 127.0.0.1:8080");
  hub.example("syncline hub --set quota.bytes=free=500000000 --set cors.origins=https://app.example.org");
  hub.note(
      "The hub prints its URL when it is ready, and runs until SIGTERM or SIGINT. SIGHUP reloads the certificate "
      "files.");
  add_common(hub, invocation);
  add_exits(hub, {kExitWrongStore, kExitNewerStore, kExitBusy, kExitStorageFull, kExitStorageBroken, kExitLocked,
                  kExitStorageDamaged, kExitClockInDoubt});
  const auto options = add_settings_options(hub);
  hub.on_run([&invocation, options]() -> Result<> {
    TRY(const Settings settings, load_settings(*options, invocation.data));
    return run_hub(settings, invocation.data);
  });
}

void define_data_and_settings(Command root, Invocation& invocation) {
  const Command setup = root.add("setup", "Show the one-time code for the first account of a running hub");
  add_common(setup, invocation);
  setup.example("syncline setup --data /srv/syncline");
  const auto again = std::make_shared<bool>(false);
  setup.flag("--again", *again, "replace the code with a new one");
  setup.on_run([&invocation, again] { return ask(invocation, *again ? "setup again" : "setup")(); });

  define_backup(root, invocation);
  define_diagnosis(root, invocation);
  define_clock(root, invocation);
}

}  // namespace syncline::app
