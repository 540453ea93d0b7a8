#include "app/offline.hpp"

#include <thread>

#include "app/admin.hpp"
#include "app/control.hpp"
#include "app/plan_settings.hpp"
#include "app/public_url.hpp"
#include "store/sqlite/store_file.hpp"

namespace syncline::app {
namespace {

constexpr int kOwnerAttempts = 50;
constexpr auto kOwnerPause = std::chrono::milliseconds(100);

/// For a process without event loops: nothing waits here, so nothing needs to be woken.
class NoScheduler final : public Scheduler {
 public:
  void post(std::move_only_function<void()> run) override { run(); }
  std::unique_ptr<Timer> after_ms(std::int64_t, std::move_only_function<void()>) override {
    return std::make_unique<NoTimer>();
  }

 private:
  struct NoTimer final : Timer {};
};

Result<std::string> public_url_beside(const std::string& data) {
  TRY(const Settings settings, Settings::load_beside(data));
  return read_public_url(settings);
}

/// What the plans allow by the settings beside the data. Only the list of accounts needs them: nothing else that an
/// operator does is refused because of a quota, or because of a setting that is wrong.
Result<Quotas::ByPlan> quotas_beside(const std::string& data, const JsonObject& request) {
  if (request.text_of("command") != "account list") return Quotas::ByPlan{};
  TRY(const Settings settings, Settings::load_beside(data));
  return read_quotas(settings);
}

Result<std::string> run_here(const DataDirectory& directory, const std::string& data, const JsonObject& request) {
  TrustedClock clock(TrustedClock::Of::hub);
  NoScheduler scheduler;
  TRY(auto store, open_store_file(directory.store_path(), clock, {}));
  // Whoever wants to know what is wrong with a store must not need all of it.
  const bool needs_all = request.text_of("command") != "verify";
  if (needs_all) CHECK_OK(clock.load(*store));
  // The rules of the spaces are the same whatever the hub's settings are.
  TRY(const auto faces, make_faces(Settings::defaults()));
  TRY(const Quotas::ByPlan quotas, quotas_beside(data, request));
  CoreServices core(std::move(store), {directory.search_path(), directory.old_deliveries_path()}, clock, scheduler, {},
                    quotas, faces);
  core.public_url = [&data] { return public_url_beside(data); };
  if (request.text_of("command") == "webhooks add") {
    TRY(const Settings settings, Settings::load_beside(data));
    TRY(webhooks::AddressGuard guard, webhooks::AddressGuard::make(settings.list("webhooks.allow")));
    core.webhooks.guard_addresses(std::move(guard));
  }
  if (needs_all) CHECK_OK(core.load());
  auto answer = run_admin(core, request);
  if (core.store->status().commits > 0) core.keep_clock();
  return answer;
}

}  // namespace

Result<std::string> run_anywhere(const std::string& data, const JsonObject& request, DataDirectory::Missing missing) {
  for (int attempt = 1;; ++attempt) {
    const auto directory = DataDirectory::own(data, missing);
    if (directory) return run_here(*directory, data, request);
    if (directory.error().code != ErrorCode::locked) return std::unexpected(directory.error());
    auto answer = call_control(data + "/control", request);
    if (answer || answer.error().code != ErrorCode::unavailable || attempt == kOwnerAttempts) return answer;
    std::this_thread::sleep_for(kOwnerPause);
  }
}

}  // namespace syncline::app
