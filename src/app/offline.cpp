#include "app/offline.hpp"

#include <thread>

#include "app/admin.hpp"
#include "app/control.hpp"

namespace syncline::app {
namespace {

constexpr int kOwnerAttempts = 50;
constexpr auto kOwnerPause = std::chrono::milliseconds(100);

/// For a process without event loops: nothing waits here, so nothing needs to be woken.
class NoScheduler final : public Scheduler {
 public:
  void post(std::function<void()> run) override { run(); }
  std::unique_ptr<Timer> after_ms(std::int64_t, std::function<void()>) override { return std::make_unique<NoTimer>(); }

 private:
  struct NoTimer final : Timer {};
};

Result<std::string> run_here(const DataDirectory& directory, const JsonObject& request) {
  static const SystemClock kClock;
  NoScheduler scheduler;
  TRY(auto store, SqliteStore::open(directory.store_path(), kClock, {}));
  // The rules of the spaces are the same whatever the hub's settings are.
  TRY(const auto faces, make_faces(Settings::defaults()));
  CoreServices core(std::move(store), {directory.search_path(), directory.webhooks_path()}, kClock, scheduler, {},
                    faces);
  CHECK_OK(core.load());
  return run_admin(core, request);
}

}  // namespace

Result<std::string> run_anywhere(const std::string& data, const JsonObject& request, DataDirectory::Missing missing) {
  for (int attempt = 1;; ++attempt) {
    const auto directory = DataDirectory::own(data, missing);
    if (directory) return run_here(*directory, request);
    if (directory.error().code != ErrorCode::locked) return std::unexpected(directory.error());
    auto answer = call_control(data + "/control", request);
    if (answer || answer.error().code != ErrorCode::unavailable || attempt == kOwnerAttempts) return answer;
    std::this_thread::sleep_for(kOwnerPause);
  }
}

}  // namespace syncline::app
