#include "node/profile.hpp"

#include <filesystem>

#include "base/back_off.hpp"
#include "base/limits.hpp"
#include "base/log.hpp"
#include "base/stop.hpp"
#include "service/directory_move.hpp"
#include "store/sqlite/store_file.hpp"

namespace syncline::node {
namespace {

constexpr std::string_view kLocalEmail = "owner@device.local";
constexpr auto kSettingsEach = std::chrono::seconds(2);
constexpr auto kFirstPurge = std::chrono::minutes(2);
constexpr auto kPurgeEach = std::chrono::hours(24);
constexpr auto kKeepClockEach = std::chrono::minutes(1);

}  // namespace

Profile::Profile(std::string name, std::string directory, const ProfileParts& parts,
                 std::unique_ptr<TrustedClock> clock, std::unique_ptr<SqliteStore> store)
    : name_(std::move(name)),
      directory_(std::move(directory)),
      parts_(parts),
      clock_(std::move(clock)),
      store_(std::move(store)),
      live_(parts_.scheduler),
      access_(*store_, *clock_),
      progress_(*store_),
      spaces_(*store_, *clock_, live_, progress_, parts_.rules),
      search_index_(directory_ + "/search.db"),
      search_(spaces_, search_index_, parts_.searched),
      replica_(spaces_, kLocalAccount, {}),
      settings_(directory_ + "/settings.yaml"),
      connection_({.profile = name_,
                   .hub_path = directory_ + "/hub.json",
                   .reach_hub = parts_.reach_hub,
                   .clock = parts_.clock,
                   .dialects = parts_.dialects,
                   .settings = settings_,
                   .replica = replica_}),
      models_(settings_, directory_ + "/jobs.yaml") {}

Profile::~Profile() { stop(); }

Result<std::shared_ptr<Profile>> Profile::open(const std::string& name, const std::string& directory,
                                               const ProfileParts& parts) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return fail(ErrorCode::unavailable, "cannot create " + directory + ": " + error.message());
  const auto wall = [&clock = parts.clock] { return clock.now(); };
  auto clock = std::make_unique<TrustedClock>(TrustedClock::Of::device, TrustedClock::Source{wall, steady_micros});
  TRY(auto store, open_store_file(directory + "/syncline.db", *clock, {.on_broken = parts.on_broken_store}));
  CHECK_OK(clock->load(*store));
  std::shared_ptr<Profile> profile(new Profile(name, directory, parts, std::move(clock), std::move(store)));
  CHECK_OK(profile->start());
  return profile;
}

Result<> Profile::find_principal() {
  const std::string path = directory_ + "/local.key";
  TRY(std::string token, read_file(path));
  auto known = access_.authenticate(token);
  // Only a store that says so has no such key: one that cannot be read must not get another.
  if (!known && known.error().code != ErrorCode::unauthorized) return std::unexpected(known.error());
  if (known && (*known)->account == kLocalAccount) {
    principal_ = *std::move(known);
    return {};
  }
  TRY(const auto owner, access_.find_account(kLocalEmail));
  if (!owner) {
    TRY([[maybe_unused]] const Account account, access_.add_account(kLocalEmail, Plan::pro));
  }
  TRY(const NewKey made, access_.add_key(kLocalEmail, "this device", {Scope::read, Scope::write}, std::nullopt));
  CHECK_OK(replace_file(path, made.token));
  TRY(principal_, access_.authenticate(made.token));
  if (principal_->account == kLocalAccount) return {};
  return fail(ErrorCode::wrong_store, directory_ + " has the store of a hub, not of a node");
}

Result<> Profile::start() {
  CHECK_OK(move_to_directory(*store_));
  CHECK_OK(find_principal());
  CHECK_OK(progress_.load());
  TRY(const auto known, store_->spaces(kLocalAccount));
  std::vector<std::string> names = parts_.first_spaces;
  for (const SpaceInfo& info : known) names.push_back(info.name.name);
  CHECK_OK(replica_.start(names));
  watcher_ = std::jthread([this](const std::stop_token& stop) { watch_settings(stop); });
  return {};
}

void Profile::interrupt() {
  connection_.interrupt();
  watcher_.request_stop();
  replica_.stop();
  live_.end_waits();
}

void Profile::stop() {
  connection_.interrupt();
  if (watcher_.joinable()) {
    watcher_.request_stop();
    watcher_.join();
  }
  replica_.stop();
  search_.stop();
  live_.end_waits();
  store_->close();
}

void Profile::keep_clock() {
  const auto kept = clock_->save(*store_);
  if (!kept) log(LogLevel::warning, "clock_not_kept", {{"profile", name_}, {"error", kept.error().text}});
}

void Profile::purge() {
  const ClockStatus clock = clock_->status();
  if (!clock.is_trusted()) {
    return log(LogLevel::warning, "purge_suspended", {{"profile", name_}, {"reason", "the clock is in doubt"}});
  }
  const auto ago = [&](std::int64_t seconds) { return clock.now.plus_micros(-seconds * kMicrosPerSecond); };
  const auto purged = store_->purge({.history = ago(limits::kHistoryDays * 86'400),
                                     .tombstones = kTimestampMin,
                                     .receipts = ago(limits::kIdempotencySeconds)});
  if (!purged) log(LogLevel::warning, "purge_failed", {{"profile", name_}, {"error", purged.error().text}});
}

void Profile::watch_settings(const std::stop_token& stop) {
  BackOff back_off;
  auto purges_at = std::chrono::steady_clock::now() + kFirstPurge;
  auto keeps_clock_at = std::chrono::steady_clock::now();
  while (!stop.stop_requested()) {
    if (std::chrono::steady_clock::now() >= keeps_clock_at) {
      keep_clock();
      keeps_clock_at += kKeepClockEach;
    }
    if (std::chrono::steady_clock::now() >= purges_at) {
      purge();
      purges_at += kPurgeEach;
    }
    connection_.follow_settings();
    const bool waits = connection_.obstacle().has_value();
    if (!waits) back_off.reset();
    wait_unless_stopped(stop, waits ? std::chrono::milliseconds(back_off.next_ms()) : kSettingsEach);
  }
}

}  // namespace syncline::node
