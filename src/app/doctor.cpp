#include "app/doctor.hpp"

#include <sys/resource.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "app/backup_settings.hpp"
#include "app/data_directory.hpp"
#include "app/offline.hpp"
#include "app/oidc_settings.hpp"
#include "app/public_url.hpp"
#include "app/running_hub.hpp"
#include "base/json.hpp"
#include "base/limits.hpp"
#include "base/private_files.hpp"
#include "base/text.hpp"
#include "base/time.hpp"

namespace syncline::app {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kFreeBytesMin = 1ULL << 30U;
constexpr rlim_t kDescriptorsMin = 4096;

/// Collects the verdicts: ok, warning (works, but not as it should) or failed.
class Checks {
 public:
  Checks() { writer_.begin_object().name("checks").begin_array(); }

  void add(std::string_view check, std::string_view state, std::string_view detail) {
    ok_ = ok_ && state != "failed";
    writer_.begin_object().string("check", check).string("state", state).string("detail", detail).end_object();
  }

  Diagnosis finish() {
    writer_.end_array().boolean("ok", ok_).end_object();
    return {std::move(json_), ok_};
  }

 private:
  std::string json_;
  JsonWriter writer_{json_};
  bool ok_ = true;
};

/// A file of the hub that other users have rights on, if there is one.
std::string find_open_file(const std::string& data) {
  std::error_code error;
  for (fs::directory_iterator at(data, error), end; !error && at != end; at.increment(error)) {
    const bool is_settings = at->path().extension() == ".yaml";  // names files instead of keys
    std::error_code gone;
    if (!is_settings && at->is_regular_file(gone) && is_open_to_others(at->path())) return at->path().string();
  }
  return "";
}

void check_directory(Checks& checks, const std::string& data) {
  struct stat info{};
  if (::stat(data.c_str(), &info) != 0) {
    return checks.add("data directory", "failed", data + ": " + std::strerror(errno));
  }
  const bool open_to_others = (info.st_mode & 077) != 0;
  checks.add("data directory", open_to_others ? "warning" : "ok",
             open_to_others ? data + " is accessible to other users; run: chmod 700 " + data : data);
  const std::string open_file = find_open_file(data);
  checks.add("files", open_file.empty() ? "ok" : "warning",
             open_file.empty() ? "accessible to their owner only"
                               : open_file + " is accessible to other users; run: chmod 600 " + open_file);
  std::error_code error;
  const auto space = fs::space(data, error);
  const std::string free = std::to_string(space.available >> 20U) + " MiB free";
  checks.add("disk", error || space.available >= kFreeBytesMin ? "ok" : "warning", free);
}

/// One sentence of what verify answers.
std::string summary_of(JsonView verified) {
  std::string summary;
  if (const auto problems = verified.find("problems"); problems && problems->is_array()) {
    problems->for_each_element([&](JsonView problem) {
      summary += (summary.empty() ? "" : "; ") + std::string(problem.as_string().value_or(""));
    });
  }
  return summary + "; 'syncline verify' lists the damage, and docs/operating.md says what to do";
}

void check_store(Checks& checks, const std::string& data) {
  JsonObject request;
  request.set_text("command", "verify");
  const auto verified = run_anywhere(data, request, DataDirectory::Missing::refuse);
  if (!verified) return checks.add("store", "failed", verified.error().text);
  const auto ok = JsonView(*verified).find("ok");
  const bool good = ok && ok->as_boolean().value_or(false);
  checks.add("store", good ? "ok" : "failed", good ? "verified" : summary_of(JsonView(*verified)));
  const std::string warning = JsonView(*verified).text_of("warning");
  checks.add("history", warning.empty() ? "ok" : "warning",
             warning.empty() ? "no loss of changes found"
                             : warning + "; check the disk, and see 'syncline conflict list' for edits that collided");
}

void check_backups(Checks& checks, const Settings& settings, const std::string& data) {
  const BackupWatch::Terms terms = read_backup_terms(settings);
  JsonObject request;
  request.set_text("command", "backup status");
  request.set_integer("every_seconds", terms.every_s);
  request.set_integer("tolerance_seconds", terms.tolerance_s);
  const auto status = run_anywhere(data, request, DataDirectory::Missing::refuse);
  if (!status) return checks.add("backup", "warning", status.error().text);
  const std::string warning = JsonView(*status).text_of("warning");
  const std::string last = JsonView(*status).text_of("last_ok_at");
  const std::string unwatched = terms.every_s == 0 ? "; set backup.every_hours to hear of a missing one" : "";
  checks.add("backup", warning.empty() ? "ok" : "warning",
             !warning.empty() ? warning : (last.empty() ? "none yet" : "the last one is of " + last) + unwatched);
}

void check_rows(Checks& checks, const std::string& data) {
  JsonObject request;
  request.set_text("command", "rows undeliverable");
  const auto found = run_anywhere(data, request, DataDirectory::Missing::refuse);
  if (!found) return checks.add("time tracking", "warning", found.error().text);
  std::string names;
  if (const auto rows = JsonView(*found).find("rows")) {
    rows->for_each_element([&](JsonView row) {
      names += "; " + row.text_of("collection") + ' ' + row.text_of("id") + " of " + row.text_of("account") + ": " +
               row.text_of("error");
    });
  }
  const auto count = JsonView(*found).find("count");
  checks.add("time tracking", names.empty() ? "ok" : "warning",
             names.empty() ? "clients can read all rows"
                           : "rows that clients cannot read, left out of what they pull: " +
                                 std::string(count ? count->raw() : "") + "; correct or delete them" + names);
}

void check_hub(Checks& checks, const Settings& files, const std::optional<RunningHub>& running) {
  if (!running)
    return checks.add("hub", "ok", "not running; the checks below are of the settings with which it would start");
  if (!running->settings) return checks.add("hub", "ok", "running, but too old to tell its settings");
  const auto keys = changed_by_restart(*running->settings, files);
  checks.add("hub", keys.empty() ? "ok" : "warning",
             keys.empty() ? "running; the checks below are of its settings"
                          : "running; settings have changed since it started: " + join(keys, ", ") +
                                "; restart it to apply them ('syncline config show' has both values)");
}

void check_descriptors(Checks& checks) {
  rlimit limit{};
  (void)::getrlimit(RLIMIT_NOFILE, &limit);
  const bool enough = limit.rlim_max >= kDescriptorsMin;
  checks.add("open files", enough ? "ok" : "warning",
             std::to_string(limit.rlim_max) +
                 (enough ? " allowed" : " allowed, and each connection needs one; raise the limit (ulimit -Hn)"));
}

/// A group may have been given the right to read a key; everybody may not.
void check_secret_file(Checks& checks, std::string_view check, const std::string& path) {
  struct stat info{};
  if (path.empty() || ::stat(path.c_str(), &info) != 0) return;
  const bool is_open = (info.st_mode & S_IRWXO) != 0;
  checks.add(check, is_open ? "warning" : "ok",
             is_open ? path + " is accessible to all users; run: chmod o= " + path : path);
}

void check_tls(Checks& checks, const Settings& settings) {
  const std::string& certificate = settings.text("tls.certificate");
  const bool loopback = settings.text("listen").starts_with("127.") || settings.text("listen").starts_with("[::1]") ||
                        settings.text("listen").starts_with("localhost");
  if (certificate.empty()) {
    checks.add("tls", loopback ? "ok" : "warning",
               loopback ? "off; the hub listens only on this machine"
                        : "off, but other machines can reach the hub; set tls.certificate and tls.key");
    return;
  }
  check_secret_file(checks, "tls key", settings.text("tls.key"));
  const bool readable = fs::exists(certificate) && fs::exists(settings.text("tls.key"));
  checks.add("tls", readable ? "ok" : "failed",
             readable ? certificate : "the tls.certificate or tls.key file does not exist");
}

void check_public_url(Checks& checks, const Settings& settings) {
  const auto url = read_public_url(settings);
  if (!url) return checks.add("public url", "failed", url.error().text);
  if (url->empty()) return checks.add("public url", "ok", "not set; the hub prints no links");
  const std::string host = host_of_public_url(*url);
  const bool is_local = host == "localhost" || host == "[::1]" || host == "::1" || host.starts_with("127.");
  if (url->starts_with("http://") && !is_local) {
    const bool is_wanted = settings.boolean("console.insecure");
    return checks.add("public url", is_wanted ? "warning" : "failed",
                      *url + " is not encrypted: " +
                          (is_wanted ? "everybody on the way can read passwords and cookies"
                                     : "people cannot sign in, and links with tokens can be read on the way") +
                          "; use https://");
  }
  const bool has_port = url->rfind(':') > url->find(':') && !url->ends_with(']');
  checks.add("public url", has_port ? "warning" : "ok",
             has_port ? *url +
                            " has a port: browsers send the hub's cookies to every service on that host; give the hub "
                            "a host name of its own"
                      : *url);
}

/// Asks the provider from here, as the hub would.
void check_provider(Checks& checks, const Settings& settings) {
  const auto setup = read_oidc_settings(settings);
  if (!setup) return checks.add("sign-in provider", "failed", setup.error().text);
  if (!*setup) return;
  check_secret_file(checks, "sign-in provider's secret", settings.text("oidc.client_secret_file"));
  const SystemClock clock;
  const auto keys = oidc::Provider((*setup)->provider, clock).look();
  const std::string& issuer = (*setup)->provider.issuer;
  if (!keys) return checks.add("sign-in provider", "warning", keys.error().text);
  if (*keys == 0) return checks.add("sign-in provider", "warning", issuer + " has no key for RS256, ES256 or EdDSA");
  const auto url = read_public_url(settings);
  const bool has_url = url && !url->empty();
  checks.add("sign-in provider", has_url ? "ok" : "warning",
             has_url ? issuer + " answers; its redirect URI for this hub is " + *url + "/oidc/callback"
                     : issuer + " answers, but hub.public_url is not set, to which it sends browsers back");
}

void check_clock(Checks& checks, const std::string& data) {
  const Timestamp now = SystemClock().now();
  if (now.micros < limits::kEarliestTimeMicros) {
    return checks.add("clock", "failed", format_time(now) + " is in the past; set the system clock");
  }
  JsonObject request;
  request.set_text("command", "clock status");
  const auto status = run_anywhere(data, request, DataDirectory::Missing::refuse);
  const std::string advice = status ? JsonView(*status).text_of("advice") : "";
  checks.add("clock", advice.empty() ? "ok" : "warning", advice.empty() ? format_time(now) : advice);
}

}  // namespace

Diagnosis examine(const Settings& files, const std::string& data) {
  Checks checks;
  check_directory(checks, data);
  check_store(checks, data);
  const auto running = find_running_hub(data);
  check_hub(checks, files, running);
  // What runs counts more than what a restart would bring.
  const Settings& settings = running && running->settings ? *running->settings : files;
  check_rows(checks, data);
  check_backups(checks, settings, data);
  check_descriptors(checks);
  check_tls(checks, settings);
  check_public_url(checks, settings);
  check_secret_file(checks, "ai key", settings.text("ai.key_file"));
  check_provider(checks, settings);
  check_clock(checks, data);
  return checks.finish();
}

}  // namespace syncline::app
