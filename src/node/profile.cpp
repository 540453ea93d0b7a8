#include "node/profile.hpp"

#include <algorithm>
#include <filesystem>

#include "base/back_off.hpp"
#include "base/bytes.hpp"
#include "base/json_object.hpp"
#include "base/limits.hpp"
#include "base/log.hpp"
#include "base/stop.hpp"
#include "node/yaml_edit.hpp"

namespace syncline::node {
namespace {

constexpr std::string_view kLocalEmail = "owner@device.local";
constexpr std::string_view kAdvisorModel = "kaisho:advisor";
constexpr std::string_view kCronModel = "kaisho:cron";
constexpr auto kSettingsEach = std::chrono::seconds(2);
constexpr auto kFirstPurge = std::chrono::minutes(2);
constexpr auto kPurgeEach = std::chrono::hours(24);
constexpr std::chrono::seconds kCycleMax{300};
constexpr std::int64_t kHubAnswerMs = 15'000;
constexpr std::chrono::seconds kSessionWaitMax{600};

std::string strip_slashes(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url;
}

/// Which store at the hub this device's is in step with.
std::string hub_text(const std::string& url, const HubAccount& account) {
  std::string text;
  JsonWriter(text)
      .begin_object()
      .string("url", url)
      .string("account", account.name)
      .string("dialect", to_text(account.dialect))
      .end_object();
  return text;
}

bool is_same_account(const JsonObject& before, const std::string& url, const HubAccount& account) {
  const std::string dialect = before.text_of("dialect");
  return before.text_of("url") == url && before.text_of("account") == account.name &&
         (dialect.empty() ? to_text(replica::Dialect::native) : dialect) == to_text(account.dialect);
}

http::ClientRequest ask_for(http::Method method, std::string_view target) {
  return {method, std::string(target), "", {}, kHubAnswerMs};
}

/// Kernle's service: whoever has a key gets a session for it.
Result<HubAccount> read_login(const http::ClientResponse& login, Timestamp now) {
  if (login.status == 401 || login.status == 403) {
    return fail(ErrorCode::unauthorized, http::describe(login), Advice::reauth);
  }
  if (login.status == 404 || login.status == 405) {
    return fail(ErrorCode::unavailable, "there is no hub: it speaks neither /v1 nor Kaisho's nor Kernle's API",
                Advice::retry_later);
  }
  if (login.status != 200) return fail(ErrorCode::unavailable, http::describe(login), Advice::retry_later);
  TRY(const JsonObject object, http::parse_object(login.body));
  HubAccount account;
  account.dialect = replica::Dialect::kernle;
  account.may_sync = true;
  account.name = object.text_of("user_id");
  account.session = object.text_of("token");
  if (account.name.empty() || account.session.empty()) {
    return fail(ErrorCode::unavailable, "the hub's answer to a login names no user or gives no token",
                Advice::retry_later);
  }
  if (const auto expires = parse_iso_or_utc_time(object.text_of("token_expires"))) {
    // A clock that says it is over already is wrong: then the service says when it is.
    const std::int64_t lasts = expires->micros - now.micros;
    if (lasts > 120 * kMicrosPerSecond) account.renew_at = now.plus_micros(lasts / 2);
  }
  return account;
}

bool may_sync(std::string_view plan) {
  const auto parsed = parse_plan(plan);
  return parsed && *parsed != Plan::free;
}

std::string raw_or_null(const JsonObject& object, std::string_view name) {
  const auto value = object.find(name);
  return value ? std::string(value->raw()) : "null";
}

}  // namespace

Profile::Profile(std::string name, std::string directory, const ProfileParts& parts, std::unique_ptr<SqliteStore> store)
    : name_(std::move(name)),
      directory_(std::move(directory)),
      parts_(parts),
      store_(std::move(store)),
      live_(parts_.scheduler),
      access_(*store_, parts_.clock),
      progress_(*store_),
      spaces_(*store_, parts_.clock, live_, progress_, parts_.rules),
      search_index_(directory_ + "/search.db"),
      search_(spaces_, search_index_, parts_.searched),
      replica_(spaces_, kLocalAccount, {}),
      file_(directory_ + "/settings.yaml") {}

Profile::~Profile() { stop(); }

Result<std::shared_ptr<Profile>> Profile::open(const std::string& name, const std::string& directory,
                                               const ProfileParts& parts) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return fail(ErrorCode::unavailable, "cannot make " + directory + ": " + error.message());
  TRY(auto store, SqliteStore::open(directory + "/syncline.db", parts.clock, {.on_broken = parts.on_broken_store}));
  std::shared_ptr<Profile> profile(new Profile(name, directory, parts, std::move(store)));
  CHECK_OK(profile->start());
  return profile;
}

Result<> Profile::find_principal() {
  const std::string path = directory_ + "/local.key";
  TRY(std::string token, read_file(path));
  if (auto known = access_.authenticate(token); known && (*known)->account == kLocalAccount) {
    principal_ = *std::move(known);
    return {};
  }
  if (!access_.find_account(kLocalEmail)) {
    TRY([[maybe_unused]] const Account account, access_.add_account(kLocalEmail, Plan::pro));
  }
  TRY(const NewKey made, access_.add_key(kLocalEmail, "this device", {Scope::read, Scope::write}, std::nullopt));
  CHECK_OK(replace_file(path, made.token));
  TRY(principal_, access_.authenticate(made.token));
  if (principal_->account == kLocalAccount) return {};
  return fail(ErrorCode::wrong_store, directory_ + " has the store of a hub, not of a node");
}

Result<> Profile::start() {
  CHECK_OK(find_principal());
  CHECK_OK(progress_.load());
  TRY(const auto known, store_->spaces(kLocalAccount));
  std::vector<std::string> names = {"kaisho"};
  for (const SpaceInfo& info : known) names.push_back(info.name.name);
  CHECK_OK(replica_.start(names));
  watcher_ = std::jthread([this](const std::stop_token& stop) { watch_settings(stop); });
  return {};
}

void Profile::interrupt() {
  stop_.request_stop();
  watcher_.request_stop();
  replica_.stop();
  live_.end_waits();
}

void Profile::stop() {
  stop_.request_stop();
  if (watcher_.joinable()) {
    watcher_.request_stop();
    watcher_.join();
  }
  replica_.stop();
  search_.stop();
  live_.end_waits();
  store_->close();
}

ProfileSettings Profile::settings() {
  const MutexLock lock(mutex_);
  file_.refresh();
  return file_.values();
}

std::string Profile::settings_error() {
  const MutexLock lock(mutex_);
  file_.refresh();
  return file_.error();
}

bool Profile::is_enabled() { return settings().is_on(); }

std::optional<Error> Profile::obstacle() {
  const MutexLock lock(mutex_);
  return obstacle_;
}

void Profile::purge() {
  const auto ago = [&](std::int64_t seconds) { return parts_.clock.now().plus_micros(-seconds * kMicrosPerSecond); };
  const auto purged = store_->purge({.history = ago(limits::kHistoryDays * 86'400),
                                     .tombstones = kTimestampMin,
                                     .receipts = ago(limits::kIdempotencySeconds)});
  if (!purged) log(LogLevel::warning, "purge_failed", {{"profile", name_}, {"error", purged.error().text}});
}

void Profile::watch_settings(const std::stop_token& stop) {
  BackOff back_off;
  auto purges_at = std::chrono::steady_clock::now() + kFirstPurge;
  while (!stop.stop_requested()) {
    if (std::chrono::steady_clock::now() >= purges_at) {
      purge();
      purges_at += kPurgeEach;
    }
    // Whoever connects or disconnects at this moment knows better.
    if (change_mutex_.try_lock()) {
      const MutexLock changing(change_mutex_, std::adopt_lock);
      apply_settings();
    }
    const bool waits = obstacle().has_value();
    if (!waits) back_off.reset();
    wait_unless_stopped(stop, waits ? std::chrono::milliseconds(back_off.next_ms()) : kSettingsEach);
  }
}

void Profile::apply_settings() {
  ProfileSettings now;
  std::optional<ProfileSettings> applied;
  {
    const MutexLock lock(mutex_);
    file_.refresh();
    now = file_.values();
    applied = applied_;
  }
  now.url = strip_slashes(now.url);
  if (!now.is_on()) {
    if (applied) replica_.disconnect();
    const MutexLock lock(mutex_);
    applied_.reset();
    obstacle_.reset();
    return;
  }
  const bool is_same_hub = applied && applied->url == now.url && applied->api_key == now.api_key;
  if (is_same_hub && applied->interval_s == now.interval_s && !needs_session()) return;

  // The positions in the store belong to one account of one hub: who it is must be known before anything is sent.
  replica_.disconnect();
  {
    const MutexLock lock(mutex_);
    applied_.reset();
  }
  std::optional<Error> obstacle;
  const auto known = read_file(hub_path());
  auto account = ask_account(now.url, now.api_key);
  const auto before = known ? parse_json_object(*known, 8) : std::nullopt;
  if (account) {
    const bool anew = !before || !is_same_account(*before, now.url, *account);
    if (const auto done = connect_replica(now, *account, anew); !done) obstacle = done.error();
  } else {
    obstacle = account.error();
  }
  const MutexLock lock(mutex_);
  obstacle_ = obstacle;
  if (!obstacle) applied_ = now;
}

Result<> Profile::connect_replica(const ProfileSettings& settings, const HubAccount& account, bool anew) {
  const std::string& token = account.session.empty() ? settings.api_key : account.session;
  TRY(const http::ClientFactory clients, parts_.reach_hub(settings.url, token));
  CHECK_OK(replica_.connect({clients, account.dialect, settings.interval_s * 1000}, anew));
  {
    const MutexLock lock(mutex_);
    account_ = account;
    session_since_ = std::chrono::steady_clock::now();
  }
  return replace_file(hub_path(), hub_text(settings.url, account));
}

bool Profile::needs_session() {
  const bool is_refused = replica_.is_refused();
  const MutexLock lock(mutex_);
  if (account_.session.empty()) return false;
  const auto now = std::chrono::steady_clock::now();
  if (now < session_since_ + session_wait_) return false;
  const bool is_old = account_.renew_at && parts_.clock.now() >= *account_.renew_at;
  // A new one that is refused too does not help: then less and less often.
  session_wait_ = is_refused ? std::min(session_wait_ * 2, kSessionWaitMax) : kSessionWaitMin;
  return is_old || is_refused;
}

Result<HubAccount> Profile::ask_account(const std::string& url, const std::string& key) {
  TRY(const http::ClientFactory clients, parts_.reach_hub(url, key));
  const auto client = clients();
  TRY(const auto stats, client->send(ask_for(http::Method::get, "/sync/stats"), stop_.get_token()));
  if (stats.status == 404) {
    TRY(const auto login, client->send(ask_for(http::Method::post, "/auth/login"), stop_.get_token()));
    return read_login(login, parts_.clock.now());
  }
  if (stats.status == 401) return fail(ErrorCode::unauthorized, http::describe(stats), Advice::reauth);
  if (stats.status != 200) return fail(ErrorCode::unavailable, http::describe(stats), Advice::retry_later);
  TRY(const JsonObject object, http::parse_object(stats.body));
  TRY(const auto me, client->send(ask_for(http::Method::get, "/v1/me"), stop_.get_token()));
  // Only a hub that knows no such path speaks Kaisho's API alone: one in trouble is asked again.
  if (me.status != 200 && me.status != 404) {
    return fail(ErrorCode::unavailable, http::describe(me), Advice::retry_later);
  }
  HubAccount account;
  if (me.status == 200) CHECK_OK(http::parse_object(me.body));
  account.dialect = me.status == 200 ? replica::Dialect::native : replica::Dialect::kaisho;
  account.plan = object.text_of("plan");
  account.email = object.text_of("email");
  // Whoever has no address is known by the key.
  account.name = account.email.empty() ? "key " + to_hex(as_text(sha256(key))).substr(0, 16) : account.email;
  if (const auto count = object.integer_of("entry_count")) account.entry_count = *count;
  account.may_sync = may_sync(account.plan);
  if (account.dialect == replica::Dialect::kaisho && !account.may_sync) {
    // Some of these services know plans and do not ask for one.
    TRY(const auto active, client->send(ask_for(http::Method::get, "/sync/active"), stop_.get_token()));
    account.may_sync = active.status == 200;
  }
  account.last_change_at = raw_or_null(object, "last_change_at");
  account.active_timer_id = raw_or_null(object, "active_timer_id");
  return account;
}

Result<HubAccount> Profile::hub_account() {
  const ProfileSettings now = settings();
  {
    // To ask Kernle's service who it is means to make a session.
    const MutexLock lock(mutex_);
    if (applied_ && account_.dialect == replica::Dialect::kernle) return account_;
  }
  return ask_account(strip_slashes(now.url), now.api_key);
}

Result<http::ClientResponse> Profile::ask_hub(const http::ClientRequest& request) { return ask(settings(), request); }

Result<http::ClientResponse> Profile::ask(const ProfileSettings& settings, const http::ClientRequest& request) {
  TRY(const http::ClientFactory clients, parts_.reach_hub(strip_slashes(settings.url), settings.api_key));
  return clients()->send(request, stop_.get_token());
}

Result<Connected> Profile::connect(const std::string& url, const std::string& key) {
  const MutexLock changing(change_mutex_);
  const std::string address = strip_slashes(url);
  const auto account = ask_account(address, key);
  if (!account) {
    log(LogLevel::info, "connect_failed", {{"profile", name_}, {"error", account.error().text}});
    return fail(ErrorCode::unauthorized, "Invalid API key or cloud URL", Advice::reauth);
  }
  if (!account->may_sync) {
    return fail(ErrorCode::forbidden, "The plan '" + account->plan + "' does not include cloud sync");
  }
  Connected connected;
  connected.dialect = account->dialect;
  connected.plan = account->plan;
  std::vector<SettingsFile::Change> changes = {{"cloud_sync", "enabled", "true"},
                                               {"cloud_sync", "url", yaml_scalar(address)},
                                               {"cloud_sync", "api_key", yaml_scalar(key)}};
  ProfileSettings after;
  {
    const MutexLock lock(mutex_);
    file_.refresh();
    const bool has_models = account->dialect != replica::Dialect::kernle;
    const bool sets_advisor = has_models && file_.values().advisor_model.empty();
    const bool sets_cron = has_models && file_.values().cron_model.empty();
    if (sets_advisor) connected.models_set.emplace_back("advisor_model", kAdvisorModel);
    if (sets_cron) connected.models_set.emplace_back("cron_model", kCronModel);
    for (const auto& [name, model] : connected.models_set) changes.push_back({"ai", name, yaml_scalar(model)});
    CHECK_OK(file_.set(changes));
    after = file_.values();
  }
  CHECK_OK(connect_replica(after, *account, true));
  {
    const MutexLock lock(mutex_);
    applied_ = after;
    obstacle_.reset();
  }
  replica_.find_spaces(stop_.get_token());
  const replica::CycleReport first = replica_.sync_now("", kCycleMax);
  for (const std::string& error : first.errors) {
    log(LogLevel::warning, "first_sync_failed", {{"profile", name_}, {"error", error}});
  }
  return connected;
}

Result<Disconnected> Profile::disconnect(bool wipe) {
  const MutexLock changing(change_mutex_);
  Disconnected outcome;
  const bool was_enabled = is_enabled();
  if (was_enabled) {
    apply_settings();  // they may have changed a moment ago
    if (replica_.is_connected()) {
      const auto report = replica_.sync_now("", kCycleMax);
      if (!report.errors.empty()) outcome.pull_error = report.errors.front();
    } else {
      const auto why = obstacle();
      outcome.pull_error = why ? why->text : "not connected yet";
    }
  }
  const ProfileSettings before = settings();
  // First of all nothing may sync any more: what is wiped would come back as deletions.
  {
    const MutexLock lock(mutex_);
    CHECK_OK(file_.set(
        {{"cloud_sync", "enabled", "false"}, {"cloud_sync", "url", "\"\""}, {"cloud_sync", "api_key", "\"\""}}));
    applied_.reset();
    obstacle_.reset();
  }
  replica_.disconnect();
  if (wipe && !was_enabled) {
    outcome.wipe_error = "there is no hub to wipe: this profile is not connected";
  } else if (wipe && outcome.pull_error) {
    outcome.wipe_error = "nothing was wiped, because the last pull failed";
  } else if (wipe) {
    const auto answer = ask(before, {http::Method::del, "/sync/entries", "", {}, 60'000});
    outcome.wiped = answer && answer->status == 200;
    if (!outcome.wiped) outcome.wipe_error = answer ? http::describe(*answer) : answer.error().text;
  }
  return outcome;
}

void Profile::connect_if_enabled() {
  if (replica_.is_connected()) return;
  const MutexLock changing(change_mutex_);
  apply_settings();
}

replica::CycleReport Profile::sync_now(const std::string& space) {
  connect_if_enabled();
  if (!replica_.is_connected()) {
    const auto why = obstacle();
    const bool is_key = why && why->code == ErrorCode::unauthorized;
    return {.moved = {},
            .errors = {why ? why->text : "this profile is not connected to a hub"},
            .is_key_refused = is_key,
            .duration_ms = 0};
  }
  return replica_.sync_now(space, kCycleMax);
}

Result<Profile::ModelsSwitched> Profile::use_kaisho_models() {
  const MutexLock changing(change_mutex_);
  ModelsSwitched switched;
  {
    const MutexLock lock(mutex_);
    file_.refresh();
    const ProfileSettings& now = file_.values();
    switched.advisor_changed = now.advisor_model != kAdvisorModel || now.cron_model != kCronModel;
    if (switched.advisor_changed) {
      CHECK_OK(file_.set(
          {{"ai", "advisor_model", yaml_scalar(kAdvisorModel)}, {"ai", "cron_model", yaml_scalar(kCronModel)}}));
    }
  }
  const std::string path = directory_ + "/jobs.yaml";
  TRY(const std::string text, read_file(path));
  auto edit = set_model_of_jobs(text, kCronModel);
  if (!edit) return fail(edit.error().code, "jobs.yaml: " + edit.error().text);
  if (edit->changed > 0) CHECK_OK(replace_file(path, edit->text));
  switched.jobs_changed = edit->changed;
  return switched;
}

}  // namespace syncline::node
