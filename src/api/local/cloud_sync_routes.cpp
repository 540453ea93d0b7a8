// /api/cloud-sync: Kaisho's published local API. docs/api/node.md has its fields.
//
// Open to the owner of the device. Errors: 401, 403 and 422 for a connection that cannot be made, 502 if the hub fails
// a request that is passed on. Connecting and disconnecting change settings.yaml and the replica; choosing models
// changes settings.yaml and jobs.yaml; stopping the timer changes the hub, and then the local copy.
#include <algorithm>

#include "api/kaisho/change_cursor.hpp"
#include "api/kaisho/dialect.hpp"
#include "api/kaisho/space.hpp"
#include "api/local/profile_face.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"

namespace syncline::local {
namespace {

constexpr std::int64_t kHubAnswerMs = 30'000;
/// What the documents say of a profile that never asked.
constexpr std::string_view kNoUsage = R"({"total_tokens":0,"cap":200000,"request_count":0,"month":"")";

/// Bad gateway: the hub is at fault, or the way to it.
void fail_with_gateway(const api::CallPtr& call, const std::string& detail) {
  api::Problem problem;
  problem.status = 502;
  problem.code = "bad_gateway";
  problem.title = "Bad Gateway";
  problem.detail = detail;
  call->fail(problem);
}

/// How the Kaisho space stands; nothing if it is not there.
Result<std::optional<replica::SpaceStatus>> kaisho_status(node::Profile& profile) {
  TRY(auto all, profile.replica().status());
  const auto found = std::ranges::find(all, kaisho::kSpace, &replica::SpaceStatus::space);
  if (found == all.end()) return std::nullopt;
  return *std::move(found);
}

/// Why the profile is not in sync; empty if it is.
std::string last_error(node::Profile& profile, const std::optional<replica::SpaceStatus>& status) {
  if (const std::string error = profile.settings().error(); !error.empty()) return error;
  if (const auto obstacle = profile.connection().obstacle()) return obstacle->text;
  return status && status->sync.is_failing ? status->sync.reason : "";
}

/// Asking a hub that does not answer would hold a thread until it gives up, and others after it.
Result<replica::HubAccount> account_of(node::Profile& profile, const std::optional<replica::SpaceStatus>& status) {
  if (!profile.connection().is_enabled()) return fail(ErrorCode::unavailable, "sync is off");
  if (const auto obstacle = profile.connection().obstacle()) return std::unexpected(*obstacle);
  if (status && status->sync.is_failing) return fail(ErrorCode::unavailable, status->sync.reason);
  return profile.connection().hub_account();
}

/// How far the entries are, as Kaisho's cursors say it.
std::string cursor_text(const std::optional<replica::SpaceStatus>& status) {
  const Cursor cursor = status ? status->cursor : Cursor{};
  const std::string position = status ? JsonView(status->positions).text_of(kaisho::entries().collection) : "";
  return position.empty() ? kaisho::format_change_cursor(cursor) : position;
}

Result<std::int64_t> count_pending_deletes(node::Profile& profile) {
  std::int64_t count = 0;
  CHECK_OK(profile.replica().for_each_pending(kaisho::kSpace, [&](const RecordView& record) {
    if (record.deleted) ++count;
  }));
  return count;
}

Result<std::string> status_text(node::Profile& profile) {
  const node::ProfileSettings settings = profile.settings().values();
  const bool enabled = profile.connection().is_enabled();
  TRY(const auto status, kaisho_status(profile));
  TRY(const std::int64_t pending_deletes, count_pending_deletes(profile));
  const auto account = account_of(profile, status);
  std::string out;
  JsonWriter writer(out);
  writer.begin_object()
      .boolean("enabled", settings.enabled)
      .boolean("api_key_set", !settings.api_key.empty())
      .string("url", settings.url)
      .integer("interval", settings.interval_s)
      .boolean("connected", account.has_value());
  append_text_or_null(writer, "plan", account ? account->plan : "");
  const std::string cursor = cursor_text(status);
  writer.string("last_pull_cursor", cursor).string("last_push_cursor", cursor);
  append_time_or_null(writer, "last_pull_at", status ? status->synced_at : std::nullopt);
  append_time_or_null(writer, "last_push_at", status ? status->synced_at : std::nullopt);
  std::string error = last_error(profile, status);
  if (enabled && !account && error.empty()) error = account.error().text;
  append_text_or_null(writer, "last_error", error);
  writer.integer("pending_deletes", pending_deletes);
  if (account) {
    if (!account->email.empty()) writer.string("email", account->email);
    writer.integer("cloud_entry_count", account->entry_count)
        .raw("cloud_last_change_at", account->last_change_at)
        .raw("cloud_active_timer_id", account->active_timer_id);
  }
  // What the documents do not name: how it is, in one line, and what waits.
  writer.string("state", status ? to_text(status->sync.state) : "off");
  writer.integer("pending_changes", status ? status->pending : 0);
  append_dialect(writer, profile);
  writer.end_object();
  return out;
}

void append_cycle(JsonWriter& writer, const replica::CycleReport& report) {
  writer.boolean("enabled", true)
      .integer("pulled_up", report.moved.pulled_live)
      .integer("pulled_del", report.moved.pulled_deleted)
      .integer("pushed_live", report.moved.pushed_live)
      .integer("pushed_del", report.moved.pushed_deleted)
      .integer("pushed_deletes", report.moved.pushed_deleted)
      .integer("duration_ms", report.duration_ms)
      .boolean("snapshot_pushed", false);
  append_text_or_null(writer, "error", report.errors.empty() ? "" : report.errors.front());
}

}  // namespace

void ProfileFace::get_cloud_status(const api::CallPtr& call) {
  answer_later(call, [this] { return status_text(profile_); });
}

void ProfileFace::connect(const api::CallPtr& call) {
  TRY_CALL(call, const JsonView body, body_or_empty(*call));
  const std::string url = body.text_of("url");
  const std::string key = body.text_of("api_key");
  if (url.empty() || key.empty()) {
    api::Problem problem =
        api::problem_of({ErrorCode::invalid_argument, url.empty() ? "url is required" : "api_key is required"});
    problem.status = 422;
    return call->fail(problem);
  }
  const node::HubAddress hub{url, key, body.text_of("ca_file")};
  answer_later(call, [this, hub]() -> Result<std::string> {
    TRY(const node::Connected connected, profile_.connection().connect(hub));
    std::string out;
    JsonWriter writer(out);
    writer.begin_object().boolean("ok", true).string("plan", connected.plan);
    writer.string("dialect", connected.dialect->name());
    writer.name("auto_set_models").begin_object();
    for (const auto& [name, model] : connected.models_set) writer.string(name, model);
    writer.end_object().end_object();
    return out;
  });
}

void ProfileFace::disconnect(const api::CallPtr& call) {
  TRY_CALL(call, const JsonView body, body_or_empty(*call));
  const auto asked = body.find("wipe");
  const std::string query = call->query("wipe").value_or("");
  const bool wipe = query == "true" || query == "1" || (asked && asked->as_boolean().value_or(false));
  answer_later(call, [this, wipe]() -> Result<std::string> {
    TRY(const node::Disconnected outcome, profile_.connection().disconnect(wipe));
    std::string out;
    JsonWriter writer(out);
    writer.begin_object().boolean("ok", true).boolean("wiped", outcome.wiped);
    append_text_or_null(writer, "pull_error", outcome.pull_error.value_or(""));
    append_text_or_null(writer, "wipe_error", outcome.wipe_error.value_or(""));
    writer.end_object();
    return out;
  });
}

void ProfileFace::get_ai_usage(const api::CallPtr& call) {
  answer_later(call, [this]() -> Result<std::string> {
    if (!profile_.connection().is_enabled()) return std::string(kNoUsage) + '}';
    const auto answer = profile_.connection().ask_hub({http::Method::get, "/ai/usage", "", {}, kHubAnswerMs});
    if (answer && answer->status == 200) return answer->body;
    std::string out(kNoUsage);
    out += ",\"error\":";
    append_json_string(out, answer ? http::describe(*answer) : answer.error().text);
    return out + '}';
  });
}

void ProfileFace::sync_now(const api::CallPtr& call) {
  if (!profile_.connection().is_enabled()) return call->respond_json(200, R"({"enabled":false})");
  blocking_.post([this, call] {
    const replica::CycleReport report = profile_.connection().sync_now(std::string(kaisho::kSpace));
    if (report.is_local_failure) return call->fail(Error{ErrorCode::unavailable, report.errors.front()});
    if (!report.errors.empty()) return fail_with_gateway(call, report.errors.front());
    std::string out;
    JsonWriter writer(out);
    writer.begin_object();
    append_cycle(writer, report);
    writer.end_object();
    call->respond_json(200, std::move(out));
  });
}

void ProfileFace::use_models(const api::CallPtr& call) {
  answer_later(call, [this]() -> Result<std::string> {
    const replica::HostedModels models = kaisho::hosted_models();
    if (profile_.connection().is_enabled()) {
      TRY(const replica::HubAccount account, profile_.connection().hub_account());
      if (!account.models) return fail(ErrorCode::conflict, "this hub has no AI for the account");
    }
    TRY(const auto switched, profile_.models().use(models));
    std::string out;
    JsonWriter(out)
        .begin_object()
        .string("advisor_model", models.advisor)
        .string("cron_model", models.cron)
        .boolean("advisor_changed", switched.advisor_changed)
        .integer("jobs_changed", switched.jobs_changed)
        .end_object();
    return out;
  });
}

void ProfileFace::get_cloud_timer(const api::CallPtr& call) {
  answer_later(call, [this]() -> Result<std::string> {
    constexpr std::string_view kNone = R"({"active":false})";
    TRY(const auto status, kaisho_status(profile_));
    const bool is_away = status && status->sync.is_failing;
    if (!profile_.connection().is_enabled() || is_away) return std::string(kNone);
    const auto answer = profile_.connection().ask_hub(
        {http::Method::get, "/sync/active", "", {}, kHubAnswerMs, limits::kAnswerBytesDocument});
    return answer && answer->status == 200 ? answer->body : std::string(kNone);
  });
}

void ProfileFace::stop_cloud_timer(const api::CallPtr& call) {
  if (!profile_.connection().is_enabled()) {
    return call->fail(Error{ErrorCode::invalid_argument, "Cloud sync is disabled"});
  }
  std::string body = "{}";
  if (const auto id = call->query("timer_id"); id && !id->empty()) {
    body.clear();
    JsonWriter(body).begin_object().string("id", *id).end_object();
  }
  blocking_.post([this, call, body] {
    const auto answer = profile_.connection().ask_hub(
        {http::Method::post, "/sync/active/stop", body, {}, kHubAnswerMs, limits::kAnswerBytesDocument});
    if (!answer) return fail_with_gateway(call, answer.error().text);
    if (answer->status != 200) return fail_with_gateway(call, http::describe(*answer));
    (void)profile_.connection().sync_now(std::string(kaisho::kSpace));  // so that this device shows it at once
    call->respond_json(200, answer->body);
  });
}

void ProfileFace::add_cloud_sync_routes(Routes& routes) {
  routes.get("/api/cloud-sync/status", owner_, "Show connection, plan and cursors", &ProfileFace::get_cloud_status)
      .answers(200, "the sync state of the Kaisho data", "CloudStatus");
  routes.post("/api/cloud-sync/connect", owner_, "Connect to a hub", &ProfileFace::connect)
      .body("url and api_key of the hub; ca_file: PEM file with a CA to trust besides the system's", "CloudConnect")
      .answers(200, "connected", "CloudConnected")
      .answers(401, "the hub does not accept the key")
      .answers(403, "the plan does not include sync, or the key may not read and write")
      .answers(422, "url or api_key is missing")
      .answers(503, "the hub is unreachable");
  routes
      .post("/api/cloud-sync/disconnect", owner_, "Pull once more, then disconnect from the hub",
            &ProfileFace::disconnect)
      .query("wipe", "true: also delete the data in the cloud")
      .body("wipe, as in the query", "CloudDisconnect")
      .answers(200, "disconnected; the errors say what did not work", "CloudDisconnected");
  routes.get("/api/cloud-sync/ai-usage", owner_, "Show the AI tokens used this month", &ProfileFace::get_ai_usage)
      .answers(200, "the usage; error says why the hub did not answer", "CloudAiUsage");
  routes.post("/api/cloud-sync/sync-now", owner_, "Run one sync cycle", &ProfileFace::sync_now)
      .answers(200, "what the cycle moved; enabled false: sync is off", "CloudCycle")
      .answers(502, "the cycle failed");
  routes
      .post("/api/cloud-sync/use-kaisho-models", owner_, "Use hosted models for the advisor and all jobs",
            &ProfileFace::use_models)
      .answers(200, "the models", "CloudModels")
      .answers(409, "the hub has no AI for the account");
  routes.get("/api/cloud-sync/active", owner_, "Show the running timer in the cloud", &ProfileFace::get_cloud_timer)
      .answers(200, "active, and the entry if a timer runs", "CloudTimer");
  routes.post("/api/cloud-sync/stop-cloud-timer", owner_, "Stop the timer in the cloud", &ProfileFace::stop_cloud_timer)
      .query("timer_id", "only if this timer runs")
      .answers(200, "the finished entry", "CloudEntry")
      .answers(400, "sync is off")
      .answers(502, "the hub did not stop it");
}

}  // namespace syncline::local
