// /profiles: which there are, which is meant, and how each one's sync stands.
#include "api/local/profile_face.hpp"

namespace syncline::local {
namespace {

void append_space(JsonWriter& writer, const replica::SpaceStatus& status) {
  writer.begin_object()
      .string("space", status.space)
      .string("state", to_text(status.sync.state))
      .string("reason", status.sync.reason)
      .string("since", format_time(status.since));
  append_time_or_null(writer, "next_try", status.next_try);
  append_time_or_null(writer, "last_sync", status.synced_at);
  writer.integer("pending", status.pending)
      .integer("dead_letters", status.dead_letters)
      .integer("to_pull", status.to_pull())
      .integer("pulled", status.transfer.pulled_live + status.transfer.pulled_deleted)
      .integer("pushed", status.transfer.pushed_live + status.transfer.pushed_deleted)
      .integer("conflicts", status.transfer.conflicts)
      .end_object();
}

}  // namespace

void append_dialect(JsonWriter& writer, node::Profile& profile) {
  if (!profile.replica().is_connected()) return;
  const replica::Dialect& dialect = *profile.replica().hub().dialect;
  writer.string("dialect", dialect.name()).name("limits").begin_array();
  for (const std::string_view limit : dialect.limits()) writer.string(limit);
  writer.end_array();
}

Result<std::string> status_json(node::Node& node, node::Profile& profile) {
  const node::ProfileSettings settings = profile.settings().values();
  TRY(auto spaces, profile.replica().status());
  const auto obstacle = profile.connection().obstacle();
  std::string out;
  JsonWriter writer(out);
  writer.begin_object()
      .string("profile", profile.name())
      .boolean("active", node.active() == profile.name())
      .boolean("enabled", profile.connection().is_enabled())
      .string("url", settings.url)
      .boolean("live", profile.replica().link_is_up());
  append_text_or_null(writer, "settings_error", profile.settings().error());
  append_dialect(writer, profile);
  writer.name("spaces").begin_array();
  const bool is_about_to_connect = profile.connection().is_enabled() && !obstacle && !profile.replica().is_connected();
  for (replica::SpaceStatus& status : spaces) {
    if (is_about_to_connect) {
      status.sync.state = SyncStatus::State::waiting;
      status.sync.reason = "about to connect to the hub";
    }
    if (obstacle && status.sync.state == SyncStatus::State::off) {
      const bool is_key = obstacle->code == ErrorCode::unauthorized;
      status.sync.state = is_key ? SyncStatus::State::refused : SyncStatus::State::waiting;
      status.sync.reason =
          is_key ? "the hub does not accept the key: " + obstacle->text + "; log in again" : obstacle->text;
    }
    append_space(writer, status);
  }
  writer.end_array().end_object();
  return out;
}

void ProfileFace::list_profiles(const api::CallPtr& call) {
  std::string out = R"({"profiles":[)";
  bool first = true;
  for (const auto& each : node_.list()) {
    TRY_CALL(call, const std::string status, status_json(node_, *each));
    if (!first) out += ',';
    first = false;
    out += status;
  }
  call->respond_json(200, out + "]}");
}

void ProfileFace::add_profile(const api::CallPtr& call) {
  TRY_CALL(call, const JsonView body, body_or_empty(*call));
  const std::string name = body.text_of("name");
  answer_later(call, [this, name]() -> Result<std::string> {
    CHECK_OK(node_.add(name));
    TRY(const auto made, node_.find(name));
    return status_json(node_, *made);
  });
}

void ProfileFace::use_profile(const api::CallPtr& call) {
  CHECK_CALL(call, node_.use(call->param("name")));
  call->respond_json(200, R"({"ok":true})");
}

void ProfileFace::remove_profile(const api::CallPtr& call) {
  answer_later(call, [this, name = call->param("name")]() -> Result<std::string> {
    TRY(const std::string kept, node_.remove(name));
    std::string out;
    JsonWriter(out).begin_object().string("kept_in", kept).end_object();
    return out;
  });
}

void ProfileFace::add_profile_routes(Routes& routes) {
  routes.get("/profiles", owner_, "Profiles of this node, and how each is in sync", &ProfileFace::list_profiles);
  routes.post("/profiles", owner_, "Add a profile: {\"name\"}", &ProfileFace::add_profile);
  routes.post("/profiles/{name}/use", owner_, "Make it the active profile", &ProfileFace::use_profile);
  routes.del("/profiles/{name}", owner_, "Take a profile out; its files are kept in removed/",
             &ProfileFace::remove_profile);
}

}  // namespace syncline::local
