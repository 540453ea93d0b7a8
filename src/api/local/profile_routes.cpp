// /profiles: the profiles of this node, the active one, and the sync state of each.
//
// Open to the owner of the device. Errors: 400 for a wrong name, 404 for an unknown profile, 409 for one that exists or
// is active. Adding and removing change the directories of the node.
#include "api/local/profile_face.hpp"

namespace syncline::local {
namespace {

void append_space(JsonWriter& writer, const replica::SpaceStatus& status) {
  writer.begin_object()
      .string("space", status.space)
      .string("state", to_text(status.sync.state))
      .string("reason", status.sync.reason);
  append_time_or_null(writer, "since", status.since);
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
      .boolean("live", profile.replica().link_is_up())
      .string("clock", to_text(profile.clock_status().state));
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

void ProfileFace::accept_clock(const api::CallPtr& call) {
  answer_later(call, [this, name = call->param("name")]() -> Result<std::string> {
    TRY(const auto profile, node_.find(name));
    CHECK_OK(profile->accept_clock());
    return status_json(node_, *profile);
  });
}

void ProfileFace::add_profile_routes(Routes& routes) {
  routes.get("/profiles", owner_, "List the profiles and their sync state", &ProfileFace::list_profiles)
      .answers(200, "the profiles", "Profiles");
  routes.post("/profiles", owner_, "Add a profile", &ProfileFace::add_profile)
      .body("the name", "ProfileRequest")
      .answers(200, "the profile", "Profile")
      .answers(400, "not a name")
      .answers(409, "the profile exists");
  routes.post("/profiles/{name}/use", owner_, "Make a profile the active one", &ProfileFace::use_profile)
      .answers(200, "it is active", "Ok")
      .answers(404, "unknown");
  routes
      .post("/profiles/{name}/accept-clock", owner_, "Trust this device's clock as it is now",
            &ProfileFace::accept_clock)
      .answers(200, "the profile", "Profile")
      .answers(404, "unknown");
  routes.del("/profiles/{name}", owner_, "Remove a profile", &ProfileFace::remove_profile)
      .described("The node keeps its files in removed/.")
      .answers(200, "kept_in: the directory of the files", "ProfileRemoved")
      .answers(404, "unknown")
      .answers(409, "the profile is active");
}

}  // namespace syncline::local
