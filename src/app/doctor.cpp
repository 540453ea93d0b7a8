#include "app/doctor.hpp"

#include <sys/resource.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "app/control.hpp"
#include "app/data_directory.hpp"
#include "app/offline.hpp"
#include "base/json.hpp"
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

void check_directory(Checks& checks, const std::string& data) {
  struct stat info{};
  if (::stat(data.c_str(), &info) != 0) {
    return checks.add("data directory", "failed", data + ": " + std::strerror(errno));
  }
  const bool open_to_others = (info.st_mode & 077) != 0;
  checks.add("data directory", open_to_others ? "warning" : "ok",
             open_to_others ? data + " is accessible to other users; run: chmod 700 " + data : data);
  std::error_code error;
  const auto space = fs::space(data, error);
  const std::string free = std::to_string(space.available >> 20U) + " MiB free";
  checks.add("disk", error || space.available >= kFreeBytesMin ? "ok" : "warning", free);
}

void check_store(Checks& checks, const std::string& data) {
  JsonObject request;
  request.set_text("command", "verify");
  const auto verified = run_anywhere(data, request, DataDirectory::Missing::refuse);
  if (!verified) return checks.add("store", "failed", verified.error().text);
  const auto ok = JsonView(*verified).find("ok");
  const bool good = ok && ok->as_boolean().value_or(false);
  checks.add("store", good ? "ok" : "failed", good ? "verified" : *verified + "; restore a backup");
}

void check_hub(Checks& checks, const std::string& data) {
  JsonObject request;
  request.set_text("command", "account list");
  const auto answer = call_control(data + "/control", request);
  checks.add("hub", "ok", answer ? "running" : "not running");
}

void check_descriptors(Checks& checks) {
  rlimit limit{};
  (void)::getrlimit(RLIMIT_NOFILE, &limit);
  const bool enough = limit.rlim_max >= kDescriptorsMin;
  checks.add("open files", enough ? "ok" : "warning",
             std::to_string(limit.rlim_max) +
                 (enough ? " allowed" : " allowed, and each connection needs one; raise the limit (ulimit -Hn)"));
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
  const bool readable = fs::exists(certificate) && fs::exists(settings.text("tls.key"));
  checks.add("tls", readable ? "ok" : "failed",
             readable ? certificate : "the tls.certificate or tls.key file does not exist");
}

void check_clock(Checks& checks) {
  const Timestamp built = parse_time("2026-01-01T00:00:00Z").value_or(Timestamp{});
  const Timestamp now = SystemClock().now();
  checks.add("clock", now > built ? "ok" : "failed",
             format_time(now) + (now > built ? "" : " is in the past; set the system clock"));
}

}  // namespace

Diagnosis examine(const Settings& settings, const std::string& data) {
  Checks checks;
  check_directory(checks, data);
  check_store(checks, data);
  check_hub(checks, data);
  check_descriptors(checks);
  check_tls(checks, settings);
  check_clock(checks);
  return checks.finish();
}

}  // namespace syncline::app
