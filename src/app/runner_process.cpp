#include "app/runner_process.hpp"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "app/ca_file.hpp"
#include "app/process.hpp"
#include "base/log.hpp"
#include "base/mutex.hpp"
#include "runner/plain_launcher.hpp"
#include "runner/runner.hpp"
#include "runner/sandbox.hpp"

namespace syncline::app {
namespace {

Result<runner::Policy> read_policy(const RunnerSettings& settings) {
  const bool has_flags = !settings.roots.empty() || !settings.allow.empty();
  if (settings.policy_file.empty() && !has_flags) {
    return fail(ErrorCode::invalid_argument, "no policy given; use --policy FILE, or --root DIR and --allow TYPES");
  }
  if (!settings.policy_file.empty() && has_flags) {
    return fail(ErrorCode::invalid_argument,
                "--policy cannot be combined with --root or --allow; use one or the other");
  }
  if (!settings.policy_file.empty()) return runner::load_policy(settings.policy_file);
  if (settings.roots.empty()) return fail(ErrorCode::invalid_argument, "--allow needs a directory; add --root DIR");
  if (settings.allow.empty()) {
    return fail(ErrorCode::invalid_argument, "--root needs command types; add --allow TYPES or --allow any");
  }
  return runner::make_policy(settings.roots, settings.allow);
}

/// A node cannot look into the processes of root, so it cannot tell root from a command in root's sandbox.
void warn_of_root(const runner::Policy& policy) {
  if (::geteuid() != 0 || std::ranges::count(policy.network, true) == 0) return;
  log(LogLevel::warning, "runner_is_root",
      {{"effect", "commands with network count as root, and the nodes of all users of this machine serve them"},
       {"what_now", "run the runner as a user of its own"}});
}

Result<std::shared_ptr<const runner::Workplace>> make_workplace(const RunnerSettings& settings,
                                                                const DataDirectory& directory) {
  TRY(runner::Policy policy, read_policy(settings));
  // Below a root a command could change what the runner relies on, or whom it trusts, or read its key.
  std::vector<std::string> forbidden = {directory.path()};
  TRY(const std::string ca_file, find_ca_file(settings.hub.ca_file));
  for (const std::string& file : {settings.policy_file, key_file_of(settings.hub), ca_file}) {
    if (!file.empty()) forbidden.push_back(file);
  }
  TRY(runner::Roots roots, runner::Roots::open(policy, forbidden));
  if (roots.list().empty()) {
    return fail(ErrorCode::invalid_argument, "the policy has no roots; list at least one directory under roots");
  }
  std::unique_ptr<runner::Launcher> launcher;
  if (settings.no_sandbox) {
    launcher = runner::make_plain_launcher();
  } else {
    TRY(launcher, runner::make_sandbox(policy, roots));
  }
  warn_of_root(policy);
  return std::make_shared<const runner::Workplace>(std::move(policy), std::move(roots), std::move(launcher));
}

/// The first error that the runner cannot live with, and a signal to the main thread.
class Failure {
 public:
  void set(const Error& error) {
    {
      const MutexLock lock(mutex_);
      if (!error_) error_ = error;
    }
    ::kill(::getpid(), SIGTERM);
  }
  [[nodiscard]] Result<> outcome() const {
    const MutexLock lock(mutex_);
    return error_ ? Result<>(std::unexpected(*error_)) : Result<>{};
  }

 private:
  mutable Mutex mutex_;
  std::optional<Error> error_ GUARDED_BY(mutex_);
};

void reload(const RunnerSettings& settings, const DataDirectory& directory, runner::Runner& running) {
  auto workplace = make_workplace(settings, directory);
  if (workplace) running.set_workplace(*workplace);
  log(workplace ? LogLevel::info : LogLevel::error, "reload",
      {{"outcome", workplace ? "ok" : "kept the old policy: " + workplace.error().text}});
  flush_log();
}

}  // namespace

Result<> run_runner(const RunnerSettings& settings) {
  raise_descriptor_limit();   // a dozen for each command that runs
  ::mallopt(M_ARENA_MAX, 2);  // threads that mostly wait need no heaps of their own
  TRY(const LogLevel level, parse_log_level(settings.log_level));
  TRY(const http::ClientFactory clients, reach_hub(settings.hub));
  const sigset_t signals = block_signals();
  set_log_level(level);

  TRY(const DataDirectory directory,
      DataDirectory::own(settings.data, DataDirectory::Missing::create, DataDirectory::Of::runner));
  TRY(const auto workplace, make_workplace(settings, directory));
  static const SystemClock kClock;
  TRY(const auto intents, runner::IntentLog::open(directory.intent_log_path()));
  TRY(const auto audit, runner::AuditLog::open(directory.audit_log_path(), *intents, kClock));
  const runner::LinkFactory links = settings.published_api
                                        ? runner::make_published_links(clients, settings.poll_seconds * 1000)
                                        : runner::make_claiming_links(clients);
  Failure failure;
  const std::int64_t concurrency = settings.concurrency > 0 ? settings.concurrency : workplace->policy.concurrency;
  runner::Runner running({concurrency, settings.drain_seconds * 1000}, workplace, links, *intents, *audit, kClock);
  const auto say_ready = [hub = url_of(settings.hub)] {
    std::printf("syncline runner ready for %s\n", hub.c_str());
    std::fflush(stdout);
    notify_systemd("STATUS=runs commands of " + hub);
  };
  CHECK_OK(running.start(say_ready, [&](const Error& error) { failure.set(error); }));
  log(LogLevel::info, "started",
      {{"hub", url_of(settings.hub)},
       {"policy", workplace->policy.source},
       {"sandbox", settings.no_sandbox ? "none" : "bubblewrap"},
       {"concurrency", concurrency}});
  if (settings.no_sandbox) log(LogLevel::warning, "no_sandbox", {{"effect", "commands run without a sandbox"}});
  flush_log();
  // A hub that is away at the start of the machine is no failure of this one.
  notify_systemd("READY=1");

  for (;;) {
    int number = 0;
    if (sigwait(&signals, &number) != 0) continue;
    if (number != SIGHUP) break;
    reload(settings, directory, running);
  }
  notify_systemd("STOPPING=1");
  log(LogLevel::info, "stopping");
  running.stop();
  log(LogLevel::info, "stopped");
  flush_log();
  return failure.outcome();
}

}  // namespace syncline::app
