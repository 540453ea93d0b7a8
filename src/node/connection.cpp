#include "node/connection.hpp"

#include "base/json_object.hpp"
#include "base/log.hpp"
#include "node/yaml_edit.hpp"

namespace syncline::node {
namespace {

using replica::HubAccount;

constexpr std::chrono::seconds kCycleMax{300};

std::string strip_slashes(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url;
}

HubAddress address_of(const ProfileSettings& settings, const std::string& token) {
  return {strip_slashes(settings.url), token, settings.ca_file};
}

/// Which store at the hub this device's is in step with.
std::string hub_text(const std::string& url, const HubAccount& account) {
  std::string text;
  JsonWriter(text)
      .begin_object()
      .string("url", url)
      .string("account", account.name)
      .string("dialect", account.dialect->name())
      .end_object();
  return text;
}

bool is_same_account(const JsonObject& before, const std::string& url, const HubAccount& account) {
  const std::string dialect = before.text_of("dialect");
  return before.text_of("url") == url && before.text_of("account") == account.name &&
         (dialect.empty() ? replica::native_dialect().name() : dialect) == account.dialect->name();
}

}  // namespace

Connection::Connection(Parts parts)
    : parts_(std::move(parts)), probe_(parts_.reach_hub, parts_.clock, parts_.dialects), session_(parts_.clock) {}

void Connection::set_state(State state) {
  const MutexLock lock(mutex_);
  state_ = std::move(state);
}

std::optional<ProfileSettings> Connection::applied() {
  const MutexLock lock(mutex_);
  const On* on = std::get_if<On>(&state_);
  return on == nullptr ? std::nullopt : std::optional(on->settings);
}

std::optional<Error> Connection::obstacle() {
  const MutexLock lock(mutex_);
  const Obstructed* obstructed = std::get_if<Obstructed>(&state_);
  return obstructed == nullptr ? std::nullopt : std::optional(obstructed->why);
}

void Connection::follow_settings() {
  if (!change_mutex_.try_lock()) return;
  const MutexLock changing(change_mutex_, std::adopt_lock);
  apply_settings();
}

void Connection::connect_if_enabled() {
  if (parts_.replica.is_connected()) return;
  const MutexLock changing(change_mutex_);
  apply_settings();
}

void Connection::apply_settings() {
  ProfileSettings now = parts_.settings.values();
  now.url = strip_slashes(now.url);
  const auto before = applied();
  if (!now.is_on()) {
    if (before) parts_.replica.disconnect();
    return set_state(Off{});
  }
  const bool is_same_hub =
      before && before->url == now.url && before->api_key == now.api_key && before->ca_file == now.ca_file;
  if (is_same_hub && before->interval_s == now.interval_s && !session_.needs_renewal(parts_.replica.is_refused())) {
    return;
  }
  parts_.replica.disconnect();
  if (before) set_state(Off{});  // an obstacle stands until it is known to be gone
  if (const auto done = connect_as(now); !done) return set_state(Obstructed{done.error()});
  set_state(On{now});
}

Result<> Connection::connect_as(const ProfileSettings& settings) {
  // The positions in the store belong to one account of one hub: who it is must be known before anything is sent.
  TRY(const std::string known, read_file(parts_.hub_path));
  TRY(const HubAccount account, probe_.ask(address_of(settings, settings.api_key), stop_.get_token()));
  const auto before = parse_json_object(known, 8);
  return connect_replica(settings, account, !before || !is_same_account(*before, settings.url, account));
}

Result<> Connection::connect_replica(const ProfileSettings& settings, const HubAccount& account, bool anew) {
  const std::string& token = account.session.empty() ? settings.api_key : account.session;
  TRY(const http::ClientFactory clients, parts_.reach_hub(address_of(settings, token)));
  CHECK_OK(parts_.replica.connect({clients, account.dialect, settings.interval_s * 1000}, anew));
  session_.begin(account);
  return replace_file(parts_.hub_path, hub_text(settings.url, account));
}

Result<HubAccount> Connection::hub_account() {
  const ProfileSettings now = parts_.settings.values();
  if (applied()) {
    HubAccount account = session_.account();
    if (account.dialect->asking_leaves_traces()) return account;
  }
  return probe_.ask(address_of(now, now.api_key), stop_.get_token());
}

Result<http::ClientResponse> Connection::ask_hub(const http::ClientRequest& request) {
  return ask(parts_.settings.values(), request);
}

Result<http::ClientResponse> Connection::ask(const ProfileSettings& settings, const http::ClientRequest& request) {
  TRY(const http::ClientFactory clients, parts_.reach_hub(address_of(settings, settings.api_key)));
  return clients()->send(request, stop_.get_token());
}

Result<Connected> Connection::connect(HubAddress hub) {
  const MutexLock changing(change_mutex_);
  hub.url = strip_slashes(hub.url);
  const ProfileSettings before = parts_.settings.values();
  if (hub.ca_file.empty() && strip_slashes(before.url) == hub.url) hub.ca_file = before.ca_file;
  const auto account = probe_.ask(hub, stop_.get_token());
  if (!account) {
    log(LogLevel::info, "connect_failed", {{"profile", parts_.profile}, {"error", account.error().text}});
    const ErrorCode code = account.error().code;
    const bool is_input_wrong =
        code == ErrorCode::unauthorized || code == ErrorCode::not_found || code == ErrorCode::invalid_argument;
    // Anything else says nothing of the key: a person who looks for another one looks in vain.
    if (!is_input_wrong) return std::unexpected(account.error());
    const std::string reason = code == ErrorCode::invalid_argument ? ": " + account.error().text : "";
    return fail(ErrorCode::unauthorized, "Invalid API key or cloud URL" + reason);
  }
  if (!account->may_sync) {
    return fail(ErrorCode::forbidden, "The plan '" + account->plan + "' does not include cloud sync");
  }
  if (!account->missing_scopes.empty()) {
    return fail(ErrorCode::forbidden, "the key lacks the scope " + account->missing_scopes +
                                          ", and a device must read and write; use a key with the scopes read,write");
  }
  Connected connected;
  connected.dialect = account->dialect;
  connected.plan = account->plan;
  TRY(const ProfileSettings after, parts_.settings.change([&](const ProfileSettings& now) {
    std::vector<SettingsFile::Change> changes = {{"cloud_sync", "enabled", "true"},
                                                 {"cloud_sync", "url", yaml_scalar(hub.url)},
                                                 {"cloud_sync", "api_key", yaml_scalar(hub.key)}};
    if (now.ca_file != hub.ca_file) changes.push_back({"cloud_sync", "ca_file", yaml_scalar(hub.ca_file)});
    if (account->models) connected.models_set = missing_models(now, *account->models);
    for (auto& change : changes_of(connected.models_set)) changes.push_back(std::move(change));
    return changes;
  }));
  CHECK_OK(connect_replica(after, *account, true));
  set_state(On{after});
  parts_.replica.find_spaces(stop_.get_token());
  const replica::CycleReport first = parts_.replica.sync_now("", kCycleMax);
  for (const std::string& error : first.errors) {
    log(LogLevel::warning, "first_sync_failed", {{"profile", parts_.profile}, {"error", error}});
  }
  return connected;
}

Result<Disconnected> Connection::disconnect(bool wipe) {
  const MutexLock changing(change_mutex_);
  Disconnected outcome;
  const bool was_enabled = is_enabled();
  if (was_enabled) {
    apply_settings();  // they may have changed a moment ago
    if (parts_.replica.is_connected()) {
      const auto report = parts_.replica.sync_now("", kCycleMax);
      if (!report.errors.empty()) outcome.pull_error = report.errors.front();
    } else {
      const auto why = obstacle();
      outcome.pull_error = why ? why->text : "not connected yet";
    }
  }
  const ProfileSettings before = parts_.settings.values();
  // First of all nothing may sync any more: what is wiped would come back as deletions.
  CHECK_OK(parts_.settings.change([](const ProfileSettings&) -> std::vector<SettingsFile::Change> {
    return {{"cloud_sync", "enabled", "false"}, {"cloud_sync", "url", "\"\""}, {"cloud_sync", "api_key", "\"\""}};
  }));
  set_state(Off{});
  parts_.replica.disconnect();
  if (wipe && !was_enabled) {
    outcome.wipe_error = "cannot wipe the cloud: this profile is not connected to a hub";
  } else if (wipe && outcome.pull_error) {
    outcome.wipe_error = "nothing was wiped, because the last pull failed";
  } else if (wipe) {
    wipe_hub(before, outcome);
  }
  return outcome;
}

void Connection::wipe_hub(const ProfileSettings& settings, Disconnected& outcome) {
  const auto request = session_.account().wipe;
  if (!request) {
    outcome.wipe_error = "nothing was wiped, because the hub has no call for it";
    return;
  }
  const auto answer = ask(settings, *request);
  outcome.wiped = answer && answer->status == 200;
  if (!outcome.wiped) outcome.wipe_error = answer ? http::describe(*answer) : answer.error().text;
}

replica::CycleReport Connection::sync_now(const std::string& space) {
  connect_if_enabled();
  if (!parts_.replica.is_connected()) {
    const auto why = obstacle();
    const bool is_key = why && why->code == ErrorCode::unauthorized;
    return {.moved = {},
            .errors = {why ? why->text : "this profile is not connected to a hub"},
            .is_key_refused = is_key,
            .duration_ms = 0};
  }
  return parts_.replica.sync_now(space, kCycleMax);
}

}  // namespace syncline::node
