#include "service/housekeeping.hpp"

#include <cassert>

#include "base/log.hpp"

namespace syncline {
namespace {

constexpr auto kSaveInterval = std::chrono::minutes(1);
constexpr int kSavesPerHour = 60;
constexpr std::int64_t kDaysMax = 36'500;  // a century: as good as for ever
constexpr std::int64_t kMicrosPerDay = 86400 * kMicrosPerSecond;

void report(std::string_view what, const Result<>& result) {
  if (!result) log(LogLevel::warning, "housekeeping_failed", {{"what", what}, {"error", result.error().text}});
}

}  // namespace

void Housekeeping::each_minute(std::function<void()> run) {
  assert(!thread_.joinable());
  each_minute_.push_back(std::move(run));
}

void Housekeeping::each_hour(std::function<void()> run) {
  assert(!thread_.joinable());
  hourly_.push_back(std::move(run));
}

void Housekeeping::start() {
  thread_ = std::thread([this] { run(); });
}

void Housekeeping::stop() {
  {
    const MutexLock lock(mutex_);
    if (stopping_) return;
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
  save();
}

void Housekeeping::run() {
  MutexLock lock(mutex_);
  for (int saves = 0;; ++saves) {
    const Deadline next_save = Deadline::clock::now() + kSaveInterval;
    while (!stopping_ && wake_.wait_until(mutex_, next_save)) {
    }
    if (stopping_) return;
    lock.unlock();
    save();
    if (saves % kSavesPerHour == 0) purge();
    lock.lock();
  }
}

void Housekeeping::run_all() {
  save();
  purge();
}

void Housekeeping::save() {
  report("audit log", access_.audit().flush());  // first: revocations in the reserve go with the next write
  report("key usage", access_.store_usage());
  report("pull progress", progress_.save());
  for (const auto& run : each_minute_) run();
}

void Housekeeping::purge() {
  // While the clock is in doubt nothing is old enough: what is removed does not come back.
  if (!clock_.is_trusted()) return log(LogLevel::warning, "purge_suspended", {{"reason", "the clock is in doubt"}});
  const Timestamp now = clock_.now();
  const auto ago = [&](std::int64_t micros) { return now.plus_micros(-micros); };
  const auto days = [](std::int64_t count) { return std::min(count, kDaysMax) * kMicrosPerDay; };
  report("purge", store_.purge({.history = ago(days(std::max(keep_.history, limits::kWipeUndoDays))),
                                .tombstones = ago(days(keep_.tombstones)),
                                .receipts = ago(limits::kIdempotencySeconds * kMicrosPerSecond)}));
  report("audit log", access_.audit().purge(ago(days(keep_.audit))));
  for (const auto& run : hourly_) run();
}

}  // namespace syncline
